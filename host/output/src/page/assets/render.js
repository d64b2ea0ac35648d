// Puts the state of the run on the page. Rows are kept and changed in place, so that whoever is on one stays there.

import { droppable, steer, swap } from './actions.js';
import { Chart } from './chart.js';
import { bytes, integer, latency, percent, plain, rate, span, time } from './numbers.js';
import { say, words } from './words.js';

const $ = (id) => document.getElementById(id);
const POINTS = 300;

function put(id, text) {
  const element = typeof id === 'string' ? $(id) : id;
  if (element.textContent !== text) element.textContent = text;
}

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

/** One child of `parent` for each item, in order, the old ones where the key is the same; of equal ones by their order. */
function rows(parent, items, key, build, fill) {
  const old = new Map([...parent.children].map((row) => [row.dataset.key, row]));
  const seen = new Map();
  items.forEach((item, at) => {
    const times = (seen.get(key(item)) ?? 0) + 1;
    seen.set(key(item), times);
    const name = `${key(item)} ${times}`;
    let row = old.get(name);
    if (!row) {
      row = build(item);
      row.dataset.key = name;
    }
    old.delete(name);
    if (parent.children[at] !== row) parent.insertBefore(row, parent.children[at] ?? null);
    fill(row, item);
  });
  for (const row of old.values()) row.remove();
}

let builtin = {};

export function facts(data) {
  builtin = data.builtin;
  put('run', data.run);
  put('scenario', data.scenario);
  put('target', data.target);
  document.title = `${data.run} · vespeiro`;
  if ($('state').dataset.phase !== 'connecting') return;
  // Its first state follows at once, unless it waits for its moment.
  phase('waiting');
  steer('waiting');
  notes([[words['waiting-text'], 'info']]);
}

/** The charts look back so far, in seconds. */
const SHORTEST = 30;
const LONGEST = 300;

/** The chart of one column of the points, in a figure that has a name and an output. */
function chart(id, column, color, show, tick) {
  const output = $(id).querySelector('output');
  const name = $(id).querySelector('.name').textContent;
  const ago = (n) => (n > 0 ? say('ago', { n: Math.round(n) }) : words.now);
  const pick = (index) => {
    const [value, now] = [values.at(index), at.at(-1)];
    const told = value == null ? '–' : show(value);
    put(output, index < 0 ? told : `${told}, ${ago(now - at[index])}`);
    drawn.show(index, ago(now - at[index]), `${ago(now - at[index])}: ${told}`);
  };
  const drawn = new Chart($(id).querySelector('.plot'), { name, tick, pick });
  let [at, values] = [[], []];
  return (points) => {
    at = points.map((point) => point[0]);
    values = points.map((point) => point[column]);
    const to = at.at(-1) ?? 0;
    const from = to - Math.min(LONGEST, Math.max(SHORTEST, to));
    drawn.draw({ at, from, to, lines: [{ color, values }], moments: [[from, ago(to - from)], [to, words.now]] });
    if (drawn.chosen < 0) pick(-1);
    const known = values.filter((value) => value != null);
    const figures = known.length
      ? `${words.now} ${show(known.at(-1))}, ${words.highest} ${show(Math.max(...known))}`
      : words['no-data'];
    drawn.svg.setAttribute('aria-label', `${name}: ${figures}`);
  };
}

const charts = [
  chart('chart-rate', 2, 2, rate, plain),
  chart('chart-p95', 3, 1, latency, latency),
  chart('chart-errors', 4, 3, rate, plain),
];

export const state = {
  points: [],
  told: null,

  show(data) {
    head(data);
    figures(data);
    this.plot(data.point);
    archetypes(data);
    shares('mix', data.mix, (name) => name);
    shares('error-mix', data.error_mix, (name) => words[`class-${name}`]);
    phases(data.phases);
    thresholds(data.thresholds);
    recent(data.recent);
    news(data.news);
  },

  plot(point) {
    if (point && point[0] !== this.points.at(-1)?.[0]) {
      this.points.push(point);
      this.points.splice(0, this.points.length - POINTS);
    } else if (this.drawn) {
      return;
    }
    this.drawn = true;
    for (const draw of charts) draw(this.points);
  },
};

/** The run does not answer, or is another one. */
export function lost(text) {
  state.drawn = false;
  phase('lost');
  steer('lost');
  notes([[words[text], 'warn']]);
}

function phase(now) {
  const badge = $('state');
  if (badge.dataset.phase === now) return;
  badge.dataset.phase = now;
  put(badge, words[`phase-${now}`]);
}

/** Lines above the figures: said once each, and again only after they were gone. */
function notes(lines) {
  rows(
    $('notes'),
    lines,
    ([text]) => text.replace(/\d[\d.,]*/g, ''),
    () => make('li'),
    (row, [text, kind]) => {
      row.className = kind;
      put(row, text);
    },
  );
}

