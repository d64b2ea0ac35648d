//! Plays the journey and the cleanup against scripted replies: `npm test`, once the module was built.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { load, play } from './vespeiro/harness.mjs';

const module = load('my-behavior.wasm');
const config = { admin: { email: 'admin@example.test', password: 'secret' } };
const replies = {
  'POST /api/v1/auth/login': [200, { data: { access_token: 'a', expires_in: 900, user: { id: '1' } } }],
  'GET /api/v1/users': [200, { data: [{ id: '7' }, { id: '8' }] }],
  'POST /api/v1/users': [201, { data: { id: '9' } }],
  'PUT /api/v1/users/{id}': 200,
  'GET /api/v1/users/{id}': [200, { data: { name: 'Ana Lima' } }],
  'GET /api/v1/users/{userId}/roles': [200, { data: [] }],
  'PUT /api/v1/users/{id}/deactivate': 200,
  'DELETE /api/v1/users/{id}': 204,
  'GET /api/v1/users/username/{username}': ({ path }) => (path.endsWith('gone') ? 404 : [200, { data: { id: '9' } }]),
  'POST /api/v1/auth/logout': 204,
};

test('an administrator adds, edits and removes a user, and leaves nothing behind', () => {
  const played = play(module, { replies, config });
  assert.equal(played.ending, 'completed', played.error);
  assert.equal(played.routes[0], 'POST /api/v1/auth/login');
  assert.deepEqual(played.unmarks, ['user:sim_user_testrun0_0_0', 'token:Bearer a']);
  assert.deepEqual(played.leftBehind, []);
});

test('cleanup removes what is there and forgets what is gone', () => {
  const played = play(module, { replies, config, cleanup: ['user:sim_user_x', 'user:gone', 'role:x', 'token:Bearer cut'] });
  assert.equal(played.ending, 'completed', played.error);
  assert.deepEqual(played.unmarks.sort(), ['token:Bearer a', 'token:Bearer cut', 'user:gone', 'user:sim_user_x']);
});

test('without an account in the config the session fails, and says what to write', () => {
  assert.match(play(module, { replies }).error, /`admin` is missing/);
});
