//! All that a behavior imports: `behavior` declares it, requests and pauses are what its journey yields. Journeys import
//! it as `vespeiro`; what they are given besides is `Me`, in me.js. Nothing here knows a socket or a clock.

import { Route } from './routes.js';
import { UsageError } from './errors.js';

export { get, head, post, put, patch, del, options, graphql, grpc, open, all } from './calls.js';
export { file } from './bodies.js';
export { think, thinkLong, thinkBriefly, thinkBetween, wait } from './pauses.js';
export { sha256, hmacSha256, hex, base64, basic } from './sign.js';
export { GaveUp, Failed, UnexpectedStatus, UnexpectedBody, ConfigError, UsageError } from './errors.js';

/**
 * Declare a behavior: its `name` and `version`, its `routes` by category (`{ auth: ['POST /login'] }`; those of another
 * target than the run's own behind its name: `GET billing:/invoices`), its `journey`,
 * and optionally `cleanup` (a journey that removes `me.marks`), `prepare` and `teardown` (journeys that are played once, before and
 * after a run) and `auth`, which `me.tokens` uses: the routes `login`,
 * `refresh` and `logout`, the `fields` of their bodies (`name`, `password`, `token`, `refresh`, `expires`), the `scheme` in
 * front of a token, and whether a `body` is `json` or `form`.
 */
export function behavior({ name, version, routes, journey, cleanup, prepare, teardown, auth }) {
  for (const [key, value] of [['name', name], ['version', version]]) {
    if (value !== undefined && typeof value !== 'string') {
      throw new UsageError(`${key} has to be a text, and not ${JSON.stringify(value)}`);
    }
  }
  const table = new Map();
  for (const [category, lines] of Object.entries(routes)) {
    for (const line of lines) {
      const route = new Route(line, category);
      // A line that is there twice keeps its place and has the later category.
      route.place = table.get(line)?.place ?? table.size;
      table.set(line, route);
    }
  }
  for (const [role, start] of Object.entries({ journey, cleanup, prepare, teardown })) {
    const generator = start?.constructor?.name === 'GeneratorFunction';
    if (!generator && (start !== undefined || role === 'journey')) {
      const isAsync = start?.constructor?.name === 'AsyncFunction';
      const why = isAsync ? ', which yields where an async function awaits' : '';
      throw new UsageError(`${role} has to be a generator${why}: function* ${role}(me) { … }`);
    }
  }
  for (const line of [auth?.login, auth?.refresh, auth?.logout]) {
    if (line !== undefined && !table.has(line)) {
      throw new UsageError(`auth: ${line} is not among the routes: declare it there`);
    }
  }
  return { name, version, table, categories: Object.keys(routes), journey, cleanup, prepare, teardown, auth };
}