function head(data) {
  phase(data.phase);
  steer(data.phase, data.users_shared != null);
  // What was said last is of no use to whoever comes back to a run that is over.
  if (data.phase === 'done') $('said-box').hidden = true;
  put('elapsed', span(data.elapsed_seconds));
  const goes = ['running', 'paused'].includes(data.phase);
  $('remaining-box').hidden = data.remaining_seconds == null || !goes;
  if (data.remaining_seconds != null) put('remaining', `~${span(data.remaining_seconds)}`);
  const done = data.phase === 'done' || data.phase === 'cleanup' ? 1 : data.progress;
  const bar = $('progress');
  bar.hidden = done == null;
  if (done != null) {
    bar.value = done;
    bar.textContent = percent(done);
  }
  const lines = [];
  if (data.phase === 'paused') lines.push([words['paused-text'], 'info']);
  if (data.phase === 'stopping') lines.push([say('stopping-text', { n: integer(data.in_flight) }), 'info']);
  if (data.phase === 'cleanup') lines.push([words['cleanup-text'], 'info']);
  if (data.phase === 'done') lines.push([words[`${data.why}-text`], 'info']);
  if (data.alarm) lines.push([data.alarm, 'bad']);
  if (data.phase !== 'done') {
    if (data.breaker && data.breaker.state !== 'closed') {
      lines.push([say('breaker-text', { state: data.breaker.word, n: integer(data.held) }), 'bad']);
    }
    if (data.pace >= 1.5) lines.push([say('pace-text', { n: rate(data.pace) }), 'warn']);
    if (data.logins_paused) lines.push([words['logins-text'], 'warn']);
  }
  for (const warning of data.warnings) lines.push([warning, 'warn']);
  notes(lines);
}

function figures(data) {
  put('users', integer(data.users));
  put('users-note', say('of', { n: integer(data.users_wanted) }));
  const field = $('users-field');
  if (document.activeElement !== field && !field.matches(':user-invalid')) field.value = data.users_shared ?? '';
  put('rate', rate(data.requests_per_second));
  put('rate-note', data.rate_wanted == null ? say('in-all', { n: integer(data.requests) }) : say('wanted-rate', { n: rate(data.rate_wanted) }));
  put('success', data.success_share == null ? '–' : percent(data.success_share));
  put('success-note', say('share-of', { n: integer(data.successes), all: integer(data.requests) }));
  put('errors', integer(data.errors));
  $('errors').classList.toggle('bad', data.errors > 0);
  put('failures', integer(data.failures));
  const time = (seconds) => latency(data.requests ? seconds : null);
  put('p50', time(data.p50_seconds));
  put('p95', time(data.p95_seconds));
  put('p99', time(data.p99_seconds));
  put('max', say('p95-max', { n: time(data.max_seconds) }));
  put('generator', say('generator-text', { cpu: percent(data.cpu_share), memory: bytes(data.memory_bytes) }));
}

const p95 = (one) => latency(one.requests ? one.p95_seconds : null);

function cells(row, texts) {
  texts.forEach((text, at) => put(row.cells[at], text));
}

function archetypes(data) {
  const table = $('archetypes');
  rows(
    { children: table.tBodies, insertBefore: (row, next) => table.insertBefore(row, next) },
    data.archetypes,
    (one) => one.name,
    build,
    (body, one) => {
      cells(body.rows[0], [one.name, '', integer(one.users), integer(one.sessions), integer(one.requests), integer(one.errors), p95(one)]);
      body.rows[0].cells[5].classList.toggle('bad', one.errors > 0);
      const under = { children: [...body.rows].slice(1), insertBefore: (row, next) => body.insertBefore(row, next) };
      rows(under, one.versions, (v) => `${v.behavior} ${v.version} ${v.hash}`, version, fillVersion);
      wayBack(body, one);
    },
  );
  $('more').hidden = !data.archetypes_left_out;
  put('more', say('more', { n: integer(data.archetypes_left_out) }));
}

function build(one) {
  const body = make('tbody');
  const row = body.insertRow();
  const name = make('th', 'name');
  name.scope = 'rowgroup';
  row.append(name);
  for (let at = 0; at < 6; at += 1) row.insertCell().className = 'number';
  const label = make('label', 'button swap');
  label.append(make('span', '', words['swap-short']));
  const input = make('input');
  input.type = 'file';
  input.accept = '.wasm,application/wasm';
  input.setAttribute('aria-label', say('swap-file', { name: one.name }));
  input.addEventListener('change', () => {
    if (input.files.length) swap(one.name, input.files[0]);
    input.value = '';
  });
  label.append(input);
  const back = make('button', 'back', words.back);
  back.type = 'button';
  back.hidden = true;
  back.setAttribute('aria-label', say('back-long', { name: one.name }));
  back.addEventListener('click', () => swap(one.name, null, builtin[one.name]));
  const act = row.insertCell();
  act.className = 'number';
  act.append(label);
  body.back = back;
  body.dataset.drop = say('swap-drop', { name: one.name });
  droppable(body, one.name);
  return body;
}

