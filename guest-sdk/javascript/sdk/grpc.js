//! How gRPC calls end: the names of their codes, and what a reply says of them. Messages are bytes.

import { UsageError } from './errors.js';

/** By their numbers. */
const CODES = [
  'OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS', 'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS',
  'UNAUTHENTICATED',
];

/** What the host tells, with the code's name. */
export const statusOf = ({ code, message, trailers }) => ({ code: CODES[code] ?? 'UNKNOWN', message, trailers });

/** The number of a code. */
export function numberOf(line, name) {
  const number = CODES.indexOf(name);
  if (number < 0) {
    throw new UsageError(`${line}: ${JSON.stringify(name)} is no code of gRPC: there are ${CODES.join(', ')}`);
  }
  return number;
}
