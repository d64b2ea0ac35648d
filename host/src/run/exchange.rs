//! From a behavior's step to what came of it: check every request of the batch, send them together, count each.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::crew::Badge;
use super::floor::Floor;
use super::labels::method;
use super::player::Player;
use super::trace::Trace;
use crate::behavior::{MAX_BATCH, MAX_MARK, types};
use crate::http::{Call, Refused};
use crate::metrics::{Failure, FaultKind, Outcome, RequestSample};

/// How long a request waits that is to time out.
const TOO_SHORT: Duration = Duration::from_millis(1);
/// How long the target is asked to take over it, so that even a quick one is too late.
const TOO_LATE: Duration = Duration::from_millis(50);

/// Why a step was not carried out: the behavior asked for something that it may not have.
#[derive(Debug, thiserror::Error)]
pub(super) enum StepRefused {
    #[error("request {route:?}: {refused}")]
    Request { route: String, refused: Refused },
    #[error("a batch of {0} requests is over the {MAX_BATCH} that are allowed")]
    Batch(usize),
    #[error("request {route:?}: a mark of {length} bytes is over the {MAX_MARK} that are allowed")]
    Mark { route: String, length: usize },
}

/// A request that was checked, with the labels it counts under.
pub(super) struct Prepared {
    /// Boxed: it is handed on a few times until it leaves.
    call: Box<Call>,
    route: u16,
    category: u16,
    /// What it is to fail of.
    fault: Option<FaultKind>,
    /// What it creates, if anything.
    mark: Option<String>,
}

impl Prepared {
    /// The same request, made to fail by the host.
    fn failing(&self, kind: FaultKind) -> Self {
        let call = Call::clone(&self.call);
        let call = match kind {
            FaultKind::Timeout => call.failing(None, Some(TOO_LATE)).timeout(Some(TOO_SHORT)),
            _ => call.failing(Some(503), None),
        };
        Self {
            call: Box::new(call),
            fault: Some(kind),
            route: self.route,
            category: self.category,
            // The journal has had it from the request that this one stands for.
            mark: None,
        }
    }
}

/// Whose requests they are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Who<'a> {
    pub(super) player: &'a Player,
    /// Index of the virtual user.
    pub(super) user: u32,
    pub(super) badge: &'a Badge,
}

/// What came of a batch.
pub(super) struct Sent {
    /// In the order of the requests.
    pub(super) outcomes: Vec<types::Outcome>,
    /// Requests that were spent: some may have been sent twice.
    pub(super) requests: u32,
}

/// Check every request of a step before any of them leaves.
pub(super) fn prepare(
    floor: &Floor,
    player: &Player,
    requests: Vec<types::Request>,
) -> Result<Vec<Prepared>, StepRefused> {
    if requests.len() > MAX_BATCH {
        return Err(StepRefused::Batch(requests.len()));
    }
    requests
        .into_iter()
        .map(|request| prepare_one(floor, player, request))
        .collect()
}

fn prepare_one(
    floor: &Floor,
    player: &Player,
    request: types::Request,
) -> Result<Prepared, StepRefused> {
    if let Some(length) = request
        .mark
        .as_ref()
        .map(String::len)
        .filter(|n| *n > MAX_MARK)
    {
        let route = request.route;
        return Err(StepRefused::Mark { route, length });
    }
    let labels = &player.labels;
    let route = labels.route(request.method, &request.route);
    let category = labels.category(&request.category);
    let capture = request.capture;
    let call = Call::new(
        floor.client.base(),
        method(request.method),
        &request.path,
        request.headers,
        request.body,
    );
    let call = call.map_err(|refused| StepRefused::Request {
        route: request.route,
        refused,
    })?;
    let timeout = request
        .timeout_ms
        .map(|ms| Duration::from_millis(u64::from(ms)));
    let call = call
        .capture(
            capture.contains(types::Capture::HEADERS),
            capture.contains(types::Capture::BODY),
        )
        .timeout(timeout);
    Ok(Prepared {
        call: Box::new(call),
        route,
        category,
        fault: request.fault.map(kind),
        mark: request.mark,
    })
}

fn kind(fault: types::Fault) -> FaultKind {
    match fault {
        types::Fault::BadCredentials => FaultKind::BadCredentials,
        types::Fault::Forbidden => FaultKind::Forbidden,
        types::Fault::InvalidData => FaultKind::InvalidData,
        types::Fault::NotFound => FaultKind::NotFound,
        types::Fault::RateLimit => FaultKind::RateLimit,
    }
}

/// Send a batch together. The first `left` requests are sent, the rest end as `stopped`.
pub(super) async fn send(
    floor: &Rc<Floor>,
    who: Who<'_>,
    mut batch: Vec<Prepared>,
    left: u32,
) -> Sent {
    let within = batch.len().min(left as usize);
    let over = batch.split_off(within);
    let spare = Cell::new(left - within as u32);
    floor.intend(batch.iter().filter_map(|one| one.mark.as_deref()));
    let mut outcomes = match batch.len() {
        1 => match batch.pop() {
            Some(one) => vec![exchange(floor, who, one, &spare).await],
            None => Vec::new(),
        },
        _ => {
            join_all(
                batch
                    .into_iter()
                    .map(|one| Box::pin(exchange(floor, who, one, &spare))),
            )
            .await
        }
    };
    for one in over {
        Counted::new(floor, who, &one).not_sent();
        outcomes.push(types::Outcome::Failed(types::Failure::Stopped));
    }
    Sent {
        outcomes,
        requests: left - spare.get(),
    }
}

