//! What services want signed and coded: SHA-256, HMAC with it, hexadecimal, base64, basic authentication. Whoever plays the journey
//! hands in the digests: a package's within a module, Node's own in the harness.

import { UsageError } from './errors.js';
import { encode } from './text.js';

let digests;

/** `sha256(bytes)` and `hmacSha256(key, bytes)`, which give bytes. */
export function digestWith(given) {
  digests = given;
}

/** The bytes of a text, as UTF-8, or those that are given. */
function bytesOf(value) {
  if (typeof value === 'string') {
    return encode(value);
  }
  if (value instanceof Uint8Array) {
    return value;
  }
  throw new UsageError(`this takes a text or a Uint8Array, and not ${value === null ? 'null' : typeof value}`);
}

export const sha256 = (value) => digests.sha256(bytesOf(value));
export const hmacSha256 = (key, value) => digests.hmacSha256(bytesOf(key), bytesOf(value));

export const hex = (value) => Array.from(bytesOf(value), (byte) => byte.toString(16).padStart(2, '0')).join('');

/** A text's bytes are those of its UTF-8, where `btoa` takes them for Latin-1. */
export function base64(value, { url = false } = {}) {
  const characters = Array.from(bytesOf(value), (byte) => String.fromCharCode(byte));
  const coded = btoa(characters.join(''));
  return url ? coded.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '') : coded;
}

/** The value of `authorization` for a name and a password (RFC 7617). */
export function basic(name, password) {
  if (String(name).includes(':')) {
    throw new UsageError('basic: the name has a colon, which would end it');
  }
  return `Basic ${base64(`${name}:${password}`)}`;
}
