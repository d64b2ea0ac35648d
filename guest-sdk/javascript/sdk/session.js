//! The executor: turns a journey into steps. The module and the harness call `next`; one turn gathers all the requests
//! that the journey wants to send at this point into one step, and pauses only advance a virtual clock until a request
//! follows, so a pause and the requests behind it cost one call.
//!
//! What must stay true: every request and operation handed out gets exactly its own outcome, in the next call.

import { bodyOf, multipartOf } from './bodies.js';
import { CAPTURES, Call, Opening, Together, gather } from './calls.js';
import { Channel, Operation, opening } from './channel.js';
import { Failed, GaveUp, UnexpectedBody, UsageError, instead } from './errors.js';
import { numberOf } from './grpc.js';
import { Me } from './me.js';
import { Pause } from './pauses.js';
import { Random } from './random.js';
import { Reply } from './reply.js';
import { queryOf } from './routes.js';
import { whole } from './text.js';
import { Turn } from './tokens.js';

const MAX_DELAY_MS = 3_600_000;
/** After so many pauses without a request the host gets the word, so that a journey of empty pauses cannot spin. */
const MAX_TURNS = 64;

const NONE = [];
const FAULTS = new Set(['bad-credentials', 'forbidden', 'invalid-data', 'not-found', 'rate-limit']);

/** A case of the contract as one word: one that this SDK does not know has the host's. */
const wordOf = (said) => (said?.tag === 'other' ? said.val : (said?.tag ?? null));

/** A fault as the contract has it. */
const faultOf = (word) => (FAULTS.has(word) ? { tag: word } : { tag: 'other', val: word });

/** Of the statuses that a request expects, or the codes of a gRPC call, those that would be errors. */
function errorsOf(line, grpc, expect) {
  const statuses = Array.isArray(expect) ? expect : [expect];
  if (grpc) {
    return statuses.map((name) => numberOf(line, name)).filter((number) => number > 0);
  }
  for (const status of statuses) {
    if (!Number.isInteger(status) || status < 100 || status > 599) {
      throw new UsageError(`${line}: expect is a status or a list of them, and not ${JSON.stringify(status)}`);
    }
  }
  return statuses.filter((status) => status >= 400);
}

/** A link may have a query already. */
const withQuery = (path, query) => path + (path.includes('?') ? query.replace('?', '&') : query);

export class Session {
  constructor(definition, setup, host) {
    this.definition = definition;
    this.host = host;
    this.config = setup.config;
    this.pace = setup.pace;
    this.random = new Random(setup.seed);
    /** Milliseconds since the session began, the pauses of this step included. */
    this.clock = 0;
    this.left = 0;
    this.mix = [];
    this.fault = null;
    /** What can go on at once: `[task, value, failed]`. */
    this.ready = [];
    /** The requests of this step, or operations where they are not all requests, and who waits for each. */
    this.outbox = [];
    this.hasOperations = false;
    this.waiting = [];
    this.pauses = [];
    /** Requests and operations that the journey has made and not yielded. */
    this.unsent = new Set();
    /** Set once nothing more may be sent. */
    this.spent = false;
    this.over = false;
    /** How the journey ended: `[value, failed]`. */
    this.ended = undefined;
    const start = definition[setup.purpose.tag];
    if (start === undefined) {
      this.ended = [undefined, false]; // nothing to remove, or to prepare
    } else {
      this.ready.push([{ stack: [start(new Me(this, setup))], parent: undefined, index: 0 }, undefined, false]);
    }
  }

  /** Given what came of the requests of the last step, what next? Throws the message of an error of the behavior. */
  next(context, outcomes) {
    if (this.over) {
      throw 'the session is over';
    }
    this.over = true; // unless it goes well
    gather(this.unsent);
    this.#hear(context, outcomes);
    const step = this.#drive();
    this.over = step.action.tag === 'done';
    return step;
  }

