//! HTTP/1.1 over a stream: one exchange at a time, driven straight on the socket. The client hands in the stream of a
//! connection that is its own for so long.
//!
//! What must stay true: a connection that waits or is idle holds no buffer.

mod buffers;
mod exchange;

pub(crate) use buffers::Buffers;
pub(crate) use exchange::{Exchange, ExchangeInput, Flow, is_quiet};
