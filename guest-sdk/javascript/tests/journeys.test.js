//! The executor from outside, through the harness: how journeys become steps. Every test is one promise that authors of
//! journeys rely on. `node --test guest-sdk/javascript/tests/`.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { inTurn, play } from '../sdk/harness.js';
import { all, behavior, Failed, file, GaveUp, get, grpc, post, think, thinkBetween, thinkBriefly, thinkLong, wait } from '../sdk/index.js';

const routes = { query: ['GET /a/{x}/{y}', 'GET /b'], auth: ['POST /login', 'POST /refresh', 'POST /logout'] };
const auth = { login: 'POST /login', refresh: 'POST /refresh', logout: 'POST /logout' };
const playing = (journey, script = {}) =>
  play(behavior({ name: 'test', version: '0.0.0', routes, journey, auth }), { otherwise: [200, {}], ...script });
const sizes = ({ steps }) => steps.map(({ action }) => (action.tag === 'done' ? 0 : action.val.length));
const delays = ({ steps }) => steps.map(({ delayMs }) => delayMs);

test('a pause and what follows are one step', () => {
  const played = playing(function* () {
    yield wait(30);
    yield wait(12);
    yield get('/b');
    yield think();
    yield* get('/b');
    yield wait(5);
  }, { pace: [700, 700] });
  assert.deepEqual(delays(played), [42, 700, 5]);
  assert.deepEqual(sizes(played), [1, 1, 0]);
  assert.equal(played.elapsedMs, 42 + 1 + 700 + 1 + 5);
});

test('what is sent together is one step and comes back in order', () => {
  let n = 0;
  const played = playing(function* (me) {
    const replies = yield all([0, 1, 2].map((x) => get('/a/{x}/{y}', { x, y: 'ü /' })));
    me.check('in order', replies.map((reply) => reply.json()).join() === '0,1,2');
    const [, later] = yield* all([get('/b'), (function* () {
      yield wait(50);
      return (yield get('/a/{x}/{y}', { x: 9, y: 9 }, { query: { q: 'a&b', none: undefined } })).json();
    })()]);
    me.check('what a generator returns', later === 3);
    me.check('nothing', (yield all([])).length === 0);
  }, { replies: { 'GET /a/{x}/{y}': () => [200, n++] } });
  assert.deepEqual([played.ending, played.checks.every(([, held]) => held)], ['completed', true], played.error);
  assert.deepEqual(sizes(played), [3, 1, 1, 0]);
  assert.equal(delays(played)[2], 49, "the other's pause began with the first request, which took 1 ms");
  assert.deepEqual([played.paths[0], played.paths.at(-1)], ['/a/0/%C3%BC%20%2F', '/a/9/9?q=a%26b']);
});

test('a transaction passes with its steps', () => {
  const played = playing(function* (me) {
    me.begin('visit');
    const reply = yield* me.transaction('read', function* () {
      return (yield get('/b')).expect();
    });
    me.check('what its steps give', reply.status === 200);
    try {
      yield* me.transaction('read again', function* () {
        (yield get('/b')).expect(200);
      });
    } catch {
      me.end('visit', false);
    }
    me.begin('left open');
  }, { replies: { 'GET /b': inTurn(200, 503) } });
  assert.deepEqual([played.ending, played.checks], ['completed', [['what its steps give', true]]], played.error);
  assert.deepEqual(played.transactions, [['visit', false], ['read', true], ['read again', false], ['left open', undefined]]);
  const wrong = playing(function* (me) {
    me.end('visit');
    yield get('/b');
  });
  assert.match(wrong.error, /the transaction visit is not open/);
});

test('what a run is prepared with is there in its sessions', () => {
  const once = behavior({
    name: 'test', version: '0.0.0', routes,
    *prepare(me) {
      (yield get('/b')).expect(200);
      me.share({ id: 7 });
    },
    *journey(me) {
      me.check('prepared', me.shared.id === 7);
      yield get('/b');
    },
    *teardown(me) {
      yield get('/a/{x}/{y}', { x: me.shared.id, y: 0 });
    },
  });
  const prepared = play(once, { otherwise: 200, once: 'prepare' });
  assert.deepEqual([prepared.ending, prepared.shared], ['completed', { id: 7 }], prepared.error);
  const { shared } = prepared;
  assert.deepEqual(play(once, { otherwise: 200, shared }).checks, [['prepared', true]]);
  assert.deepEqual(play(once, { otherwise: 200, shared, once: 'teardown' }).paths, ['/a/7/0']);
});

