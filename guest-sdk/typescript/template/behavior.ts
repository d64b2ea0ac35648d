//! Someone who logs in, looks around and changes their own name. `./build` makes a module of it.

import { all, behavior, get, post, put, think, thinkLong } from 'vespeiro';
import type { Me, Steps, Tokens } from 'vespeiro';

interface User {
  id: string;
  name: string;
}

function* journey(me: Me): Steps {
  const { username, email, password, name } = me.user;
  if (me.ordinal === 0) {
    yield* thinkLong();
    const json = { username, email, password, name };
    const registered = yield* post('/api/v1/users', {}, { json, mark: `user:${username}` });
    registered.expect(200, 201, 409);
  }
  yield* think();
  const bearer = me.tokens(email, password);
  const { id } = (yield* bearer.login()).json().data.user as User;

  const pages = me.range(1, 3);
  for (let page = 1; page <= pages; page += 1) {
    yield* think();
    const people = yield* get('/api/v1/users', {}, { query: { page, per_page: 10 }, bearer });
    me.observe('people on a page', (people.expect(200).json().data as User[]).length);
  }
  yield* mistake(me, id, bearer);
  yield* think();
  const [mine] = yield* all([
    get('/api/v1/users/{id}', { id }, { bearer }),
    get('/api/v1/users/{userId}/roles', { userId: id }, { bearer, capture: 'nothing' }),
  ]);
  mine.expect(200);

  yield* thinkLong();
  const renamed = me.fake('name');
  (yield* put('/api/v1/users/{id}', { id }, { json: { name: renamed }, bearer })).expect(200);
  const read = (yield* get('/api/v1/users/{id}', { id }, { bearer })).expect(200).json().data as User;
  me.check('a new name reads as written', read.name === renamed);
  yield* bearer.logout();
}

/** A wrong request, when the run's error mix asks for one. */
function* mistake(me: Me, id: string, bearer: Tokens): Steps {
  const fault = me.fault();
  if (fault === 'not-found') {
    yield* get('/api/v1/users/{id}', { id: 'nobody' }, { bearer, fault });
  } else if (fault === 'invalid-data') {
    yield* put('/api/v1/users/{id}', { id }, { json: { name: '' }, bearer, fault });
  } else if (fault === 'bad-credentials') {
    yield* post('/api/v1/auth/login', {}, { json: { email: me.user.email, password: 'not-the-password-1' }, fault });
  }
}

export default behavior({
  name: 'my-behavior',
  version: '0.1.0',
  routes: {
    auth: ['POST /api/v1/auth/login', 'POST /api/v1/auth/refresh', 'POST /api/v1/auth/logout'],
    'user-query': ['GET /api/v1/users', 'GET /api/v1/users/{id}'],
    'user-mutation': ['POST /api/v1/users', 'PUT /api/v1/users/{id}'],
    'role-permission': ['GET /api/v1/users/{userId}/roles'],
  },
  auth: { login: 'POST /api/v1/auth/login', refresh: 'POST /api/v1/auth/refresh', logout: 'POST /api/v1/auth/logout' },
  journey,
});
