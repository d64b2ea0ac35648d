//! Connections that stay open for messages: WebSockets, and streams of events. Each is opened by a request, over an HTTP/1.1
//! connection of its own that the client dials as any other, and belongs to one session.
//!
//! What must stay true: messages are read as they come, whether somebody takes them or not, so that they have the time of
//! their arrival; and what waits is bounded, whatever the target sends.

mod events;
mod greeting;
mod handle;
mod inbox;
mod line;
mod message;
mod open;
mod slot;
mod stream;
pub(crate) mod websocket;

pub use events::{Event, EventReader, TooLong};
pub use handle::{Channel, Received};
pub use inbox::MAX_WAITING;
pub use line::{ChannelEnd, ChannelEvent, Observer};
pub use message::{Content, Message};
pub use vespeiro_model::ChannelKind;
