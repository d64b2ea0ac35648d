//! What gRPC adds to HTTP/2, of unary calls: a frame around each message, a status in the trailers, a time that the target is
//! told. As `doc/PROTOCOL-HTTP2.md` and `doc/http-grpc-status-mapping.md` of gRPC have it. `sender.rs` and `outcome.rs` use it.
//!
//! What must stay true: whatever a target sends, a call ends with one code, and a message is read within `max_body`.

mod answer;
mod frame;
mod status;
mod timeout;

pub(crate) use answer::GrpcAnswer;
pub use frame::{Broken, Frames, Part, framed};
pub use status::{GrpcStatus, of_http, unescaped};
pub use timeout::timeout;

pub(crate) const STATUS: &str = "grpc-status";
pub(crate) const MESSAGE: &str = "grpc-message";
pub(crate) const TIMEOUT: &str = "grpc-timeout";
pub(crate) const CONTENT_TYPE: &str = "application/grpc";
