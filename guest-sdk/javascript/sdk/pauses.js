//! Human pauses, which a journey yields. Each lies within the plan's pace, so that a plan with a pace of 0 makes a
//! stress test of any journey. The executor draws how long one is.

import { Wanted } from './calls.js';

const MAX_DELAY_MS = 3_600_000;

export class Pause extends Wanted {
  /** `length` tells the milliseconds, given the session. */
  constructor(length) {
    super();
    this.length = length;
  }
}

/** A human pause: log-normal over the plan's whole pace, most of them rather short, a few long. */
export const think = () => THINK;
/** A pause before sending a form: in the upper half of the pace. */
export const thinkLong = () => THINK_LONG;
/** A brief pause, as between quick searches: in the lowest tenth of the pace. */
export const thinkBriefly = () => THINK_BRIEFLY;
/** A pause between these bounds in milliseconds, clamped to the plan's pace. */
export const thinkBetween = (min, max) =>
  new Pause(({ pace, random }) => {
    const clamp = (millis) => Math.max(pace.delayMinMs, Math.min(pace.delayMaxMs, millis));
    return logNormal(random, clamp(min), clamp(max));
  });
/** Exactly this many milliseconds, whatever the pace: for what a person is told to wait for. */
export const wait = (millis) => new Pause(() => Math.round(millis));

const THINK = new Pause(({ pace, random }) => logNormal(random, pace.delayMinMs, pace.delayMaxMs));
const THINK_LONG = new Pause(({ pace, random }) => {
  const middle = pace.delayMinMs + Math.floor(Math.max(0, pace.delayMaxMs - pace.delayMinMs) / 2);
  return logNormal(random, middle, pace.delayMaxMs);
});
const THINK_BRIEFLY = new Pause(({ pace, random }) => {
  const tenth = Math.floor(Math.max(0, pace.delayMaxMs - pace.delayMinMs) / 10);
  return logNormal(random, pace.delayMinMs, pace.delayMinMs + tenth);
});

/**
 * A whole number in `min..max`: its median is their geometric mean, and the bounds lie two standard deviations away;
 * what falls outside is drawn again.
 */
export function logNormal(random, min, max) {
  if (max <= min) {
    return Math.min(min, MAX_DELAY_MS);
  }
  const low = Math.log(Math.max(min, 1));
  const high = Math.log(max);
  const middle = (low + high) / 2;
  for (let attempt = 0; attempt < 4; attempt += 1) {
    // Box and Muller; 1 - float() is never 0.
    const normal = Math.sqrt(-2 * Math.log(1 - random.float())) * Math.cos(2 * Math.PI * random.float());
    if (Math.abs(normal) <= 2) {
      const millis = Math.round(Math.exp(middle + ((high - low) / 4) * normal));
      return Math.min(Math.max(millis, min), max, MAX_DELAY_MS);
    }
  }
  return Math.min(Math.round(Math.exp(middle)), MAX_DELAY_MS);
}
