//! The types of the SDK, for TypeScript and for editors. Delegate with `yield*` and what comes back has its type:
//! `const reply = yield* get('/users/{id}', { id })`.

/** What a journey yields: a request, a pause, or several things together. */
export interface Wanted<T> {
  [Symbol.iterator](): Generator<Wanted<unknown>, T, any>;
}

/** Steps of a journey, as a generator gives them. */
export type Steps<T = void> = Generator<Wanted<any> | Steps<any>, T, any>;

export type Failure =
  | 'timeout'
  | 'connect'
  | 'tls'
  | 'reset'
  | 'protocol'
  | 'too-large'
  | 'redirects'
  | 'unprocessed'
  | 'channel'
  | 'generator'
  | 'circuit-open'
  | 'stopped'
  | (string & {});
export type Fault = 'bad-credentials' | 'forbidden' | 'invalid-data' | 'not-found' | 'rate-limit';
export type Level = 'debug' | 'info' | 'warn' | 'error';
export type Ending = 'completed' | 'abandoned';
export type Arguments = Record<string, string | number | boolean>;

export type Parameter = string | number | boolean | null | undefined;
export type Parameters = Record<string, Parameter | readonly Parameter[]>;

/** One of the plan's `[files]`, which the host reads while it sends it. */
export interface PlanFile {
  readonly name: string;
  readonly as: string;
  readonly type: string;
}

/** One of the plan's `[files]`, by its name: as a `body`, or as a field of a `multipart` form. There the target is told the name
 *  `as` and the content type `type`: by default the plan's name, and `application/octet-stream`. */
export function file(name: string, told?: { as?: string; type?: string }): PlanFile;

export type FormValue = Parameter | Uint8Array | PlanFile;

export interface RequestOptions {
  /** Query parameters; those that are undefined or null are left out, and a list gives its name so many times. */
  query?: Parameters;
  headers?: Record<string, string>;
  /** A JSON body, with its content type. */
  json?: unknown;
  /** The fields of a form as the body, URL-encoded, with its content type. */
  form?: Parameters;
  /** The fields of a multipart form as the body, with its content type: texts, bytes and files of the plan. */
  multipart?: Record<string, FormValue | readonly FormValue[]>;
  /** A body of text, of bytes, or a file of the plan; its content type is a header of yours. */
  body?: string | Uint8Array | PlanFile;
  /** Authorize with these tokens, renewed before they expire; a 401 logs in again and repeats the request, once. A text is
   *  a token of your own. */
  bearer?: Tokens | string;
  /** What to hand back of the response; `body` by default. */
  capture?: 'body' | 'headers' | 'all' | 'nothing';
  /** Send it to this path or URL, as it is, instead of the one that the route makes: a link from a reply. A URL has to lie below
   *  one of the plan's targets. */
  path?: string;
  /** Of these statuses, those from 400 on are no error here: the 404 of a search that may find nothing. A response with one of
   *  them counts as a success. */
  expect?: number | readonly number[];
  /** Name of what the request creates, `<kind>:<name>`: in the journal before it leaves, so that cleanup finds it. */
  mark?: string;
  /** The request is wrong on purpose; its failure is not held against the target. */
  fault?: Fault;
  /** Count it for another category than its route's. */
  category?: string;
  /** The longest wait for the whole response, instead of the plan's. */
  timeoutMs?: number;
}

type Request = (path: string, args?: Arguments, options?: RequestOptions) => Wanted<Reply>;
export const get: Request;
export const head: Request;
export const post: Request;
export const put: Request;
export const patch: Request;
export const del: Request;
export const options: Request;

/** Ask a GraphQL service: a POST to a declared route. `operation` names one of several in the query. */
export function graphql(
  path: string,
  query: string,
  variables?: Record<string, unknown>,
  options?: Omit<RequestOptions, 'json' | 'form' | 'body'> & { operation?: string },
): Wanted<Reply>;

/** The digest of a text's UTF-8, or of bytes. */
export function sha256(value: string | Uint8Array): Uint8Array;
/** What a service signs with: HMAC (RFC 2104) with SHA-256. */
export function hmacSha256(key: string | Uint8Array, value: string | Uint8Array): Uint8Array;
/** In lower case. */
export function hex(value: string | Uint8Array): string;
/** Of a text's UTF-8, or of bytes; with `url`, for URLs and without padding, as in a JWT. */
export function base64(value: string | Uint8Array, options?: { url?: boolean }): string;
/** The value of `authorization` for a name and a password. */
export function basic(name: string, password: string): string;

export type GrpcCode =
  | 'OK'
  | 'CANCELLED'
  | 'UNKNOWN'
  | 'INVALID_ARGUMENT'
  | 'DEADLINE_EXCEEDED'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  | 'OUT_OF_RANGE'
  | 'UNIMPLEMENTED'
  | 'INTERNAL'
  | 'UNAVAILABLE'
  | 'DATA_LOSS'
  | 'UNAUTHENTICATED';

