// A chart over time: lines, or areas on top of each other, with a scale, marks and a cursor for pointer and keyboard. Of
// both pages, which hand it what to draw and say what stands at the cursor; it knows nothing of what it shows.

const SVG = 'http://www.w3.org/2000/svg';
/** Size of the drawing in its own units; the browser stretches it to the available space. */
const WIDE = 1000;
const HIGH = 200;
/** The most marks that get a number. */
const NUMBERED = 20;

function add(parent, element, attributes = {}, text = '') {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.textContent = text;
  parent.append(element);
  return element;
}

const html = (parent, tag, attributes, text) => add(parent, document.createElement(tag), attributes, text);
const shape = (parent, tag, attributes, text) => add(parent, document.createElementNS(SVG, tag), attributes, text);
const left = (element, part) => (element.style.left = `${part * 100}%`);
const tenth = (number) => Number(number.toFixed(1));

/** The next step of 1, 2, 2.5 or 5 times a power of ten. */
function nice(step) {
  if (!(step > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(step));
  return [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((round) => round >= step * 0.999);
}

/** A line through the points, broken where a value is missing; a value alone is a short dash. */
function path(points) {
  const part = ([x, y], index) => {
    if (y == null) return '';
    const goesOn = index > 0 && points[index - 1][1] != null;
    return `${goesOn ? 'L' : 'M'}${tenth(x)} ${tenth(y)}${goesOn ? '' : 'h.01'}`;
  };
  return points.map(part).join('');
}

/** Each line's values on top of those below it. */
function pile(lines) {
  let floor = lines[0]?.values.map(() => 0) ?? [];
  return lines.map((line) => {
    const below = floor;
    floor = floor.map((value, at) => value + (line.values[at] ?? 0));
    return { ...line, below, values: floor };
  });
}

export class Chart {
  /**
   * Fills an empty element. `name` is said for the whole, `tick` writes a value of the scale, `top` is its end where it is
   * known. `pick` is called with the number of the moment that the reader looks at, or -1.
   */
  constructor(plot, { name, tick, pick, stacked = false, top = null }) {
    Object.assign(this, { tick, pick, stacked, top, at: [], chosen: -1, explore: plot.dataset.explore });
    this.ticks = html(plot, 'div', { class: 'ticks', 'aria-hidden': true });
    this.field = html(plot, 'div', { class: 'field', tabindex: 0, role: 'slider', 'aria-label': name, 'aria-valuemin': 0, 'aria-valuenow': 0, 'aria-valuetext': this.explore });
    this.svg = shape(this.field, 'svg', { viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': name });
    this.flags = html(this.field, 'div', { 'aria-hidden': true });
    this.cursor = html(this.field, 'div', { class: 'cursor', hidden: '' });
    this.moment = html(this.cursor, 'span');
    this.moments = html(plot, 'div', { class: 'moments', 'aria-hidden': true });
    this.field.addEventListener('pointermove', (event) => {
      const field = this.field.getBoundingClientRect();
      this.pick(this.nearest(this.from + ((event.clientX - field.left) / field.width) * (this.to - this.from)));
    });
    for (const leave of ['pointerleave', 'blur']) this.field.addEventListener(leave, () => this.pick(-1));
    this.field.addEventListener('keydown', (event) => this.key(event));
  }

  /** `at` are the moments of the values, `moments` pairs of one and its label, all between `from` and `to`. */
  draw({ at, from, to, lines, moments, marks = [] }) {
    const looked = this.at[this.chosen];
    Object.assign(this, { at, from, to });
    if (this.stacked) lines = pile(lines);
    const highest = Math.max(0, ...lines.flatMap((line) => line.values.filter((value) => value != null)));
    const step = nice((this.top ?? highest) / 4);
    const top = this.top ?? Math.max(1, Math.ceil(highest / step)) * step;
    const x = (time) => this.part(time) * WIDE;
    const y = (value) => value == null ? null : HIGH - (value / top) * HIGH;
    this.svg.replaceChildren();
    this.ticks.replaceChildren();
    for (let tick = 0; tick <= top * 1.001; tick += step) {
      html(this.ticks, 'span', {}, this.tick(tick)).style.bottom = `${(tick / top) * 100}%`;
      shape(this.svg, 'line', { class: 'grid', x1: 0, x2: WIDE, y1: tenth(y(tick)), y2: tenth(y(tick)) });
    }
    for (const { color, values, below } of lines) {
      const outline = (list) => list.map((value, index) => [x(at[index]), y(value)]);
      const d = below ? `${path([...outline(values), ...outline(below).reverse()])}Z` : path(outline(values));
      shape(this.svg, 'path', { class: `${below ? 'area' : 'line'} s${color}`, d });
    }
    this.flags.replaceChildren();
    marks.forEach((mark, index) => {
      const bad = mark.bad ? ' bad' : '';
      const line = shape(this.svg, 'line', { class: `mark${bad}`, x1: tenth(x(mark.at)), x2: tenth(x(mark.at)), y1: 0, y2: HIGH });
      shape(line, 'title', {}, mark.title);
      if (index < NUMBERED) left(html(this.flags, 'span', { class: `flag${bad}`, title: mark.title }, index + 1), this.part(mark.at));
    });
    this.moments.replaceChildren();
    for (const [time, label] of moments) left(html(this.moments, 'span', {}, label), this.part(time));
    this.field.setAttribute('aria-valuemax', Math.max(0, at.length - 1));
    // Who looks at a moment goes on looking at it.
    if (this.chosen >= 0) this.pick(this.nearest(looked));
  }

  /** Puts the cursor at a moment, with its label and what a reader who does not see it is told; -1 takes it away. */
  show(index, label = '', told = '') {
    this.chosen = index;
    this.cursor.hidden = index < 0;
    this.field.setAttribute('aria-valuetext', index < 0 ? this.explore : told);
    if (index < 0) return;
    left(this.cursor, this.part(this.at[index]));
    this.moment.textContent = label;
    this.field.setAttribute('aria-valuenow', index);
  }

  part(time) {
    return (time - this.from) / (this.to - this.from || 1);
  }

  nearest(time) {
    const away = (index) => Math.abs(this.at[index] - time);
    return this.at.reduce((best, _, index) => (best < 0 || away(index) < away(best) ? index : best), -1);
  }

  key(event) {
    const last = this.at.length - 1;
    const at = this.chosen;
    const steps = { ArrowRight: at + 1, ArrowUp: at + 1, ArrowLeft: at - 1, ArrowDown: at - 1, PageUp: at + 10, PageDown: at - 10, Home: 0, End: last };
    if (event.key === 'Escape') this.pick(-1);
    if (!(event.key in steps) || last < 0) return;
    event.preventDefault();
    this.pick(Math.max(0, Math.min(last, steps[event.key])));
  }
}
