// Numbers as a reader of the page's language writes them. Of both pages: this file names no other.

const { lang } = document.documentElement;
const format = (options) => new Intl.NumberFormat(lang, options);
const whole = format({ maximumFractionDigits: 0 });
const fixed = [0, 1, 2].map((n) => format({ minimumFractionDigits: n, maximumFractionDigits: n }));
const short = format({ maximumFractionDigits: 2 });
const clock = new Intl.DateTimeFormat(lang, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });

export const integer = (n) => whole.format(n);
/** A number as short as it is exact, for the scale of a chart. */
export const plain = (n) => short.format(n);
export const rate = (n) => fixed[n < 1000 ? 1 : 0].format(n);
export const time = (ms) => clock.format(new Date(ms));

/** A share of 1 in percent; never rounded to all or nothing when it is neither. */
export function percent(share) {
  const tenths = Math.round(share * 1000) / 10;
  const shown = tenths >= 100 && share < 1 ? 99.9 : tenths <= 0 && share > 0 ? 0.1 : tenths;
  return `${fixed[1].format(shown)}%`;
}

/** Seconds in the unit that suits them. */
export function latency(seconds) {
  if (seconds == null) return '–';
  const ms = seconds * 1000;
  if (ms < 1) return `${fixed[0].format(ms * 1000)} µs`;
  if (ms < 1000) return `${fixed[ms < 100 ? 1 : 0].format(ms)} ms`;
  return `${fixed[2].format(seconds)} s`;
}

export function bytes(n) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let at = 0;
  while (n >= 999.95 && at < units.length - 1) {
    n /= 1000;
    at += 1;
  }
  return `${fixed[at ? 1 : 0].format(n)} ${units[at]}`;
}

/** Seconds as `45s`, `1m 23s` or `2h 05m`. */
export function span(seconds) {
  const s = Math.floor(seconds);
  const two = (n) => String(n).padStart(2, '0');
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m ${two(s % 60)}s`;
  return `${integer(Math.floor(s / 3600))}h ${two(Math.floor(s / 60) % 60)}m`;
}