/** A button in the row of the newest version, where an archetype that began with a built-in behavior has left it. */
function wayBack(body, one) {
  const oldest = one.versions.at(-1);
  const left = builtin[one.name] && one.versions.length > 1 && oldest.share < 1;
  body.back.hidden = !left;
  const place = body.rows[1]?.lastChild;
  if (left && body.back.parentNode !== place) place.append(body.back);
}

function version(one) {
  const row = make('tr', 'version');
  const name = make('th', 'name');
  name.scope = 'row';
  name.append(make('span', 'behavior', one.behavior), ' ', make('span', 'semver', one.version), ' ', make('code', '', one.hash.slice(0, 8)));
  row.append(name);
  const share = row.insertCell();
  share.className = 'number share';
  share.append(make('span', 'text'), make('span', 'bar'));
  for (let at = 0; at < 6; at += 1) row.insertCell().className = 'number';
  return row;
}

function fillVersion(row, one) {
  row.classList.toggle('old', one.share === 0);
  put(row.cells[1].firstChild, percent(one.share));
  row.cells[1].lastChild.style.setProperty('--part', one.share);
  const texts = ['', integer(one.sessions), integer(one.requests), integer(one.errors), p95(one)];
  texts.forEach((text, at) => put(row.cells[at + 2], text));
  row.cells[5].classList.toggle('bad', one.errors > 0);
}

/** A bar for what is, with a mark where it should be. */
function shares(id, list, word) {
  const largest = Math.max(0.01, ...list.flatMap((one) => [one.share, one.wanted ?? 0]));
  rows(
    $(id),
    list,
    (one) => one.name,
    (one) => {
      const row = make('tr');
      const name = make('th', 'name', word(one.name));
      name.scope = 'row';
      row.append(name);
      const bar = make('td', 'mix');
      bar.append(make('span', 'is'), make('span', 'wanted'));
      bar.setAttribute('aria-hidden', 'true');
      row.append(bar, make('td', 'number'), make('td', 'number muted'));
      return row;
    },
    (row, one) => {
      const [is, wanted] = row.cells[1].children;
      is.style.setProperty('--part', one.share / largest);
      wanted.style.setProperty('--part', (one.wanted ?? 0) / largest);
      wanted.hidden = one.wanted == null;
      put(row.cells[2], percent(one.share));
      put(row.cells[3], one.wanted == null ? '–' : percent(one.wanted));
    },
  );
}

function thresholds(list) {
  $('thresholds-box').hidden = !list.length;
  rows(
    $('thresholds'),
    list,
    (one) => one.text,
    (one) => {
      const row = make('li');
      row.append(make('code', '', one.text), ' ', make('span', 'verdict'));
      return row;
    },
    (row, one) => {
      row.className = one.state;
      put(row.lastChild, words[`state-${one.state}`]);
    },
  );
}

function recent(list) {
  rows(
    $('recent'),
    list.map((one, at) => ({ ...one, at: String(at), when: one.at })),
    (one) => one.at,
    () => {
      const row = make('tr');
      for (const name of ['time', 'number', '', 'request', 'outcome', 'number']) row.insertCell().className = name;
      row.cells[4].append(make('span'), make('small'));
      return row;
    },
    (row, one) => {
      put(row.cells[0], time(one.when));
      put(row.cells[1], integer(one.user));
      put(row.cells[2], one.archetype);
      put(row.cells[3], one.request);
      row.cells[4].firstChild.className = one.kind;
      put(row.cells[4].firstChild, one.outcome);
      put(row.cells[4].lastChild, one.kind === 'expected' ? words['on-purpose'] : '');
      put(row.cells[5], latency(one.seconds));
    },
  );
}

/** Where the time of all requests went. */
function phases(list) {
  $('phases-box').hidden = list.length === 0;
  rows(
    $('phases'),
    list,
    (one) => one.phase,
    (one) => {
      const row = make('tr');
      const name = make('th', 'name', one.word);
      name.scope = 'row';
      const bar = make('td', 'mix');
      bar.append(make('span', 'is'));
      bar.setAttribute('aria-hidden', 'true');
      row.append(name, bar, make('td', 'number'), make('td', 'number muted'));
      return row;
    },
    (row, one) => {
      row.cells[1].firstChild.style.setProperty('--part', one.share ?? 0);
      put(row.cells[2], one.share == null ? '–' : percent(one.share));
      put(row.cells[3], latency(one.p95_seconds));
    },
  );
}

function news(list) {
  $('no-news').hidden = list.length > 0;
  rows(
    $('news'),
    list.toReversed(),
    (one) => `${one.elapsed_seconds} ${one.text}`,
    (one) => {
      const row = make('li', one.bad ? 'bad' : '');
      row.append(make('time', '', span(one.elapsed_seconds)), ' ', one.text);
      return row;
    },
    () => {},
  );
}
