//! What goes over a channel, in either direction.

use tokio::time::Instant;

/// The body of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    Text(String),
    Binary(Vec<u8>),
}

impl Content {
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A message that has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub content: Content,
    /// Of an event: its name, empty where it is a plain `message`.
    pub event: String,
    /// Of an event.
    pub id: String,
    /// When it was complete.
    pub at: Instant,
}

impl Message {
    pub(super) fn new(content: Content, at: Instant) -> Self {
        Self {
            content,
            event: String::new(),
            id: String::new(),
            at,
        }
    }

    /// Bytes that it holds.
    pub(super) fn size(&self) -> usize {
        self.content.len() + self.event.len() + self.id.len()
    }
}
