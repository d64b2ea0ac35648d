// What a person does to the run: pause, users, stop, swap; and the token, where the run wants one.

import { integer, percent } from './numbers.js';
import { say, words } from './words.js';

const $ = (id) => document.getElementById(id);

/** Of every request: a page of another site cannot send the first one. */
export function headers() {
  const token = sessionStorage.getItem('token');
  return { 'X-Vespeiro-Page': '1', ...(token ? { Authorization: `Bearer ${token}` } : {}) };
}

/** Ask for the token, and remember it in this tab. */
export function askToken() {
  const dialog = $('token');
  if (sessionStorage.getItem('token')) {
    $('token-wrong').hidden = false;
    sessionStorage.removeItem('token');
  }
  if (!dialog.open) dialog.showModal();
  return new Promise((done) => dialog.addEventListener('close', done, { once: true }));
}

$('token').addEventListener('cancel', (event) => event.preventDefault());
$('token-form').addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem('token', $('token-field').value);
  $('token-field').value = '';
  $('token').close();
});

/** Say something that stays until the next is said. */
export function tell(text, bad = false) {
  const place = $('said');
  place.textContent = text;
  place.classList.toggle('bad', bad);
  $('said-box').hidden = false;
}
$('said-close').addEventListener('click', () => {
  $('said-box').hidden = true;
  $('figures').focus();
});

/** Post, and return what came back; a refusal is an error with its one line. */
async function post(path, body) {
  let answer;
  try {
    answer = await fetch(path, { method: 'POST', headers: headers(), body });
  } catch {
    throw new Error(words.unreachable);
  }
  if (answer.status === 401) {
    await askToken();
    return post(path, body);
  }
  const reply = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(reply.error ?? answer.statusText);
  return reply;
}

async function act(path, body, done) {
  try {
    await post(path, body);
    tell(done);
  } catch (error) {
    tell(error.message, true);
  }
}

let phase = 'connecting';
/** What the buttons do depends on where the run is. */
export function steer(now, shares = true) {
  phase = now;
  const goes = ['running', 'paused'].includes(phase);
  $('pause').textContent = phase === 'paused' ? words.resume : words.pause;
  $('stop').textContent = phase === 'stopping' ? words.halt : words.stop;
  $('pause').disabled = !goes;
  $('apply').disabled = $('users-field').disabled = !goes || !shares;
  $('stop').disabled = !goes && !['waiting', 'stopping'].includes(phase);
  for (const field of document.querySelectorAll('.swap input, .back')) field.disabled = !goes;
  if ($('stop').disabled && $('stop-dialog').open) $('stop-dialog').close();
}

$('pause').addEventListener('click', () => {
  const path = phase === 'paused' ? 'resume' : 'pause';
  act(`/${path}`, '', words[`done-${path}`]);
});

$('users-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const users = $('users-field').valueAsNumber;
  act('/users', JSON.stringify({ users }), say('done-users', { n: integer(users) }));
});

$('stop').addEventListener('click', () => {
  if (phase === 'stopping') act('/stop', '', words['done-stop']);
  else $('stop-dialog').showModal();
});
$('stop-no').addEventListener('click', () => $('stop-dialog').close());
$('stop-yes').addEventListener('click', () => {
  $('stop-dialog').close();
  act('/stop', '', words['done-stop']);
});

/** Have a module play an archetype: a file, or a built-in one by its name. */
export async function swap(name, file, builtin) {
  const query = new URLSearchParams({ share: $('swap-share').value, mode: $('swap-mode').value });
  if (builtin) query.set('builtin', builtin);
  else query.set('name', file.name);
  tell(say('swapping', { name, file: builtin ?? file.name }));
  try {
    const swapped = await post(`/swap/${encodeURIComponent(name)}?${query}`, file ?? '');
    const key = swapped.unchanged ? 'unchanged' : swapped.share < 1 ? 'swapped-share' : 'swapped';
    tell(say(key, { name, before: swapped.before, now: swapped.now, n: percent(swapped.share) }));
  } catch (error) {
    tell(say('not-swapped', { name, why: error.message }), true);
  }
}

/** Make an archetype's rows a place to drop a module on. */
export function droppable(rows, name) {
  let depth = 0;
  const over = (on) => rows.classList.toggle('over', on);
  const has = (event) => event.dataTransfer.types.includes('Files') && ['running', 'paused'].includes(phase);
  rows.addEventListener('dragenter', (event) => {
    if (!has(event)) return;
    event.preventDefault();
    depth += 1;
    over(true);
  });
  rows.addEventListener('dragover', (event) => has(event) && event.preventDefault());
  rows.addEventListener('dragleave', () => {
    depth = Math.max(0, depth - 1);
    over(depth > 0);
  });
  rows.addEventListener('drop', (event) => {
    if (!has(event)) return;
    event.preventDefault();
    depth = 0;
    over(false);
    const files = [...event.dataTransfer.files];
    if (files.length === 1) swap(name, files[0]);
    else tell(say('not-swapped', { name, why: words['one-file'] }), true);
  });
}

// A module that misses its archetype must not take the page's place.
for (const name of ['dragover', 'drop']) window.addEventListener(name, (event) => event.preventDefault());