  #hear(context, outcomes) {
    this.clock = Number(context.elapsedMs);
    this.left = context.requestsLeft;
    this.mix = context.mix;
    this.fault = wordOf(context.fault);
    const { waiting } = this;
    if (outcomes.length !== waiting.length) {
      throw `${outcomes.length} outcomes came for ${waiting.length} requests and operations`;
    }
    this.waiting = [];
    for (let at = 0; at < waiting.length; at += 1) {
      const { task, line, captured, means } = waiting[at];
      const { tag, val } = outcomes[at];
      if (tag === 'response') {
        this.ready.push([task, new Reply(line, captured, val), false]);
      } else if (tag === 'opened') {
        this.ready.push([task, new Channel(line, val), false]);
      } else if (tag !== 'failed') {
        this.ready.push([task, means(val), false]);
      } else if (val.tag === 'stopped') {
        this.spent = true;
      } else {
        this.ready.push([task, new Failed(line, wordOf(val)), true]);
      }
    }
    this.#wakePauses();
  }

  #drive() {
    const began = this.clock;
    for (let turns = 0; ; ) {
      for (let at = 0; at < this.ready.length; at += 1) {
        const [task, value, failed] = this.ready[at];
        this.#resume(task, value, failed);
      }
      this.ready = [];
      const delayMs = this.clock - began;
      if (this.ended !== undefined) {
        return { delayMs, action: { tag: 'done', val: this.#ending() } };
      }
      if (this.outbox.length > 0) {
        return { delayMs, action: this.#leave() };
      }
      if (this.spent) {
        return { delayMs, action: { tag: 'done', val: 'abandoned' } };
      }
      if (this.pauses.length === 0) {
        throw 'the journey waits for something that is neither a request nor a pause';
      }
      turns += 1;
      const earliest = Math.min(...this.pauses.map((pause) => pause.until));
      const longer = Math.max(earliest, this.clock) - began;
      if (turns > MAX_TURNS || (delayMs > 0 && longer > MAX_DELAY_MS)) {
        return { delayMs, action: { tag: 'requests', val: [] } };
      }
      this.clock = began + longer;
      this.#wakePauses();
    }
  }

  #leave() {
    const tag = this.hasOperations ? 'operations' : 'requests';
    const val = this.outbox;
    this.outbox = [];
    this.hasOperations = false;
    return { tag, val };
  }

  /** What goes into this step besides plain requests makes operations of them too. */
  #operate(operation) {
    if (!this.hasOperations) {
      this.outbox = this.outbox.map((request) => ({ tag: 'request', val: request }));
      this.hasOperations = true;
    }
    this.outbox.push(operation);
  }

  #wakePauses() {
    if (this.pauses.length === 0) {
      return;
    }
    const asleep = [];
    for (const pause of this.pauses) {
      if (pause.until <= this.clock) {
        this.ready.push([pause.task, undefined, false]);
      } else {
        asleep.push(pause);
      }
    }
    this.pauses = asleep;
  }

  /** Run a task until it waits for something or ends. */
  #resume(task, value, failed) {
    const { stack } = task;
    for (;;) {
      const top = stack[stack.length - 1];
      let turn;
      try {
        turn = failed ? top.throw(value) : top.next(value);
        failed = false;
        value = turn.value;
        if (!turn.done) {
          if (this.#waits(task, value)) {
            return;
          }
          value = undefined;
          continue;
        }
      } catch (error) {
        failed = true;
        value = error;
        if (turn !== undefined && !turn.done) {
          continue; // what was yielded is wrong: the journey hears of it where it yielded
        }
      }
      stack.pop();
      if (stack.length === 0) {
        this.#finish(task, value, failed);
        return;
      }
    }
  }

  /** Take up what a task yielded; false when it can go on at once. */
  #waits(task, wanted) {
    if (wanted instanceof Call) {
      this.unsent.delete(wanted);
      const { bearer } = wanted.options ?? {};
      if (bearer === undefined || typeof bearer === 'string') {
        this.#post(task, wanted);
        return true;
      }
      task.stack.push(bearer.authorized(wanted));
      return false;
    }
    if (wanted instanceof Opening) {
      this.unsent.delete(wanted);
      task.stack.push(opening(wanted.call));
      return false;
    }
    if (wanted instanceof Operation) {
      this.unsent.delete(wanted);
      return this.#use(task, wanted);
    }
    if (wanted instanceof Pause) {
      this.pauses.push({ until: this.clock + wanted.length(this), task });
      return true;
    }
    if (wanted instanceof Together) {
      return this.#fork(task, wanted.items);
    }
    if (wanted instanceof Turn) {
      const { tokens } = wanted;
      if (tokens.busy) {
        tokens.queue.push(task);
        return true;
      }
      tokens.busy = true;
      return false;
    }
    if (typeof wanted?.next === 'function') {
      task.stack.push(wanted);
      return false;
    }
    if (typeof wanted?.then === 'function') {
      throw new UsageError('a journey cannot wait for promises: write function* for async, and yield for await');
    }
    throw new UsageError('a journey yields requests, pauses, all([…]) or generators, and nothing else');
  }

  /** Do something with a channel; false when there is nothing to wait for. */
  #use(task, { channel, line, asked, means }) {
    if (channel.closed) {
      throw new UsageError(`${line}: the channel is closed`);
    }
    if (asked.tag === 'receive' && channel.ended) {
      task.stack.push(nothing());
      return false;
    }
    channel.closed = asked.tag === 'close';
    this.waiting.push({ task, line, means });
    this.#operate(asked);
    return true;
  }

  /** The next in the holder's queue may renew. */
  release(tokens) {
    const next = tokens.queue.shift();
    tokens.busy = next !== undefined;
    if (next !== undefined) {
      this.ready.push([next, undefined, false]);
    }
  }

  #fork(task, items) {
    if (items.length === 0) {
      task.stack.push(nothing());
      return false;
    }
    const join = { task, open: items.length, results: new Array(items.length), error: undefined, failed: false };
    items.forEach((item, index) => {
      const steps = typeof item?.next === 'function' ? item : item[Symbol.iterator]();
      this.ready.push([{ stack: [steps], parent: join, index }, undefined, false]);
    });
    return true;
  }

  #finish({ parent, index }, value, failed) {
    if (parent === undefined) {
      this.ended = [value, failed];
      return;
    }
    if (!failed) {
      parent.results[index] = value;
    } else if (!parent.failed) {
      parent.failed = true;
      parent.error = value;
    }
    parent.open -= 1;
    if (parent.open === 0) {
      this.ready.push([parent.task, parent.failed ? parent.error : parent.results, parent.failed]);
    }
  }

  #post(task, { line, args, options, protocol }) {
    const route = this.definition.table.get(line);
    if (route === undefined) {
      throw new UsageError(`${line} is not among the behavior's routes: declare it there`);
    }
    const { query, headers, json, form, multipart, body, bearer, capture = 'body', category, timeoutMs, mark, fault, path: link, expect } = options ?? {};
    const captured = CAPTURES[capture];
    if (this.left === 0) {
      this.spent = true; // and the task never goes on
      return;
    }
    const list = [];
    for (const name in headers) {
      list.push([whole(name), whole(String(headers[name]))]);
    }
    if (bearer !== undefined) {
      list.push(['authorization', whole(`Bearer ${bearer}`)]);
    }
    let carried;
    if (json !== undefined) {
      list.push(['content-type', 'application/json']);
      carried = bodyOf(line, JSON.stringify(json));
    } else if (form !== undefined) {
      list.push(['content-type', 'application/x-www-form-urlencoded']);
      carried = bodyOf(line, queryOf(form).slice(1));
    } else if (multipart !== undefined) {
      const [form, type] = multipartOf(line, multipart, this.random.hex());
      list.push(['content-type', type]);
      carried = form;
    } else {
      carried = bodyOf(line, body);
    }
    const path = link ?? route.fill(args);
    const place = category === undefined ? -1 : this.definition.categories.indexOf(category);
    if (category !== undefined && place < 0) {
      throw new UsageError(`${line}: no route declares the category ${category}`);
    }
    const expected = expect === undefined ? NONE : errorsOf(line, route.grpc, expect);
    this.left -= 1;
    this.waiting.push({ task, line, captured });
    const request = {
      route: route.place,
      path: whole(query === undefined ? path : withQuery(path, queryOf(query))),
      category: place < 0 ? null : place,
      headers: list,
      body: carried,
      expect: expected,
      capture: captured,
      timeoutMs: timeoutMs ?? null,
      mark: whole(mark ?? null),
      fault: fault === undefined || fault === null ? null : faultOf(fault),
    };
    if (protocol !== undefined) {
      this.#operate({ tag: 'open', val: { protocol, request } });
    } else if (this.hasOperations) {
      this.outbox.push({ tag: 'request', val: request });
    } else {
      this.outbox.push(request);
    }
  }

  #ending() {
    const [error, failed] = this.ended;
    if (!failed) {
      for (const { line } of this.unsent) {
        this.host.log('warn', `${line} was made and never sent: yield it`);
      }
      return 'completed';
    }
    const stack = error?.stack ?? '';
    if (!(error instanceof GaveUp)) {
      const place = this.definition.place?.(stack) ?? /\n?\s*at (.*)/.exec(stack)?.[1];
      throw `behavior: ${error}${place === undefined ? '' : ` at ${place}`}${instead(error)}`;
    }
    this.host.abandoned(error.message, this.definition.place?.(stack) ?? null);
    if (error instanceof UnexpectedBody) {
      this.host.log('warn', error.message);
    }
    return 'abandoned';
  }
}

function* nothing() {
  return [];
}
