//! The test harness: plays a behavior in Node, against scripted replies, so that an author tests a journey without a
//! network. It runs the executor that the module runs, and refuses what the host would refuse.

import { createHash, createHmac } from 'node:crypto';

import { shown } from './bodies.js';
import { Channels } from './harness-channels.js';
import { numberOf } from './grpc.js';
import { Session } from './session.js';
import { digestWith } from './sign.js';
import { decode, encode } from './text.js';

const bytes = (digest) => new Uint8Array(digest.digest());
digestWith({
  sha256: (value) => bytes(createHash('sha256').update(value)),
  hmacSha256: (key, value) => bytes(createHmac('sha256', key).update(value)),
});

const MAX_STEPS = 100_000;
const MAX_DELAY_MS = 3_600_000;
const LATENCY_MS = 1;
const MAX_NOTES = 4096;
const FAILURES = new Set([
  'timeout', 'connect', 'tls', 'reset', 'protocol', 'too-large', 'redirects', 'unprocessed', 'channel', 'generator', 'circuit-open',
  'stopped',
]);

/** Replies one after the other; the last one stays. */
export const inTurn = (...replies) => {
  let at = 0;
  return (request) => answerOf(replies[Math.min(at++, replies.length - 1)], request);
};

/**
 * Play one session to its end. `script` has `replies` by route (`'GET /users/{id}': [200, {…}]`: a status, a pair of
 * status and JSON body, the word of a failure, or a function of the request that gives one of these; of a gRPC method the bytes of a
 * message, or `{ code: 'NOT_FOUND', message: 'none' }`), and optionally
 * `otherwise` (for all other routes), `messages` by route (a list of texts that come over the channel that it opens; without one, a
 * WebSocket opens with the status 101 and says back what it is told, a stream with 200 and says nothing), `seed`, `user` (its index), `ordinal`, `config`, `pace` ([min, max] in ms), `budget`,
 * `wanted` (points by category), `faults`, `cleanup` (marks), `feeds` (rows by name), `secrets` (values by name), `remembered` (the user's notes), `shared` (what the run was
 * prepared with), `once` (`prepare` or `teardown`: play that instead).
 */
export function play(definition, script = {}) {
  const played = new Played();
  played.remembered = script.remembered;
  played.shared = script.shared;
  const { user = 0, seed = 1, ordinal = 0, config = {}, pace = [100, 2000], budget = 1000, cleanup, once } = script;
  const username = `sim_user_testrun0_${user}`;
  const setup = {
    user: {
      index: user,
      seed: user,
      username,
      email: `${username}@simulation.test`,
      password: 'SimPass123!',
      name: `Simulated User ${user}`,
    },
    ordinal,
    seed,
    purpose: cleanup === undefined ? { tag: once ?? 'journey' } : { tag: 'cleanup', val: [...cleanup] },
    pace: { delayMinMs: pace[0], delayMaxMs: pace[1] },
    run: 'testrun0',
    config: JSON.stringify(config),
  };
  try {
    const session = new Session(definition, setup, recorder(played, script));
    played.ending = run(session, definition, script, played, budget);
  } catch (error) {
    // The executor throws words, as the contract has it; anything else is a bug of ours.
    if (typeof error !== 'string') {
      throw error;
    }
    played.error = error;
  }
  return played;
}

/** What a harness has seen. */
class Played {
  /** `completed` or `abandoned`; undefined when the session failed, broke the contract or met no scripted reply. */
  ending = undefined;
  /** Why there is no ending. */
  error = undefined;
  steps = [];
  requests = [];
  /** What was sent over channels: pairs of a route, and a text or bytes. */
  messages = [];
  /** Pairs of a name and whether it held, and so on, in order. */
  checks = [];
  observed = [];
  /** Pairs of a name and whether it passed, which is undefined of those that are open. */
  transactions = [];
  /** Why the person gave up: a reason, and a place or null. */
  gaveUp = undefined;
  /** What the user remembers at the end. */
  remembered = undefined;
  /** What was shared, by this session or before it. */
  shared = undefined;
  marks = [];
  unmarks = [];
  logs = [];
  elapsedMs = 0;

  /** The path of every request. */
  get paths() {
    return this.requests.map(({ path }) => path);
  }

  /** Method and template of every request. */
  get routes() {
    return this.requests.map(lineOf);
  }

  /** Every mark, of requests and outside of them, that was not taken back. */
  get leftBehind() {
    const marks = [...this.requests.map(({ mark }) => mark).filter((mark) => mark !== null), ...this.marks];
    return marks.filter((mark) => !this.unmarks.includes(mark));
  }

  /** The JSON body of a request. */
  body(at) {
    const { body } = this.requests[at];
    return body === null ? undefined : JSON.parse(decode(body));
  }
}

const open = (played, name) => played.transactions.find(([known, passed]) => known === name && passed === undefined);

