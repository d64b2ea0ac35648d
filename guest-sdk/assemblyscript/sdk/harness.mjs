//! The test harness: plays a module in Node, against scripted replies, so that an author tests a journey without a network.
//! It speaks with the module as the host does, by the canonical ABI, and refuses what the host would refuse.

import { readFileSync } from 'node:fs';

const BEHAVIOR = 'vespeiro:behavior/behavior@0.1.0#';
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const FAULTS = ['bad-credentials', 'forbidden', 'invalid-data', 'not-found', 'rate-limit'];
const FAILURES = ['timeout', 'connect', 'tls', 'reset', 'protocol', 'too-large', 'circuit-open', 'stopped'];
const MAX_STEPS = 100_000;
const LATENCY_MS = 1;

/** Replies one after the other; the last one stays. */
export const inTurn = (...replies) => {
  let at = 0;
  return (request) => answerOf(replies[Math.min(at++, replies.length - 1)], request);
};

/** A module's file, compiled; for `play`. */
export const load = (file) => new WebAssembly.Module(readFileSync(file));

/**
 * Play one session to its end. `script` has `replies` by route (`'GET /users/{id}': [200, {…}]`: a status, a pair of
 * status and JSON body, the word of a failure, or a function of the request that gives one of these), and optionally
 * `otherwise` (for all other routes), `seed`, `user` (its index), `ordinal`, `config`, `pace` ([min, max] in ms), `budget`,
 * `wanted` (points by category), `faults`, `cleanup` (marks), `feed` (the row that every feed gives).
 */
export function play(module, script = {}) {
  const played = new Played();
  const guest = new Guest(module, played, script);
  const categories = guest.categories();
  const { ordinal = 0, budget = 1000, wanted, otherwise, replies = {} } = script;
  const faults = [...(script.faults ?? [])];
  const mix = wanted === undefined ? [] : categories.map((name) => wanted[name] ?? 0);
  const session = guest.begin({ ...script, ordinal });
  let outcomes = [];
  let left = budget;
  try {
    for (let count = 0; played.ending === undefined; count += 1) {
      if (count === MAX_STEPS) throw new Error(`no end after ${MAX_STEPS} steps`);
      const step = guest.next(session, { elapsedMs: played.elapsedMs, left, mix, fault: faults[0] }, outcomes);
      played.steps.push(step);
      played.elapsedMs += step.delayMs;
      played.ending = step.ending;
      outcomes = step.requests.map((request) => {
        const line = lineOf(request);
        if (!/^\/[!-~]*$/.test(request.path)) throw new Error(`${line}: the path \`${request.path}\` cannot be sent`);
        if (!categories.includes(request.category)) throw new Error(`${line}: no route has the category ${request.category}`);
        if (request.fault !== undefined && request.fault === faults[0]) faults.shift();
        played.requests.push(request);
        const reply = replies[line] ?? otherwise;
        if (reply === undefined) throw new Error(`no reply is scripted for ${line}`);
        return answerOf(reply, request);
      });
      left -= outcomes.length;
      played.elapsedMs += outcomes.length > 0 ? LATENCY_MS : 0;
    }
  } catch (error) {
    played.error = error.message;
  }
  return played;
}

/** What a session did. */
class Played {
  /** `completed` or `abandoned`; undefined when the session failed, broke the contract or met no scripted reply. */
  ending = undefined;
  /** Why there is no ending. */
  error = undefined;
  steps = [];
  requests = [];
  checks = [];
  observed = [];
  marks = [];
  unmarks = [];
  logs = [];
  elapsedMs = 0;

  /** Method and template of every request. */
  get routes() {
    return this.requests.map(lineOf);
  }

  /** Every mark, of requests and outside of them, that was not taken back. */
  get leftBehind() {
    const marks = [...this.requests.map(({ mark }) => mark).filter((mark) => mark !== undefined), ...this.marks];
    return marks.filter((mark) => !this.unmarks.includes(mark));
  }
}

/** One instance, as the host sees it. */
class Guest {
  constructor(module, played, { feed }) {
    const text = (at, size) => new TextDecoder().decode(new Uint8Array(this.exports.memory.buffer, at, size));
    const host = {
      log: (level, at, size) => played.logs.push([['debug', 'info', 'warn', 'error'][level], text(at, size)]),
      check: (at, size, passed) => played.checks.push([text(at, size), passed !== 0]),
      observe: (at, size, value) => played.observed.push([text(at, size), value]),
      mark: (at, size) => played.marks.push(text(at, size)),
      unmark: (at, size) => played.unmarks.push(text(at, size)),
      feed: (at, size, into) => {
        if (feed !== undefined) this.text(JSON.stringify(feed), into + 4);
        this.view.setUint8(into, feed === undefined ? 0 : 1);
      },
    };
    const own = { '[resource-new]session': (session) => session, '[resource-drop]session': () => {} };
    this.exports = new WebAssembly.Instance(module, {
      'vespeiro:behavior/host@0.1.0': host,
      [`[export]${BEHAVIOR.slice(0, -1)}`]: own,
    }).exports;
    this.exports._initialize?.();
  }

  get view() {
    return new DataView(this.exports.memory.buffer);
  }

