//! Where a request's time goes. Measured by `http`, counted by `metrics`.
//!
//! What must stay true: the phases of a request add up to its time, and service time is all of them but `blocked`.

use std::time::Duration;

crate::words! {
    /// One of the parts that a request's time is made of, in their order.
    pub enum RequestPhase {
        /// Waiting for a place, a connection or a stream, and what was lost before it was sent again.
        Blocked => "blocked",
        Lookup => "lookup",
        Connect => "connect",
        Tls => "tls",
        Sending => "sending",
        /// To the first byte of the answer.
        Waiting => "waiting",
        Receiving => "receiving",
    }
}

/// Where a request's time went. Service time is all but `blocked`, which lies before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Phases {
    /// Waiting for a place, a connection or a stream, and what was lost before the request was sent again.
    pub blocked: Duration,
    pub lookup: Duration,
    pub connect: Duration,
    pub tls: Duration,
    /// Until the request was written.
    pub sending: Duration,
    /// From there to the first byte of the answer.
    pub waiting: Duration,
    /// From there to the last.
    pub receiving: Duration,
}

impl Phases {
    /// What the target and the way to it took.
    pub fn service(&self) -> Duration {
        self.lookup + self.connect + self.tls + self.sending + self.waiting + self.receiving
    }

    /// In the order of [`RequestPhase::ALL`].
    pub fn each(&self) -> [Duration; RequestPhase::ALL.len()] {
        [
            self.blocked,
            self.lookup,
            self.connect,
            self.tls,
            self.sending,
            self.waiting,
            self.receiving,
        ]
    }

    /// All of the request's time.
    pub fn total(&self) -> Duration {
        self.blocked + self.service()
    }
}
