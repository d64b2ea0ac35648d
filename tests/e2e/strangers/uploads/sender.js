// A form with a file of the plan, the file alone, and the file by way of a redirect that keeps the body.
import { behavior, file, post, put } from 'vespeiro';

export default behavior({
  routes: { upload: ['POST /form', 'PUT /whole', 'PUT /moved'] },
  *journey(me) {
    const photo = file('photo', { as: 'my photo.jpg', type: 'image/jpeg' });
    const form = yield post('/form', {}, { multipart: { name: 'Ana ção', photo } });
    me.check('the form arrived', form.status === 200);
    const headers = { 'content-type': 'image/jpeg' };
    for (const path of ['/whole', '/moved']) {
      const reply = yield put(path, {}, { body: photo, headers });
      me.check('the file arrived', reply.status === 200 && reply.json().sha256 === me.config.sha256);
    }
  },
});
