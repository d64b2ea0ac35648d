// Somebody logs in to Django's admin, makes a group, gives it another name, and logs out.
import { behavior, get, post } from 'vespeiro';

const ADD = '/admin/auth/group/add/';

/** The token that Django wants back with each form; its other half is a cookie. */
const token = (page) => /name="csrfmiddlewaretoken" value="([^"]+)"/.exec(page.text())[1];

function* journey(me) {
  const door = (yield get('/admin/login/', {}, { query: { next: '/admin/' } })).expect(200);
  const home = yield post('/admin/login/', {}, {
    form: { username: 'ana', password: me.config.password, next: '/admin/', csrfmiddlewaretoken: token(door) },
  });
  home.expect(200);
  if (!me.check('logged in', home.text().includes('Site administration'))) {
    return;
  }

  const form = (yield get(ADD)).expect(200);
  const name = `group ${me.run} ${me.user.index} ${me.ordinal}`;
  const list = yield post(ADD, {}, { form: { name, csrfmiddlewaretoken: token(form), _continue: 'Save and continue editing' } });
  list.expect(200);
  // The page that Django sent us on to is that of the new group.
  const id = /<form[^>]*id="group_form"/.test(list.text()) && /\/admin\/auth\/group\/(\d+)\/delete\//.exec(list.text())?.[1];
  if (!me.check('made a group', id)) {
    return;
  }

  const changed = yield post('/admin/auth/group/{id}/change/', { id }, {
    form: { name: `${name} changed`, csrfmiddlewaretoken: token(list), _save: 'Save' },
  });
  changed.expect(200);
  me.check('changed it', changed.text().includes(`${name} changed`));
  (yield post('/admin/logout/', {}, { form: { csrfmiddlewaretoken: token(changed) } })).expect(200);
  // Whoever is out is sent to the door.
  const out = yield get('/admin/');
  me.check('is out', out.text().includes('id="login-form"'));
}

export default behavior({
  routes: {
    visit: [
      'GET /admin/',
      'GET /admin/login/',
      'POST /admin/login/',
      `GET ${ADD}`,
      `POST ${ADD}`,
      'GET /admin/auth/group/',
      'GET /admin/auth/group/{id}/change/',
      'POST /admin/auth/group/{id}/change/',
      'POST /admin/logout/',
    ],
  },
  journey,
});