/** How a gRPC call has ended. */
export interface GrpcStatus {
  readonly code: GrpcCode;
  /** The target's words; may be empty. */
  readonly message: string;
  /** Metadata that came with it; empty unless headers are captured. */
  readonly trailers: [string, string][];
}

/** A call of a method of gRPC that is declared as `GRPC /package.Service/Method`, with its message as bytes. The reply's `grpc` says how
 *  it has ended, its body is the message of the answer. */
export function grpc(
  path: string,
  message?: Uint8Array,
  options?: Omit<RequestOptions, 'json' | 'form' | 'body' | 'query' | 'expect'> & {
    /** Codes that are no error here. */
    expect?: GrpcCode | readonly GrpcCode[];
  },
): Wanted<Reply>;

/** Open a channel with a GET of a declared route: a WebSocket, or a stream of events. Gives it once it is open; the person gives up
 *  where the answer opens none. At most 16 are open at a time, and all are closed with their session. */
export function open(
  protocol: 'websocket' | 'event-stream',
  path: string,
  args?: Arguments,
  options?: Omit<RequestOptions, 'json' | 'form' | 'multipart' | 'body'>,
): Wanted<Channel>;

/** All at the same time; gives their results in order once all have ended, then throws the first error among them. */
export function all<T extends readonly (Wanted<any> | Steps<any>)[]>(
  items: readonly [...T],
): Wanted<{ [K in keyof T]: T[K] extends Wanted<infer R> ? R : T[K] extends Generator<any, infer R, any> ? R : never }>;

/** A human pause: log-normal over the plan's whole pace. */
export function think(): Wanted<void>;
/** A pause before sending a form: in the upper half of the pace. */
export function thinkLong(): Wanted<void>;
/** A brief pause, as between quick searches: in the lowest tenth of the pace. */
export function thinkBriefly(): Wanted<void>;
/** A pause between these bounds in milliseconds, clamped to the plan's pace. */
export function thinkBetween(min: number, max: number): Wanted<void>;
/** Exactly this many milliseconds, whatever the pace. */
export function wait(millis: number): Wanted<void>;

export class Reply {
  /** What was asked: `GET /users/{id}`. */
  readonly line: string;
  /** 0 where the time of a gRPC call was over before there was one. */
  readonly status: number;
  /** Of a gRPC call. */
  readonly grpc: GrpcStatus | undefined;
  /** Whether the status is 2xx; of a gRPC call, whether its code is OK. */
  readonly ok: boolean;
  readonly body: Uint8Array;
  readonly headers: [string, string][];
  readonly latencyUs: number;
  /** Go on only with one of these statuses, or without any given, with a 2xx; otherwise the person gives up. Of a gRPC call: with one
   *  of these codes, or with OK. */
  expect(...statuses: (number | GrpcCode)[]): this;
  text(): string;
  json(): any;
  /** The data of a GraphQL service's answer; the person gives up where it tells of an error. */
  graphql(): any;
  /** The first value of a captured header; `name` in lower case. */
  header(name: string): string | undefined;
}

/** An open channel. What its methods give has to be yielded. */
export interface Channel {
  /** What has opened it: `GET /chat`. */
  readonly line: string;
  /** Of the answer that has opened it: 101 of a WebSocket. */
  readonly status: number;
  readonly headers: [string, string][];
  readonly latencyUs: number;
  /** The target has closed it, and all that it had sent was received. */
  readonly ended: boolean;
  /** Messages that were dropped, since they were not received in time. */
  readonly dropped: number;
  /** Send a text, or bytes. */
  send(content: string | Uint8Array): Wanted<void>;
  sendJson(value: unknown): Wanted<void>;
  /** Say that nothing more is sent; what the target still sends can be received. */
  end(): Wanted<void>;
  /** So many messages, from 1 (the default) to 256, or what has come of them `within` so many milliseconds, oldest first. */
  receive(options: { atMost?: number; within: number }): Wanted<Message[]>;
  /** Nothing may be done with it afterwards. */
  close(): Wanted<void>;
}

/** A message that has come over a channel. */
export interface Message {
  /** Whether it carries bytes, and not a text. */
  readonly binary: boolean;
  readonly bytes: Uint8Array;
  /** Name of an event; empty for a plain `message`, and over a WebSocket. */
  readonly event: string;
  /** Of an event: the last id that the stream has said. */
  readonly id: string;
  /** When it was complete, since the session began. */
  readonly atUs: number;
  text(): string;
  json(): any;
}

export class Tokens {
  readonly name: string;
  readonly loggedIn: boolean;
  /** The account outlives the run, such as an administrator's: what a cut session cannot log out, cleanup does. */
  lasting(): this;
  set password(password: string);
  login(): Steps<Reply>;
  refresh(): Steps;
  logout(): Steps;
  forget(): void;
}

