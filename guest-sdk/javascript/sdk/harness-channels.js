//! The channels of a session that the harness plays: what a test says comes over them, or an echo. It refuses what the host would
//! refuse.

export class Channels {
  /** The channels by number; closed ones are undefined. */
  #open = [];
  #waitedMs = 0;

  constructor(messages = {}, played) {
    this.messages = messages;
    this.played = played;
  }

  /** How long this step has waited for messages. */
  waited() {
    const waited = this.#waitedMs;
    this.#waitedMs = 0;
    return waited;
  }

  /** The outcome of one operation; `send` gives that of a request. */
  carryOut({ tag, val }, send) {
    switch (tag) {
      case 'request':
        return send(val);
      case 'open':
        return this.#opened(val, send(val.request));
      case 'send':
        return this.#say(val);
      case 'receive':
        return this.#receive(val);
      default:
        this.#known(val);
        this.#open[val] = undefined;
        return { tag: 'done' };
    }
  }

  #opened({ protocol, request }, outcome) {
    const line = `${request.method.toUpperCase()} ${request.route}`;
    if (protocol === 'websocket' && request.body !== null) {
      throw `${line}: a WebSocket is opened by a GET without a body`;
    }
    if (outcome.tag === 'failed') {
      return outcome;
    }
    const script = this.messages[line];
    const { status, headers, latencyUs } = outcome.val;
    const opens = protocol === 'websocket' ? 101 : 200;
    if (script === undefined && status !== opens) {
      return outcome;
    }
    const waiting = (script ?? []).map((text) => ({ tag: 'text', val: text }));
    this.#open.push({ protocol, line, waiting, echoes: script === undefined && protocol === 'websocket', ended: false });
    return { tag: 'opened', val: { channel: this.#open.length - 1, status: opens, headers, latencyUs } };
  }

  #say({ channel: number, content }) {
    const channel = this.#known(number);
    if (channel.protocol === 'event-stream') {
      throw 'an event stream takes no messages';
    }
    if (content.tag === 'end') {
      channel.ended = true;
      return { tag: 'done' };
    }
    this.played.messages.push([channel.line, content.val]);
    if (channel.echoes) {
      channel.waiting.push(content);
    }
    return { tag: 'done' };
  }

  #receive({ channel: number, atMost, withinMs }) {
    const channel = this.#known(number);
    const contents = channel.waiting.splice(0, atMost);
    if (contents.length < atMost && !channel.ended) {
      this.#waitedMs = Math.max(this.#waitedMs, withinMs);
    }
    if (channel.ended && channel.waiting.length === 0) {
      contents.push({ tag: 'end' });
    }
    const atUs = this.played.elapsedMs * 1000;
    const messages = contents.map((content) => ({ content, event: '', id: '', atUs }));
    return { tag: 'received', val: { messages, dropped: 0 } };
  }

  #known(number) {
    const channel = this.#open[number];
    if (channel === undefined) {
      throw `it has no channel ${number}: it was closed, or never opened`;
    }
    return channel;
  }
}
