//! Why a request has no complete response. Made by `http` and `engine`, counted by `metrics`.

crate::words! {
    /// Why a request has no complete response.
    pub enum Failure {
        Timeout => "timeout",
        Connect => "connect",
        Tls => "tls",
        Reset => "reset",
        Protocol => "protocol",
        TooLarge => "too-large",
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
