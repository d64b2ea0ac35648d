//! What is known of a call on its way. It is kept apart from the future that sends the call: a future is as large as it
//! can ever become, for as long as the user lives whose coroutine it is part of.
//!
//! What must stay true: it is right at every moment, for the future may be dropped at any.

use tokio::time::Instant;

use crate::dial::{Protocol, Remote};
use crate::h1::{Exchange, Flow};
use crate::h2::{Connection, Progress};
use crate::outcome::{Phase, Watch};
use vespeiro_model::Clock;

/// The progress of one call, over all of its attempts.
#[derive(Debug)]
pub(crate) struct Trip {
    pub(crate) watch: Watch,
    /// When the time of the attempt under way is over.
    pub(crate) deadline: Option<Instant>,
    pub(crate) flow: Flow,
    pub(crate) reused: bool,
    pub(crate) remote: Option<Remote>,
    pub(crate) protocol: Option<Protocol>,
    /// The HTTP/2 connection that the attempt under way uses.
    pub(crate) shared: Option<Connection>,
    /// How far the attempt has come on it.
    pub(crate) progress: Progress,
    /// The exchange, where the attempt goes over HTTP/1.1.
    pub(crate) exchange: Exchange,
}

impl Trip {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            watch: Watch::new(clock),
            deadline: None,
            flow: Flow::default(),
            reused: false,
            remote: None,
            protocol: None,
            shared: None,
            progress: Progress::default(),
            exchange: Exchange::new(),
        }
    }

    /// An attempt has got its connection.
    pub(crate) fn set_connection(&mut self, protocol: Protocol, remote: Remote, reused: bool) {
        (self.protocol, self.remote, self.reused) = (Some(protocol), Some(remote), reused);
    }

    /// After an attempt, finished or given up: add the progress that its HTTP/2 connection kept, and return that
    /// connection.
    pub(crate) fn settle(&mut self) -> Option<Connection> {
        let connection = self.shared.take()?;
        let Progress {
            written,
            answered,
            sent,
            received,
        } = std::mem::take(&mut self.progress);
        // Whoever ends takes over what the connection has moved meanwhile, so that the sum is right.
        let (out, back) = connection.take_traffic();
        self.flow.sent.wire += out;
        self.flow.received.wire += back;
        self.flow.sent.body += sent;
        // Of an attempt that was dropped: as it came, for nobody has the rest of a decoder.
        self.flow.received.body += received;
        let early = |written: &Instant| answered.is_some_and(|answered| answered < *written);
        if let Some(written) = written.filter(|written| !early(written)) {
            self.watch.enter(Phase::Waiting, written);
        }
        if let Some(answered) = answered {
            self.watch.enter(Phase::Receiving, answered);
        }
        Some(connection)
    }
}
