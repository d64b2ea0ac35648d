//! Why a request has no complete answer. Dialer, connections and client say it, everyone above reads it.
//!
//! What must stay true: the words are stable, for metrics, JSON and texts carry them; and each kind has one party at
//! whose door it is laid.

/// Why a request has no complete answer.
///
/// | what happened | kind |
/// | --- | --- |
/// | the request's limit passed, in whatever phase; a dial's limit passed; TCP gave up | `Timeout` |
/// | the name is unknown, the address refuses or cannot be reached, a proxy does not lead there | `Connect` |
/// | a certificate, a version or an alert of TLS, in the handshake or later | `Tls` |
/// | the connection was closed or reset before or within the answer; RST_STREAM with any code but REFUSED_STREAM; GOAWAY within an answer | `Reset` |
/// | the answer's head, framing or coding is malformed; 101; what HTTP/2 does not allow | `Protocol` |
/// | a body that is kept is over `max_body`, decoded | `TooLarge` |
/// | a head, or trailers, over `max_headers` | `Headers` |
/// | REFUSED_STREAM, or GOAWAY before the stream, after three more attempts | `Unprocessed` |
/// | EMFILE, ENFILE, EADDRNOTAVAIL, ENOBUFS, ENOMEM on this machine; an address that the guard of hosts refuses | `Generator` |
///
/// A kept-alive connection that was closed without a byte of an answer is no failure where the request may be repeated or
/// no byte of it was written: it is sent once more, over a new connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Failure {
    /// No complete answer within the request's time, or no connection within the time for connecting.
    Timeout,
    /// The target's address is not known, or takes no connection.
    Connect,
    /// The TLS handshake failed, or the encrypted stream broke.
    Tls,
    /// The target closed the connection or reset the stream before the answer was complete.
    Reset,
    /// What came is not HTTP.
    Protocol,
    /// The answer's body is over `max_body`, and it was to be kept.
    TooLarge,
    /// The answer's head is over `max_headers`.
    Headers,
    /// The target said three times that it had not processed the request (HTTP/2 GOAWAY, REFUSED_STREAM).
    Unprocessed,
    /// This machine was the limit: open files, local ports, memory for sockets.
    Generator,
    /// Never sent: the circuit breaker was open.
    CircuitOpen,
    /// Never sent: the run was stopping or the budget was spent.
    Stopped,
}

impl Failure {
    /// All kinds, in the order in which tables have them.
    pub const ALL: [Failure; 11] = [
        Failure::Timeout,
        Failure::Connect,
        Failure::Tls,
        Failure::Reset,
        Failure::Protocol,
        Failure::TooLarge,
        Failure::Headers,
        Failure::Unprocessed,
        Failure::Generator,
        Failure::CircuitOpen,
        Failure::Stopped,
    ];

    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Failure::Timeout => "timeout",
            Failure::Connect => "connect",
            Failure::Tls => "tls",
            Failure::Reset => "reset",
            Failure::Protocol => "protocol",
            Failure::TooLarge => "too-large",
            Failure::Headers => "headers",
            Failure::Unprocessed => "unprocessed",
            Failure::Generator => "generator",
            Failure::CircuitOpen => "circuit-open",
            Failure::Stopped => "stopped",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn words_are_kebab_case_and_differ() {
        let words: HashSet<_> = Failure::ALL.into_iter().map(Failure::as_str).collect();
        assert_eq!(words.len(), Failure::ALL.len());
        for word in words {
            assert!(
                word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
                "{word}"
            );
        }
    }
}
