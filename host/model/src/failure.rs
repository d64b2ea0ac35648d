//! Why a request has no complete answer. Made by `http` and `engine`, counted by `metrics`. Each kind has one party at
//! whose door it is laid.

use crate::words;

words! {
    /// Why a request has no complete answer.
    pub enum Failure {
        /// No complete answer within the request's time, or no connection within the time for connecting.
        Timeout => "timeout",
        /// The target's address is not known, or takes no connection.
        Connect => "connect",
        /// The TLS handshake failed, or the encrypted stream broke.
        Tls => "tls",
        /// The target closed the connection or reset the stream before the answer was complete.
        Reset => "reset",
        /// What came is not HTTP.
        Protocol => "protocol",
        /// The answer's body is over `max_body`, and it was to be kept.
        TooLarge => "too-large",
        /// The answer's head is over `max_headers`.
        Headers => "headers",
        /// A redirect that is not followed: to somewhere that the run does not play against, or one more than it allows.
        Redirects => "redirects",
        /// The target said three times that it had not processed the request (HTTP/2 GOAWAY, REFUSED_STREAM).
        Unprocessed => "unprocessed",
        /// A channel that was open broke, or a message of it is over `max_body`.
        Channel => "channel",
        /// A file of the plan is not as it was when the run began.
        File => "file",
        /// This machine was the limit: open files, local ports, memory for sockets.
        Generator => "generator",
        /// Never sent: the circuit breaker was open.
        CircuitOpen => "circuit-open",
        /// Never sent: the run was stopping or the budget was spent.
        Stopped => "stopped",
    }
}

impl Failure {
    /// The two kinds that count as "not sent" and never as a request.
    pub const NOT_SENT: [Failure; 2] = [Failure::CircuitOpen, Failure::Stopped];

    /// Position in [`Failure::NOT_SENT`]; `None` for a request that did leave.
    pub fn not_sent(self) -> Option<usize> {
        match self {
            Failure::CircuitOpen => Some(0),
            Failure::Stopped => Some(1),
            _ => None,
        }
    }
}
