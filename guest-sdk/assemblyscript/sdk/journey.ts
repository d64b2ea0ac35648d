//! The executor, as the class that journeys extend: one session, from its setup to its end. `play` is called at each step;
//! what it sends and how long it pauses becomes the step that the host carries out. module.ts calls it. Bodies are there
//! until the next request is sent; no session keeps one.

import { Auth } from './auth';
import { Call, Failure, Fault, Route } from './calls';
import * as host from './host';
import { Choice, Reply, User } from './given';
import { Fake, Random } from './random';
import { isToken, Tokens } from './tokens';

const MAX_DELAY_MS: f64 = 3_600_000;
const MAX_REQUESTS: i32 = 256;

/** What a journey says at each step: what `send`, `done` and the like return. */
export enum Turn { WAITS, DONE, GAVE_UP, FAILED }

/** Whose reply comes. */
enum Phase { PLAYING, LOGGING_IN, LOGGING_IN_FIRST, RENEWING, LOGGING_OUT, LOGGING_OUT_MARKED }

export class Definition {
  categories: string[] = [];

  constructor(
    public name: string,
    public version: string,
    public routes: Route[],
    public journey: () => Journey,
    public cleanup: (() => Journey) | null = null,
    public auth: Auth | null = null,
  ) {
    for (let at = 0; at < routes.length; at += 1) {
      if (!this.categories.includes(routes[at].category)) this.categories.push(routes[at].category);
    }
  }
}

/** A journey: `play` is called anew at each step. What it needs after a request it keeps in fields of its own. */
export abstract class Journey {
  user: User = new User();
  /** How many sessions this user has begun before. */
  ordinal: u32 = 0;
  /** Identifier of the run; goes into the name of whatever is created. */
  run: string = '';
  /** The archetype's configuration, a JSON object. */
  config: string = '{}';
  delayMinMs: u32 = 0;
  delayMaxMs: u32 = 0;
  /** What cleanup has to remove, oldest first. */
  marks: string[] = [];
  /** Since the session began, pauses included. */
  elapsedMs: f64 = 0;
  /** How many more requests this user may send. At 0 the next request ends the session. */
  requestsLeft: u32 = 0;
  /** Where the journey is, as `asks` and `go` say; 0 when it begins. */
  at: i32 = 0;
  /** The replies to what was sent last, in order. */
  replies: Reply[] = [];

  private definition: Definition | null = null;
  private random_: Random = new Random(0);
  private mix: StaticArray<f32> = [];
  private fault: Fault = Fault.NONE;
  private phase: Phase = Phase.PLAYING;
  private holder: Tokens | null = null;
  /** Of the marks, the one whose token is to be logged out next. */
  private marked: i32 = 0;
  /** What was sent and has not been answered to the journey yet; of these, what has to be sent again after a 401. */
  private sent: Call[] = [];
  private posted: i32[] = [];
  private repeats: i32[] = [];
  private answered: bool = false;
  private spent: bool = false;
  private over: bool = false;
  /** For module.ts: this step's delay, requests and message. */
  delayMs: f64 = 0;
  outbox: Call[] = [];
  message: string = '';

  abstract play(): Turn;

  // Requests

  /** Whether this step still has to send: `if (this.asks(3)) return this.send([…]);` Once it was answered, it goes on. */
  asks(step: i32): bool {
    this.at = step;
    if (!this.answered) return true;
    this.answered = false;
    return false;
  }

  /** Go on at another step. */
  go(step: i32): Turn {
    this.at = step;
    return this.play();
  }

