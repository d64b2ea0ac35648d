//! How a worker uses its connections. Filled in from the plan by `target.rs`.

use std::time::Duration;

/// How a worker uses its connections. A zero sets no bound.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// Longest service time of an attempt.
    pub request_timeout: Duration,
    /// Largest body of an answer that is kept, decoded.
    pub max_body: u64,
    /// Largest head of an answer, in bytes.
    pub max_headers: usize,
    /// A connection carries more than one request.
    pub reuse: bool,
    /// Open connections, those that are being made included.
    pub max_connections: usize,
    /// Requests at the same time.
    pub max_in_flight: usize,
    /// Open connections of a [`UserPool`](crate::UserPool).
    pub connections_per_user: usize,
    /// A connection that was unused for so long is closed.
    pub idle_timeout: Duration,
    /// HTTP/2 connections that requests are spread over, at least one, and streams on each.
    pub http2_connections: usize,
    pub http2_streams: usize,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(30),
            max_body: 10 << 20,
            max_headers: 256 << 10,
            reuse: true,
            max_connections: 0,
            max_in_flight: 0,
            connections_per_user: 6,
            idle_timeout: Duration::from_secs(30),
            http2_connections: 1,
            http2_streams: 0,
        }
    }
}
