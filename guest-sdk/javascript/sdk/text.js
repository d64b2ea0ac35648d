//! UTF-8 in both directions. Bodies go through here, so the engine inside the module, which has no TextEncoder, takes the
//! quickest ways that it has: base64 both ways is native there, and a loop over bytes is not.

/** A sequence of UTF-8 for one character beyond ASCII, as characters of a byte each. */
const BEYOND_ASCII = /[\xc2-\xf4][\x80-\xbf]+/g;

export const decode =
  typeof TextDecoder === 'function'
    ? (bytes) => new TextDecoder().decode(bytes)
    : (bytes) => atob(bytes.toBase64()).replace(BEYOND_ASCII, character);

export const encode =
  typeof TextEncoder === 'function'
    ? (text) => new TextEncoder().encode(text)
    : (text) => Uint8Array.fromBase64(btoa(unescape(encodeURIComponent(whole(text)))));

/** A text without halves of characters: what crosses to the host is UTF-8, which has none, and the engine dies of one. Node has
 * it from version 20 on; before that, a test of the author's sees the half. */
export const whole = (value) => (typeof value === 'string' && value.toWellFormed !== undefined ? value.toWellFormed() : value);

/** What is no UTF-8 stays as it is, byte by byte: a target may answer with anything. */
function character(sequence) {
  try {
    return decodeURIComponent(escape(sequence));
  } catch {
    return sequence;
  }
}