function recorder(played, { feeds = {}, secrets = {} }) {
  const read = {};
  return {
    log: (level, message) => played.logs.push([level, message]),
    check: (name, passed) => played.checks.push([name, passed]),
    observe: (metric, value) => played.observed.push([metric, value]),
    begin: (name) => {
      if (open(played, name) !== undefined) {
        throw `the transaction ${name} is open already`;
      }
      played.transactions.push([name, undefined]);
    },
    end: (name, passed) => {
      const one = open(played, name);
      if (one === undefined) {
        throw `the transaction ${name} is not open`;
      }
      one[1] = passed;
    },
    abandoned: (reason, place) => {
      played.gaveUp = [reason, place];
    },
    share: (value) => {
      played.shared = JSON.parse(value);
    },
    shared: () => (played.shared === undefined ? null : JSON.stringify(played.shared)),
    remember: (notes) => {
      if (encode(notes).length > MAX_NOTES) {
        throw `notes of ${encode(notes).length} bytes are over the ${MAX_NOTES} that are allowed`;
      }
      played.remembered = JSON.parse(notes);
    },
    remembered: () => (played.remembered === undefined ? null : JSON.stringify(played.remembered)),
    mark: (thing) => played.marks.push(thing),
    unmark: (thing) => played.unmarks.push(thing),
    feed: (name) => {
      const rows = feeds[name] ?? [];
      read[name] = (read[name] ?? -1) + 1;
      return rows.length === 0 ? null : JSON.stringify(rows[read[name] % rows.length]);
    },
    secret: (name) => secrets[name] ?? null,
  };
}

function run(session, definition, script, played, budget) {
  const faults = [...(script.faults ?? [])];
  const mix = script.wanted === undefined ? [] : definition.categories.map((name) => script.wanted[name] ?? 0);
  const routes = [...definition.table.values()];
  const channels = new Channels(script.messages, played);
  let outcomes = [];
  let left = budget;
  for (let count = 0; count < MAX_STEPS; count += 1) {
    const context = { elapsedMs: played.elapsedMs, requestsLeft: left, mix, fault: faults[0] === undefined ? null : { tag: faults[0] } };
    const step = told(session.next(context, outcomes), routes, definition.categories);
    played.steps.push(step);
    if (step.delayMs > MAX_DELAY_MS) {
      throw `a pause of ${step.delayMs} ms is longer than an hour`;
    }
    played.elapsedMs += step.delayMs;
    if (step.action.tag === 'done') {
      return step.action.val;
    }
    const send = (sent) => {
      const request = { ...sent, body: shown(sent.body) };
      check(request);
      if (request.fault !== null && request.fault === faults[0]) {
        faults.shift();
      }
      played.requests.push(request);
      left -= 1;
      return outcomeOf(request, script);
    };
    const { tag, val } = step.action;
    const before = played.requests.length;
    outcomes = val.map((one) => (tag === 'requests' ? send(one) : channels.carryOut(one, send)));
    played.elapsedMs += played.requests.length > before ? LATENCY_MS : 0;
    played.elapsedMs += channels.waited();
  }
  throw `no end after ${MAX_STEPS} steps`;
}

/** A step with its requests in words. */
function told({ delayMs, action }, routes, categories) {
  if (action.tag === 'done') {
    return { delayMs, action };
  }
  const inWords = ({ route: place, category, fault, ...request }) => {
    const { method, path: template, target, category: own, grpc } = routes[place];
    return {
      ...request,
      method: grpc ? 'grpc' : method,
      route: target === null ? template : `${target}:${template}`,
      category: category === null ? own : categories[category],
      fault: fault?.tag === 'other' ? fault.val : (fault?.tag ?? null),
    };
  };
  if (action.tag === 'requests') {
    return { delayMs, action: { tag: 'requests', val: action.val.map(inWords) } };
  }
  const operations = action.val.map(({ tag, val }) => {
    if (tag === 'open') {
      return { tag, val: { ...val, request: inWords(val.request) } };
    }
    return { tag, val: tag === 'request' ? inWords(val) : val };
  });
  return { delayMs, action: { tag: 'operations', val: operations } };
}

/** What the host refuses. */
function check({ method, path, route }) {
  // eslint-disable-next-line no-control-regex
  if (!/^(\/|https?:\/\/)/.test(path) || /[\x00-\x20\x7f]/.test(path)) {
    throw `${method} ${route}: the path \`${path}\` is neither one that starts with \`/\` nor a URL, or has control characters`;
  }
}

function outcomeOf(request, { replies = {}, otherwise, messages = {} }) {
  const opens = messages[lineOf(request)] === undefined ? undefined : 200;
  const reply = replies[lineOf(request)] ?? opens ?? otherwise;
  if (reply === undefined) {
    throw `no reply is scripted for ${lineOf(request)}`;
  }
  const answer = answerOf(reply, request);
  if (typeof answer === 'string') {
    return { tag: 'failed', val: FAILURES.has(answer) ? { tag: answer } : { tag: 'other', val: answer } };
  }
  if (request.method === 'grpc') {
    return grpcOf(request, answer);
  }
  const [status, body] = typeof answer === 'number' ? [answer] : answer;
  const bytes = body === undefined || !request.capture.body ? new Uint8Array() : encode(JSON.stringify(body));
  const headers = request.capture.headers ? [['content-type', 'application/json']] : [];
  return { tag: 'response', val: { status, headers, body: bytes, latencyUs: LATENCY_MS * 1000 } };
}

/** The end of a gRPC call: a message, which is OK, or a code and the target's words. */
function grpcOf(request, answer) {
  const { code = 'OK', message = '', body = answer } = answer instanceof Uint8Array ? {} : { body: new Uint8Array(), ...answer };
  const grpc = { code: numberOf(lineOf(request), code), message, trailers: [] };
  const headers = request.capture.headers ? [['content-type', 'application/grpc']] : [];
  const bytes = request.capture.body ? body : new Uint8Array();
  return { tag: 'response', val: { status: 200, headers, body: bytes, latencyUs: LATENCY_MS * 1000, grpc } };
}

const answerOf = (reply, request) => (typeof reply === 'function' ? reply(request) : reply);

const lineOf = ({ method, route }) => `${method.toUpperCase()} ${route}`;
