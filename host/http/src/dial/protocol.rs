//! HTTP versions: the one that is asked for, and the one that a connection speaks.

/// The HTTP version that is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProtocolWish {
    /// HTTP/2 where a TLS target chooses it, HTTP/1.1 otherwise.
    #[default]
    Auto,
    Http1,
    /// HTTP/2 and nothing else; in clear text without asking.
    Http2,
}

/// The HTTP version that a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Http1,
    Http2,
}
