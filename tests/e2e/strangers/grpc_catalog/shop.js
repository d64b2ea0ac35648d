// Calls the catalog with messages written by hand: 1 is a text, 2 a number.
import { behavior, grpc } from 'vespeiro';

const asked = (name, size) => new Uint8Array([10, name.length, ...new TextEncoder().encode(name), 16, size]);

function* journey(me) {
  const found = yield grpc('/shop.v1.Catalog/Find', asked('tea', 7), { headers: { 'x-trace': 'abc' }, capture: 'all' });
  me.check('it is found', found.expect().body.join() === asked('tea', 8).join());
  me.check('metadata comes with it', found.grpc.trailers.some(([name, value]) => name === 'x-trace' && value === 'abc'));
  const none = yield grpc('/shop.v1.Catalog/Find', asked('nothing', 0), { expect: 'NOT_FOUND' });
  me.check('it is not there', none.expect('NOT_FOUND').grpc.message === 'no \u00e9clair, 100%');
  (yield grpc('/shop.v1.Catalog/Remove', asked('tea', 0))).expect();
}

export default behavior({
  routes: { query: ['GRPC /shop.v1.Catalog/Find'], change: ['GRPC /shop.v1.Catalog/Remove'] },
  journey,
});
