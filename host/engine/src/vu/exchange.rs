//! Sends a batch of requests together, as `prepare.rs` has made them, and says what came of each: attempts that fail
//! are repeated where the plan allows, and some are made to fail on purpose. Used by `user.rs` and `sweep.rs`.

mod counted;

use std::cell::Cell;
use std::time::Duration;

use futures_util::future::join_all;

use self::counted::Counted;
use super::identity;
use super::prepare::Prepared;
use super::trace::Trace;
use crate::admission::{Held, HoldState, PendingLogin};
use crate::rollout::runtime::VersionRuntime;
use crate::vu::pool::VuState;
use crate::worker::state::WorkerState;
use vespeiro_behavior::types;
use vespeiro_model::{Failure, Outcome};

/// Longest wait before a request is sent again; a target that asks for more gets it from the user's next request.
const LONGEST_RETRY: Duration = Duration::from_secs(10);

/// Whose requests they are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Who<'a> {
    pub(crate) runtime: &'a VersionRuntime,
    /// Index of the virtual user.
    pub(crate) user: u32,
    pub(crate) vu: &'a VuState,
    pub(crate) hold: &'a HoldState,
}

/// What came of a batch.
pub(crate) struct Sent {
    /// In the order of the requests.
    pub(crate) outcomes: Vec<types::Outcome>,
    /// Requests that were spent: some may have been sent twice.
    pub(crate) requests: u32,
    /// At least one met an open breaker.
    pub(crate) turned_away: bool,
}

/// What a batch and its requests share.
struct Batch<'a> {
    worker: &'a WorkerState,
    who: Who<'a>,
    /// Requests that may still be spent.
    spare: Cell<u32>,
    turned_away: Cell<bool>,
}

/// Send a batch together. The first `left` requests are sent, the rest end as `stopped`.
pub(crate) async fn send(
    worker: &WorkerState,
    who: Who<'_>,
    mut requests: Vec<Prepared>,
    left: u32,
) -> Sent {
    let within = requests.len().min(left as usize);
    let over = requests.split_off(within);
    let batch = Batch {
        worker,
        who,
        spare: Cell::new(left - within as u32),
        turned_away: Cell::new(false),
    };
    worker.intend(requests.iter().filter_map(|one| one.mark.as_deref()));
    let mut outcomes = match requests.len() {
        1 => match requests.pop() {
            Some(one) => vec![exchange(&batch, one).await],
            None => Vec::new(),
        },
        _ => {
            let each = requests.into_iter();
            join_all(each.map(|one| Box::pin(exchange(&batch, one)))).await
        }
    };
    for mut one in over {
        one.login = false; // it was not asked for
        Counted::new(&batch, &one).not_sent(Failure::Stopped);
        outcomes.push(types::Outcome::Failed(types::Failure::Stopped));
    }
    Sent {
        outcomes,
        requests: left - batch.spare.get(),
        turned_away: batch.turned_away.get(),
    }
}

/// One request for its response. When the error mix is short of server errors, a request that changes nothing is made
/// to fail, and then sent again, as somebody does who reloads a page: so the journey goes on. That takes a `spare`.
async fn exchange(batch: &Batch<'_>, one: Prepared) -> types::Outcome {
    let Batch { worker, spare, .. } = batch;
    if one.fault.is_none()
        && one.call.is_safe()
        && spare.get() > 0
        && !worker.stopping.get()
        && let Some(kind) = worker.make()
    {
        spare.set(spare.get() - 1);
        let failing = one.failing(kind);
        let outcome = Box::pin(once(batch, failing)).await.outcome;
        let over = match &outcome {
            types::Outcome::Response(response) => response.status < 500,
            types::Outcome::Failed(_) => was_not_sent(&outcome),
        };
        if over {
            spare.set(spare.get() + 1);
            return outcome;
        }
        worker.decided(one.category);
    }
    let again =
        (worker.plan.resilience.retries > 0 && one.fault.is_none() && one.call.is_idempotent())
            .then(|| one.again());
    let came = once(batch, one).await;
    let outcome = match again {
        Some(again) if may_retry(&came) => Box::pin(retry(batch, again, came)).await,
        _ => came.outcome,
    };
    if matches!(outcome, types::Outcome::Failed(types::Failure::CircuitOpen)) {
        // It never left, so that it costs nothing.
        spare.set(spare.get() + 1);
    }
    outcome
}

