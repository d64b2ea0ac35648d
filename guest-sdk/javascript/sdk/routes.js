//! One declared route: `GET /users/{id}`, its category, target and kind, and how a path is made of it. `behavior` makes them, the executor
//! looks them up for every request, so that nothing undeclared becomes a metric label.

import { UsageError } from './errors.js';

/** Of another target than the run's own behind the target's name: `GET billing:/invoices/{id}`; of gRPC `GRPC /shop.Catalog/Find`. */
const LINE = /^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|GRPC) (?:([\w-]+):)?(\/\S*)$/;
/** What an account leaves by, where a behavior's `auth` does not say. */
const LEAVES = /(log|sign)[-_]?out|revoke/i;
/** The category whose POST routes ask who somebody is. */
const AUTH = 'auth';

export class Route {
  constructor(line, category) {
    const [, method, target, path] = LINE.exec(line) ?? [];
    if (path === undefined) {
      throw new UsageError(`the route \`${line}\` is not of the form \`GET /users/{id}\``);
    }
    this.line = line;
    /** It is a method of gRPC. */
    this.grpc = method === 'GRPC';
    this.method = this.grpc ? 'post' : method.toLowerCase();
    this.path = path;
    this.category = category;
    /** The plan's name of the target that it is at; null for the run's own. */
    this.target = target ?? null;
    // Literals and placeholders in turn, a literal first.
    this.parts = path.split(/\{([^}]*)\}/);
  }

  /** What its requests do for who their user is: as `auth` says, else by what it is called. */
  kind(auth) {
    for (const kind of ['login', 'refresh', 'logout']) {
      if (auth?.[kind] === this.line) {
        return kind;
      }
    }
    if (this.method !== 'post' || this.category !== AUTH) {
      return 'plain';
    }
    return LEAVES.test(this.path) ? 'logout' : 'login';
  }

  /** The path with its placeholders filled in. */
  fill(args) {
    const { parts } = this;
    let path = parts[0];
    for (let at = 1; at < parts.length; at += 2) {
      const value = args?.[parts[at]];
      if (value === undefined || value === null) {
        throw new UsageError(`${this.line}: lacks an argument for {${parts[at]}}`);
      }
      path += encodeURIComponent(value) + parts[at + 1];
    }
    return path;
  }
}

/**
 * `?page=1&sort=name`, without the values that are undefined or null; a list gives its name so many times. Empty when nothing
 * is left.
 */
export function queryOf(query) {
  let text = '';
  const add = (name, value) => {
    if (value !== undefined && value !== null) {
      text += `${text === '' ? '?' : '&'}${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
    }
  };
  for (const name in query) {
    const value = query[name];
    if (Array.isArray(value)) {
      value.forEach((one) => add(name, one));
    } else {
      add(name, value);
    }
  }
  return text;
}
