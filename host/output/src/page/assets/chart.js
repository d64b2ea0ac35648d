// One line over the last minutes, in SVG, with its figures in words for whoever does not see it.

import { say, words } from './words.js';

const NS = 'http://www.w3.org/2000/svg';
const HEIGHT = 120;
const TOP = 8;
const BOTTOM = 18;
const LEFT = 4;
const SHORTEST = 30;
const LONGEST = 300;

function make(name, attributes, parent) {
  const element = document.createElementNS(NS, name);
  set(element, attributes);
  parent?.append(element);
  return element;
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}

/** The smallest round number that is not below the highest value. */
export function ceiling(highest) {
  if (!(highest > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(highest));
  return [1, 2, 2.5, 5, 10].map((step) => step * power).find((round) => round >= highest * 0.999);
}

/** Fills a figure that has an svg, an output and a caption. `show` writes a value, `tick` one of the scale. */
export class Chart {
  constructor(figure, show, tick = show) {
    this.show = show;
    this.tick = tick;
    this.svg = figure.querySelector('svg');
    this.output = figure.querySelector('output');
    this.name = figure.querySelector('.name').textContent;
    this.points = [];
    this.lines = [0.5, 1].map(() => make('line', { class: 'grid' }, this.svg));
    this.labels = [0.5, 1].map(() => make('text', { class: 'tick' }, this.svg));
    this.ends = ['start', 'end'].map((anchor) => make('text', { class: 'tick', 'text-anchor': anchor }, this.svg));
    this.base = make('line', { class: 'base' }, this.svg);
    this.area = make('path', { class: 'area' }, this.svg);
    this.line = make('path', { class: 'line' }, this.svg);
    this.cross = make('line', { class: 'cross', visibility: 'hidden' }, this.svg);
    this.dot = make('circle', { class: 'dot', r: 3.5, visibility: 'hidden' }, this.svg);
    this.svg.addEventListener('pointermove', (event) => this.point(event));
    this.svg.addEventListener('pointerleave', () => this.leave());
    new ResizeObserver(() => this.draw()).observe(this.svg);
  }

  /** Points are pairs of seconds and a value, or null where there was none. */
  update(points) {
    this.points = points;
    this.draw();
  }

  draw() {
    const width = this.svg.clientWidth;
    if (!width) return;
    const known = this.points.filter(([, value]) => value != null);
    const now = this.points.at(-1)?.[0] ?? 0;
    const long = Math.min(LONGEST, Math.max(SHORTEST, now));
    const top = ceiling(Math.max(0, ...known.map(([, value]) => value)));
    this.x = (at) => LEFT + (1 - (now - at) / long) * (width - 2 * LEFT);
    this.y = (value) => TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM);
    set(this.svg, { viewBox: `0 0 ${width} ${HEIGHT}` });
    [0.5, 1].forEach((part, at) => {
      const y = this.y(part * top);
      set(this.lines[at], { x1: 0, x2: width, y1: y, y2: y });
      set(this.labels[at], { x: LEFT, y: y + 11 });
      this.labels[at].textContent = this.tick(part * top);
    });
    set(this.base, { x1: 0, x2: width, y1: this.y(0), y2: this.y(0) });
    set(this.ends[0], { x: LEFT, y: HEIGHT - 4 });
    set(this.ends[1], { x: width - LEFT, y: HEIGHT - 4 });
    this.ends[0].textContent = say('ago', { n: Math.round(long) });
    this.ends[1].textContent = words.now;
    this.stroke();
    if (this.chosen == null) this.leave();
    const last = known.at(-1);
    const figures = last
      ? `${words.now} ${this.show(last[1])}, ${words.highest} ${this.show(Math.max(...known.map(([, value]) => value)))}`
      : words['no-data'];
    set(this.svg, { 'aria-label': `${this.name}: ${figures}` });
  }

  /** A line, and the area below it, for each stretch without a gap. */
  stroke() {
    const stretches = [];
    let open = null;
    for (const [at, value] of this.points) {
      if (value == null) {
        open = null;
        continue;
      }
      if (!open) stretches.push((open = []));
      open.push(`${this.x(at).toFixed(1)},${this.y(value).toFixed(1)}`);
    }
    const line = stretches.map((s) => `M${s.join('L')}`).join('');
    const zero = this.y(0);
    const area = stretches.map((s) => `M${s[0].split(',')[0]},${zero}L${s.join('L')}V${zero}Z`).join('');
    set(this.line, { d: line });
    set(this.area, { d: area });
  }

  point(event) {
    const at = event.clientX - this.svg.getBoundingClientRect().left;
    const known = this.points.filter(([, value]) => value != null);
    if (!known.length) return;
    const near = known.reduce((a, b) => (Math.abs(this.x(b[0]) - at) < Math.abs(this.x(a[0]) - at) ? b : a));
    this.chosen = near;
    const [x, y] = [this.x(near[0]), this.y(near[1])];
    set(this.cross, { x1: x, x2: x, y1: TOP, y2: this.y(0), visibility: 'visible' });
    set(this.dot, { cx: x, cy: y, visibility: 'visible' });
    const ago = Math.round(this.points.at(-1)[0] - near[0]);
    this.output.textContent = ago ? `${this.show(near[1])}, ${say('ago', { n: ago })}` : this.show(near[1]);
  }

  leave() {
    this.chosen = null;
    set(this.cross, { visibility: 'hidden' });
    set(this.dot, { visibility: 'hidden' });
    const last = this.points.at(-1);
    this.output.textContent = last?.[1] != null ? this.show(last[1]) : '–';
  }
}
