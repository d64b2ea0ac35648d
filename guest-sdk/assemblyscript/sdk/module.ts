//! The module's side of the contract: what the host calls becomes sessions, what sessions say reaches the host, laid out as
//! the canonical ABI of the component model has it. build.mjs gives the exports below their canonical names.

import { Failure, Fault } from './calls';
import { Reply } from './given';
import * as host from './host';
import { Definition, Journey, Turn } from './journey';

@external('[export]vespeiro:behavior/behavior@0.1.0', '[resource-new]session')
declare function newSession(session: usize): i32;

/** Length of the records of the contract, in bytes. */
const OUTCOME: usize = 40;
const REQUEST: usize = 76;
const ROUTE: usize = 20;

let defined: Definition | null = null;

/** Say what the module's behavior is, once, in the module's own code. */
export function behavior(definition: Definition): void {
  defined = definition;
}

/** What a failed assertion and an index out of bounds end in: a line in the log, and a trap. */
export function aborted(message: string | null, file: string | null, line: u32, column: u32): void {
  host.log(3, `${message === null ? 'aborted' : message} at ${file === null ? '?' : file}:${line}:${column}`);
  unreachable();
}

export function realloc(old: usize, held: usize, align: usize, size: usize): usize {
  const at = host.scratch(size);
  if (held > 0) memory.copy(at, old, held < size ? held : size);
  return at;
}

export function describe(): usize {
  const definition = defined!;
  const described = host.scratch(32);
  host.lower(definition.name, described);
  host.lower(definition.version, described + 8);
  const routes = host.scratch(ROUTE * definition.routes.length);
  for (let at = 0; at < definition.routes.length; at += 1) {
    const route = definition.routes[at];
    const into = routes + ROUTE * at;
    store<u8>(into, <u8>route.method);
    host.lower(route.path, into + 4);
    host.lower(route.category, into + 12);
  }
  const categories = host.scratch(8 * definition.categories.length);
  for (let at = 0; at < definition.categories.length; at += 1) host.lower(definition.categories[at], categories + 8 * at);
  store<usize>(described, routes, 16);
  store<i32>(described, definition.routes.length, 20);
  store<usize>(described, categories, 24);
  store<i32>(described, definition.categories.length, 28);
  return described;
}

/** After the host has read what a call gave. */
export function clear(given: usize): void {
  host.clear();
}

/** Ends without a word: for a cleanup that the behavior does not have. */
class Nothing extends Journey {
  play(): Turn {
    return Turn.DONE;
  }
}

export function construct(setup: usize): i32 {
  const definition = defined!;
  const cleans = load<u8>(setup, 64) !== 0;
  const cleanup = definition.cleanup;
  const session = !cleans ? definition.journey() : cleanup !== null ? cleanup() : new Nothing();
  const user = session.user;
  user.index = load<u32>(setup);
  user.seed = load<u64>(setup, 8);
  user.username = host.lift(setup + 16);
  user.email = host.lift(setup + 24);
  user.password = host.lift(setup + 32);
  user.name = host.lift(setup + 40);
  session.ordinal = load<u32>(setup, 48);
  if (cleans) {
    const marks = load<usize>(setup, 68);
    for (let at = 0; at < load<i32>(setup, 72); at += 1) session.marks.push(host.lift(marks + 8 * at));
  }
  session.delayMinMs = load<u32>(setup, 76);
  session.delayMaxMs = load<u32>(setup, 80);
  session.run = host.lift(setup + 84);
  session.config = host.lift(setup + 92);
  session.begin(definition, load<u64>(setup, 56));
  host.clear();
  // The host's handle keeps it from the collector.
  return newSession(__pin(changetype<usize>(session)));
}

export function drop(session: usize): void {
  __unpin(session);
}

export function next(
  self: usize, elapsed: u64, left: u32, mix: usize, mixes: i32, faulty: i32, fault: i32, outcomes: usize, came: i32,
): usize {
  const session = changetype<Journey>(self);
  const wanted = new StaticArray<f32>(mixes);
  for (let at = 0; at < mixes; at += 1) wanted[at] = load<f32>(mix + 4 * at);
  session.hear(<f64>elapsed, left, wanted, faulty !== 0 ? <Fault>(fault + 1) : Fault.NONE);
  const replies: Reply[] = [];
  for (let at = 0; at < came; at += 1) replies.push(replyOf(outcomes + OUTCOME * at));
  const turn = session.next(replies);
  const answer = host.scratch(20);
  if (turn === Turn.FAILED) {
    store<u8>(answer, 1);
    host.lower(session.message, answer + 4);
    return answer;
  }
  store<u32>(answer, <u32>session.delayMs, 4);
  if (turn === Turn.WAITS) {
    store<usize>(answer, requestsOf(session), 12);
    store<i32>(answer, session.outbox.length, 16);
  } else {
    store<u8>(answer, 1, 8);
    store<u8>(answer, turn === Turn.DONE ? 0 : 1, 12);
  }
  return answer;
}

function replyOf(outcome: usize): Reply {
  const reply = new Reply();
  if (load<u8>(outcome) !== 0) {
    reply.failure = <Failure>(<i32>load<u8>(outcome, 8) + 1);
    return reply;
  }
  reply.status = <i32>load<u16>(outcome, 8);
  const headers = load<usize>(outcome, 12);
  for (let at = 0; at < 2 * load<i32>(outcome, 16); at += 1) reply.headers.push(host.lift(headers + 8 * at));
  reply.text = host.lift(outcome + 20);
  reply.latencyUs = load<u64>(outcome, 32);
  return reply;
}

function requestsOf(session: Journey): usize {
  const requests = host.scratch(REQUEST * session.outbox.length);
  for (let at = 0; at < session.outbox.length; at += 1) {
    const call = session.outbox[at];
    const into = requests + REQUEST * at;
    store<u8>(into, <u8>call.route.method);
    host.lower(call.path, into + 4);
    host.lower(call.route.path, into + 12);
    host.lower(call.key, into + 20);
    const headers = host.scratch(8 * call.headers.length);
    for (let part = 0; part < call.headers.length; part += 1) host.lower(call.headers[part], headers + 8 * part);
    store<usize>(into, headers, 28);
    store<i32>(into, call.headers.length / 2, 32);
    const text = call.text;
    if (text !== null) {
      store<u8>(into, 1, 36);
      host.lower(text, into + 40);
    }
    store<u8>(into, <u8>call.captured, 48);
    if (call.timeout > 0) {
      store<u8>(into, 1, 52);
      store<u32>(into, call.timeout, 56);
    }
    const created = call.created;
    if (created !== null) {
      store<u8>(into, 1, 60);
      host.lower(created, into + 64);
    }
    if (call.wrong !== Fault.NONE) {
      store<u8>(into, 1, 72);
      store<u8>(into, <u8>(call.wrong - 1), 73);
    }
  }
  return requests;
}
