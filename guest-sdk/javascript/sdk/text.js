//! UTF-8 in both directions, for the engine inside the module knows no TextEncoder. Bodies go through here; what is plain
//! ASCII, as most JSON is, takes the engine's own quick ways.

/** Keeps the argument list of one call short. */
const CHUNK = 4096;

export function decode(bytes) {
  let text = '';
  for (let at = 0; at < bytes.length; at += CHUNK) {
    text += String.fromCharCode.apply(null, bytes.subarray(at, at + CHUNK));
  }
  // eslint-disable-next-line no-control-regex
  return /[^\x00-\x7f]/.test(text) ? decodeURIComponent(escape(text)) : text;
}

export function encode(text) {
  const binary = unescape(encodeURIComponent(text));
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) {
    bytes[at] = binary.charCodeAt(at);
  }
  return bytes;
}
