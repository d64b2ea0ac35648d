// The live page: reads the stream of the run's state, and has it shown. A stream that breaks is opened again; one that
// has come to its end is not.

import { headers, askToken } from './actions.js';
import { facts, lost, state } from './render.js';

const WAITS = [500, 1000, 2000, 5000];

let run = null;
let over = false;

/** The events of one response: [name, data]. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const blocks = text.split('\n\n');
    text = blocks.pop();
    for (const block of blocks) {
      const fields = { event: 'message', data: '' };
      for (const line of block.split('\n')) {
        const at = line.indexOf(':');
        if (at > 0) fields[line.slice(0, at)] = line.slice(at + 1).trimStart();
      }
      if (fields.data) yield [fields.event, JSON.parse(fields.data)];
    }
  }
}

/** Read the stream to its end. */
async function follow() {
  const answer = await fetch('/events', { headers: headers(), cache: 'no-store' });
  if (answer.status === 401) {
    await askToken();
    return;
  }
  if (!answer.ok) throw new Error(answer.statusText);
  for await (const [name, data] of events(answer.body)) {
    if (name === 'facts') {
      if (run && run !== data.run) {
        over = true;
        lost('gone-text');
        return;
      }
      run = data.run;
      facts(data);
    } else if (name === 'points') {
      state.points = data;
    } else {
      over = name === 'end';
      state.show(data);
      if (over) return;
    }
  }
}

let failed = 0;
while (!over) {
  try {
    await follow();
    failed = 0;
  } catch {
    failed += 1;
  }
  if (over) break;
  if (run) lost('lost-text');
  await new Promise((done) => setTimeout(done, WAITS[Math.min(failed, WAITS.length - 1)]));
}