  /** Send these together. They are asked for again after a login: draw nothing at random in them. */
  send(calls: Call[]): Turn {
    for (let at = 0; at < calls.length; at += 1) {
      const call = calls[at];
      if (!this.definition!.routes.includes(call.route)) {
        return this.fail(`${call.route.line} is not among the behavior's routes: declare it there`);
      }
      const wrong = call.fill();
      if (wrong.length > 0) return this.fail(wrong);
      const holder = call.holder;
      if (holder !== null && holder.isDue(this.elapsedMs)) {
        this.holder = holder;
        const auth = this.definition!.auth!;
        const renews = auth.isRenewable(holder);
        this.phase = renews ? Phase.RENEWING : Phase.LOGGING_IN_FIRST;
        return this.ask(renews ? auth.refreshCall(holder) : auth.loginCall(holder));
      }
    }
    if (calls.length > MAX_REQUESTS) return this.fail('more than 256 requests at once');
    if (this.repeats.length > 0 && calls.length !== this.sent.length) {
      return this.fail('what is sent together has to be the same when it is sent again after a 401');
    }
    if (this.repeats.length === 0) {
      this.replies = [];
      for (let at = 0; at < calls.length; at += 1) this.replies.push(new Reply());
    }
    this.sent = calls;
    this.posted = [];
    for (let at = 0; at < calls.length; at += 1) {
      if (this.repeats.length > 0 && !this.repeats.includes(at)) continue;
      const holder = calls[at].holder;
      if (holder !== null) {
        calls[at].header('authorization', holder.bearer);
        holder.fresh = false;
      }
      if (this.post(calls[at])) this.posted.push(at);
    }
    return Turn.WAITS;
  }

  /** Log in now rather than with the first request; the reply is the target's answer. */
  logIn(tokens: Tokens): Turn {
    this.holder = tokens;
    this.phase = Phase.LOGGING_IN;
    return this.ask(this.definition!.auth!.loginCall(tokens));
  }

  /** Log out and be done. */
  logOut(tokens: Tokens): Turn {
    const call = this.definition!.auth!.logoutCall(tokens);
    if (call === null) return Turn.DONE;
    this.holder = tokens; // which forgets the token once that was answered
    this.phase = Phase.LOGGING_OUT;
    return this.ask(call);
  }

  /**
   * For a cleanup: log out the tokens among the marks, one by one; done where there are none. A token keeps its mark where the
   * target does not let it go.
   */
  logOutMarked(): Turn {
    while (this.marked < this.marks.length && !isToken(this.marks[this.marked])) this.marked += 1;
    const auth = this.definition!.auth;
    if (auth === null || this.marked === this.marks.length) return Turn.DONE;
    const call = auth.logoutOf(this.marks[this.marked]);
    if (call === null) return Turn.DONE;
    this.phase = Phase.LOGGING_OUT_MARKED;
    return this.ask(call);
  }

  /** The reply to what was sent last; of several, the first. */
  get reply(): Reply {
    return this.replies[0];
  }

  done(): Turn {
    return Turn.DONE;
  }

  /** The person gives up. */
  giveUp(): Turn {
    return Turn.GAVE_UP;
  }

  /** What the target said is not what the journey needs: the person gives up, and the log says what was missing. */
  lacks(what: string): Turn {
    this.log(`unexpected body: no ${what}`, 2);
    return Turn.GAVE_UP;
  }

  /** The behavior itself is wrong. */
  fail(message: string): Turn {
    this.message = message;
    return Turn.FAILED;
  }

  /** The tokens of an account, not logged in yet. */
  tokens(name: string, password: string): Tokens {
    return this.definition!.auth!.tokens(name, password);
  }

  // Pauses: within the plan's pace; they delay what is sent next, by an hour at most

  think(): void {
    this.wait(this.random_.logNormal(this.delayMinMs, this.delayMaxMs));
  }

  /** Before sending a form: in the upper half of the pace. */
  thinkLong(): void {
    this.wait(this.random_.logNormal(this.delayMinMs + this.spread() / 2, this.delayMaxMs));
  }

  /** As between quick searches: in the lowest tenth of the pace. */
  thinkBriefly(): void {
    this.wait(this.random_.logNormal(this.delayMinMs, this.delayMinMs + this.spread() / 10));
  }