  room(size) {
    return this.exports.cabi_realloc(0, 0, 8, size);
  }

  /** Lay out bytes or text, and where they are. */
  text(value, into) {
    const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
    const at = this.room(bytes.length);
    new Uint8Array(this.exports.memory.buffer, at, bytes.length).set(bytes);
    this.view.setUint32(into, at, true);
    this.view.setUint32(into + 4, bytes.length, true);
  }

  /** Text or, of a list, the address and length of each element. */
  read(from) {
    const at = this.view.getUint32(from, true);
    return new TextDecoder().decode(new Uint8Array(this.exports.memory.buffer, at, this.view.getUint32(from + 4, true)));
  }

  list(from, size) {
    const at = this.view.getUint32(from, true);
    return Array.from({ length: this.view.getUint32(from + 4, true) }, (_, index) => at + size * index);
  }

  categories() {
    const described = this.exports[`${BEHAVIOR}describe`]();
    const categories = this.list(described + 24, 8).map((at) => this.read(at));
    this.exports[`cabi_post_${BEHAVIOR}describe`](described);
    return categories;
  }

  begin({ user = 0, seed = 1, ordinal, config = {}, pace = [100, 2000], cleanup }) {
    const username = `sim_user_testrun0_${user}`;
    const setup = this.room(104);
    const texts = [[16, username], [24, `${username}@simulation.test`], [32, 'SimPass123!'], [40, `Simulated User ${user}`],
      [84, 'testrun0'], [92, JSON.stringify(config)]]; // prettier-ignore
    for (const [at, text] of texts) this.text(text, setup + at);
    const marks = this.room(8 * (cleanup ?? []).length);
    (cleanup ?? []).forEach((mark, index) => this.text(mark, marks + 8 * index));
    const { view } = this;
    view.setUint32(setup, user, true);
    view.setBigUint64(setup + 8, BigInt(user), true);
    view.setUint32(setup + 48, ordinal, true);
    view.setBigUint64(setup + 56, BigInt(seed), true);
    view.setUint8(setup + 64, cleanup === undefined ? 0 : 1);
    view.setUint32(setup + 68, marks, true);
    view.setUint32(setup + 72, (cleanup ?? []).length, true);
    view.setUint32(setup + 76, pace[0], true);
    view.setUint32(setup + 80, pace[1], true);
    return this.exports[`${BEHAVIOR}[constructor]session`](setup);
  }

  next(session, { elapsedMs, left, mix, fault }, outcomes) {
    const weights = this.room(4 * mix.length);
    mix.forEach((points, index) => this.view.setFloat32(weights + 4 * index, points, true));
    const came = this.room(40 * outcomes.length);
    outcomes.forEach((outcome, index) => this.outcome(outcome, came + 40 * index));
    const answer = this.exports[`${BEHAVIOR}[method]session.next`](session, BigInt(elapsedMs), left, weights, mix.length,
      fault === undefined ? 0 : 1, Math.max(FAULTS.indexOf(fault), 0), came, outcomes.length); // prettier-ignore
    const { view } = this;
    if (view.getUint8(answer) !== 0) throw new Error(this.read(answer + 4));
    const done = view.getUint8(answer + 8) !== 0;
    const step = {
      delayMs: view.getUint32(answer + 4, true),
      ending: done ? ['completed', 'abandoned'][view.getUint8(answer + 12)] : undefined,
      requests: done ? [] : this.list(answer + 12, 76).map((at) => this.request(at)),
    };
    this.exports[`cabi_post_${BEHAVIOR}[method]session.next`](answer);
    return step;
  }

  outcome(outcome, into) {
    if (typeof outcome === 'string') {
      this.view.setUint8(into, 1);
      this.view.setUint8(into + 8, FAILURES.indexOf(outcome));
      return;
    }
    const [status, body] = typeof outcome === 'number' ? [outcome] : outcome;
    this.text(body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body), into + 20);
    const headers = this.room(16);
    this.text('content-type', headers);
    this.text('application/json', headers + 8);
    const { view } = this;
    view.setUint8(into, 0);
    view.setUint16(into + 8, status, true);
    view.setUint32(into + 12, headers, true);
    view.setUint32(into + 16, 1, true);
    view.setBigUint64(into + 32, BigInt(LATENCY_MS * 1000), true);
  }

  request(at) {
    const { view } = this;
    const optional = (from, value) => (view.getUint8(at + from) === 0 ? undefined : value());
    return {
      method: METHODS[view.getUint8(at)],
      path: this.read(at + 4),
      route: this.read(at + 12),
      category: this.read(at + 20),
      headers: this.list(at + 28, 16).map((pair) => [this.read(pair), this.read(pair + 8)]),
      body: optional(36, () => this.read(at + 40)),
      capture: view.getUint8(at + 48),
      timeoutMs: optional(52, () => view.getUint32(at + 56, true)),
      mark: optional(60, () => this.read(at + 64)),
      fault: optional(72, () => FAULTS[view.getUint8(at + 73)]),
    };
  }
}

const answerOf = (reply, request) => (typeof reply === 'function' ? reply(request) : reply);

const lineOf = ({ method, route }) => `${method} ${route}`;