/// One request for its response. When the error mix is short of server errors, a request that changes nothing is made
/// to fail, and then sent again, as somebody does who reloads a page: so the journey goes on. That takes a `spare`.
async fn exchange(floor: &Floor, who: Who<'_>, one: Prepared, spare: &Cell<u32>) -> types::Outcome {
    if one.fault.is_none()
        && one.call.is_safe()
        && spare.get() > 0
        && !floor.stopping.get()
        && let Some(kind) = floor.make()
    {
        spare.set(spare.get() - 1);
        let failing = one.failing(kind);
        let outcome = Box::pin(once(floor, who, failing)).await;
        let over = match &outcome {
            types::Outcome::Response(response) => response.status < 500,
            types::Outcome::Failed(failure) => *failure == types::Failure::Stopped,
        };
        if over {
            spare.set(spare.get() + 1);
            return outcome;
        }
        floor.decided(one.category);
    }
    once(floor, who, one).await
}

async fn once(floor: &Floor, who: Who<'_>, one: Prepared) -> types::Outcome {
    let due = floor.turn(who.badge).await;
    let counted = Counted::new(floor, who, &one);
    let place = floor.place().await;
    if floor.stopping.get() || !floor.spend() {
        counted.not_sent();
        return types::Outcome::Failed(types::Failure::Stopped);
    }
    let mut sent = counted.sending(due.map(|due| floor.clock.at(due)));
    let mut call = *one.call;
    if floor.plan.target.trace_context {
        let trace = Trace::next(&floor.plan, who.user, who.badge);
        call = call.traced(&trace.parent());
        sent.sample.trace = Some(trace.id);
    }
    let exchange = floor.client.send(call).await;
    drop(place);
    let result = match &exchange.result {
        Ok(answer) => Outcome::Status(answer.status),
        Err(failure) => Outcome::Failed(*failure),
    };
    sent.done(result, exchange.latency, exchange.sent, exchange.received);
    match exchange.result {
        Ok(answer) => types::Outcome::Response(types::Response {
            status: answer.status,
            headers: answer.headers,
            body: answer.body,
            latency_us: exchange.latency.as_micros() as u64,
        }),
        Err(failure) => types::Outcome::Failed(to_contract(failure)),
    }
}

/// A request on its way to being counted exactly once: if its user is ended while it is in flight, dropping this
/// counts it as timed out, since the target may well have seen it.
struct Counted<'a> {
    floor: &'a Floor,
    sample: RequestSample,
    fault: Option<FaultKind>,
    badge: &'a Badge,
    in_flight: Option<Instant>,
    counted: bool,
}

impl<'a> Counted<'a> {
    fn new(floor: &'a Floor, who: Who<'a>, one: &Prepared) -> Self {
        let sample = RequestSample {
            role: who.player.role(),
            route: one.route,
            category: one.category,
            user: who.user,
            outcome: Outcome::Failed(Failure::Stopped),
            latency: Duration::ZERO,
            waited: None,
            trace: None,
            bytes_sent: 0,
            bytes_received: 0,
            expected: false,
        };
        Self {
            floor,
            sample,
            fault: one.fault,
            badge: who.badge,
            in_flight: None,
            counted: false,
        }
    }

    /// `due`: when it should have left, if a profile says so.
    fn sending(mut self, due: Option<Instant>) -> Self {
        let now = Instant::now();
        self.in_flight = Some(now);
        self.sample.waited = due.map(|due| now.saturating_duration_since(due));
        self.badge.in_flight.set(self.badge.in_flight.get() + 1);
        self
    }

    fn not_sent(mut self) {
        self.count(Outcome::Failed(Failure::Stopped), Duration::ZERO);
    }

    fn done(mut self, outcome: Outcome, latency: Duration, sent: u64, received: u64) {
        self.sample.bytes_sent = sent;
        self.sample.bytes_received = received;
        self.count(outcome, latency);
    }

    fn count(&mut self, outcome: Outcome, latency: Duration) {
        self.counted = true;
        self.sample.expected = self.fault.is_some_and(|kind| kind.is_met_by(outcome));
        self.sample.outcome = outcome;
        self.sample.latency = latency + self.sample.waited.unwrap_or_default();
        self.floor.recorder.borrow_mut().request(&self.sample);
        let sent = self.in_flight.is_some();
        if sent {
            self.badge.in_flight.set(self.badge.in_flight.get() - 1);
        }
        self.floor.came(outcome, sent, self.fault);
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        if self.counted {
            return;
        }
        match self.in_flight {
            Some(since) => self.count(Outcome::Failed(Failure::Timeout), since.elapsed()),
            None => self.count(Outcome::Failed(Failure::Stopped), Duration::ZERO),
        }
    }
}

fn to_contract(failure: Failure) -> types::Failure {
    match failure {
        Failure::Timeout => types::Failure::Timeout,
        Failure::Connect => types::Failure::Connect,
        Failure::Tls => types::Failure::Tls,
        Failure::Reset => types::Failure::Reset,
        Failure::Protocol => types::Failure::Protocol,
        Failure::TooLarge => types::Failure::TooLarge,
        Failure::CircuitOpen => types::Failure::CircuitOpen,
        Failure::Stopped => types::Failure::Stopped,
    }
}
