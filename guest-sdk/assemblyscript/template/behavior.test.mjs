//! Plays the module against scripted replies: `npm test`, once it was built.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { load, play } from './vespeiro/harness.mjs';

const module = load('my-behavior.wasm');
const replies = {
  'POST /api/v1/users': 201,
  'POST /api/v1/auth/login': [200, { data: { access_token: 'a', expires_in: 900, user: { id: '7' } } }],
  'GET /api/v1/users': [200, { data: [{ id: '7' }, { id: '8' }] }],
  'GET /api/v1/users/{userId}/roles': [200, { data: [] }],
  'PUT /api/v1/users/{id}': 200,
  'GET /api/v1/users/{id}': [200, { data: { name: 'Ana Lima' } }],
  'POST /api/v1/auth/logout': 204,
};

test('a newcomer registers, looks around, changes their name and leaves', () => {
  const played = play(module, { replies });
  assert.equal(played.ending, 'completed', played.error);
  assert.deepEqual(played.routes.slice(0, 2), ['POST /api/v1/users', 'POST /api/v1/auth/login']);
  assert.equal(played.routes.at(-1), 'POST /api/v1/auth/logout');
  assert.deepEqual(played.leftBehind, ['user:sim_user_testrun0_0']);
  assert.deepEqual(played.checks, [['a new name reads as written', false]]);
});

test('who has an account logs in with it, and gives up when the service is down', () => {
  const down = { ...replies, 'POST /api/v1/auth/login': 503 };
  const played = play(module, { replies: down, ordinal: 1 });
  assert.equal(played.ending, 'abandoned', played.error);
  assert.deepEqual(played.routes, ['POST /api/v1/auth/login']);
});

test('a mistake is made when it is asked for', () => {
  const played = play(module, { replies, ordinal: 1, faults: ['invalid-data'] });
  assert.equal(played.ending, 'completed', played.error);
  assert.deepEqual(played.requests.filter(({ fault }) => fault !== undefined).map(({ route }) => route), ['/api/v1/users/{id}']);
});
