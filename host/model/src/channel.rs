//! Connections that stay open for messages. Opened by `http`, asked for by behaviors, counted by `metrics`.

use crate::words;

words! {
    /// What is spoken over a channel.
    pub enum ChannelKind {
        /// Messages in both directions (RFC 6455).
        WebSocket => "websocket",
        /// Events from the target (HTML standard, "server-sent events").
        EventStream => "event-stream",
    }
}