  /** Between these bounds in milliseconds, clamped to the pace. */
  thinkBetween(min: u32, max: u32): void {
    const low = <u32>Math.max(<f64>this.delayMinMs, Math.min(<f64>this.delayMaxMs, <f64>min));
    const high = <u32>Math.max(<f64>this.delayMinMs, Math.min(<f64>this.delayMaxMs, <f64>max));
    this.wait(this.random_.logNormal(low, high));
  }

  /** Exactly this long, whatever the pace. */
  wait(millis: u32): void {
    const more = Math.min(<f64>millis, MAX_DELAY_MS - this.delayMs);
    this.delayMs += more;
    this.elapsedMs += more;
  }

  private spread(): u32 {
    return this.delayMaxMs > this.delayMinMs ? this.delayMaxMs - this.delayMinMs : 0;
  }

  // What a journey says

  /** Count a check: something that should hold, and whether it did. Gives `passed` back. */
  check(name: string, passed: bool): bool {
    host.check(name, passed);
    return passed;
  }

  observe(metric: string, value: f64): void {
    host.observe(metric, value);
  }

  /** Say that something was created, `<kind>:<name>`; a call's `mark` says it earlier and is safer. */
  mark(thing: string): void {
    host.mark(thing);
  }

  unmark(thing: string): void {
    host.unmark(thing);
  }

  /** Write a line to the host's log: level 0 is debug, 1 info, 2 warn, 3 error. Never a secret. */
  log(message: string, level: i32 = 1): void {
    host.log(level, message);
  }

  /** The next row of one of the plan's data feeds, as JSON; null when there is none for this user. */
  feed(name: string): string | null {
    return host.feed(name);
  }

  /** The wrong request that the host asks for right now, once: whoever takes it commits it with the next request. */
  takeFault(): Fault {
    const fault = this.fault;
    this.fault = Fault.NONE;
    return fault;
  }

  /** How far the run is from the plan's share of a category, in percentage points; above 0 it is wanted. */
  wanted(category: string): f64 {
    const at = this.definition!.categories.indexOf(category);
    return at >= 0 && at < this.mix.length ? <f64>this.mix[at] : 0;
  }

  // What a journey draws

  /** At least 0, less than 1. */
  random(): f64 {
    return this.random_.float();
  }

  /** A whole number, both bounds included. */
  range(min: i32, max: i32): i32 {
    return this.random_.range(min, max);
  }

  chance(probability: f64): bool {
    return this.random_.float() < probability;
  }

  /** The position of one of the choices: by weight, steered towards the categories that the plan's mix still wants. */
  choose(choices: Choice[]): i32 {
    let sum: f64 = 0;
    for (let at = 0; at < choices.length; at += 1) sum += this.steered(choices[at]);
    let rest = this.random_.float() * sum;
    let last = 0;
    for (let at = 0; at < choices.length; at += 1) {
      const weight = this.steered(choices[at]);
      if (weight <= 0) continue;
      if (rest < weight) return at;
      rest -= weight;
      last = at; // rounding may leave a crumb
    }
    return last;
  }

  /** A category that is `n` percentage points short has its weight multiplied by e^(n/3). */
  private steered(choice: Choice): f64 {
    const factor = Math.exp(this.wanted(choice.category) / 3);
    return Math.max(choice.weight, 0) * Math.min(Math.max(factor, 0.01), 100);
  }

  get fake(): Fake {
    return new Fake(this.random_);
  }

  // For module.ts

  begin(definition: Definition, seed: u64): void {
    this.definition = definition;
    this.random_ = new Random(seed);
  }

  /** What the host says at a step; before its outcomes are heard. */
  hear(elapsedMs: f64, requestsLeft: u32, mix: StaticArray<f32>, fault: Fault): void {
    this.elapsedMs = elapsedMs;
    this.requestsLeft = requestsLeft;
    this.mix = mix;
    this.fault = fault;
    this.delayMs = 0;
    this.outbox = [];
    this.message = '';
  }

