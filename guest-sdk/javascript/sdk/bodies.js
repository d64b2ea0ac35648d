//! What a request carries: bytes, files of the plan, and multipart forms (RFC 7578), as the contract has them. Nothing that a field
//! is called or holds can leave its part.

import { UsageError } from './errors.js';
import { encode } from './text.js';

/** One of the plan's `[files]`: the host sends it, and the journey never sees it. */
export class PlanFile {
  constructor(name, as, type) {
    this.name = name;
    this.as = as;
    this.type = type;
  }
}

const BINARY = 'application/octet-stream';
const CONTENT_DISPOSITION = 'Content-Disposition: form-data; name=';

/**
 * One of the plan's `[files]`, by its name: as a `body`, or as a field of a `multipart` form. There the target is told the name
 * `as` and the content type `type`: by default the plan's name, and that of any bytes.
 */
export function file(name, { as = name, type = BINARY } = {}) {
  if (typeof name !== 'string') {
    throw new UsageError(`file takes a name of the plan's [files], and not ${JSON.stringify(name)}`);
  }
  return new PlanFile(name, as, type);
}

/** A body as the contract has it; null for none. */
export function bodyOf(line, body) {
  if (body === undefined || body === null) {
    return null;
  }
  if (body instanceof PlanFile) {
    return { tag: 'pieces', val: [{ tag: 'file', val: body.name }] };
  }
  if (typeof body === 'string' || ArrayBuffer.isView(body)) {
    return bytesOf(body);
  }
  throw new UsageError(`${line}: body is a text, bytes or a file of the plan: for anything else there are json, form and multipart`);
}

const bytesOf = (body) => ({ tag: 'bytes', val: typeof body === 'string' ? encode(body) : body });

/** A multipart form as the contract has it, with its content type. Nobody who has written a field or a file knows `chance`. */
export function multipartOf(line, form, chance) {
  const boundary = `vespeiro-${chance}`;
  const pieces = [];
  let text = '';
  const flush = () => {
    if (text !== '') {
      pieces.push(bytesOf(text));
      text = '';
    }
  };
  const add = (name, value) => {
    if (value === undefined || value === null) {
      return;
    }
    text += `--${boundary}\r\n${CONTENT_DISPOSITION}"${quoted(name)}"`;
    if (value instanceof PlanFile || ArrayBuffer.isView(value)) {
      const { as = name, type = BINARY } = value;
      text += `; filename="${quoted(as)}"\r\nContent-Type: ${quoted(type)}\r\n\r\n`;
      flush();
      pieces.push(value instanceof PlanFile ? { tag: 'file', val: value.name } : bytesOf(value));
    } else if (typeof value === 'object') {
      throw new UsageError(`${line}: the field ${name} of a form is a text, a number, bytes, a file, or a list of them`);
    } else {
      text += `\r\n\r\n${value}`;
    }
    text += '\r\n';
  };
  for (const name in form) {
    const value = form[name];
    if (Array.isArray(value)) {
      value.forEach((one) => add(name, one));
    } else {
      add(name, value);
    }
  }
  text += `--${boundary}--\r\n`;
  flush();
  const body = pieces.length === 1 ? pieces[0] : { tag: 'pieces', val: pieces };
  return [body, `multipart/form-data; boundary=${boundary}`];
}

/** What the HTML standard escapes in a name. */
const quoted = (text) => String(text).replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');

/** A body's bytes, for a harness: a file of the plan stands in them as `(file NAME)`. */
export function shown(body) {
  if (body === null || body.tag === 'bytes') {
    return body?.val ?? null;
  }
  const parts = body.val.map(({ tag, val }) => (tag === 'file' ? encode(`(file ${val})`) : val));
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
