//! HTTP/1.1 without a socket: bytes in, events out, and a request's bytes written into the caller's buffer. The
//! connections in `h1` drive it; tests and a fuzz target hold it against hyper.
//!
//! What must stay true: however the bytes are cut into pieces, the same events come out.

mod check;
mod chunked;
mod decode;
mod receive;
mod request;
mod text;

pub(crate) use check::shorten;
pub use check::{Refused, check_header, check_headers};
pub use decode::Decoder;
pub use httparse::Header;
pub use receive::{Head, Receive, Refusal};
pub use request::{Added, HeadOptions, RouteHead, TRACE};
pub use text::{text_of, write_value};
pub use vespeiro_plan::Codings;
