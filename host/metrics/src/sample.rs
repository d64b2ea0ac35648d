//! One request, as a worker saw it, and who sent it. Written by the engine's `Permit`, read by the recorder.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use vespeiro_model::{Outcome, Phases};

use super::{TraceId, WireBytes};

/// Who plays: an archetype, and the version of its behavior.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Role {
    /// Position in the catalog.
    pub archetype: u16,
    /// [`super::VersionLabels::number`].
    pub version: u32,
}

/// One request, as the worker saw it.
#[derive(Debug, Clone, Copy)]
pub struct RequestSample {
    pub role: Role,
    /// Position in the archetype's routes, or [`super::UNKNOWN`] for a route that was not announced.
    pub route: u16,
    /// Position in the catalog's categories, or [`super::UNKNOWN`].
    pub category: u16,
    /// Index of the virtual user.
    pub user: u32,
    pub outcome: Outcome,
    /// From the send to the last byte of the body, or to the failure; with a rate, from when it should have left.
    pub latency: Duration,
    /// With a rate: how long after it should have left it did. Part of `latency`.
    pub waited: Option<Duration>,
    /// Where its time went; all zero where that is not known, since its user was ended before its outcome.
    pub phases: Phases,
    /// The trace that it carried.
    pub trace: Option<TraceId>,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    /// Bytes of HTTP, with heads and framing, as they went over the wire.
    pub wire: WireBytes,
    /// Where it went; `None` where it came to no connection, or over a Unix socket.
    pub address: Option<SocketAddr>,
    /// Its connection had carried a request before.
    pub reused: bool,
    /// The tool asked for this failure: it is not held against the target.
    pub expected: bool,
}
