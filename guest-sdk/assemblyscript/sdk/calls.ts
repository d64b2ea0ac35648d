//! Routes, and what a journey sends to them. These only describe; the executor in journey.ts acts on them.

import { Tokens } from './tokens';

export enum Method { GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS }

/** The wrong request that the host asks for. */
export enum Fault { NONE, BAD_CREDENTIALS, FORBIDDEN, INVALID_DATA, NOT_FOUND, RATE_LIMIT }

export enum Failure { NONE, TIMEOUT, CONNECT, TLS, RESET, PROTOCOL, TOO_LARGE, CIRCUIT_OPEN, STOPPED }

/** What to see of a response: bits, as the contract has them. */
export enum Capture { NOTHING = 0, HEADERS = 1, BODY = 2, EVERYTHING = 3 }

/** One route that a behavior may use, and the category of its requests. */
export class Route {
  constructor(public method: Method, public path: string, public category: string) {}

  /** A request to it; `args` fill the path's placeholders, in order. */
  call(args: string[] = []): Call {
    return new Call(this, args);
  }

  get line(): string {
    return `${NAMES[this.method]} ${this.path}`;
  }
}

const NAMES: StaticArray<string> = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

export function get(path: string, category: string): Route {
  return new Route(Method.GET, path, category);
}

export function head(path: string, category: string): Route {
  return new Route(Method.HEAD, path, category);
}

export function post(path: string, category: string): Route {
  return new Route(Method.POST, path, category);
}

export function put(path: string, category: string): Route {
  return new Route(Method.PUT, path, category);
}

export function patch(path: string, category: string): Route {
  return new Route(Method.PATCH, path, category);
}

export function del(path: string, category: string): Route {
  return new Route(Method.DELETE, path, category);
}

export function options(path: string, category: string): Route {
  return new Route(Method.OPTIONS, path, category);
}

/** One request. What is not said is left out. */
export class Call {
  path: string = '';
  queries: string = '';
  headers: string[] = [];
  text: string | null = null;
  holder: Tokens | null = null;
  captured: i32 = Capture.BODY;
  created: string | null = null;
  wrong: Fault = Fault.NONE;
  key: string;
  timeout: u32 = 0;
  expected: i32[] = [];
  lenient: bool = false;

  constructor(public route: Route, public args: string[]) {
    this.key = route.category;
  }

  query(name: string, value: string): Call {
    this.queries += `${this.queries.length > 0 ? '&' : '?'}${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
    return this;
  }

  header(name: string, value: string): Call {
    this.headers.push(name);
    this.headers.push(value);
    return this;
  }

  /** JSON text: see `object`. */
  json(text: string): Call {
    this.text = text;
    return this.header('content-type', 'application/json');
  }

  body(text: string): Call {
    this.text = text;
    return this;
  }

  /** Sent with this account's token, which is got first, renewed before it expires, and got anew after a 401. */
  bearer(tokens: Tokens): Call {
    this.holder = tokens;
    return this;
  }

  capture(what: Capture): Call {
    this.captured = what;
    return this;
  }

  /** What this creates, `<kind>:<name>`: the host notes it before the request leaves. */
  mark(thing: string): Call {
    this.created = thing;
    return this;
  }

  /** The request is wrong on purpose. */
  fault(kind: Fault): Call {
    this.wrong = kind;
    return this;
  }

  category(name: string): Call {
    this.key = name;
    return this;
  }

  timeoutMs(millis: u32): Call {
    this.timeout = millis;
    return this;
  }

  /** With another status than these the person gives up. */
  expect(statuses: i32[]): Call {
    this.expected = statuses;
    return this;
  }

  /** Go on without a response, too: look at the reply's `failure`. */
  orElse(): Call {
    this.lenient = true;
    return this;
  }

  /** Fill the path; the message of a mistake, or nothing. */
  fill(): string {
    let path = '';
    let used = 0;
    let at = 0;
    const template = this.route.path;
    while (at < template.length) {
      const open = template.indexOf('{', at);
      if (open < 0) break;
      const close = template.indexOf('}', open);
      if (close < 0 || used === this.args.length || this.args[used].length === 0) return this.unfilled();
      path += template.substring(at, open) + encodeURIComponent(this.args[used]);
      used += 1;
      at = close + 1;
    }
    if (used !== this.args.length) return this.unfilled();
    this.path = path + template.substring(at) + this.queries;
    return '';
  }

  private unfilled(): string {
    return `${this.route.line}: give one argument that is not empty for each {placeholder}`;
  }
}
