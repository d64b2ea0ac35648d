//! What a journey yields to send something: one request, or several things together. These only describe; the executor
//! in session.js acts on them. Each can be yielded (`yield get(…)`) or delegated to (`yield* get(…)`), which is the same
//! and tells TypeScript the type of what comes back.

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

/**
 * A request to a declared route: `args` fill the path's placeholders; `options` are `query`, `json`, `body`, `headers`,
 * `bearer` (of `me.tokens`), `mark`, `fault`, `category`, `timeoutMs`, and `capture`: `body` (the default), `headers`,
 * `all` or `nothing`.
 */
export const get = (path, args, options) => new Call('GET', path, args, options);
export const head = (path, args, options) => new Call('HEAD', path, args, options);
export const post = (path, args, options) => new Call('POST', path, args, options);
export const put = (path, args, options) => new Call('PUT', path, args, options);
export const patch = (path, args, options) => new Call('PATCH', path, args, options);
export const del = (path, args, options) => new Call('DELETE', path, args, options);
export const options = (path, args, settings) => new Call('OPTIONS', path, args, settings);

/**
 * Requests, pauses and generators at the same time; what is sent at one point goes out as one step. Gives the list of
 * what they return, in order, once all have ended; then throws the first error among them, if any.
 */
export const all = (items) => new Together([...items]);
