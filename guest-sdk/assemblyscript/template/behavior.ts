//! Someone who logs in, looks around and changes their own name. `./build` makes a module of it.

import { Auth, Capture, Definition, Fault, Journey, Tokens, Turn, behavior, get, object, post, put } from './vespeiro';

const LOGIN = post('/api/v1/auth/login', 'auth');
const REFRESH = post('/api/v1/auth/refresh', 'auth');
const LOGOUT = post('/api/v1/auth/logout', 'auth');
const PEOPLE = get('/api/v1/users', 'user-query');
const PERSON = get('/api/v1/users/{id}', 'user-query');
const REGISTER = post('/api/v1/users', 'user-mutation');
const EDIT = put('/api/v1/users/{id}', 'user-mutation');
const ROLES = get('/api/v1/users/{userId}/roles', 'role-permission');

/** The steps, in their order. Each sends something, and goes on to the next once that was answered. */
enum Step { COME, REGISTER, LOG_IN, BROWSE, MISTAKE, LOOK, RENAME, LOOK_AGAIN, LEAVE }

/** What a session keeps from one step to the next; locals do not outlive one. */
class Walk extends Journey {
  private bearer: Tokens | null = null;
  private id: string = '';
  private name: string = '';
  private page: i32 = 1;
  private pages: i32 = 1;

  play(): Turn {
    const user = this.user;
    const bearer = this.bearer || this.tokens(user.email, user.password);
    this.bearer = bearer;
    switch (this.at) {
      case Step.COME:
        if (this.ordinal > 0) return this.go(Step.LOG_IN);
        this.thinkLong();
      case Step.REGISTER:
        if (this.asks(Step.REGISTER)) {
          const json = object().text('username', user.username).text('email', user.email).text('password', user.password);
          return this.send([REGISTER.call().json(json.text('name', user.name).end()).mark(`user:${user.username}`).expect([200, 201, 409])]);
        }
        this.think();
      case Step.LOG_IN:
        if (this.asks(Step.LOG_IN)) return this.logIn(bearer);
        this.id = this.reply.at('data.user.id').text;
        if (this.id.length === 0) return this.lacks('`data.user.id`');
        this.pages = this.range(1, 3);
        this.think();
      case Step.BROWSE:
        if (this.asks(Step.BROWSE)) {
          return this.send([PEOPLE.call().query('page', this.page.toString()).query('per_page', '10').bearer(bearer).expect([200])]);
        }
        this.observe('people on a page', <f64>this.reply.at('data').count);
        this.think();
        this.page += 1;
        if (this.page <= this.pages) return this.go(Step.BROWSE);
      case Step.MISTAKE:
        if (this.asks(Step.MISTAKE)) {
          const fault = this.takeFault();
          if (fault === Fault.NOT_FOUND) return this.send([PERSON.call(['nobody']).bearer(bearer).fault(fault)]);
          if (fault === Fault.INVALID_DATA) return this.send([EDIT.call([this.id]).json('{"name":""}').bearer(bearer).fault(fault)]);
          if (fault === Fault.BAD_CREDENTIALS) {
            const json = object().text('email', user.email).text('password', 'not-the-password-1').end();
            return this.send([LOGIN.call().json(json).fault(fault)]);
          }
        }
      case Step.LOOK:
        if (this.asks(Step.LOOK)) {
          return this.send([
            PERSON.call([this.id]).bearer(bearer).expect([200]),
            ROLES.call([this.id]).bearer(bearer).capture(Capture.NOTHING),
          ]);
        }
        this.name = this.fake.name();
        this.thinkLong();
      case Step.RENAME:
        if (this.asks(Step.RENAME)) {
          return this.send([EDIT.call([this.id]).json(object().text('name', this.name).end()).bearer(bearer).expect([200])]);
        }
      case Step.LOOK_AGAIN:
        if (this.asks(Step.LOOK_AGAIN)) return this.send([PERSON.call([this.id]).bearer(bearer).expect([200])]);
        this.check('a new name reads as written', this.reply.at('data.name').text === this.name);
      default:
        if (this.asks(Step.LEAVE)) return this.logOut(bearer);
        return this.done();
    }
  }
}

behavior(
  new Definition(
    'my-behavior',
    '0.1.0',
    [LOGIN, REFRESH, LOGOUT, PEOPLE, PERSON, REGISTER, EDIT, ROLES],
    () => new Walk(),
    null,
    new Auth(LOGIN, REFRESH, LOGOUT),
  ),
);
