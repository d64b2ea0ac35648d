//! The executor from outside, through the harness: how journeys become steps. Every test is one promise that authors of
//! journeys rely on. Run in a project that was built, beside journeys.wasm.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { inTurn, load, play } from '../vespeiro/harness.mjs';

const module = load(new URL('journeys.wasm', import.meta.url));
const playing = (name, script = {}) => play(module, { otherwise: [200, {}], ...script, config: { play: name } });
const sizes = ({ steps }) => steps.map(({ requests }) => requests.length);
const delays = ({ steps }) => steps.map(({ delayMs }) => delayMs);
const held = ({ checks, error }) => checks.length > 0 && error === undefined && checks.every(([, passed]) => passed);

test('a pause and what follows are one step', () => {
  const played = playing('pauses', { pace: [700, 700] });
  assert.deepEqual([delays(played), sizes(played)], [[42, 700, 5], [1, 1, 0]], played.error);
  assert.equal(played.elapsedMs, 42 + 1 + 700 + 1 + 5);
});

test('pauses keep within the pace', () => {
  const bounds = [[100, 2000], [1050, 2000], [100, 290], [100, 400]];
  const drawn = delays(playing('thinking'));
  assert.equal(drawn.length, 401);
  drawn.slice(0, 400).forEach((delay, at) => assert.ok(delay >= bounds[at % 4][0] && delay <= bounds[at % 4][1], `${at}: ${delay}`));
  assert.ok(delays(playing('thinking', { pace: [0, 0] })).every((delay) => delay === 0));
});

test('what is sent together is one step and comes back in order', () => {
  const played = playing('together', { replies: { 'GET /a/{x}/{y}': inTurn([200, 0], [200, 1]) } });
  assert.deepEqual([played.ending, sizes(played)], ['completed', [3, 0, 5, 0]], played.error);
  assert.ok(held(played));
  assert.deepEqual(played.requests.slice(0, 2).map(({ path }) => path), ['/a/0/%C3%BC%20%2F', '/a/1/y?q=a%26b&p=1']);
  const { category, timeoutMs, headers } = played.requests[2];
  assert.deepEqual([category, timeoutMs, headers], ['auth', 50, [['x-a', 'b']]]);
});

test('a spent budget ends the session quietly', () => {
  for (const [name, script, sent] of [['stubborn', { budget: 3 }, 3], ['together', { budget: 5 }, 5], ['stubborn', { otherwise: 'stopped' }, 1]]) {
    const played = playing(name, script);
    assert.deepEqual([played.ending, played.requests.length], ['abandoned', sent], played.error);
  }
});

