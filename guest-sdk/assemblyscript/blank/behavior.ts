//! What one person does, step by step. `./build` makes a module of it.

import { Definition, Journey, Turn, behavior, get } from './vespeiro';

const HEALTH = get('/health', 'monitoring');

/** The steps, in their order. Each sends something, and goes on to the next once that was answered. */
enum Step { LOOK }

/** What a session keeps from one step to the next; locals do not outlive one. */
class Walk extends Journey {
  play(): Turn {
    switch (this.at) {
      case Step.LOOK:
        if (this.asks(Step.LOOK)) return this.send([HEALTH.call()]);
        this.check('the service is up', this.reply.status === 200);
        this.think();
      default:
        return this.done();
    }
  }
}

behavior(new Definition('my-behavior', '0.1.0', [HEALTH], () => new Walk()));