test('a user remembers, and says why it gives up', () => {
  const journey = function* (me) {
    const visits = me.remembered() ?? 0;
    me.remember(visits + 1);
    if (visits === 3) {
      throw new GaveUp('three times is enough');
    }
    (yield get('/b')).expect(200);
  };
  const first = playing(journey, { otherwise: 503 });
  assert.deepEqual([first.remembered, first.gaveUp], [1, ['GET /b: unexpected status 503', null]], first.error);
  const fourth = playing(journey, { remembered: 3 });
  assert.deepEqual([fourth.ending, fourth.gaveUp], ['abandoned', ['three times is enough', null]]);
  const refused = playing(function* (me) {
    me.remember('x'.repeat(5000));
    yield get('/b');
  });
  assert.match(refused.error, /notes of 5002 bytes are over the 4096 that are allowed/);
});

test('pauses keep within the pace', () => {
  const journey = function* () {
    for (let n = 0; n < 100; n += 1) {
      for (const pause of [think(), thinkLong(), thinkBriefly(), thinkBetween(10, 400)]) {
        yield pause;
        yield get('/b');
      }
    }
  };
  const drawn = delays(playing(journey)).slice(0, -1);
  const bounds = [[100, 2000], [1050, 2000], [100, 290], [100, 400]];
  drawn.forEach((delay, at) => assert.ok(delay >= bounds[at % 4][0] && delay <= bounds[at % 4][1], `${at}: ${delay}`));
  assert.ok(delays(playing(journey, { pace: [0, 0] })).every((delay) => delay === 0));
});

test('empty pauses cannot spin, and long ones add up to steps of an hour at most', () => {
  const empty = playing(function* () {
    for (let n = 0; n < 1000; n += 1) {
      yield think();
    }
  }, { pace: [0, 0] });
  assert.ok(empty.steps.length > 10 && empty.steps.length < 20, empty.steps.length);
  const long = playing(function* () {
    yield wait(2_000_000);
    yield wait(2_000_000);
    yield wait(2_000_000);
  });
  assert.deepEqual([long.ending, long.elapsedMs], ['completed', 6_000_000]);
});

test('a spent budget ends the session quietly', () => {
  const stubborn = function* () {
    for (;;) {
      try {
        yield get('/b');
      } catch {
        // goes on
      }
    }
  };
  assert.deepEqual([playing(stubborn, { budget: 3 })].map(({ ending, requests }) => [ending, requests.length]), [['abandoned', 3]]);
  const batch = playing(function* () {
    yield all([1, 2, 3, 4, 5].map(() => get('/b')));
  }, { budget: 3 });
  assert.deepEqual([batch.ending, sizes(batch)], ['abandoned', [3, 0]]);
  const stopped = playing(stubborn, { replies: { 'GET /b': 'stopped' } });
  assert.deepEqual([stopped.ending, stopped.requests.length], ['abandoned', 1]);
});

