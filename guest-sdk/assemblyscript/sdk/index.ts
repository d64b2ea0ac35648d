//! What a behavior in AssemblyScript is written with; behaviors import nothing else.

export { Auth } from './auth';
export { Call, Capture, Failure, Fault, Method, Route, del, get, head, options, patch, post, put } from './calls';
export { Choice, Reply, User } from './given';
export { Definition, Journey, Turn } from './journey';
export { Value, object, quoted } from './json';
export { behavior } from './module';
export { Tokens } from './tokens';
