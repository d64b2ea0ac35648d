//! Channels through the harness: what journeys do with them becomes operations, and what comes over them is theirs.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { inTurn, play } from '../sdk/harness.js';
import { all, behavior, Failed, get, open } from '../sdk/index.js';

const routes = { talk: ['GET /chat', 'GET /events', 'GET /b'], auth: ['POST /login'] };
const playing = (journey, script = {}) =>
  play(behavior({ name: 'test', version: '0.0.0', routes, journey, auth: { login: 'POST /login' } }), script);
const tags = ({ steps }) => steps.map(({ action }) => (action.tag === 'operations' ? action.val.map(({ tag }) => tag).join() : action.tag));

test('what is said over a WebSocket comes back, and is carried out together with requests', () => {
  const played = playing(function* (me) {
    const chat = yield* open('websocket', '/chat', {}, { headers: { 'x-room': '1' } });
    yield chat.send('João ✓');
    const [, reply, [answer]] = yield* all([
      chat.send(new Uint8Array([1, 2])), get('/b'), chat.receive({ within: 50 }),
    ]);
    me.check('text', answer.text() === 'João ✓' && !answer.binary && reply.ok);
    const [bytes] = yield chat.receive({ within: 50 });
    me.check('bytes', bytes.binary && bytes.bytes.join() === '1,2');
    yield chat.sendJson({ n: 1 });
    yield chat.end();
    const rest = yield chat.receive({ atMost: 10, within: 50 });
    me.check('the rest, and its end', rest.length === 1 && rest[0].json().n === 1 && chat.ended);
    me.check('nothing comes after', (yield chat.receive({ within: 50 })).length === 0);
    yield chat.close();
  }, { replies: { 'GET /chat': 101, 'GET /b': 200 } });
  assert.deepEqual([played.ending, played.error], ['completed', undefined]);
  assert.ok(played.checks.length === 4 && played.checks.every(([, held]) => held), JSON.stringify(played.checks));
  assert.deepEqual(tags(played), ['open', 'send', 'send,request,receive', 'receive', 'send', 'send', 'receive', 'close', 'done']);
  assert.deepEqual(played.messages, [['GET /chat', 'João ✓'], ['GET /chat', new Uint8Array([1, 2])], ['GET /chat', '{"n":1}']]);
  assert.deepEqual(played.requests[0].headers, [['x-room', '1']]);
});

test('a stream gives what is scripted, and waits for what is not', () => {
  const played = playing(function* (me) {
    const events = yield open('event-stream', '/events');
    me.check('two', (yield events.receive({ atMost: 2, within: 1000 })).map((one) => one.text()).join() === 'a,b');
    me.check('none', (yield events.receive({ within: 700 })).length === 0 && !events.ended);
    yield events.send('x');
  }, { messages: { 'GET /events': ['a', 'b'] } });
  assert.deepEqual(played.checks, [['two', true], ['none', true]], played.error);
  assert.equal(played.elapsedMs, 1 + 700);
  assert.match(played.error, /an event stream takes no messages/);
});

test('an answer that opens no channel makes the person give up, and a refused token logs in again', () => {
  const closed = playing(function* () {
    yield open('websocket', '/chat');
  }, { otherwise: 403 });
  assert.deepEqual([closed.ending, closed.gaveUp?.[0]], ['abandoned', 'GET /chat: unexpected status 403']);
  const grant = [200, { access_token: 'one', expires_in: 100 }];
  const again = playing(function* (me) {
    const chat = yield open('websocket', '/chat', {}, { bearer: me.tokens('a', 'b') });
    me.check('open', chat.status === 101);
  }, { replies: { 'POST /login': grant, 'GET /chat': inTurn(401, 101) } });
  assert.deepEqual([again.ending, again.checks, again.routes.length], ['completed', [['open', true]], 4], again.error);
  const failing = playing(function* (me) {
    try {
      yield open('websocket', '/chat');
    } catch (error) {
      me.check('the kind', error instanceof Failed && error.kind === 'connect');
    }
  }, { otherwise: 'connect' });
  assert.deepEqual(failing.checks, [['the kind', true]]);
});

test('what cannot be done with a channel is said where it is written', () => {
  const failing = (use) => playing(function* () {
    const chat = yield open('websocket', '/chat');
    yield* use(chat);
  }, { otherwise: 101 });
  const closed = failing(function* (chat) {
    yield chat.close();
    yield chat.send('again');
  });
  assert.match(closed.error, /GET \/chat: send: the channel is closed/);
  const mistakes = {
    'receive\\(\\{ within \\}\\) takes milliseconds': (chat) => chat.receive(),
    'from 1 to 256': (chat) => chat.receive({ atMost: 0, within: 1 }),
    'a message is a text or a Uint8Array': (chat) => chat.send({ a: 1 }),
    'open takes websocket or event-stream': () => open('/chat'),
  };
  for (const [words, wrong] of Object.entries(mistakes)) {
    assert.match(failing(function* (chat) { yield wrong(chat); }).error, new RegExp(words));
  }
  const forgotten = failing(function* (chat) {
    chat.send('never');
    yield chat.receive({ within: 0 });
  });
  assert.deepEqual(forgotten.logs, [['warn', 'GET /chat: send was made and never sent: yield it']]);
});