test('errors end the session as they should', () => {
  const insists = function* () {
    (yield get('/b')).expect(201).json();
  };
  assert.equal(playing(insists).ending, 'abandoned');
  assert.equal(playing(insists, { otherwise: 'timeout' }).ending, 'abandoned');
  const odd = playing(insists, { otherwise: 201 });
  assert.equal(odd.ending, 'abandoned');
  assert.match(odd.logs[0][1], /^GET \/b: unexpected body: /);
  const mistakes = {
    'is not among the behavior\'s routes': () => get('/nowhere'),
    'lacks an argument for {y}': () => get('/a/{x}/{y}', { x: 1 }),
    'yields requests': () => 7,
    'capture is body': () => get('/b', {}, { capture: 'all of it' }),
  };
  for (const [words, wrong] of Object.entries(mistakes)) {
    const { error } = playing(function* () {
      yield wrong();
    });
    assert.ok(error?.includes(words), error);
  }
  const caught = playing(function* (me) {
    try {
      yield get('/b');
    } catch (error) {
      me.check('the kind', error instanceof Failed && error instanceof GaveUp && error.kind === 'reset');
    }
  }, { otherwise: 'reset' });
  assert.deepEqual([caught.ending, caught.checks], ['completed', [['the kind', true]]]);
  assert.match(playing(function* () {
    yield* [];
    null.x();
  }).error, /^behavior: TypeError: /);
  assert.throws(() => behavior({ name: 'x', version: '1', routes, journey: async () => {} }), /has to be a generator/);
});

test('choices follow their weights, the mix and the seed', () => {
  const journey = function* (me) {
    yield* [];
    const choices = [{ what: 'q', weight: 3, category: 'query' }, { what: 'a', weight: 1, category: 'auth' }, { what: 'n', weight: 0, category: 'query' }];
    const drawn = Array.from({ length: 4000 }, () => me.choose(choices));
    me.observe('q', drawn.filter((what) => what === 'q').length / 4000);
    me.check('never', !drawn.includes('n') && me.pick([]) === undefined && me.weighted([['x', 0]]) === undefined);
    me.log([me.fake('name'), me.fake('bio'), me.fake('birthDate'), me.range(1, 6), me.chance(0.5), me.random()].join());
  };
  const [even, steered, other] = [{}, { wanted: { auth: 6 } }, { seed: 2 }].map((script) => playing(journey, script));
  assert.ok(Math.abs(even.observed[0][1] - 0.75) < 0.03);
  assert.ok(steered.observed[0][1] < 0.35);
  assert.ok(even.checks[0][1]);
  assert.deepEqual(playing(journey).logs, even.logs);
  assert.notDeepEqual(other.logs, even.logs);
});

test('tokens log in once, renew before they expire, and survive a 401', () => {
  const grant = (token) => [200, { access_token: token, refresh_token: `${token}-again`, expires_in: 100 }];
  const bearers = ({ requests }) => requests.map(({ headers }) => headers.find(([name]) => name === 'authorization')?.[1] ?? '-');
  const journey = function* (me) {
    const bearer = me.tokens('a@example.test', 'secret');
    yield all([get('/b', {}, { bearer }), get('/b', {}, { bearer })]);
    yield wait(85_000);
    yield all([get('/b', {}, { bearer }), get('/b', {}, { bearer })]);
    yield* bearer.logout();
    yield* bearer.logout();
    me.check('out', !bearer.loggedIn);
  };
  const replies = { 'POST /login': grant('one'), 'POST /refresh': grant('two') };
  const played = playing(journey, { replies });
  assert.equal(played.ending, 'completed', played.error);
  assert.deepEqual(bearers(played), ['-', 'Bearer one', 'Bearer one', '-', 'Bearer two', 'Bearer two', 'Bearer two']);
  assert.deepEqual(played.body(0), { email: 'a@example.test', password: 'secret' });
  assert.deepEqual(played.body(3), { refresh_token: 'one-again' });
  const refused = playing(function* (me) {
    const bearer = me.tokens('a', 'b');
    const [one, other] = yield all([get('/b', {}, { bearer }), get('/b', {}, { bearer })]);
    me.check('both', one.ok && other.ok);
    yield get('/b', {}, { bearer, fault: 'bad-credentials' });
  }, { replies: { 'POST /login': inTurn(grant('one'), grant('two')), 'GET /b': inTurn(401, 401, 200, 200, 401) } });
  assert.deepEqual(bearers(refused), ['-', 'Bearer one', 'Bearer one', '-', 'Bearer two', 'Bearer two', 'Bearer two']);
  assert.deepEqual([refused.ending, refused.checks], ['completed', [['both', true]]]);
});

