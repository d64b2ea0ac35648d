//! From a line of the bundle that a module is made of to the author's line. build.mjs knows which is which.

/** What the engine calls the bundle, in a stack. */
const FRAME = /user\.js:(\d+)/;

/** Of a stack, the author's line that it leads to first: `lib/cart.js:4`; undefined where it has none. */
export function placing({ files, lines }) {
  const known = new Map(lines.map(([line, file, original]) => [line, `${files[file]}:${original}`]));
  return (stack) => {
    const frames = String(stack).split('\n').map((frame) => known.get(Number(FRAME.exec(frame)?.[1])));
    return frames.find((place) => place !== undefined);
  };
}
