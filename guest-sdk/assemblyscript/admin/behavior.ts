//! An administrator who logs in, looks around, and adds, edits and removes a user; and the cleanup after a run.
//! `./build` makes a module of it.

import { Auth, Capture, Definition, Fault, Journey, Tokens, Turn, Value, behavior, del, get, object, post, put } from './vespeiro';

const LOGIN = post('/api/v1/auth/login', 'auth');
const REFRESH = post('/api/v1/auth/refresh', 'auth');
const LOGOUT = post('/api/v1/auth/logout', 'auth');
const PEOPLE = get('/api/v1/users', 'user-query');
const PERSON = get('/api/v1/users/{id}', 'user-query');
const BY_NAME = get('/api/v1/users/username/{username}', 'user-query');
const ADD = post('/api/v1/users', 'user-mutation');
const EDIT = put('/api/v1/users/{id}', 'user-mutation');
const ROLES = get('/api/v1/users/{userId}/roles', 'role-permission');
const DEACTIVATE = put('/api/v1/users/{id}/deactivate', 'admin');
const REMOVE = del('/api/v1/users/{id}', 'admin');

/** What both the journey and the cleanup begin with. */
abstract class Administrator extends Journey {
  private account: Tokens | null = null;

  /** The account in the archetype's config. */
  get bearer(): Tokens {
    const email = new Value(this.config, 'admin.email').text;
    const bearer = this.account || this.tokens(email, new Value(this.config, 'admin.password').text).lasting();
    this.account = bearer;
    return bearer;
  }

  get lacksAccount(): bool {
    return this.bearer.name.length === 0;
  }

  failForAccount(): Turn {
    return this.fail('`admin` is missing: give the archetype\'s config `admin = { email = "…", password = "…" }`');
  }
}

/** The steps, in their order. Each sends something, and goes on to the next once that was answered. */
enum Step { COME, LOG_IN, BROWSE, MISTAKE, ADD, EDIT, LOOK, DEACTIVATE, REMOVE, LEAVE }

/** What a session keeps from one step to the next; locals do not outlive one. */
class Shift extends Administrator {
  private id: string = '';
  private name: string = '';
  private username: string = '';
  private page: i32 = 1;
  private pages: i32 = 1;

  play(): Turn {
    const bearer = this.bearer;
    switch (this.at) {
      case Step.COME:
        if (this.lacksAccount) return this.failForAccount();
      case Step.LOG_IN:
        if (this.asks(Step.LOG_IN)) return this.logIn(bearer);
        this.pages = this.range(1, 3);
        this.think();
      case Step.BROWSE:
        if (this.asks(Step.BROWSE)) {
          return this.send([PEOPLE.call().query('page', this.page.toString()).query('per_page', '20').bearer(bearer).expect([200])]);
        }
        this.observe('people on a page', <f64>this.reply.at('data').count);
        this.think();
        this.page += 1;
        if (this.page <= this.pages) return this.go(Step.BROWSE);
      case Step.MISTAKE:
        if (this.asks(Step.MISTAKE)) {
          const fault = this.takeFault();
          if (fault === Fault.NOT_FOUND) return this.send([PERSON.call(['nobody']).bearer(bearer).fault(fault)]);
          if (fault === Fault.INVALID_DATA) return this.send([ADD.call().json('{"username":""}').bearer(bearer).fault(fault)]);
        }
        this.username = `sim_user_${this.run}_${this.user.index}_${this.ordinal * 1000}`;
        this.name = this.fake.name();
        this.thinkLong();
      case Step.ADD:
        if (this.asks(Step.ADD)) {
          const json = object().text('username', this.username).text('email', `${this.username}@simulation.test`);
          json.text('password', 'SimPass123!').text('name', this.name);
          return this.send([ADD.call().json(json.end()).bearer(bearer).mark(`user:${this.username}`).expect([201])]);
        }
        this.id = this.reply.at('data.id').text;
        if (this.id.length === 0) return this.lacks('`data.id`');
        this.name = this.fake.name();
        this.thinkLong();
      case Step.EDIT:
        if (this.asks(Step.EDIT)) {
          return this.send([EDIT.call([this.id]).json(object().text('name', this.name).end()).bearer(bearer).expect([200])]);
        }
      case Step.LOOK:
        if (this.asks(Step.LOOK)) {
          return this.send([
            PERSON.call([this.id]).bearer(bearer).expect([200]),
            ROLES.call([this.id]).bearer(bearer).capture(Capture.NOTHING).expect([200]),
          ]);
        }
        this.check('a new name reads as written', this.reply.at('data.name').text === this.name);
        this.think();
      case Step.DEACTIVATE:
        if (this.asks(Step.DEACTIVATE)) {
          return this.send([DEACTIVATE.call([this.id]).bearer(bearer).capture(Capture.NOTHING).expect([200])]);
        }
        this.think();
      case Step.REMOVE:
        if (this.asks(Step.REMOVE)) return this.send([REMOVE.call([this.id]).bearer(bearer).capture(Capture.NOTHING).expect([204])]);
        this.unmark(`user:${this.username}`);
      default:
        if (this.asks(Step.LEAVE)) return this.logOut(bearer);
        return this.done();
    }
  }
}

enum Round { COME, TIDY, FIND, REMOVE, LEAVE }

/** Logs out what sessions could not, then removes the users that they have left behind. */
class Cleanup extends Administrator {
  private left: i32 = 0;
  private id: string = '';

  play(): Turn {
    const bearer = this.bearer;
    switch (this.at) {
      case Round.COME:
        if (this.lacksAccount) return this.failForAccount();
      case Round.TIDY:
        if (this.asks(Round.TIDY)) {
          const turn = this.logOutMarked();
          if (turn !== Turn.DONE) return turn;
        }
      case Round.FIND:
        while (this.left < this.marks.length && !this.marks[this.left].startsWith('user:')) this.left += 1;
        if (this.left === this.marks.length) return this.go(Round.LEAVE);
        if (this.asks(Round.FIND)) return this.send([BY_NAME.call([this.marks[this.left].substring(5)]).bearer(bearer)]);
        if (this.reply.status !== 200) {
          if (this.reply.status === 404) this.unmark(this.marks[this.left]);
          this.left += 1;
          return this.go(Round.FIND);
        }
        this.id = this.reply.at('data.id').text;
        if (this.id.length === 0) return this.lacks('`data.id`');
      case Round.REMOVE:
        if (this.asks(Round.REMOVE)) {
          return this.send([REMOVE.call([this.id]).bearer(bearer).capture(Capture.NOTHING).expect([204, 404])]);
        }
        this.unmark(this.marks[this.left]);
        this.left += 1;
        return this.go(Round.FIND);
      default:
        if (this.asks(Round.LEAVE)) return this.logOut(bearer);
        return this.done();
    }
  }
}

behavior(
  new Definition(
    'my-behavior',
    '0.1.0',
    [LOGIN, REFRESH, LOGOUT, PEOPLE, PERSON, BY_NAME, ADD, EDIT, ROLES, DEACTIVATE, REMOVE],
    () => new Shift(),
    () => new Cleanup(),
    new Auth(LOGIN, REFRESH, LOGOUT),
  ),
);