test('tokens of a lasting account are marked while they live', () => {
  const grant = (token) => [200, { access_token: token, refresh_token: `${token}-again`, expires_in: 100 }];
  const journey = function* (me) {
    const bearer = me.tokens('admin', 'secret').lasting();
    yield* bearer.login();
    yield* bearer.refresh();
    yield* bearer.login(); // the session of the one before lives on
    yield get('/b', {}, { bearer });
    yield* bearer.logout();
  };
  for (const [status, left] of [[204, ['two']], [401, ['two']], [503, ['two', 'four']]]) {
    const played = playing(journey, {
      replies: {
        'POST /login': inTurn(grant('one'), grant('three'), grant('four')),
        'POST /refresh': grant('two'),
        'GET /b': inTurn(401, 200),
        'POST /logout': status,
      },
    });
    assert.equal(played.ending, status === 204 ? 'completed' : 'abandoned', played.error);
    assert.deepEqual(played.marks, ['one', 'two', 'three', 'four'].map((token) => `token:Bearer ${token}`));
    assert.deepEqual(played.leftBehind, left.map((token) => `token:Bearer ${token}`), `${status}`);
  }
  const own = playing(function* (me) {
    yield* me.tokens('a', 'b').login();
  }, { replies: { 'POST /login': grant('one') } });
  assert.deepEqual([own.ending, own.marks], ['completed', []]);
});

test('a token that is granted anew keeps its mark until it is logged out', () => {
  const grant = [200, { access_token: 'one', refresh_token: 'again', expires_in: 100 }];
  const journey = function* (me) {
    const bearer = me.tokens('admin', 'secret').lasting();
    yield* bearer.login();
    yield* bearer.refresh();
    yield* bearer.logout();
  };
  for (const [status, stays] of [[204, false], [503, true]]) {
    const replies = { 'POST /login': grant, 'POST /refresh': grant, 'POST /logout': status };
    assert.equal(playing(journey, { replies }).leftBehind.length > 0, stays, `${status}`);
  }
});

test('a cleanup logs out the tokens among its marks and gets the others', () => {
  const definition = behavior({
    name: 'test',
    version: '0.0.0',
    routes: { auth: ['POST /login', 'POST /logout'] },
    auth: { login: 'POST /login', logout: 'POST /logout' },
    *journey() {},
    *cleanup(me) {
      const others = yield* me.logOutMarked();
      me.check(others.join(), true);
    },
  });
  const cleanup = ['user:a', ...['a', 'b', 'c', 'd', 'e'].map((token) => `token:Bearer ${token}`), 'role:b'];
  const played = play(definition, { cleanup, replies: { 'POST /logout': inTurn(204, 503, 401, 429, 'timeout') } });
  assert.equal(played.ending, 'completed', played.error);
  assert.deepEqual(played.checks, [['user:a,role:b', true]]);
  assert.deepEqual(played.steps.map(({ action }) => action.val.length), [5, 'completed'.length]);
  assert.deepEqual(played.requests[3].headers, [['authorization', 'Bearer d']]);
  assert.deepEqual(played.unmarks, ['token:Bearer a', 'token:Bearer c']);
  assert.deepEqual(played.logs.map(([level]) => level), ['warn', 'debug', 'warn']);
  assert.ok(played.logs.every(([, line]) => !line.includes('Bearer')));
});

test('marks, faults, feeds and bodies reach the host as they are', () => {
  const played = playing(function* (me) {
    const fault = me.fault();
    yield post('/login', {}, { json: { name: 'João ✓' }, mark: 'user:x', fault, timeoutMs: 50, category: 'query' });
    me.unmark('user:x');
    me.mark('role:y');
    me.check('taken once', fault === 'not-found' && me.fault() === null);
    me.check('a feed', me.feed('rows').n === 1 && me.feed('rows').n === 2 && me.feed('rows').n === 1 && me.feed('no') === undefined);
  }, { faults: ['not-found'], feeds: { rows: [{ n: 1 }, { n: 2 }] } });
  assert.deepEqual(played.checks, [['taken once', true], ['a feed', true]]);
  assert.deepEqual(played.leftBehind, ['role:y']);
  assert.deepEqual(played.body(0), { name: 'João ✓' });
  const { timeoutMs, category, fault, headers } = played.requests[0];
  assert.deepEqual([timeoutMs, category, fault, headers], [50, 'query', 'not-found', [['content-type', 'application/json']]]);
});

