//! The token holder: logs in, keeps an account's token fresh, logs out. `Journey.tokens` makes one for each account; the
//! executor asks it before each request that names it.

import { Call, Capture, Route } from './calls';
import { object, Value } from './json';

/** A token is renewed when a fifth of its life is left, but no earlier than this before its end. */
const MARGIN_MS: f64 = 30_000;

/** Where accounts log in, renew and log out. */
export class Auth {
  constructor(
    public login: Route,
    public refresh: Route | null = null,
    public logout: Route | null = null,
    public nameField: string = 'email',
  ) {}
}

export class Tokens {
  bearer: string = '';
  private again: string = '';
  private dueMs: f64 = 0;
  /** Just had: the request that waits for it leaves, however short its life. */
  fresh: bool = false;

  constructor(private auth: Auth, public name: string, private password: string) {}

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
    const bearer = this.bearer;
    const logout = this.auth.logout;
    this.forget();
    return bearer.length === 0 || logout === null
      ? null
      : logout.call().header('authorization', bearer).capture(Capture.NOTHING);
  }

  /** Take the tokens from the answer to a login or a renewal; false when there are none. */
  take(answer: string, clock: f64): bool {
    const inData = new Value(answer, 'data.access_token').exists;
    const field = (name: string, inData: bool, answer: string): Value => new Value(answer, inData ? `data.${name}` : name);
    this.forget();
    const token = field('access_token', inData, answer).text;
    if (token.length === 0) return false;
    this.bearer = `Bearer ${token}`;
    this.again = field('refresh_token', inData, answer).text;
    const life = field('expires_in', inData, answer).number * 1000;
    this.dueMs = isNaN(life) ? Infinity : clock + life - Math.min(life / 5, MARGIN_MS);
    return true;
  }
}