  /** Given what came of the requests of the last step, what next? */
  next(outcomes: Reply[]): Turn {
    if (this.over) return this.fail('the session is over');
    this.over = true; // unless it goes well
    if (outcomes.length !== (this.phase === Phase.PLAYING ? this.posted.length : 1)) {
      return this.fail('another number of outcomes came than requests went');
    }
    for (let at = 0; at < outcomes.length; at += 1) {
      if (outcomes[at].failure === Failure.STOPPED) this.spent = true;
    }
    if (this.spent) return Turn.GAVE_UP;
    let turn = this.phase === Phase.PLAYING ? this.take(outcomes) : this.takeTokens(outcomes[0]);
    if (turn === Turn.WAITS && this.outbox.length === 0) turn = this.play();
    if (turn === Turn.WAITS && this.spent && this.outbox.length === 0) return Turn.GAVE_UP;
    this.over = turn !== Turn.WAITS;
    return turn;
  }

  private take(outcomes: Reply[]): Turn {
    if (outcomes.length === 0) {
      this.answered = this.at > 0 && this.sent.length === 0; // a batch of nothing is a pause, and over
      return Turn.WAITS;
    }
    const repeated = this.repeats.length > 0;
    this.repeats = [];
    for (let at = 0; at < outcomes.length; at += 1) {
      const reply = outcomes[at];
      const call = this.sent[this.posted[at]];
      const holder = call.holder;
      this.replies[this.posted[at]] = reply;
      if (holder !== null && reply.status === 401 && call.wrong === Fault.NONE && !repeated) {
        holder.lose();
        this.repeats.push(this.posted[at]);
      } else if (reply.failure !== Failure.NONE) {
        if (!call.lenient) return Turn.GAVE_UP;
      } else if (call.expected.length > 0 && !call.expected.includes(reply.status)) {
        return Turn.GAVE_UP;
      }
    }
    this.answered = this.repeats.length === 0;
    this.posted = [];
    if (this.answered) this.sent = [];
    return Turn.WAITS;
  }

  private takeTokens(reply: Reply): Turn {
    const phase = this.phase;
    const well = reply.status >= 200 && reply.status < 300;
    this.phase = Phase.PLAYING;
    // A token that is refused is as good as logged out.
    const out = well || reply.status === 401;
    if (phase === Phase.LOGGING_OUT_MARKED) return this.takeMarked(reply, out);
    if (phase === Phase.LOGGING_OUT && out) this.holder!.lose();
    if (reply.failure !== Failure.NONE) return Turn.GAVE_UP;
    if (phase === Phase.RENEWING && !well) {
      this.phase = Phase.LOGGING_IN_FIRST;
      return this.ask(this.definition!.auth!.loginCall(this.holder!));
    }
    if (!well) return Turn.GAVE_UP;
    if (phase !== Phase.LOGGING_OUT && !this.holder!.take(reply.text, this.elapsedMs, phase === Phase.LOGGING_IN)) return this.lacks('`access_token`');
    if (phase === Phase.LOGGING_IN || phase === Phase.LOGGING_OUT) {
      this.replies = [reply];
      this.answered = true;
    } else {
      this.holder!.fresh = true;
    }
    return Turn.WAITS;
  }

  private takeMarked(reply: Reply, out: bool): Turn {
    if (out) {
      this.unmark(this.marks[this.marked]);
    } else {
      const why = reply.status > 0 ? `status ${reply.status}` : 'no response';
      // That it was too fast is no news of the token: it is still marked, so it has its turn again.
      this.log(`cleanup: a token stays: ${why}`, reply.status === 429 ? 0 : 2);
    }
    this.marked += 1;
    const turn = this.logOutMarked();
    if (turn !== Turn.DONE) return turn;
    this.replies = [reply];
    this.answered = true;
    return Turn.WAITS;
  }

  /** A request of the executor's own. */
  private ask(call: Call): Turn {
    const wrong = call.fill();
    if (wrong.length > 0) return this.fail(wrong);
    this.post(call);
    return Turn.WAITS;
  }

  private post(call: Call): bool {
    if (this.requestsLeft === 0) {
      this.spent = true;
      return false;
    }
    this.requestsLeft -= 1;
    this.outbox.push(call);
    return true;
  }
}
