//! An administrator who logs in, looks around, and adds, edits and removes a user; and the cleanup after a run.
//! `./build` makes a module of it.

import { all, behavior, ConfigError, del, get, post, put, think, thinkLong } from 'vespeiro';

function* journey(me) {
  const bearer = administrator(me);
  yield* bearer.login();
  const pages = me.range(1, 3);
  for (let page = 1; page <= pages; page += 1) {
    yield think();
    const people = yield get('/api/v1/users', {}, { query: { page, per_page: 20 }, bearer });
    me.observe('people on a page', people.expect(200).json().data.length);
  }
  yield* mistake(me, bearer);

  yield thinkLong();
  const username = `sim_user_${me.run}_${me.user.index}_${me.ordinal * 1000}`;
  const mark = `user:${username}`;
  const json = { username, email: `${username}@simulation.test`, password: 'SimPass123!', name: me.fake('name') };
  const { id } = (yield post('/api/v1/users', {}, { json, bearer, mark })).expect(201).json().data;

  yield thinkLong();
  const renamed = me.fake('name');
  (yield put('/api/v1/users/{id}', { id }, { json: { name: renamed }, bearer })).expect(200);
  const [read, roles] = yield all([
    get('/api/v1/users/{id}', { id }, { bearer }),
    get('/api/v1/users/{userId}/roles', { userId: id }, { bearer, capture: 'nothing' }),
  ]);
  roles.expect(200);
  me.check('a new name reads as written', read.expect(200).json().data.name === renamed);

  yield think();
  (yield put('/api/v1/users/{id}/deactivate', { id }, { bearer, capture: 'nothing' })).expect(200);
  yield think();
  (yield del('/api/v1/users/{id}', { id }, { bearer, capture: 'nothing' })).expect(204);
  me.unmark(mark);
  yield* bearer.logout();
}

/** Logs out what sessions could not, then removes the users that they have left behind, a few at a time. */
function* cleanup(me) {
  const bearer = administrator(me);
  const marks = yield* me.logOutMarked();
  const names = marks.filter((mark) => mark.startsWith('user:')).map((mark) => mark.slice('user:'.length));
  while (names.length > 0) {
    yield all(names.splice(0, 8).map((name) => remove(me, bearer, name)));
  }
  yield* bearer.logout();
}

function* remove(me, bearer, username) {
  const found = yield get('/api/v1/users/username/{username}', { username }, { bearer });
  if (found.ok) {
    const { id } = found.json().data;
    (yield del('/api/v1/users/{id}', { id }, { bearer, capture: 'nothing' })).expect(204, 404);
  }
  if (found.ok || found.status === 404) {
    me.unmark(`user:${username}`);
  }
}

/** A wrong request, when the run's error mix asks for one. */
function* mistake(me, bearer) {
  const fault = me.fault();
  if (fault === 'not-found') {
    yield get('/api/v1/users/{id}', { id: 'nobody' }, { bearer, fault });
  } else if (fault === 'invalid-data') {
    yield post('/api/v1/users', {}, { json: { username: '' }, bearer, fault });
  }
}

function administrator(me) {
  const { admin } = me.config;
  if (admin === undefined) {
    throw new ConfigError('`admin` is missing: give the archetype\'s config `admin = { email = "…", password = "…" }`');
  }
  return me.tokens(admin.email, admin.password).lasting();
}

export default behavior({
  name: 'my-behavior',
  version: '0.1.0',
  routes: {
    auth: ['POST /api/v1/auth/login', 'POST /api/v1/auth/refresh', 'POST /api/v1/auth/logout'],
    'user-query': ['GET /api/v1/users', 'GET /api/v1/users/{id}', 'GET /api/v1/users/username/{username}'],
    'user-mutation': ['POST /api/v1/users', 'PUT /api/v1/users/{id}'],
    'role-permission': ['GET /api/v1/users/{userId}/roles'],
    admin: ['PUT /api/v1/users/{id}/deactivate', 'DELETE /api/v1/users/{id}'],
  },
  auth: { login: 'POST /api/v1/auth/login', refresh: 'POST /api/v1/auth/refresh', logout: 'POST /api/v1/auth/logout' },
  journey,
  cleanup,
});
