//! Digests, codes and GraphQL. The values are those of FIPS 180-2, RFC 4231 (cases 1 and 2), RFC 4648 and RFC 7617; the engine's own
//! digests are held to the same in the end-to-end tests.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { play } from '../sdk/harness.js';
import { base64, basic, behavior, graphql, hex, hmacSha256, sha256 } from '../sdk/index.js';
import { decode } from '../sdk/text.js';

test('digests are those of the standards', () => {
  assert.equal(hex(sha256('abc')), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  assert.equal(hex(sha256(new Uint8Array())), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  const first = hmacSha256(new Uint8Array(20).fill(0x0b), 'Hi There');
  assert.equal(hex(first), 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7');
  const second = hmacSha256('Jefe', 'what do ya want for nothing?');
  assert.equal(hex(second), '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843');
});

test('base64 is of bytes, also of a text', () => {
  assert.deepEqual(['', 'f', 'fo', 'foo', 'foobar'].map((text) => base64(text)), ['', 'Zg==', 'Zm8=', 'Zm9v', 'Zm9vYmFy']);
  assert.equal(base64('é'), 'w6k=');
  const bytes = new Uint8Array([0xfb, 0xff, 0xfe]);
  assert.deepEqual([base64(bytes), base64(bytes, { url: true })], ['+//+', '-__-']);
  assert.equal(base64(new Uint8Array(100_000)).length, 133_336);
});

test('a name with a colon is no name', () => {
  assert.equal(basic('Aladdin', 'open sesame'), 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==');
  assert.throws(() => basic('a:b', 'c'), /colon/);
  assert.throws(() => sha256(7), /a text or a Uint8Array, and not number/);
});

test('GraphQL is a POST, and an error in its answer is one', () => {
  const asked = [];
  const replies = (answer) => ({ 'POST /graphql': (request) => (asked.push(JSON.parse(decode(request.body))), answer) });
  const journey = function* (me) {
    const reply = yield graphql('/graphql', 'query Q($id: ID!) { user(id: $id) { name } }', { id: 7 }, { operation: 'Q' });
    me.check('it is Ana', reply.graphql().user.name === 'Ana');
  };
  const service = behavior({ name: 'test', version: '0.0.0', routes: { query: ['POST /graphql'] }, journey });
  const played = play(service, { replies: replies([200, { data: { user: { name: 'Ana' } } }]) });
  assert.deepEqual([played.ending, played.checks], ['completed', [['it is Ana', true]]]);
  assert.deepEqual(asked, [{ query: 'query Q($id: ID!) { user(id: $id) { name } }', variables: { id: 7 }, operationName: 'Q' }]);
  for (const [answer, why] of [
    [[200, { data: null, errors: [{ message: 'no such user' }] }], /no such user/],
    [[500, {}], /no data, with status 500/],
  ]) {
    const refused = play(service, { replies: replies(answer) });
    assert.equal(refused.ending, 'abandoned');
    assert.match(refused.gaveUp[0], why);
  }
});
