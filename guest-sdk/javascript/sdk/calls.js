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
    /** What is to be spoken over the channel that it opens, if it is to open one. */
    this.protocol = undefined;
  }
}

/** A request that is to open a channel. */
export class Opening extends Wanted {
  constructor(call) {
    super();
    this.line = call.line;
    this.call = call;
  }
}

export class Together extends Wanted {
  constructor(items) {
    super();
    this.items = items;
  }
}

const OPTIONS = new Set(['query', 'json', 'form', 'multipart', 'body', 'headers', 'bearer', 'mark', 'fault', 'category', 'timeoutMs', 'capture', 'path', 'expect']);

/** What `capture` may say, and what that is to the host. */
export const CAPTURES = {
  body: { headers: false, body: true },
  headers: { headers: true, body: false },
  all: { headers: true, body: true },
  nothing: { headers: false, body: false },
};

/** What some of them have to be; of most, null is none. */
const isText = (value) => value === null || typeof value === 'string';
const isObject = (value) => typeof value === 'object';
const SHAPES = new Map([
  ['capture', [(value) => Object.hasOwn(CAPTURES, value), 'body, headers, all or nothing']],
  ['category', [isText, 'a text']],
  ['headers', [isObject, 'an object']],
  ['mark', [isText, 'a text']],
  ['path', [isText, 'a text']],
  ['query', [isObject, 'an object']],
  ['timeoutMs', [(value) => value === null || (Number.isInteger(value) && value >= 0 && value < 2 ** 32), 'a whole number of milliseconds']],
]);

/** What would take the place of a gRPC call's message, or of its method. */
const NOT_OF_GRPC = ['query', 'json', 'form', 'multipart', 'body', 'path'];

/** What the session whose journey runs has made to be sent, and nobody has yielded yet. */
let unsent = new Set();

/** For the executor: from here on, what is made to be sent goes into this set. */
export function gather(set) {
  unsent = set;
}

/** Something that has to be yielded. */
export function made(wanted) {
  unsent.add(wanted);
  return wanted;
}

function checked(method, path, args, options) {
  const one = new Call(method, path, args, options);
  for (const name in args) {
    if (!path.includes(`{${name}}`)) {
      const fix = OPTIONS.has(name) ? `options come third, behind the path's arguments: (path, {}, { ${name} })` : 'see its placeholders';
      throw new UsageError(`${one.line}: the path has no {${name}}: ${fix}`);
    }
  }
  for (const name in options) {
    if (!OPTIONS.has(name)) {
      throw new UsageError(`${one.line}: there is no option ${name}: there are ${[...OPTIONS].join(', ')}`);
    }
    const [fits, what] = SHAPES.get(name) ?? [];
    if (fits !== undefined && options[name] !== undefined && !fits(options[name])) {
      throw new UsageError(`${one.line}: ${name} is ${what}, and not ${JSON.stringify(options[name])}`);
    }
  }
  return one;
}

const call = (...parts) => made(checked(...parts));

/**
 * A request to a declared route: `args` fill the path's placeholders; `options` are `query`, `json`, `form`, `multipart`, `body`,
 * `headers`, `bearer` (of `me.tokens`, or a token as text), `mark`, `fault`, `category`, `timeoutMs`, `path` (a link from a reply, sent as it
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
 * Ask a GraphQL service (https://spec.graphql.org): a POST to a declared route with a query and its variables; `operation` in the
 * options names one of several in the query. The reply's `graphql()` gives its data.
 */
export function graphql(path, query, variables, { operation, ...others } = {}) {
  if (typeof query !== 'string') {
    throw new UsageError(`graphql takes a path, a query as text, and its variables, and not ${typeof query}`);
  }
  return post(path, {}, { ...others, json: { query, variables, operationName: operation } });
}

/**
 * A call of a method of gRPC that is declared as `GRPC /package.Service/Method`: its message as bytes, without a frame, and the
 * options of a request. The reply's `grpc` says how it has ended; `expect` are names of codes, as `NOT_FOUND`.
 */
export function grpc(path, message, options) {
  if (message !== undefined && !(message instanceof Uint8Array)) {
    throw new UsageError(`GRPC ${path}: a message is a Uint8Array, and not ${JSON.stringify(message)}`);
  }
  const odd = NOT_OF_GRPC.find((name) => options?.[name] !== undefined);
  if (odd !== undefined) {
    throw new UsageError(`GRPC ${path}: a call of gRPC has no ${odd}: its message is the second argument`);
  }
  return call('GRPC', path, {}, { ...options, body: message });
}

const PROTOCOLS = ['websocket', 'event-stream'];

/**
 * Open a channel with a GET of a declared route: a `websocket`, or an `event-stream`. Gives it once it is open; the person gives up
 * where the answer opens none.
 */
export function open(protocol, path, args, options) {
  if (!PROTOCOLS.includes(protocol)) {
    throw new UsageError(`open takes ${PROTOCOLS.join(' or ')}, then what a request takes, and not ${JSON.stringify(protocol)}`);
  }
  const one = checked('GET', path, args, options);
  one.protocol = protocol;
  return made(new Opening(one));
}

/**
 * Requests, pauses and generators at the same time; what is sent at one point goes out as one step. Gives the list of
 * what they return, in order, once all have ended; then throws the first error among them, if any.
 */
export const all = (items) => new Together([...items]);
