//! Where accounts log in, and the requests that do so. `Journey.tokens` makes the tokens of each account; the executor sends
//! what is made here.

import { Call, Capture, Route } from './calls';
import { object } from './json';
import { Tokens, bearerOf } from './tokens';

/** Where accounts log in, renew and log out. */
export class Auth {
  constructor(
    public login: Route,
    public refresh: Route | null = null,
    public logout: Route | null = null,
    public nameField: string = 'email',
  ) {}

  /** The tokens of an account, not logged in yet. */
  tokens(name: string, password: string): Tokens {
    return new Tokens(name, password, this.logout !== null);
  }

  isRenewable(tokens: Tokens): bool {
    return this.refresh !== null && tokens.hasRefresh;
  }

  loginCall(tokens: Tokens): Call {
    return this.login.call().json(object().text(this.nameField, tokens.name).text('password', tokens.password).end());
  }

  refreshCall(tokens: Tokens): Call {
    return this.refresh!.call().json(object().text('refresh_token', tokens.takeRefresh()).end());
  }

  /** Nothing when not logged in, or when the target has no such route. */
  logoutCall(tokens: Tokens): Call | null {
    if (tokens.loggedIn && this.logout !== null) return this.goodbye(tokens.bearer);
    tokens.forget();
    return null;
  }

  /** Log out the token in a mark; null when the target has no such route. */
  logoutOf(mark: string): Call | null {
    return this.logout === null ? null : this.goodbye(bearerOf(mark));
  }

  /** A logout of this value of the authorization header. */
  private goodbye(bearer: string): Call {
    return this.logout!.call().header('authorization', bearer).capture(Capture.NOTHING);
  }
}