test('an option in the wrong place, and one that there is not, are refused where they are written', () => {
  const failing = (call) => playing(function* () {
    yield call();
  }).error;
  assert.match(failing(() => get('/b', { json: {} })), /options come third/);
  assert.match(failing(() => get('/a/{x}/{y}', { x: 1, z: 2 })), /the path has no \{z\}/);
  assert.match(failing(() => post('/login', {}, { jsno: {} })), /there is no option jsno: there are query, json/);
});

test('a request that nobody yields is warned of', () => {
  const played = playing(function* () {
    get('/b');
    yield get('/b');
    const kept = post('/login');
    yield all([kept]);
  });
  assert.deepEqual([played.ending, played.logs.filter(([level]) => level === 'warn')], [
    'completed', [['warn', 'GET /b was made and never sent: yield it']],
  ], played.error);
});

test('tokens go by names, scheme and body of the service', () => {
  const ways = { fields: { name: 'user', token: 'jwt', expires: 'ttl' }, scheme: 'Token', body: 'form', refresh: undefined };
  const played = playing(function* (me) {
    const bearer = me.tokens('ana b', 'p&w', ways);
    yield get('/b', {}, { bearer });
    yield get('/b', {}, { bearer: 'mine' });
  }, { replies: { 'POST /login': [200, { jwt: 'abc', ttl: 60 }] } });
  assert.equal(played.ending, 'completed', played.error);
  const sent = played.steps.flatMap(({ action }) => (action.tag === 'done' ? [] : action.val));
  assert.equal(Buffer.from(sent[0].body.val).toString(), 'user=ana%20b&password=p%26w');
  assert.deepEqual(sent.slice(1).map(({ headers }) => headers), [
    [['authorization', 'Token abc']], [['authorization', 'Bearer mine']],
  ]);
  const wrong = playing(function* (me) {
    me.tokens('a', 'b', { fields: { access: 'x' } });
  });
  assert.match(wrong.error, /there is no field access/);
});

test('routes of another target, links, secrets and statuses that are no error go as the contract has them', () => {
  const visit = behavior({
    name: 'visit',
    version: '1.0.0',
    routes: {
      auth: ['POST /login', 'POST /auth/logout', 'GET /auth/me'],
      billing: ['GET billing:/invoices/{id}', 'GET /items'],
    },
    *journey(me) {
      const key = me.secret('api-key');
      const reply = yield get('billing:/invoices/{id}', { id: 7 }, { headers: { 'x-key': key }, expect: [200, 404] });
      reply.expect(404);
      yield get('/items', {}, { path: 'http://127.0.0.1:1/next?page=2', query: { sort: 'name' } });
    },
  });
  const script = { otherwise: [404, {}], secrets: { 'api-key': 'k3yvault' } };
  const played = play(visit, script);
  assert.equal(played.error, undefined);
  assert.deepEqual(played.routes, ['GET billing:/invoices/{id}', 'GET /items']);
  assert.deepEqual(played.paths, ['/invoices/7', 'http://127.0.0.1:1/next?page=2&sort=name']);
  assert.deepEqual(played.requests.map(({ expect }) => expect), [[404], []]);
  assert.deepEqual(played.requests[0].headers, [['x-key', 'k3yvault']]);
  assert.deepEqual([...visit.table.values()].map((route) => route.kind(visit.auth)), ['login', 'logout', 'plain', 'plain', 'plain']);
  assert.match(play(visit, { ...script, secrets: {} }).error, /the plan has no secret api-key/);
  const odd = behavior({ ...visit, routes: { a: ['GET /a'] }, *journey() { yield get('/a', {}, { expect: 'none' }); } });
  assert.match(play(odd, script).error, /expect is a status or a list of them/);
});