fn was_not_sent(outcome: &types::Outcome) -> bool {
    use types::Failure::{CircuitOpen, Stopped};
    matches!(outcome, types::Outcome::Failed(CircuitOpen | Stopped))
}

/// A failure that may be gone the next time.
fn may_retry(came: &Came) -> bool {
    use types::Failure::{Connect, Reset, Timeout};
    let passing = match &came.outcome {
        types::Outcome::Response(response) => matches!(response.status, 429 | 502 | 503 | 504),
        types::Outcome::Failed(failure) => matches!(failure, Connect | Reset | Timeout),
    };
    passing && came.retry_after.is_none_or(|wait| wait <= LONGEST_RETRY)
}

/// Send it again while it fails, as often as the plan allows and the budget holds. Each attempt is a request.
async fn retry(batch: &Batch<'_>, one: Prepared, mut came: Came) -> types::Outcome {
    let Batch { worker, spare, .. } = batch;
    let admission = &worker.admission;
    for attempt in 1..=worker.plan.resilience.retries {
        if !may_retry(&came) || spare.get() == 0 {
            break;
        }
        let seed = identity::user_seed(&worker.plan, batch.who.user);
        let (why, wait) = admission.before_retry(batch.who.hold, seed, attempt, came.retry_after);
        // Before the look at the flag, so that no stop goes unnoticed.
        let stopped = worker.stopped.notified();
        if worker.stopping.get() {
            break;
        }
        let held = Held::begin(worker, why);
        let _ = tokio::time::timeout(wait, stopped).await;
        drop(held);
        if worker.stopping.get() || admission.is_open() {
            break;
        }
        if spare.get() == 0 {
            break; // another request of the batch was quicker
        }
        spare.set(spare.get() - 1);
        let next = once(batch, one.again()).await;
        if was_not_sent(&next.outcome) {
            spare.set(spare.get() + 1);
            break;
        }
        worker.decided(one.category);
        worker.recorder.borrow_mut().retried();
        came = next;
    }
    came.outcome
}

/// What came of one attempt.
struct Came {
    outcome: types::Outcome,
    /// How long the target asks to be left alone.
    retry_after: Option<Duration>,
}

impl Came {
    fn not_sent(failure: types::Failure) -> Self {
        Self {
            outcome: types::Outcome::Failed(failure),
            retry_after: None,
        }
    }
}

async fn once(batch: &Batch<'_>, one: Prepared) -> Came {
    let worker = batch.worker;
    let pending = PendingLogin::new(&worker.admission, one.login);
    let due = worker.turn(batch.who.vu).await;
    let mut counted = Counted::new(batch, &one);
    pending.counted();
    let place = worker.place().await;
    let learn = |outcome, retry_after| {
        let seed = || identity::user_seed(&worker.plan, batch.who.user);
        let admission = &worker.admission;
        admission.learn(batch.who.hold, seed, outcome, retry_after, one.fault);
    };
    match worker.admission.ask() {
        Ok(pass) => counted.permit.pass = pass,
        Err(()) => {
            batch.turned_away.set(true);
            learn(Outcome::Failed(Failure::CircuitOpen), None);
            counted.not_sent(Failure::CircuitOpen);
            return Came::not_sent(types::Failure::CircuitOpen);
        }
    }
    if worker.stopping.get() || !worker.spend(batch.who.vu) {
        counted.not_sent(Failure::Stopped);
        return Came::not_sent(types::Failure::Stopped);
    }
    counted.sending(due.map(|due| worker.clock.at(due)));
    let mut call = one.call;
    if worker.plan.target.trace_context {
        let trace = Trace::next(&worker.plan, batch.who.user, batch.who.vu);
        worker.client.trace(&mut call, &trace.parent());
        counted.sample.trace = Some(trace.id);
    }
    let exchange = worker.client.send(call).await;
    drop(place);
    let result = match &exchange.result {
        Ok(answer) => Outcome::Status(answer.status),
        Err(failure) => Outcome::Failed(*failure),
    };
    counted.done(result, exchange.latency, exchange.sent, exchange.received);
    let retry_after = exchange.result.as_ref().ok().and_then(|a| a.retry_after);
    learn(result, retry_after);
    let outcome = match exchange.result {
        Ok(answer) => types::Outcome::Response(types::Response {
            status: answer.status,
            headers: answer.headers,
            body: answer.body,
            latency_us: exchange.latency.as_micros() as u64,
        }),
        Err(failure) => types::Outcome::Failed(to_contract(failure)),
    };
    Came {
        outcome,
        retry_after,
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
