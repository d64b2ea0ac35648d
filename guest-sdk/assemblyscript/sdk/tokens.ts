//! The token holder: logs in, keeps an account's token fresh, logs out. `Journey.tokens` makes one for each account; the
//! executor asks it before each request that names it.

import { Call, Capture, Route } from './calls';
import * as host from './host';
import { object, Value } from './json';

/** A token is renewed when a fifth of its life is left, but no earlier than this before its end. */
const MARGIN_MS: f64 = 30_000;
/** What the mark of a token begins with; behind it, what logging out takes. The host knows it for a secret. */
const TOKEN: string = 'token:';

export function isToken(mark: string): bool {
  return mark.startsWith(TOKEN);
}

/** A logout of this value of the authorization header. */
function goodbye(logout: Route, bearer: string): Call {
  return logout.call().header('authorization', bearer).capture(Capture.NOTHING);
}

/** Where accounts log in, renew and log out. */
export class Auth {
  constructor(
    public login: Route,
    public refresh: Route | null = null,
    public logout: Route | null = null,
    public nameField: string = 'email',
  ) {}

  /** Log out the token in a mark; null when the target has no such route. */
  logoutOf(mark: string): Call | null {
    const logout = this.logout;
    return logout === null ? null : goodbye(logout, mark.substring(TOKEN.length));
  }
}

export class Tokens {
  bearer: string = '';
  private again: string = '';
  private dueMs: f64 = 0;
  /** Just had: the request that waits for it leaves, however short its life. */
  fresh: bool = false;
  /** Whoever cannot log out leaves it to cleanup. */
  private lasts: bool = false;

  constructor(private auth: Auth, public name: string, private password: string) {}

  /**
   * The account is none of the run's, such as an administrator's: it outlives the run, and so would its tokens. They are
   * marked while they live, and cleanup logs out (`Journey.logOutMarked`) what a session that was cut could not.
   */
  lasting(): Tokens {
    this.lasts = this.auth.logout !== null;
    return this;
  }

  /** Whether there is a token, valid or not. */
  get loggedIn(): bool {
    return this.bearer.length > 0;
  }

  /** Forget the tokens without a word to the target. */
  forget(): void {
    this.bearer = '';
    this.again = '';
    this.fresh = false;
  }

  /** The token is worth nothing any more. */
  lose(): void {
    this.unmark();
    this.forget();
  }

  private unmark(): void {
    if (this.lasts && this.loggedIn) host.unmark(TOKEN + this.bearer);
  }

  isDue(clock: f64): bool {
    return !this.loggedIn || (!this.fresh && clock >= this.dueMs);
  }

  get renewable(): bool {
    return this.auth.refresh !== null && this.again.length > 0;
  }

  loginCall(): Call {
    return this.auth.login.call().json(object().text(this.auth.nameField, this.name).text('password', this.password).end());
  }

  refreshCall(): Call {
    const token = this.again;
    this.again = ''; // it rotates: never twice
    return this.auth.refresh!.call().json(object().text('refresh_token', token).end());
  }

  /** Nothing when not logged in, or when the target has no such route. */
  logoutCall(): Call | null {
    const logout = this.auth.logout;
    if (this.loggedIn && logout !== null) return goodbye(logout, this.bearer);
    this.forget();
    return null;
  }

  /**
   * Take the tokens from the answer to a login or a renewal; false when there are none. `beside`: what was had before lives
   * on beside them.
   */
  take(answer: string, clock: f64, beside: bool): bool {
    if (!beside) this.unmark();
    const inData = new Value(answer, 'data.access_token').exists;
    const field = (name: string, inData: bool, answer: string): Value => new Value(answer, inData ? `data.${name}` : name);
    this.forget();
    const token = field('access_token', inData, answer).text;
    if (token.length === 0) return false;
    this.bearer = `Bearer ${token}`;
    if (this.lasts) host.mark(TOKEN + this.bearer);
    this.again = field('refresh_token', inData, answer).text;
    const life = field('expires_in', inData, answer).number * 1000;
    this.dueMs = isNaN(life) ? Infinity : clock + life - Math.min(life / 5, MARGIN_MS);
    return true;
  }
}
