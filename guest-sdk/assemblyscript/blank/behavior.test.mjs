//! Plays the module, whatever it asks for: `npm test`, once it was built.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { load, play } from './vespeiro/harness.mjs';

const module = load('my-behavior.wasm');

/** What the journey reads in a body: `'GET /items': [200, { items: [] }]`. */
const replies = {};

for (const ordinal of [0, 1]) {
  test(`the journey comes to its end, and its checks hold, in session ${ordinal}`, () => {
    const played = play(module, { replies, otherwise: [200, {}], ordinal });
    assert.equal(played.ending, 'completed', played.error);
    assert.ok(played.requests.length > 0);
    assert.deepEqual(played.checks.filter(([, passed]) => !passed), []);
  });
}

test('a service that fails is no mistake of the journey', () => {
  assert.equal(play(module, { otherwise: 503 }).error, undefined);
});
