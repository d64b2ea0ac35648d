//! A channel that a journey has open: a WebSocket, or a stream of events. What is done with it is yielded, as a request is; the
//! executor carries it out. It is closed with its session.

import { Wanted, made } from './calls.js';
import { UnexpectedBody, UnexpectedStatus, UsageError } from './errors.js';
import { Reply } from './reply.js';
import { decode, encode, whole } from './text.js';

const END = { tag: 'end' };

/** What is to be done with a channel, and what its outcome means for the journey. */
export class Operation extends Wanted {
  constructor(channel, what, tag, val, means = () => undefined) {
    super();
    this.channel = channel;
    this.line = `${channel.line}: ${what}`;
    this.asked = { tag, val };
    this.means = means;
  }
}

export class Channel {
  #dropped = 0;

  constructor(line, opened) {
    this.line = line;
    this.number = opened.channel;
    /** HTTP status code of the answer that has opened it. */
    this.status = opened.status;
    /** Its headers, with names in lower case; empty unless captured. */
    this.headers = opened.headers;
    /** From when the request was sent until the channel was open. */
    this.latencyUs = Number(opened.latencyUs);
    /** The target has closed it, and all that it had sent was received. */
    this.ended = false;
    this.closed = false;
  }

  /** Messages that were dropped, since they were not received in time. */
  get dropped() {
    return this.#dropped;
  }

  /** Send a text, or bytes. */
  send(content) {
    if (typeof content !== 'string' && !(content instanceof Uint8Array)) {
      throw new UsageError(`${this.line}: a message is a text or a Uint8Array: sendJson(…) sends other values`);
    }
    const tagged = typeof content === 'string' ? { tag: 'text', val: whole(content) } : { tag: 'binary', val: content };
    return this.#operation('send', 'send', { channel: this.number, content: tagged });
  }

  /** Send JSON as a text. */
  sendJson(value) {
    return this.send(JSON.stringify(value));
  }

  /** Say that nothing more is sent; what the target still sends can be received. */
  end() {
    return this.#operation('end', 'send', { channel: this.number, content: END });
  }

  /** A list of so many messages, from 1 to 256, or of what has come of them `within` so many milliseconds, oldest first. */
  receive({ atMost = 1, within } = {}) {
    if (!Number.isInteger(within) || within < 0 || within > 3_600_000) {
      throw new UsageError(`${this.line}: receive({ within }) takes milliseconds, from 0 to 3600000`);
    }
    if (!Number.isInteger(atMost) || atMost < 1 || atMost > 256) {
      throw new UsageError(`${this.line}: receive({ atMost }) takes a number of messages, from 1 to 256`);
    }
    return this.#operation('receive', 'receive', { channel: this.number, atMost, withinMs: within }, (received) => this.#take(received));
  }

  /** Close it, and wait a moment for the target to agree. Nothing may be done with it afterwards. */
  close() {
    return this.#operation('close', 'close', this.number);
  }

  #operation(what, tag, val, means) {
    return made(new Operation(this, what, tag, val, means));
  }

  #take({ messages, dropped }) {
    this.#dropped += dropped;
    if (messages.at(-1)?.content.tag === 'end') {
      messages.pop();
      this.ended = true;
    }
    return messages.map((message) => new Message(this.line, message));
  }
}

/** A message that has come. */
export class Message {
  #content;

  constructor(line, { content, event, id, atUs }) {
    this.line = line;
    this.#content = content;
    /** Name of an event; empty for a plain `message`, and over a WebSocket. */
    this.event = event;
    /** Of an event: the last id that the stream has said. */
    this.id = id;
    /** When it was complete, since the session began. */
    this.atUs = Number(atUs);
  }

  /** Whether it carries bytes, and not a text. */
  get binary() {
    return this.#content.tag === 'binary';
  }

  get bytes() {
    return this.binary ? this.#content.val : encode(this.#content.val);
  }

  text() {
    return this.binary ? decode(this.#content.val) : this.#content.val;
  }

  /** What it carries as JSON; the person gives up when it is none. */
  json() {
    try {
      return JSON.parse(this.text());
    } catch (error) {
      throw new UnexpectedBody(this.line, error.message);
    }
  }
}

/** For the executor: the channel that a request opens; the person gives up where the answer opens none. */
export function* opening(call) {
  const came = yield call;
  if (came instanceof Reply) {
    throw new UnexpectedStatus(came.line, came.status);
  }
  return came;
}
