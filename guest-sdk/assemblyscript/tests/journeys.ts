//! Journeys for journeys.test.mjs, all in one module: the config's `play` says which one. The tests' runner puts it into a
//! project that was built, for there are the tools.

import { Auth, Capture, Choice, Definition, Failure, Fault, Journey, Tokens, Turn, Value, behavior, get, object, post, quoted } from '../vespeiro';

const LOGIN = post('/login', 'auth');
const REFRESH = post('/refresh', 'auth');
const LOGOUT = post('/logout', 'auth');
const PLAIN = get('/b', 'query');
const TWO = get('/a/{x}/{y}', 'query');

class Tried extends Journey {
  private bearer: Tokens | null = null;
  private n: i32 = 0;

  play(): Turn {
    const name = new Value(this.config, 'play').text;
    if (name === 'pauses') return this.pauses();
    if (name === 'thinking') return this.thinking();
    if (name === 'together') return this.together();
    if (name === 'stubborn') return this.stubborn();
    if (name === 'insisting') return this.insisting();
    if (name === 'looking') return this.looking();
    if (name === 'undeclared') return this.send([get('/nowhere', 'query').call()]);
    if (name === 'unfilled') return this.send([TWO.call(['1'])]);
    if (name === 'drawing') return this.drawing();
    if (name === 'renewing') return this.renewing();
    if (name === 'refused') return this.refused();
    if (name === 'lasting') return this.lasting();
    if (name === 'tidying') return this.tidying();
    if (name === 'telling') return this.telling();
    if (name === 'reading') return this.reading();
    return this.fail(`nothing is called ${name}`);
  }

  private pauses(): Turn {
    switch (this.at) {
      case 0:
        this.wait(30);
        this.wait(12);
      case 1:
        if (this.asks(1)) return this.send([PLAIN.call()]);
        this.think();
      case 2:
        if (this.asks(2)) return this.send([PLAIN.call()]);
        this.wait(5);
    }
    return this.done();
  }

  private thinking(): Turn {
    if (this.at > 0 && this.asks(1)) return this.send([PLAIN.call()]);
    this.n += 1;
    if (this.n > 400) return this.done();
    if (this.n % 4 === 1) this.think();
    else if (this.n % 4 === 2) this.thinkLong();
    else if (this.n % 4 === 3) this.thinkBriefly();
    else this.thinkBetween(10, 400);
    return this.go(1);
  }

  private together(): Turn {
    switch (this.at) {
      case 0:
      case 1:
        if (this.asks(1)) {
          return this.send([
            TWO.call(['0', 'ü /']),
            TWO.call(['1', 'y']).query('q', 'a&b').query('p', '1'),
            PLAIN.call().header('x-a', 'b').category('auth').timeoutMs(50),
          ]);
        }
        this.check('in order', this.replies.length === 3 && this.replies[0].text === '0' && this.replies[1].text === '1');
      case 2:
        if (this.asks(2)) return this.send([]);
      case 3:
        if (this.asks(3)) return this.send([PLAIN.call(), PLAIN.call(), PLAIN.call(), PLAIN.call(), PLAIN.call()]);
    }
    return this.done();
  }

  private stubborn(): Turn {
    if (this.asks(1)) return this.send([PLAIN.call().orElse()]);
    return this.go(1);
  }

  private insisting(): Turn {
    if (this.asks(1)) return this.send([PLAIN.call().expect([201])]);
    return this.reply.at('data').exists ? this.done() : this.lacks('`data`');
  }

  private looking(): Turn {
    if (this.asks(1)) return this.send([PLAIN.call().orElse()]);
    this.check('the kind', this.reply.failure === Failure.RESET && this.reply.status === 0);
    return this.done();
  }

  private drawing(): Turn {
    const choices = [new Choice(3, 'query'), new Choice(1, 'auth'), new Choice(0, 'query')];
    let queries = 0;
    for (let n = 0; n < 4000; n += 1) {
      const drawn = this.choose(choices);
      if (drawn === 0) queries += 1;
      if (drawn === 2) return this.fail('drew what has no weight');
    }
    this.observe('queries', <f64>queries / 4000);
    const fake = this.fake;
    const all = [fake.name(), fake.city(), fake.bio(), fake.phone(), fake.website(), fake.birthDate(), fake.search()];
    this.log(`${all.join()} ${this.range(1, 6)} ${this.chance(0.5)} ${this.random()}`);
    return this.done();
  }

  private account(): Tokens {
    const bearer = this.bearer || this.tokens('a@example.test', 'se"cret');
    this.bearer = bearer;
    return bearer;
  }

