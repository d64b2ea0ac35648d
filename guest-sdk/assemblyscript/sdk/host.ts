//! The host's functions, as the canonical ABI has them, and text in its form: UTF-8 at an address. journey.ts and module.ts
//! call it. What is laid out for a call is given back when the call is over.

@external('vespeiro:behavior/host@0.1.0', 'log')
declare function hostLog(level: i32, text: usize, size: i32): void;
@external('vespeiro:behavior/host@0.1.0', 'check')
declare function hostCheck(name: usize, size: i32, passed: i32): void;
@external('vespeiro:behavior/host@0.1.0', 'observe')
declare function hostObserve(metric: usize, size: i32, value: f64): void;
@external('vespeiro:behavior/host@0.1.0', 'mark')
declare function hostMark(thing: usize, size: i32): void;
@external('vespeiro:behavior/host@0.1.0', 'unmark')
declare function hostUnmark(thing: usize, size: i32): void;
@external('vespeiro:behavior/host@0.1.0', 'feed')
declare function hostFeed(name: usize, size: i32, into: usize): void;

/** Blocks of this call, each with the address of the one before in front. */
let blocks: usize = 0;

/** Memory that is there until `clear`; all zero. */
export function scratch(size: usize): usize {
  const block = heap.alloc(size + 16);
  store<usize>(block, blocks);
  blocks = block;
  memory.fill(block + 16, 0, size);
  return block + 16;
}

export function clear(): void {
  while (blocks !== 0) {
    const before = load<usize>(blocks);
    heap.free(blocks);
    blocks = before;
  }
}

/** Text as address and size, for the duration of this call. */
export function lower(text: string, into: usize): void {
  const size = String.UTF8.byteLength(text);
  const at = scratch(size);
  String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, at);
  store<usize>(into, at);
  store<i32>(into, size, 4);
}

export function lift(from: usize): string {
  return String.UTF8.decodeUnsafe(load<usize>(from), load<i32>(from, 4));
}

/** `debug`, `info`, `warn`, `error`. */
export function log(level: i32, text: string): void {
  const pair = scratch(8);
  lower(text, pair);
  hostLog(level, load<usize>(pair), load<i32>(pair, 4));
}

export function check(name: string, passed: bool): void {
  const pair = scratch(8);
  lower(name, pair);
  hostCheck(load<usize>(pair), load<i32>(pair, 4), passed ? 1 : 0);
}

export function observe(metric: string, value: f64): void {
  const pair = scratch(8);
  lower(metric, pair);
  hostObserve(load<usize>(pair), load<i32>(pair, 4), value);
}

export function mark(thing: string): void {
  const pair = scratch(8);
  lower(thing, pair);
  hostMark(load<usize>(pair), load<i32>(pair, 4));
}

export function unmark(thing: string): void {
  const pair = scratch(8);
  lower(thing, pair);
  hostUnmark(load<usize>(pair), load<i32>(pair, 4));
}

/** The row, or null when there is no such feed. */
export function feed(name: string): string | null {
  const pair = scratch(8);
  const into = scratch(12);
  lower(name, pair);
  hostFeed(load<usize>(pair), load<i32>(pair, 4), into);
  return load<u8>(into) === 0 ? null : lift(into + 4);
}