export interface Me {
  readonly user: { index: number; username: string; email: string; password: string; name: string };
  /** How many sessions this user has begun before. */
  readonly ordinal: number;
  /** Identifier of the run; goes into the name of whatever is created. */
  readonly run: string;
  readonly pace: { delayMinMs: number; delayMaxMs: number };
  /** What cleanup has to remove, oldest first; empty in a journey. */
  readonly marks: readonly string[];
  /** The archetype's configuration from the plan. */
  readonly config: any;
  readonly elapsedMs: number;
  readonly requestsLeft: number;
  /** `ways` stands in for parts of the behavior's `auth`. */
  tokens(name: string, password: string, ways?: Partial<Auth>): Tokens;
  /** For a cleanup: log out the tokens among the marks, and give the other marks. */
  logOutMarked(): Steps<string[]>;
  /** How far the run is from the plan's share of a category, in percentage points; above 0 it is wanted. */
  wanted(category: string): number;
  /** The wrong request that the host asks for right now, once. */
  fault(): Fault | null;
  check(name: string, passed: boolean): boolean;
  observe(metric: string, value: number): void;
  /** With `yield*`: the steps of a generator as a transaction, a named span that the host measures with and without pauses. It
   *  has passed where they end without an error: `yield* me.transaction('checkout', function* () { … })`. */
  transaction<T>(name: string, steps: () => Steps<T>): Steps<T>;
  /** Begin a transaction whose steps are not one block; at most 16 are open at a time. */
  begin(transaction: string): void;
  /** End one that is open. */
  end(transaction: string, passed?: boolean): void;
  /** In the behavior's `prepare`: hand this to all sessions of the archetype, at most 64 KiB of JSON. */
  share(value: unknown): void;
  /** What `prepare` has shared; undefined where there is nothing. */
  readonly shared: any;
  /** Keep notes for this user's next sessions, instead of those before: at most 4096 bytes of JSON. They are kept at once, however
   *  the session ends, and stay when the behavior is swapped. */
  remember(notes: unknown): void;
  /** What this user has remembered, in this session or one before; undefined where there is nothing. */
  remembered(): any;
  mark(thing: string): void;
  unmark(thing: string): void;
  log(message: unknown, level?: Level): void;
  feed(name: string): any;
  /** One of the plan's `[secrets]`, for a header or a body. The host shows it nowhere. */
  secret(name: string): string;
  random(): number;
  range(min: number, max: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T | undefined;
  weighted<T>(pairs: readonly (readonly [T, number])[]): T | undefined;
  choose<T>(choices: readonly { what: T; weight: number; category: string }[]): T | undefined;
  fake(kind: 'name' | 'city' | 'bio' | 'phone' | 'website' | 'birthDate' | 'search'): string;
}

/** How an account logs in. Without a refresh route a token that expires is had by another login. */
export interface Auth {
  login: string;
  refresh?: string;
  logout?: string;
  /** What the fields of a login's request and answer are called. */
  fields?: {
    /** `email` */
    name?: string;
    /** `password` */
    password?: string;
    /** `access_token` */
    token?: string;
    /** `refresh_token` */
    refresh?: string;
    /** `expires_in`, in seconds */
    expires?: string;
  };
  /** The name of the account's field; the same as `fields.name`. */
  nameField?: string;
  /** What stands before a token in `authorization`: `Bearer`, or nothing where it is ''. */
  scheme?: string;
  body?: 'json' | 'form';
}

/** A behavior, for build.mjs and the harness. */
export interface Behavior {
  readonly name: string;
  readonly version: string;
  readonly categories: readonly string[];
}

export function behavior(declaration: {
  /** In a file that plays as it is: without one, the file's. A module needs it. */
  name?: string;
  version?: string;
  /** Routes by category: `{ auth: ['POST /login'] }`; of another target than the run's own behind its name:
   *  `GET billing:/invoices/{id}`; methods of gRPC as `GRPC /package.Service/Method`. A POST of `auth` is a login, unless `auth` or its name says that it logs out or refreshes. */
  routes: Record<string, readonly string[]>;
  journey: (me: Me) => Steps;
  /** A journey that removes `me.marks`. */
  cleanup?: (me: Me) => Steps;
  /** What is done once before a run: what it shares all sessions have. */
  prepare?: (me: Me) => Steps;
  /** What is done once after a run. */
  teardown?: (me: Me) => Steps;
  auth?: Auth;
}): Behavior;

/** The person gives up; the session ends as abandoned, and the run counts why, by the message, and in a script where. */
export class GaveUp extends Error {
  constructor(message?: string);
}
export class Failed extends GaveUp {
  constructor(route: string, kind: Failure);
  readonly kind: Failure;
}
export class UnexpectedStatus extends GaveUp {
  constructor(route: string, status: number | GrpcCode);
  /** Of a gRPC call its code. */
  readonly status: number | GrpcCode;
}
export class UnexpectedBody extends GaveUp {
  constructor(route: string, message: string);
}
/** The archetype's configuration cannot be used. */
export class ConfigError extends Error {
  constructor(message: string);
}
/** The behavior itself is wrong. */
export class UsageError extends Error {
  constructor(message: string);
}