  private renewing(): Turn {
    const bearer = this.account();
    switch (this.at) {
      case 0:
      case 1:
        if (this.asks(1)) return this.send([PLAIN.call().bearer(bearer), PLAIN.call().bearer(bearer)]);
        this.wait(85_000);
      case 2:
        if (this.asks(2)) return this.send([PLAIN.call().bearer(bearer), PLAIN.call().bearer(bearer)]);
      default:
        if (this.asks(3)) return this.logOut(bearer);
    }
    this.check('out', !bearer.loggedIn && this.logOut(bearer) === Turn.DONE);
    return this.done();
  }

  private refused(): Turn {
    const bearer = this.account();
    switch (this.at) {
      case 0:
      case 1:
        if (this.asks(1)) {
          return this.send([PLAIN.call().bearer(bearer).capture(Capture.EVERYTHING), TWO.call(['1', '2']).bearer(bearer).expect([200])]);
        }
        this.check('the first is kept', this.reply.text === '"first"' && this.reply.header('content-type') === 'application/json');
        this.check('the second came anew', this.replies[1].text === '"second"');
      default:
        if (this.asks(2)) return this.send([PLAIN.call().bearer(bearer).fault(Fault.BAD_CREDENTIALS)]);
    }
    this.check('a fault stays', this.reply.status === 401);
    return this.done();
  }

  private lasting(): Turn {
    const bearer = this.account().lasting();
    switch (this.at) {
      case 0:
      case 1:
        if (this.asks(1)) return this.logIn(bearer);
        this.wait(85_000);
      case 2:
        if (this.asks(2)) return this.send([PLAIN.call().bearer(bearer)]); // renews
      case 3:
        if (this.asks(3)) return this.logIn(bearer); // the session of the one before lives on
      case 4:
        if (this.asks(4)) return this.send([PLAIN.call().bearer(bearer), PLAIN.call().bearer(bearer)]);
      default:
        if (this.asks(5)) return this.logOut(bearer);
    }
    this.check('out', !bearer.loggedIn);
    return this.done();
  }

  private tidying(): Turn {
    if (this.asks(1)) {
      const turn = this.logOutMarked();
      if (turn !== Turn.DONE) return turn;
    }
    this.check('nothing is left', this.logOutMarked() === Turn.DONE);
    return this.done();
  }

  private telling(): Turn {
    if (this.at === 0) {
      const fault = this.takeFault();
      this.check('taken once', fault === Fault.NOT_FOUND && this.takeFault() === Fault.NONE);
    }
    if (this.asks(1)) {
      const json = object().text('name', 'João ✓\n"').number('n', -2.5).number('m', 7).flag('f', true).raw('r', '[]').end();
      return this.send([PLAIN.call().json(json).mark('user:x').fault(Fault.NOT_FOUND)]);
    }
    this.unmark('user:x');
    this.mark('role:y');
    this.check('a feed', new Value(this.feed('rows') || '').count === 2);
    return this.done();
  }

  private reading(): Turn {
    const json = ` { "a\\"" : [ ], "data" : { "list":[ 1 , {"n":"J\\u00e3o \\ud83d\\udc1d \\\\"}, -2.5e1 ], "no": false } } `;
    const at = (path: string, json: string): Value => new Value(json, path);
    this.check('text', at('data.list.1.n', json).text === 'Jão 🐝 \\');
    this.check('number', at('data.list.2', json).number === -25 && isNaN(at('data.no', json).number));
    this.check('count', at('data.list', json).count === 3 && at('data', json).count === 2 && at('', json).count === 2);
    this.check('nothing', !at('data.list.3', json).exists && at('data.list.0', json).text === '' && at('data.no', json).count === 0);
    this.check('quoted', quoted('a"\\\n') === '"a\\"\\\\\\u000a"');
    // Whatever a target sends, the reader stays within it.
    for (let size = 0; size < json.length; size += 1) {
      const cut = json.substring(0, size);
      at('data.list.1.n', cut).text;
      at('data.list', cut).count;
    }
    const odd = ['', '{', '[', ']', '"', '"\\', '{"a"', '{"a":', '[1,', 'nul', '{"data":{"n":"\\u"}}', '{]', '[[[[['];
    for (let n = 0; n < odd.length; n += 1) {
      at('data.n', odd[n]).text;
      at('0.a', odd[n]).count;
      at('', odd[n]).count;
    }
    return this.done();
  }
}

behavior(new Definition('tried', '0.0.0', [LOGIN, REFRESH, LOGOUT, PLAIN, TWO], () => new Tried(), () => new Tried(), new Auth(LOGIN, REFRESH, LOGOUT)));
