//! What can go wrong in a journey, and how its session ends: a target that misbehaves makes the person give up, any
//! other error is a mistake of the behavior and fails the session with a message in the host's log.

/** The person gives up; the session ends as abandoned. `throw new GaveUp()` is how a journey does it on purpose. */
export class GaveUp extends Error {
  constructor(message = 'gave up') {
    super(message);
    this.name = 'GaveUp';
  }
}

/** A request got no response. `kind` is `timeout`, `connect`, `tls`, `reset`, `protocol`, `too-large`, `redirects`, `unprocessed`,
 * `channel`, `generator`, `circuit-open`, or another word of the host's. */
export class Failed extends GaveUp {
  constructor(route, kind) {
    super(`${route}: no response: ${kind}`);
    this.name = 'Failed';
    this.kind = kind;
  }
}

/** A response had another status than the journey needs. */
export class UnexpectedStatus extends GaveUp {
  constructor(route, status) {
    super(`${route}: unexpected status ${status}`);
    this.name = 'UnexpectedStatus';
    this.status = status;
  }
}

/** A response had another body than the journey needs; also a line in the log. */
export class UnexpectedBody extends GaveUp {
  constructor(route, message) {
    super(`${route}: unexpected body: ${message}`);
    this.name = 'UnexpectedBody';
  }
}

/** The archetype's configuration cannot be used: say what is missing, where, and what to write instead. */
export class ConfigError extends Error {
  constructor(message) {
    super(message);
    this.name = 'ConfigError';
  }
}

/** The behavior itself is wrong. */
export class UsageError extends Error {
  constructor(message) {
    super(message);
    this.name = 'UsageError';
  }
}

/** What authors look for that a sandbox has not, and what to do instead. */
const INSTEAD = new Map([
  ['fetch', 'yield get(…) or post(…)'],
  ['XMLHttpRequest', 'yield get(…) or post(…)'],
  ['setTimeout', 'yield wait(…) or think()'],
  ['setInterval', 'yield wait(…) in a loop'],
  ['require', "import it: import { … } from './file.js'"],
  ['process', 'give the archetype a config in the plan, and read me.config'],
  ['Buffer', 'use Uint8Array'],
]);

/** What to do about an error of the engine, as the end of its message; empty where nothing is known. */
export function instead(error) {
  const name = error instanceof ReferenceError ? /^'?(\w+)'? is not defined/.exec(error.message)?.[1] : undefined;
  return INSTEAD.has(name) ? `: a behavior has no ${name}: ${INSTEAD.get(name)}` : '';
}
