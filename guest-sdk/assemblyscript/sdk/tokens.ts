//! The tokens of one account: what they are, when they are due, which of them are marked. The executor asks them before each
//! request that names them.

import * as host from './host';
import { Value } from './json';

/** A token is renewed when a fifth of its life is left, but no earlier than this before its end. */
const MARGIN_MS: f64 = 30_000;
/** What the mark of a token begins with; behind it, what logging out takes. The host knows it for a secret. */
const TOKEN: string = 'token:';

export function isToken(mark: string): bool {
  return mark.startsWith(TOKEN);
}

/** The value of the authorization header in the mark of a token. */
export function bearerOf(mark: string): string {
  return mark.substring(TOKEN.length);
}

export class Tokens {
  bearer: string = '';
  private again: string = '';
  private dueMs: f64 = 0;
  /** Just had: the request that waits for it leaves, however short its life. */
  fresh: bool = false;
  /** Whoever cannot log out leaves it to cleanup. */
  private lasts: bool = false;

  constructor(public name: string, public password: string, private canLogOut: bool) {}

  /**
   * The account is none of the run's, such as an administrator's: it outlives the run, and so would its tokens. They are
   * marked while they live, and cleanup logs out (`Journey.logOutMarked`) what a session that was cut could not.
   */
  lasting(): Tokens {
    this.lasts = this.canLogOut;
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

  get hasRefresh(): bool {
    return this.again.length > 0;
  }

  /** It rotates: never twice. */
  takeRefresh(): string {
    const token = this.again;
    this.again = '';
    return token;
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
