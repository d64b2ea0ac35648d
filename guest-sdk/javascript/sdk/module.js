//! The module's side of the contract: what the host calls becomes sessions, what sessions say reaches the host. build.mjs
//! puts it before a behavior; nothing else imports it, for only inside a module is there a host to import.

import calls from 'vespeiro:behavior/host@0.2.0';

import { Session } from './session.js';
import { whole } from './text.js';
import { provide } from './web.js';

/** The host's functions, which are told whole characters. */
const host = Object.fromEntries(Object.entries(calls).map(([name, call]) => [name, (...parts) => call(...parts.map(whole))]));

/** The session whose call is running; Date and Math.random are its own. */
let running;

/** Where every session's `Date` begins: a time of its own, so that the same seed makes the same decisions. */
const EPOCH = Date.UTC(2000, 0, 1);

class SessionDate extends Date {
  constructor(...parts) {
    if (parts.length === 0) {
      super(SessionDate.now());
    } else {
      super(...parts);
    }
  }

  static now() {
    return EPOCH + (running?.clock ?? 0);
  }
}

/** Before a behavior's own code runs. */
export function prepare() {
  globalThis.Date = SessionDate;
  globalThis.performance = { now: () => running?.clock ?? 0 };
  Math.random = () => running?.random.float() ?? 0.5;
  provide(() => Math.floor(Math.random() * 256));
  const line = (level) => (...parts) => {
    if (running !== undefined) {
      host.log(level, parts.map((part) => (typeof part === 'object' ? JSON.stringify(part) : String(part))).join(' '));
    }
  };
  globalThis.console = { debug: line('debug'), log: line('info'), info: line('info'), warn: line('warn'), error: line('error') };
}

/** The contract's exports for a behavior. */
export function exported(definition) {
  return {
    describe: () => ({
      name: definition.name,
      version: definition.version,
      routes: [...definition.table.values()].map((route) => {
        const { method, path, category, target, grpc } = route;
        return { method, path, category, kind: route.kind(definition.auth), target, grpc };
      }),
      categories: definition.categories,
      once: { prepare: definition.prepare !== undefined, teardown: definition.teardown !== undefined },
    }),
    Session: class {
      constructor(setup) {
        this.session = new Session(definition, setup, host);
      }

      next(context, outcomes) {
        running = this.session;
        try {
          return running.next(context, outcomes);
        } catch (error) {
          throw whole(error);
        }
      }
    },
  };
}