test('errors end the session as they should', () => {
  assert.equal(playing('insisting').ending, 'abandoned');
  assert.equal(playing('insisting', { otherwise: 'timeout' }).ending, 'abandoned');
  const odd = playing('insisting', { otherwise: [201, 'nonsense'] });
  assert.deepEqual([odd.ending, odd.logs], ['abandoned', [['warn', 'unexpected body: no `data`']]]);
  const seen = playing('looking', { otherwise: 'reset' });
  assert.ok(seen.ending === 'completed' && held(seen));
  assert.match(playing('undeclared').error, /GET \/nowhere is not among the behavior's routes/);
  assert.match(playing('unfilled').error, /GET \/a\/\{x\}\/\{y\}: give one argument/);
});

test('choices follow their weights, the mix and the seed', () => {
  const [even, steered, other] = [{}, { wanted: { auth: 6 } }, { seed: 2 }].map((script) => playing('drawing', script));
  assert.ok(Math.abs(even.observed[0][1] - 0.75) < 0.03, even.error);
  assert.ok(steered.observed[0][1] < 0.35);
  assert.deepEqual(playing('drawing').logs, even.logs);
  assert.notDeepEqual(other.logs, even.logs);
});

test('tokens log in once, renew before they expire, and survive a 401', () => {
  const grant = (token) => [200, { access_token: token, refresh_token: `${token}-again`, expires_in: 100 }];
  const bearers = ({ requests }) => requests.map(({ headers }) => headers.find(([name]) => name === 'authorization')?.[1] ?? '-');
  const played = playing('renewing', { replies: { 'POST /login': grant('one'), 'POST /refresh': grant('two') } });
  assert.ok(played.ending === 'completed' && held(played), played.error);
  assert.deepEqual(bearers(played), ['-', 'Bearer one', 'Bearer one', '-', 'Bearer two', 'Bearer two', 'Bearer two']);
  assert.deepEqual(JSON.parse(played.requests[0].body), { email: 'a@example.test', password: 'se"cret' });
  assert.deepEqual(JSON.parse(played.requests[3].body), { refresh_token: 'one-again' });
  const refused = playing('refused', {
    replies: {
      'POST /login': inTurn(grant('one'), grant('two')),
      'GET /b': inTurn([200, '"first"'], 401),
      'GET /a/{x}/{y}': inTurn(401, [200, '"second"']),
    },
  });
  assert.deepEqual(bearers(refused), ['-', 'Bearer one', 'Bearer one', '-', 'Bearer two', 'Bearer two'], refused.error);
  assert.ok(refused.ending === 'completed' && held(refused), JSON.stringify(refused.checks));
  const odd = playing('renewing', { replies: { 'POST /login': [200, { token: 1 }] } });
  assert.deepEqual([odd.ending, odd.logs.length], ['abandoned', 1]);
});

test('tokens of a lasting account are marked while they live', () => {
  const grant = (token) => [200, { access_token: token, refresh_token: `${token}-again`, expires_in: 100 }];
  const marks = (...tokens) => tokens.map((token) => `token:Bearer ${token}`);
  for (const [status, left] of [[204, ['two']], [401, ['two']], [503, ['two', 'four']]]) {
    const played = playing('lasting', {
      replies: {
        'POST /login': inTurn(grant('one'), grant('three'), grant('four')),
        'POST /refresh': grant('two'),
        'GET /b': inTurn(200, 401, 401, 200),
        'POST /logout': status,
      },
    });
    assert.equal(played.ending, status === 204 ? 'completed' : 'abandoned', played.error);
    assert.deepEqual(played.marks, marks('one', 'two', 'three', 'four'));
    assert.deepEqual(played.leftBehind, marks(...left), `${status}`);
  }
  const own = playing('renewing', { replies: { 'POST /login': grant('one'), 'POST /refresh': grant('two') } });
  assert.deepEqual(own.marks, []);
});

test('a cleanup logs out the tokens among its marks', () => {
  const cleanup = ['user:a', ...['a', 'b', 'c', 'd', 'e'].map((token) => `token:Bearer ${token}`), 'role:b'];
  const played = playing('tidying', { cleanup, replies: { 'POST /logout': inTurn(204, 503, 401, 429, 'timeout') } });
  assert.ok(played.ending === 'completed' && held(played), played.error);
  assert.equal(played.requests.length, 5);
  assert.deepEqual(played.requests[3].headers, [['authorization', 'Bearer d']]);
  assert.deepEqual(played.unmarks, ['token:Bearer a', 'token:Bearer c']);
  assert.deepEqual(played.logs.map(([level]) => level), ['warn', 'debug', 'warn']);
  assert.ok(played.logs.every(([, line]) => !line.includes('Bearer')));
  assert.equal(playing('tidying', { cleanup: ['user:a'] }).ending, 'completed');
});

test('marks, faults, feeds and bodies reach the host as they are', () => {
  const played = playing('telling', { faults: ['not-found'], feed: [1, 2] });
  assert.ok(played.ending === 'completed' && held(played), played.error);
  assert.deepEqual(played.leftBehind, ['role:y']);
  assert.deepEqual(JSON.parse(played.requests[0].body), { name: 'João ✓\n"', n: -2.5, m: 7, f: true, r: [] });
  assert.equal(played.requests[0].fault, 'not-found');
});

test('JSON is read by its path', () => {
  const played = playing('reading');
  assert.deepEqual(played.checks.filter(([, passed]) => !passed), []);
  assert.equal(played.ending, 'completed', played.error);
});
