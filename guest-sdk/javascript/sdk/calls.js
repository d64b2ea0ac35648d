//! What a journey yields to send something: one request, or several things together. These only describe; the executor
//! in session.js acts on them. Each can be yielded (`yield get(…)`) or delegated to (`yield* get(…)`), which is the same
//! and tells TypeScript the type of what comes back.

import { UsageError } from './errors.js';

/** Yields one thing, once, and returns what comes of it. */
class Once {
  constructor(wanted) {
    this.wanted = wanted;
  }

  next(value) {
    const { wanted } = this;
    if (wanted === undefined) {
      return { done: true, value };
    }
    this.wanted = undefined;
    return { done: false, value: wanted };
  }

  throw(error) {
    throw error;
  }

  return(value) {
    return { done: true, value };
  }
}

export class Wanted {
  [Symbol.iterator]() {
    return new Once(this);
  }
}

export class Call extends Wanted {
  constructor(method, path, args, options) {
    super();
    this.line = `${method} ${path}`;
    this.args = args;
    this.options = options;
  }
}

export class Together extends Wanted {
  constructor(items) {
    super();
    this.items = items;
  }
}

const OPTIONS = new Set(['query', 'json', 'form', 'body', 'headers', 'bearer', 'mark', 'fault', 'category', 'timeoutMs', 'capture', 'path', 'expect']);

/** The requests of the session whose journey runs that nobody has yielded yet. */
let unsent = new Set();

/** For the executor: from here on, requests that are made go into this set. */
export function gather(set) {
  unsent = set;
}

function call(method, path, args, options) {
  const made = new Call(method, path, args, options);
  for (const name in args) {
    if (!path.includes(`{${name}}`)) {
      const fix = OPTIONS.has(name) ? `options come third, behind the path's arguments: (path, {}, { ${name} })` : 'see its placeholders';
      throw new UsageError(`${made.line}: the path has no {${name}}: ${fix}`);
    }
  }
  for (const name in options) {
    if (!OPTIONS.has(name)) {
      throw new UsageError(`${made.line}: there is no option ${name}: there are ${[...OPTIONS].join(', ')}`);
    }
  }
  unsent.add(made);
  return made;
}

/**
 * A request to a declared route: `args` fill the path's placeholders; `options` are `query`, `json`, `form`, `body`, `headers`,
 * `bearer` (of `me.tokens`, or a token as text), `mark`, `fault`, `category`, `timeoutMs`, `path` (a link from a reply, sent as it
 * is instead of the path), `expect` (statuses from 400 on that are no error), and `capture`: `body` (the default), `headers`, `all` or
 * `nothing`.
 */
export const get = (path, args, options) => call('GET', path, args, options);
export const head = (path, args, options) => call('HEAD', path, args, options);
export const post = (path, args, options) => call('POST', path, args, options);
export const put = (path, args, options) => call('PUT', path, args, options);
export const patch = (path, args, options) => call('PATCH', path, args, options);
export const del = (path, args, options) => call('DELETE', path, args, options);
export const options = (path, args, settings) => call('OPTIONS', path, args, settings);

/**
 * Requests, pauses and generators at the same time; what is sent at one point goes out as one step. Gives the list of
 * what they return, in order, once all have ended; then throws the first error among them, if any.
 */
export const all = (items) => new Together([...items]);
