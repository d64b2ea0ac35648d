//! What one person does, top to bottom. `./build` makes a module of it; the file plays as it is, too.

import { behavior, get, think } from 'vespeiro';
import type { Me, Steps } from 'vespeiro';

function* journey(me: Me): Steps {
  const health = yield* get('/health');
  me.check('the service is up', health.status === 200);
  yield* think();
}

export default behavior({
  name: 'my-behavior',
  version: '0.1.0',
  routes: { monitoring: ['GET /health'] },
  journey,
});
