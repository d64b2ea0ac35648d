//! What authors expect of any JavaScript and this engine lacks: URL, URLSearchParams, structuredClone (core-js), digests
//! (@noble/hashes), and small ones of our own over what the SDK has. Only inside a module; the harness plays where all of it is.

import 'core-js/web/structured-clone.js';
import 'core-js/web/url.js';
import 'core-js/web/url-search-params.js';

import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';

import { digestWith } from './sign.js';
import { decode, encode } from './text.js';

/** UTF-8 alone. */
class Encoder {
  encoding = 'utf-8';

  encode(text = '') {
    return encode(String(text));
  }
}

class Decoder {
  encoding = 'utf-8';

  constructor(label = 'utf-8') {
    if (!/^utf-?8$/i.test(label)) {
      throw new RangeError(`TextDecoder: ${label} is not there, utf-8 is`);
    }
  }

  decode(bytes = new Uint8Array()) {
    return decode(ArrayBuffer.isView(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : new Uint8Array(bytes));
  }
}

/** `byte` draws from the session's own randomness: the same seed gives the same. */
export function provide(byte) {
  digestWith({ sha256, hmacSha256: (key, bytes) => hmac(sha256, key, bytes) });
  globalThis.TextEncoder ??= Encoder;
  globalThis.TextDecoder ??= Decoder;
  const getRandomValues = (array) => {
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength).forEach((_, at, bytes) => {
      bytes[at] = byte();
    });
    return array;
  };
  const randomUUID = () => {
    const bytes = getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    return bytes.toHex().replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  };
  globalThis.crypto ??= { getRandomValues, randomUUID };
}
