//! Counts one request exactly once, whatever becomes of it and of its user. Used by `exchange.rs` for each attempt.

use std::time::Duration;

use tokio::time::Instant;

use super::Batch;
use crate::admission::Permit;
use crate::vu::pool::VuState;
use crate::vu::prepare::Prepared;
use crate::worker::state::WorkerState;
use vespeiro_metrics::RequestSample;
use vespeiro_model::{Failure, Outcome};

/// A request on its way to being counted exactly once: if its user is ended while it is in flight, dropping this
/// counts it as timed out, since the target may well have seen it.
pub(crate) struct Counted<'a> {
    worker: &'a WorkerState,
    pub(crate) sample: RequestSample,
    pub(crate) permit: Permit,
    vu: &'a VuState,
    in_flight: Option<Instant>,
    counted: bool,
}

impl<'a> Counted<'a> {
    pub(crate) fn new(batch: &Batch<'a>, one: &Prepared) -> Self {
        let sample = RequestSample {
            role: batch.who.runtime.role(),
            route: one.route,
            category: one.category,
            user: batch.who.user,
            outcome: Outcome::Failed(Failure::Stopped),
            latency: Duration::ZERO,
            waited: None,
            trace: None,
            bytes_sent: 0,
            bytes_received: 0,
            expected: false,
        };
        Self {
            worker: batch.worker,
            sample,
            permit: Permit {
                fault: one.fault,
                login: one.login,
                ..Permit::default()
            },
            vu: batch.who.vu,
            in_flight: None,
            counted: false,
        }
    }

    /// `due`: when it should have left, if a profile says so.
    pub(crate) fn sending(&mut self, due: Option<Instant>) {
        let now = Instant::now();
        self.in_flight = Some(now);
        self.sample.waited = due.map(|due| now.saturating_duration_since(due));
        let in_flight = &self.worker.admission.in_flight;
        in_flight.set(in_flight.get() + 1);
        self.vu.in_flight.set(self.vu.in_flight.get() + 1);
    }

    pub(crate) fn not_sent(&mut self, why: Failure) {
        self.count(Outcome::Failed(why), Duration::ZERO);
    }

    pub(crate) fn done(&mut self, outcome: Outcome, latency: Duration, sent: u64, received: u64) {
        self.sample.bytes_sent = sent;
        self.sample.bytes_received = received;
        self.count(outcome, latency);
    }

    fn count(&mut self, outcome: Outcome, latency: Duration) {
        let worker = self.worker;
        self.counted = true;
        self.permit.sent = self.in_flight.is_some();
        let fault = self.permit.fault;
        self.sample.expected = fault.is_some_and(|kind| kind.is_met_by(outcome));
        self.sample.outcome = outcome;
        self.sample.latency = latency + self.sample.waited.unwrap_or_default();
        if self.permit.sent {
            let in_flight = &worker.admission.in_flight;
            in_flight.set(in_flight.get() - 1);
            self.vu.in_flight.set(self.vu.in_flight.get() - 1);
        }
        worker.recorder.borrow_mut().request(&self.sample);
        worker.came(outcome, self.permit);
        if worker.tells_requests {
            tell(worker, &self.sample, self.permit.sent);
        }
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        if self.counted {
            return;
        }
        self.permit.broken_off = true;
        match self.in_flight {
            Some(since) => self.count(Outcome::Failed(Failure::Timeout), since.elapsed()),
            None => self.count(Outcome::Failed(Failure::Stopped), Duration::ZERO),
        }
    }
}

/// One line of log about a request: where it went and what came of it, and nothing of what was in it.
#[cold]
fn tell(worker: &WorkerState, sample: &RequestSample, sent: bool) {
    let recorder = worker.recorder.borrow();
    let catalog = recorder.catalog();
    let (method, path) = catalog.route(sample.role.archetype, sample.route);
    let archetype = catalog.archetype(sample.role.archetype);
    let outcome = match sample.outcome {
        Outcome::Status(status) => status.to_string(),
        Outcome::Failed(failure) => failure.as_str().to_owned(),
    };
    let note = match (sent, sample.expected) {
        (false, _) => ", not sent",
        (true, true) => ", expected",
        (true, false) => "",
    };
    tracing::debug!(
        "user-{:03} {archetype} {method} {path} -> {outcome} ({:.1} ms{note})",
        sample.user,
        sample.latency.as_secs_f64() * 1e3,
    );
}
