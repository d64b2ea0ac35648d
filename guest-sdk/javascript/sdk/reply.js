//! What a request brought back, and the short ways to insist on what it should have been. The executor makes it;
//! journeys drop it as soon as they have read it, so that no session keeps a body.

import { UnexpectedBody, UnexpectedStatus, UsageError } from './errors.js';
import { statusOf } from './grpc.js';
import { decode } from './text.js';

export class Reply {
  constructor(line, captured, response) {
    this.line = line;
    this.captured = captured;
    /** HTTP status code; 0 where the time of a gRPC call was over before there was one. */
    this.status = response.status;
    /** How a gRPC call has ended: the name of its `code`, the target's `message`, and `trailers` where headers are captured. */
    this.grpc = response.grpc ? statusOf(response.grpc) : undefined;
    /** The body's bytes; empty unless captured. */
    this.body = response.body;
    /** Pairs of a name in lower case and a value; empty unless captured. */
    this.headers = response.headers;
    /** From the send to the last byte of the body. */
    this.latencyUs = Number(response.latencyUs);
  }

  /** Whether the status is 2xx; of a gRPC call, whether its code is OK. */
  get ok() {
    return this.grpc ? this.grpc.code === 'OK' : this.status >= 200 && this.status < 300;
  }

  /** Go on only with one of these statuses, or without any given, with a 2xx; otherwise the person gives up. Of a gRPC call: with one
   * of these codes, as `NOT_FOUND`, or with OK. */
  expect(...statuses) {
    const status = this.grpc?.code ?? this.status;
    if (statuses.length === 0 ? this.ok : statuses.includes(status)) {
      return this;
    }
    throw new UnexpectedStatus(this.line, status);
  }

  text() {
    if (!this.captured.body) {
      throw new UsageError(`${this.line}: the body was not captured`);
    }
    return decode(this.body);
  }

  /** The body as JSON; the person gives up when it is none. */
  json() {
    const text = this.text();
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new UnexpectedBody(this.line, error.message);
    }
  }

  /** The data of a GraphQL service's answer; the person gives up where it tells of an error, whatever the status is. */
  graphql() {
    const { data, errors } = this.json() ?? {};
    if (errors?.length > 0) {
      throw new UnexpectedBody(this.line, String(errors[0]?.message ?? 'an error without a message'));
    }
    if (data === undefined || data === null) {
      throw new UnexpectedBody(this.line, `no data, with status ${this.status}`);
    }
    return data;
  }

  /** The first value of a captured header; `name` in lower case. */
  header(name) {
    return this.headers.find(([key]) => key === name)?.[1];
  }
}
