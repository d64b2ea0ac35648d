//! Options of requests that are not what they have to be: told where they are written, and no harm to what comes after them.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { play } from '../sdk/harness.js';
import { behavior, get, grpc } from '../sdk/index.js';

const routes = { query: ['GET /a', 'GRPC /shop.v1.Catalog/Find'] };
const playing = (journey) => play(behavior({ name: 'test', version: '0.0.0', routes, journey }), { otherwise: [200, {}] });

test('an option of another kind is refused', () => {
  for (const [options, words] of [
    [{ timeoutMs: 'x' }, 'timeoutMs is a whole number of milliseconds, and not "x"'],
    [{ timeoutMs: -1 }, 'timeoutMs is a whole number of milliseconds, and not -1'],
    [{ mark: { x: 1 } }, 'mark is a text, and not {"x":1}'],
    [{ query: 5 }, 'query is an object, and not 5'],
    [{ headers: 5 }, 'headers is an object, and not 5'],
    [{ capture: null }, 'capture is body, headers, all or nothing, and not null'],
    [{ capture: 'none' }, 'capture is body, headers, all or nothing, and not "none"'],
  ]) {
    const { error } = playing(function* () {
      yield get('/a', {}, options);
    });
    assert.ok(error.includes(words), error);
  }
  const fine = playing(function* () {
    yield get('/a', {}, { timeoutMs: undefined, mark: null, query: null });
  });
  assert.equal(fine.ending, 'completed', fine.error);
});

test('a call of gRPC has its message and its method, and no others', () => {
  for (const name of ['query', 'json', 'form', 'multipart', 'body', 'path']) {
    const { error, requests } = playing(function* () {
      yield grpc('/shop.v1.Catalog/Find', new Uint8Array(3), { [name]: {} });
    });
    assert.match(error, new RegExp(`has no ${name}`));
    assert.deepEqual(requests, []);
  }
});

test('a refused request that is caught leaves the next one alone', () => {
  const played = playing(function* (me) {
    for (let n = 0; n < 3; n += 1) {
      try {
        yield get('/a', {}, { expect: 'x' });
      } catch (error) {
        me.check('refused', error.name === 'UsageError');
      }
    }
    me.check('the next one', (yield get('/a')).status === 200);
  });
  assert.deepEqual([played.ending, played.checks.length, played.requests.length], ['completed', 4, 1], played.error);
});
