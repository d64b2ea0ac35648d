//! From a behavior's step to what came of it: check every request of the batch, send them together, count each.

use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;

use super::floor::Floor;
use super::labels::method_name;
use crate::behavior::types;
use crate::http::{Call, Refused};
use crate::metrics::{Failure, Outcome, RequestSample};

/// Most requests that a step may send together.
const MAX_BATCH: usize = 256;
/// Longest mark of a request, in bytes: what `host.mark` takes too.
const MAX_MARK: usize = 256;

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
    call: Call,
    route: u16,
    category: u16,
    fault: bool,
    /// What it creates, if anything.
    mark: Option<String>,
}

/// Check every request of a step before any of them leaves.
pub(super) fn prepare(
    floor: &Floor,
    archetype: u16,
    requests: Vec<types::Request>,
) -> Result<Vec<Prepared>, StepRefused> {
    if requests.len() > MAX_BATCH {
        return Err(StepRefused::Batch(requests.len()));
    }
    requests
        .into_iter()
        .map(|request| prepare_one(floor, archetype, request))
        .collect()
}

fn prepare_one(
    floor: &Floor,
    archetype: u16,
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
    let labels = &floor.room(archetype).labels;
    let route = labels.route(request.method, &request.route);
    let category = labels.category(&request.category);
    let capture = request.capture;
    let built = method_name(request.method)
        .parse()
        .map_err(|_| Refused::NotAPath(String::new()));
    let call = built.and_then(|method| {
        Call::new(
            floor.client.base(),
            method,
            &request.path,
            &request.headers,
            request.body,
        )
    });
    let call = call.map_err(|refused| StepRefused::Request {
        route: request.route,
        refused,
    })?;
    let timeout = request
        .timeout_ms
        .map(|ms| Duration::from_millis(u64::from(ms)));
    Ok(Prepared {
        call: call
            .capture(
                capture.contains(types::Capture::HEADERS),
                capture.contains(types::Capture::BODY),
            )
            .timeout(timeout),
        route,
        category,
        fault: request.fault.is_some(),
        mark: request.mark,
    })
}

/// Send a batch together. The first `left` requests are sent, the rest end as `stopped`; outcomes come in order.
pub(super) async fn send(
    floor: &Rc<Floor>,
    archetype: u16,
    user: u32,
    mut batch: Vec<Prepared>,
    left: u32,
) -> Vec<types::Outcome> {
    let within = batch.len().min(left as usize);
    let over = batch.split_off(within);
    floor.intend(batch.iter().filter_map(|one| one.mark.as_deref()));
    let mut outcomes = match batch.len() {
        1 => match batch.pop() {
            Some(one) => vec![exchange(floor, archetype, user, one).await],
            None => Vec::new(),
        },
        _ => {
            join_all(
                batch
                    .into_iter()
                    .map(|one| Box::pin(exchange(floor, archetype, user, one))),
            )
            .await
        }
    };
    for one in over {
        Counted::new(floor, archetype, user, &one).not_sent();
        outcomes.push(types::Outcome::Failed(types::Failure::Stopped));
    }
    outcomes
}

async fn exchange(floor: &Floor, archetype: u16, user: u32, one: Prepared) -> types::Outcome {
    let counted = Counted::new(floor, archetype, user, &one);
    let place = floor.client.place().await;
    if floor.stopping.get() {
        counted.not_sent();
        return types::Outcome::Failed(types::Failure::Stopped);
    }
    let sent = counted.sending();
    let exchange = floor.client.send(one.call).await;
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
    fault: bool,
    in_flight: Option<std::time::Instant>,
    counted: bool,
}

impl<'a> Counted<'a> {
    fn new(floor: &'a Floor, archetype: u16, user: u32, one: &Prepared) -> Self {
        let sample = RequestSample {
            archetype,
            route: one.route,
            category: one.category,
            user,
            outcome: Outcome::Failed(Failure::Stopped),
            latency: Duration::ZERO,
            bytes_sent: 0,
            bytes_received: 0,
            expected: false,
        };
        Self {
            floor,
            sample,
            fault: one.fault,
            in_flight: None,
            counted: false,
        }
    }

    fn sending(mut self) -> Self {
        self.in_flight = Some(std::time::Instant::now());
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
        self.sample.expected = self.fault && !matches!(outcome, Outcome::Status(..400));
        self.sample.outcome = outcome;
        self.sample.latency = latency;
        self.floor.recorder.borrow_mut().request(&self.sample);
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
