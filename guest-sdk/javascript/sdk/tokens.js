//! The token holder: logs in, keeps the bearer token fresh, logs out. `me.tokens` makes one for each account, a request's
//! `bearer` uses it. At any time at most one request of a holder renews its token; the others wait for that one.

import { Call, Together, Wanted } from './calls.js';
import { Failed, UnexpectedBody, UsageError } from './errors.js';

/** A token is renewed when a fifth of its life is left, but no earlier than this before its end. */
const MARGIN_MS = 30_000;
/** What the mark of a token begins with; behind it, what logging out takes. The host knows it for a secret. */
const TOKEN = 'token:';
/** Marked tokens that are logged out at a time. */
const AT_ONCE = 8;

/** What the fields of a login's request and answer are called, where a behavior does not say. */
const FIELDS = {
  name: 'email',
  password: 'password',
  token: 'access_token',
  refresh: 'refresh_token',
  expires: 'expires_in',
};

/** How an account logs in, whole. */
function authOf({ login, refresh, logout, nameField, fields = {}, scheme = 'Bearer', body = 'json' }, table) {
  for (const name in fields) {
    if (!(name in FIELDS)) {
      throw new UsageError(`auth: there is no field ${name}: there are ${Object.keys(FIELDS).join(', ')}`);
    }
  }
  if (body !== 'json' && body !== 'form') {
    throw new UsageError(`auth: body is json or form, and not ${body}`);
  }
  for (const line of [login, refresh, logout]) {
    if (line !== undefined && !table.has(line)) {
      throw new UsageError(`auth: ${line} is not among the routes: declare it there`);
    }
  }
  const named = nameField === undefined ? {} : { name: nameField };
  return { login, refresh, logout, scheme, body, fields: { ...FIELDS, ...named, ...fields } };
}

/** Waits until no other request of this holder is renewing. */
export class Turn extends Wanted {
  constructor(tokens) {
    super();
    this.tokens = tokens;
  }
}

export class Tokens {
  #session;
  #auth;
  #password;
  #bearer = '';
  #refresh;
  #dueMs = 0;
  /** Counts the tokens that were had, so that two requests that meet a 401 log in once. */
  #generation = 0;
  /** Whoever cannot log out leaves it to cleanup. */
  #lasting = false;

  constructor(session, name, password, ways) {
    this.#auth = authOf({ ...session.definition.auth, ...ways }, session.definition.table);
    if (this.#auth.login === undefined) {
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

  /**
   * The account is none of the run's, such as an administrator's: it outlives the run, and so would its tokens. They are
   * marked while they live, and cleanup logs out (`me.logOutMarked`) what a session that was cut could not.
   */
  lasting() {
    this.#lasting = this.#auth.logout !== undefined;
    return this;
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
      const [reply] = yield* this.#login(); // what was had before lives on beside it
      return reply;
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
    const { logout } = this.#auth;
    if (bearer !== '' && logout !== undefined) {
      const reply = yield goodbye(logout, bearer);
      if (isOut(reply)) {
        this.#unmark(bearer);
      }
      reply.expect();
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
    const isRefused = reply.grpc === undefined ? reply.status === 401 : reply.grpc.code === 'UNAUTHENTICATED';
    if (!isRefused || wanted.options.fault) {
      return reply;
    }
    yield new Turn(this);
    try {
      if (this.#generation === generation) {
        yield* this.#loginAnew();
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
    signed.protocol = wanted.protocol;
    return signed;
  }

  /** The reply, and the token that this one takes the place of. */
  *#login() {
    const { login, fields } = this.#auth;
    const given = { [fields.name]: this.name, [fields.password]: this.#password };
    const reply = (yield call(login, this.#body(given))).expect();
    return [reply, this.#take(reply)];
  }

  /** Log in for a token that is worth nothing any more. */
  *#loginAnew() {
    const [, before] = yield* this.#login();
    this.#unmark(before);
  }

  *#renew() {
    const { refresh, fields } = this.#auth;
    const token = this.#refresh;
    this.#refresh = undefined; // it rotates: never twice
    if (refresh !== undefined && token !== undefined) {
      const reply = yield call(refresh, this.#body({ [fields.refresh]: token }));
      if (reply.ok) {
        this.#unmark(this.#take(reply));
        return;
      }
    }
    yield* this.#loginAnew();
  }

  #body(given) {
    return { [this.#auth.body]: given };
  }

  /** Hold the token that the reply grants; gives back the one before. */
  #take(reply) {
    const { fields, scheme } = this.#auth;
    const answer = reply.json();
    const grant = answer?.data ?? answer;
    const token = grant?.[fields.token];
    if (typeof token !== 'string') {
      throw new UnexpectedBody(reply.line, `no \`${fields.token}\``);
    }
    const before = this.#bearer;
    this.#bearer = scheme === '' ? token : `${scheme} ${token}`;
    if (this.#lasting) {
      this.#session.host.mark(TOKEN + this.#bearer);
    }
    this.#refresh = grant[fields.refresh] ?? undefined;
    const life = (grant[fields.expires] ?? Infinity) * 1000;
    this.#dueMs = this.#session.clock + life - Math.min(life / 5, MARGIN_MS);
    this.#generation += 1;
    return before;
  }

  /** This token is worth nothing any more, unless it was granted anew: within a second some targets sign the same one. */
  #unmark(bearer) {
    if (this.#lasting && bearer !== '' && bearer !== this.#bearer) {
      this.#session.host.unmark(TOKEN + bearer);
    }
  }
}

/** For a cleanup: log out the tokens among these marks, and give the others. */
export function* logOutMarked(session, marks) {
  const logout = session.definition.auth?.logout;
  const isToken = (mark) => mark.startsWith(TOKEN);
  const tokens = logout === undefined ? [] : marks.filter(isToken);
  while (tokens.length > 0) {
    yield new Together(tokens.splice(0, AT_ONCE).map((mark) => logOutOne(session, logout, mark)));
  }
  return marks.filter((mark) => !isToken(mark));
}

function* logOutOne({ host }, logout, mark) {
  let level = 'warn';
  let why;
  try {
    const reply = yield goodbye(logout, mark.slice(TOKEN.length));
    if (isOut(reply)) {
      host.unmark(mark);
      return;
    }
    if (reply.status === 429) {
      level = 'debug'; // no news of the token: it is still marked, so it has its turn again
    }
    why = `status ${reply.status}`;
  } catch (error) {
    if (!(error instanceof Failed)) {
      throw error;
    }
    why = error.message;
  }
  host.log(level, `cleanup: a token stays: ${why}`);
}

/** Whether a logout's answer means that the token is worth nothing any more: one that is refused is as good as gone. */
const isOut = (reply) => reply.ok || reply.status === 401;

const goodbye = (logout, bearer) => call(logout, { headers: { authorization: bearer }, capture: 'nothing' });

function call(line, options) {
  const wanted = new Call('', '', undefined, options);
  wanted.line = line;
  return wanted;
}
