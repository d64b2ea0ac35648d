//! The token holder: logs in, keeps the bearer token fresh, logs out. `me.tokens` makes one for each account, a request's
//! `bearer` uses it. At any time at most one request of a holder renews its token; the others wait for that one.

import { Call, Wanted } from './calls.js';
import { UnexpectedBody, UsageError } from './errors.js';

/** A token is renewed when a fifth of its life is left, but no earlier than this before its end. */
const MARGIN_MS = 30_000;

/** Waits until no other request of this holder is renewing. */
export class Turn extends Wanted {
  constructor(tokens) {
    super();
    this.tokens = tokens;
  }
}

export class Tokens {
  #session;
  #password;
  #bearer = '';
  #refresh;
  #dueMs = 0;
  /** Counts the tokens that were had, so that two requests that meet a 401 log in once. */
  #generation = 0;

  constructor(session, name, password) {
    if (session.definition.auth?.login === undefined) {
      throw new UsageError('me.tokens needs the behavior\'s `auth: { login: "POST /…" }`');
    }
    this.#session = session;
    /** The account's name. */
    this.name = name;
    this.#password = password;
    /** For the executor: whether one is renewing, and who waits. */
    this.busy = false;
    this.queue = [];
  }

  /** Whether there is a token, valid or not. */
  get loggedIn() {
    return this.#bearer !== '';
  }

  /** The account has another password from now on. */
  set password(password) {
    this.#password = password;
  }

  /** Log in; gives the reply, for whatever else the target says there. */
  *login() {
    yield new Turn(this);
    try {
      return yield* this.#login();
    } finally {
      this.#session.release(this);
    }
  }

  /** Renew the token now, as happens by itself before it expires. */
  *refresh() {
    yield new Turn(this);
    try {
      yield* this.#renew();
    } finally {
      this.#session.release(this);
    }
  }

  /** Log out and forget the tokens; nothing is sent when not logged in, or when the target has no such route. */
  *logout() {
    const bearer = this.#bearer;
    this.forget();
    const { logout } = this.#session.definition.auth;
    if (bearer !== '' && logout !== undefined) {
      (yield call(logout, { headers: { authorization: bearer }, capture: 'nothing' })).expect();
    }
  }

  /** Forget the tokens without a word to the target. */
  forget() {
    this.#bearer = '';
    this.#refresh = undefined;
    this.#dueMs = 0;
  }

  /** For the executor: a request with the token, renewed before it expires; a 401 logs in again and repeats it, once. */
  *authorized(wanted) {
    if (this.#isDue()) {
      yield new Turn(this);
      try {
        if (this.#isDue()) {
          yield* this.#renew();
        }
      } finally {
        this.#session.release(this);
      }
    }
    const generation = this.#generation;
    const reply = yield this.#sign(wanted);
    if (reply.status !== 401 || wanted.options.fault) {
      return reply;
    }
    yield new Turn(this);
    try {
      if (this.#generation === generation) {
        yield* this.#login();
      }
    } finally {
      this.#session.release(this);
    }
    return yield this.#sign(wanted);
  }

  #isDue() {
    return this.#bearer === '' || this.#session.clock >= this.#dueMs;
  }

  #sign(wanted) {
    const { bearer, headers, ...options } = wanted.options;
    const signed = new Call('', '', wanted.args, { ...options, headers: { ...headers, authorization: this.#bearer } });
    signed.line = wanted.line;
    return signed;
  }

  *#login() {
    const { login, nameField = 'email' } = this.#session.definition.auth;
    const json = { [nameField]: this.name, password: this.#password };
    const reply = (yield call(login, { json })).expect();
    this.#take(reply);
    return reply;
  }

  *#renew() {
    const { refresh } = this.#session.definition.auth;
    const token = this.#refresh;
    this.#refresh = undefined; // it rotates: never twice
    if (refresh !== undefined && token !== undefined) {
      const reply = yield call(refresh, { json: { refresh_token: token } });
      if (reply.ok) {
        this.#take(reply);
        return;
      }
    }
    yield* this.#login();
  }

  #take(reply) {
    const answer = reply.json();
    const grant = answer?.data ?? answer;
    if (typeof grant?.access_token !== 'string') {
      throw new UnexpectedBody(reply.line, 'no `access_token`');
    }
    this.#bearer = `Bearer ${grant.access_token}`;
    this.#refresh = grant.refresh_token ?? undefined;
    const life = (grant.expires_in ?? Infinity) * 1000;
    this.#dueMs = this.#session.clock + life - Math.min(life / 5, MARGIN_MS);
    this.#generation += 1;
  }
}

function call(line, options) {
  const wanted = new Call('', '', undefined, options);
  wanted.line = line;
  return wanted;
}
