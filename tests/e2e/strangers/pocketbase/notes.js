// Somebody signs up at PocketBase, keeps notes, and hears of each change over the event stream that it has for that.
import { behavior, del, get, open, patch, post } from 'vespeiro';

const USERS = '/api/collections/users/records';
const LOGIN = '/api/collections/users/auth-with-password';
const NOTES = '/api/collections/notes/records';

function* journey(me) {
  const { email, password, name } = me.user;
  if (me.ordinal === 0) {
    (yield post(USERS, {}, { json: { email, password, passwordConfirm: password, name } })).expect(200);
  }
  const login = yield post(LOGIN, {}, { json: { identity: email, password } });
  const { token: bearer, record: { id: owner } } = login.expect(200).json();

  const changes = yield open('event-stream', '/api/realtime', {}, { bearer });
  const heard = function* (event) {
    const [message] = yield changes.receive({ within: 20_000 });
    return me.check('hears of it', message?.event === event) ? message.json() : undefined;
  };
  const { clientId } = yield* heard('PB_CONNECT');
  const subscriptions = ['notes/*'];
  (yield post('/api/realtime', {}, { bearer, json: { clientId, subscriptions } })).expect(204);

  const title = `note ${me.run} ${me.user.index} ${me.ordinal}`;
  const made = (yield post(NOTES, {}, { bearer, json: { title, owner } })).expect(200).json();
  const create = yield* heard('notes/*');
  me.check('it is the note that was made', create?.action === 'create' && create.record.id === made.id);

  (yield patch(`${NOTES}/{id}`, { id: made.id }, { bearer, json: { title: `${title} changed` } })).expect(200);
  me.check('it has another title', (yield* heard('notes/*'))?.record.title === `${title} changed`);

  const list = (yield get(NOTES, {}, { bearer, query: { filter: `title ~ '${me.run}'`, perPage: 1 } })).expect(200).json();
  // The notes of others are not in it.
  me.check('all notes of mine are in the list', list.totalItems === me.ordinal + 1);
  if (me.ordinal === 2) {
    (yield del(`${NOTES}/{id}`, { id: made.id }, { bearer })).expect(204);
    me.check('it is gone', (yield* heard('notes/*'))?.action === 'delete');
  }
  yield changes.close();
}

export default behavior({
  routes: {
    account: [`POST ${USERS}`, `POST ${LOGIN}`],
    stream: ['GET /api/realtime', 'POST /api/realtime'],
    notes: [`GET ${NOTES}`, `POST ${NOTES}`, `PATCH ${NOTES}/{id}`, `DELETE ${NOTES}/{id}`],
  },
  journey,
});
