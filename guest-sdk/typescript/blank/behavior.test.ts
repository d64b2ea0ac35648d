//! Plays the journey, whatever it asks for: `npm test`.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { play } from 'vespeiro/harness';
import type { Scripted } from 'vespeiro/harness';

import behavior from './behavior.js';

/** What the journey reads in a body: `'GET /items': [200, { items: [] }]`. */
const replies: Record<string, Scripted> = {};

for (const ordinal of [0, 1]) {
  test(`the journey comes to its end, and its checks hold, in session ${ordinal}`, () => {
    const played = play(behavior, { replies, otherwise: [200, {}], ordinal });
    assert.equal(played.ending, 'completed', played.error);
    assert.ok(played.requests.length > 0);
    assert.deepEqual(played.checks.filter(([, passed]) => !passed), []);
  });
}

test('a service that fails is no mistake of the journey', () => {
  assert.equal(play(behavior, { otherwise: 503 }).error, undefined);
});
