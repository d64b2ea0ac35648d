//! The types of the test harness.

import type { Behavior, Ending, Failure, Fault, GrpcCode, Level } from './index.js';

export interface Sent {
  method: string;
  path: string;
  route: string;
  category: string;
  headers: [string, string][];
  /** A file of the plan stands in it as `(file NAME)`. */
  body: Uint8Array | null;
  /** Statuses from 400 on that are no error. */
  expect: number[];
  mark: string | null;
  fault: Fault | null;
  timeoutMs: number | null;
}

/** A status, a status and its JSON body, or the word of a failure. */
export type Answer = number | readonly [number, unknown?] | Failure | GrpcAnswer;
/** Of a gRPC method: a message, or how its call ends. */
export type GrpcAnswer = Uint8Array | { code: GrpcCode; message?: string; body?: Uint8Array };
export type Scripted = Answer | ((request: Sent) => Answer);

export interface Script {
  /** Answers by route, for instance `'GET /users/{id}'`. */
  replies?: Record<string, Scripted>;
  /** The answer of every other route. */
  otherwise?: Scripted;
  /** Texts that come over the channel that a route opens. Without them a WebSocket opens with the status 101 and says back what it is
   *  told, a stream of events with 200 and says nothing. */
  messages?: Record<string, readonly string[]>;
  seed?: number;
  /** Index of the user. */
  user?: number;
  ordinal?: number;
  config?: unknown;
  pace?: readonly [number, number];
  budget?: number;
  wanted?: Record<string, number>;
  faults?: readonly Fault[];
  /** Play a cleanup of these marks instead of a journey. */
  cleanup?: readonly string[];
  feeds?: Record<string, readonly unknown[]>;
  secrets?: Record<string, string>;
  /** Play what is done once in a run instead of a journey. */
  once?: 'prepare' | 'teardown';
  /** What the run was prepared with. */
  shared?: unknown;
  /** What the user remembers of sessions before. */
  remembered?: unknown;
}

export interface Played {
  /** Undefined when the session failed, broke the contract or met no scripted reply: then `error` says why. */
  ending: Ending | undefined;
  error: string | undefined;
  steps: { delayMs: number; action: { tag: 'requests'; val: Sent[] } | { tag: 'operations'; val: { tag: string; val: any }[] } | { tag: 'done'; val: Ending } }[];
  requests: Sent[];
  /** What was sent over channels: routes, and texts or bytes. */
  messages: [string, string | Uint8Array][];
  checks: [string, boolean][];
  observed: [string, number][];
  /** Names and whether they passed, undefined of those that are open at the end. */
  transactions: [string, boolean | undefined][];
  /** Why the person gave up: a reason, and where, which scripts alone know. */
  gaveUp: [string, string | null] | undefined;
  /** What was shared, by this session or before it. */
  shared: any;
  /** What the user remembers at the end. */
  remembered: any;
  marks: string[];
  unmarks: string[];
  logs: [Level, string][];
  elapsedMs: number;
  readonly paths: string[];
  readonly routes: string[];
  readonly leftBehind: string[];
  body(at: number): any;
}

export function inTurn(...replies: Scripted[]): (request: Sent) => Answer;
export function play(behavior: Behavior, script?: Script): Played;