test('a failure that the SDK does not know has the word of the host', () => {
  const visit = behavior({
    name: 'visit',
    version: '1.0.0',
    routes: { a: ['GET /a'] },
    *journey(me) {
      for (const kind of ['redirects', 'headers']) {
        try {
          yield get('/a');
        } catch (error) {
          me.log(error.kind);
        }
      }
    },
  });
  const played = play(visit, { replies: { 'GET /a': inTurn('redirects', 'headers') } });
  assert.deepEqual(played.logs.map(([, said]) => said), ['redirects', 'headers']);
});

test('a file of the plan is a body, and a form is made of parts around files', () => {
  const text = ({ body }) => new TextDecoder().decode(body);
  const typeOf = ({ headers }) => headers.find(([name]) => name === 'content-type')[1];
  const played = playing(function* () {
    yield post('/login', {}, { body: file('photo'), headers: { 'content-type': 'image/png' } });
    const cv = file('cv', { as: 'my "cv".pdf', type: 'application/pdf' });
    yield post('/login', {}, { multipart: { 'na"me': 'Ana', tag: ['a', 2], none: undefined, cv, raw: new Uint8Array([104, 105]) } });
    yield post('/login', {}, { multipart: { a: 'ç' } });
  });
  const [whole, form, plain] = played.requests;
  assert.deepEqual([text(whole), typeOf(whole)], ['(file photo)', 'image/png']);
  const boundary = /^multipart\/form-data; boundary=(vespeiro-[0-9a-f]{16})$/.exec(typeOf(form))[1];
  const part = 'Content-Disposition: form-data; name=';
  assert.equal(
    text(form),
    [
      `--${boundary}`, `${part}"na%22me"`, '', 'Ana',
      `--${boundary}`, `${part}"tag"`, '', 'a',
      `--${boundary}`, `${part}"tag"`, '', '2',
      `--${boundary}`, `${part}"cv"; filename="my %22cv%22.pdf"`, 'Content-Type: application/pdf', '', '(file cv)',
      `--${boundary}`, `${part}"raw"; filename="raw"`, 'Content-Type: application/octet-stream', '', 'hi',
      `--${boundary}--`, '',
    ].join('\r\n'),
  );
  assert.match(text(plain), /\r\n\r\nç\r\n/);
  assert.notEqual(typeOf(plain), typeOf(form));
  const odd = playing(function* () {
    yield post('/login', {}, { body: { a: 1 } });
  });
  assert.match(odd.error, /body is a text, bytes or a file of the plan/);
});

test('a gRPC call has a message and a code', () => {
  const FIND = 'GRPC /shop.v1.Catalog/Find';
  const shop = (journey, replies) =>
    play(behavior({ name: 'test', version: '0.0.0', routes: { query: [FIND] }, journey }), { replies: { [FIND]: replies } });
  const played = shop(function* (me) {
    const found = yield grpc('/shop.v1.Catalog/Find', new Uint8Array([8, 1]), { expect: ['NOT_FOUND', 'OK'] });
    me.check('found', found.expect().body.join() === '8,2' && found.ok);
    const none = (yield grpc('/shop.v1.Catalog/Find')).expect('NOT_FOUND');
    me.check('none', !none.ok && none.grpc.message === 'no such thing');
    (yield grpc('/shop.v1.Catalog/Find')).expect();
  }, inTurn(new Uint8Array([8, 2]), { code: 'NOT_FOUND', message: 'no such thing' }));
  assert.deepEqual(played.checks, [['found', true], ['none', true]], played.error);
  assert.deepEqual(played.requests[0].expect, [5]);
  assert.deepEqual([played.ending, played.gaveUp[0]], ['abandoned', `${FIND}: unexpected status NOT_FOUND`]);
  const mistakes = {
    'a message is a Uint8Array': () => grpc('/shop.v1.Catalog/Find', { id: 1 }),
    '"GONE" is no code of gRPC': () => grpc('/shop.v1.Catalog/Find', undefined, { expect: 'GONE' }),
    'is not among the behavior': () => grpc('/shop.v1.Catalog/Buy'),
  };
  for (const [words, wrong] of Object.entries(mistakes)) {
    assert.match(shop(function* () { yield wrong(); }, new Uint8Array()).error, new RegExp(words));
  }
});
