//! HTTP/2 over a stream: one connection, many exchanges at a time. The pool keeps connections, takes places on them and
//! sends requests; a task of each connection's own does the reading and writing.
//!
//! What must stay true: what the target says that it has not processed is told apart from all else, so that it can be sent
//! again; nothing that one exchange does or leaves undone holds another up.

mod connection;
mod driver;
mod exchange;
mod flaw;
mod state;
mod tap;

pub use connection::{Connection, ConnectionOptions};
pub use exchange::{OutgoingBody, Progress};
pub use state::{Life, Place};
