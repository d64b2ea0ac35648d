//! `Me`: what a journey is given: who it is, what the host has said, and all it may say and draw. The executor makes one
//! for each session. What a journey *does* it yields instead: requests (calls.js) and pauses (pauses.js).

import { ConfigError } from './errors.js';
import { fakes } from './fake.js';
import { Tokens, logOutMarked } from './tokens.js';

export class Me {
  #session;

  constructor(session, setup) {
    this.#session = session;
    /** The identity that the host made: `index`, `username`, `email`, `password`, `name`. */
    this.user = setup.user;
    /** How many sessions this user has begun before. */
    this.ordinal = setup.ordinal;
    /** Identifier of the run; goes into the name of whatever is created. */
    this.run = setup.run;
    /** Bounds of the plan's pauses: `delayMinMs`, `delayMaxMs`. */
    this.pace = setup.pace;
    /** What cleanup has to remove, oldest first; empty in a journey. */
    this.marks = setup.purpose.tag === 'cleanup' ? setup.purpose.val : [];
  }

  /** The archetype's configuration from the plan. */
  get config() {
    try {
      return JSON.parse(this.#session.config);
    } catch (error) {
      throw new ConfigError(error.message);
    }
  }

  /** Milliseconds since the session began, pauses included. */
  get elapsedMs() {
    return this.#session.clock;
  }

  /** How many more requests this user may send. At 0 the next request ends the session. */
  get requestsLeft() {
    return this.#session.left;
  }

  /** The tokens of an account, not logged in yet. `ways` stands in for parts of the behavior's `auth`. */
  tokens(name, password, ways) {
    return new Tokens(this.#session, name, password, ways);
  }

  /**
   * For a cleanup, with `yield*`: log out the tokens among the marks, which `lasting` holders could not, and give the other
   * marks. A token keeps its mark where the target does not let it go.
   */
  logOutMarked() {
    return logOutMarked(this.#session, this.marks);
  }

  /** How far the run is from the plan's share of a category, in percentage points; above 0 it is wanted. */
  wanted(category) {
    return this.#session.mix[this.#session.definition.categories.indexOf(category)] ?? 0;
  }

  /** The wrong request that the host asks for right now, once: whoever takes it commits it with the next request. */
  fault() {
    const { fault } = this.#session;
    this.#session.fault = null;
    return fault;
  }

  /** Count a check: something that should hold, and whether it did. Gives `passed` back. */
  check(name, passed) {
    this.#session.host.check(name, Boolean(passed));
    return passed;
  }

  /** Add a value to a custom metric. */
  observe(metric, value) {
    this.#session.host.observe(metric, Number(value));
  }

  /** Begin a transaction: a named span that the host measures, with and without pauses; `transaction` is its short form. */
  begin(transaction) {
    this.#session.host.begin(transaction);
  }

  /** End one that is open: whether it did what it was for. */
  end(transaction, passed = true) {
    this.#session.host.end(transaction, Boolean(passed));
  }

  /** With `yield*`: the steps of a generator as a transaction, which has passed where they end without an error. */
  *transaction(name, steps) {
    this.begin(name);
    let passed = false;
    try {
      const result = yield* steps();
      passed = true;
      return result;
    } finally {
      this.end(name, passed);
    }
  }

  /** In the behavior's `prepare`: hand this to all sessions of the archetype, at most 64 KiB of JSON. */
  share(value) {
    this.#session.host.share(JSON.stringify(value));
  }

  /** What `prepare` has shared; undefined where there is nothing. */
  get shared() {
    const value = this.#session.host.shared();
    return value === null || value === undefined ? undefined : JSON.parse(value);
  }

  /** Keep notes for this user's next sessions, instead of those before: at most 4096 bytes of JSON. */
  remember(notes) {
    this.#session.host.remember(JSON.stringify(notes));
  }

  /** What this user has remembered, in this session or one before; undefined where there is nothing. */
  remembered() {
    const notes = this.#session.host.remembered();
    return notes === null || notes === undefined ? undefined : JSON.parse(notes);
  }

  /** Say that something was created, `<kind>:<name>`; a request's `mark` says it earlier and is safer. */
  mark(thing) {
    this.#session.host.mark(thing);
  }

  /** Say that a marked thing is gone. */
  unmark(thing) {
    this.#session.host.unmark(thing);
  }

  /** Write a line to the host's log: `debug`, `info`, `warn` or `error`. Never a secret. */
  log(message, level = 'info') {
    this.#session.host.log(level, String(message));
  }

  /** The next row of one of the plan's data feeds; undefined when there is none for this user. */
  feed(name) {
    const row = this.#session.host.feed(name);
    return row === null || row === undefined ? undefined : JSON.parse(row);
  }

  /** One of the plan's `[secrets]`, for a header or a body. The host shows it nowhere. */
  secret(name) {
    const value = this.#session.host.secret(name);
    if (value === null || value === undefined) {
      throw new ConfigError(`the plan has no secret ${name}: name its variable or file in [secrets]`);
    }
    return value;
  }

  /** At least 0, less than 1. */
  random() {
    return this.#session.random.float();
  }

  /** A whole number, both bounds included. */
  range(min, max) {
    return this.#session.random.range(min, max);
  }

  /** True with this probability. */
  chance(probability) {
    return this.#session.random.float() < probability;
  }

  /** One of the items; undefined when there are none. */
  pick(items) {
    return this.#session.random.pick(items);
  }

  /** One of `[item, weight]`, each as often as its weight says. */
  weighted(pairs) {
    return this.#session.random.weighted(pairs);
  }

  /**
   * One of `{ what, weight, category }`: by weight, steered towards the categories that the plan's mix still wants. A
   * category that is `n` percentage points short has its weight multiplied by e^(n/3).
   */
  choose(choices) {
    const steer = (category) => Math.min(Math.max(Math.exp(this.wanted(category) / 3), 0.01), 100);
    return this.weighted(choices.map(({ what, weight, category }) => [what, weight * steer(category)]));
  }

  /** Made-up data: `name`, `city`, `bio`, `phone`, `website`, `birthDate` or `search`. */
  fake(kind) {
    return fakes[kind](this.#session.random);
  }
}
