//! What a journey is given: who it is, what a request brought back, and ways to go on. The executor in journey.ts makes them.

import { Failure } from './calls';
import { Value } from './json';

export class User {
  index: u32 = 0;
  seed: u64 = 0;
  username: string = '';
  email: string = '';
  password: string = '';
  name: string = '';
}

/** What one request brought back. */
export class Reply {
  /** HTTP status; 0 when there was no response. */
  status: i32 = 0;
  failure: Failure = Failure.NONE;
  text: string = '';
  /** Names in lower case and values, in turn; empty unless captured. */
  headers: string[] = [];
  latencyUs: u64 = 0;

  /** One value of a JSON body: `reply.at('data.0.id').text`. */
  at(path: string): Value {
    return new Value(this.text, path);
  }

  header(name: string): string {
    for (let at = 0; at < this.headers.length; at += 2) {
      if (this.headers[at] === name) return this.headers[at + 1];
    }
    return '';
  }
}

/** A way to go on, how often, and the category of its requests. */
export class Choice {
  constructor(public weight: f64, public category: string = '') {}
}
