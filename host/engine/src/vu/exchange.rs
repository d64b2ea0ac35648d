//! Sends a batch of requests together, as `prepare.rs` has made them, and returns the outcome of each: attempts that fail are
//! repeated where the plan allows, redirects are followed, and some requests are made to fail on purpose. Used by `live.rs`
//! and by the teardown.
//!
//! What must stay true: each attempt and each redirect that is followed is a request of its user's, counted as any other.

use std::cell::Cell;
use std::time::Duration;

use futures_util::future::join_all;

use super::prepare::Prepared;
use super::state::VuState;
use super::trace::Trace;
use crate::admission::{HoldGuard, Permit, admit, over_budget};
use crate::rollout::runtime::VersionRuntime;
use crate::seed::{Stream, unit};
use crate::witness::Seen;
use crate::worker::state::WorkerState;
use vespeiro_behavior::types;
use vespeiro_http::{Call, Flaw, Outcome as Exchanged};
use vespeiro_model::{Failure, Outcome, OutcomeClass};
use vespeiro_resilience::before_retry;

/// Longest wait before a request is sent again; a target that asks for more gets it from the user's next request.
const LONGEST_RETRY: Duration = Duration::from_secs(10);

/// How long whoever met a limit of this machine waits.
const AFTER_LIMIT: Duration = Duration::from_millis(100);

/// The outcomes of a batch.
pub(crate) struct Sent {
    /// In the order of the requests.
    pub(crate) outcomes: Vec<types::Outcome>,
    /// Requests that were spent: some may have been sent twice.
    pub(crate) requests: u32,
    /// At least one met an open breaker.
    pub(crate) turned_away: bool,
}

/// What the requests of a batch share.
pub(super) struct Batch<'a> {
    pub(super) worker: &'a WorkerState,
    pub(super) vu: &'a VuState,
    pub(super) runtime: &'a VersionRuntime,
    /// Requests that may still be spent.
    spare: Cell<u32>,
    turned_away: Cell<bool>,
}

impl<'a> Batch<'a> {
    /// `spare`: requests that may be spent beside those of the batch.
    pub(super) fn new(
        worker: &'a WorkerState,
        vu: &'a VuState,
        runtime: &'a VersionRuntime,
        spare: u32,
    ) -> Self {
        Self {
            worker,
            vu,
            runtime,
            spare: Cell::new(spare),
            turned_away: Cell::new(false),
        }
    }

    /// It is over, of a user who had so many requests `left`.
    pub(super) fn sent(&self, outcomes: Vec<types::Outcome>, left: u32) -> Sent {
        Sent {
            outcomes,
            requests: left - self.spare.get(),
            turned_away: self.turned_away.get(),
        }
    }
}

/// Send a batch together. The first `left` requests are sent, the rest end as `stopped`.
pub(crate) async fn send(
    worker: &WorkerState,
    vu: &VuState,
    runtime: &VersionRuntime,
    mut requests: Vec<Prepared>,
    left: u32,
) -> Sent {
    let within = requests.len().min(left as usize);
    let over = requests.split_off(within);
    let batch = Batch::new(worker, vu, runtime, left - within as u32);
    worker.mark_before_send(requests.iter().filter_map(|one| one.mark.as_deref()));
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
    for one in over {
        over_budget(worker, vu, runtime, &one);
        outcomes.push(types::Outcome::Failed(Failure::Stopped));
    }
    batch.sent(outcomes, left)
}

/// One request for its response, from wherever it is redirected to.
pub(super) async fn exchange(batch: &Batch<'_>, mut one: Prepared) -> types::Outcome {
    let answered = request(batch, &mut one).await;
    match answered.next {
        Some(_) => Box::pin(follow(batch, one, answered)).await,
        None => answered.outcome,
    }
}

/// Go where answers send a request on to. The outcome is the last one, and took as long as all of them together; the time from
/// when the first left to that outcome is a transaction.
async fn follow(batch: &Batch<'_>, mut one: Prepared, mut last: Attempt) -> types::Outcome {
    let Batch {
        worker,
        vu,
        runtime,
        spare,
        ..
    } = batch;
    let (mut before, since, route) = (0, worker.clock.now(), one.route);
    let mut first = Duration::ZERO;
    while let Some(call) = last.next.take() {
        if let types::Outcome::Response(response) = &last.outcome {
            if before == 0 {
                first = Duration::from_micros(response.latency_us);
            }
            before += response.latency_us;
        }
        one = one.sent_on(call, runtime);
        if spare.get() == 0 {
            over_budget(worker, vu, runtime, &one);
            return types::Outcome::Failed(Failure::Stopped);
        }
        spare.set(spare.get() - 1);
        worker.decided(one.category);
        last = request(batch, &mut one).await;
    }
    let passed = match &mut last.outcome {
        types::Outcome::Response(response) => {
            response.latency_us += before;
            last.counted.is_good()
        }
        _ => false,
    };
    let took = first + worker.clock.since(since);
    let mut recorder = worker.recorder.borrow_mut();
    recorder.redirected(vu.archetype, route, passed, took);
    drop(recorder);
    last.outcome
}

/// One request. When the error mix is short of server errors, it is made to fail, and after a moment sent again, as somebody
/// does who reloads a page: so the journey goes on. That takes a `spare`.
async fn request(batch: &Batch<'_>, one: &mut Prepared) -> Attempt {
    let Batch { worker, spare, .. } = batch;
    if one.fault.is_none()
        && spare.get() > 0
        && !worker.stopping.get()
        && let Some(kind) = worker.inject_fault(one.call.is_safe())
    {
        spare.set(spare.get() - 1);
        let (seed, draw) = (batch.vu.seed, batch.vu.hold.next_draw());
        let mut failing = one.failing(kind, seed, draw, worker.plan.target.request_timeout);
        let mut failed = Box::pin(attempt(batch, &mut failing)).await;
        let over = match &failed.outcome {
            types::Outcome::Response(_) => OutcomeClass::of(failed.counted) != OutcomeClass::Server,
            _ => was_not_sent(&failed.outcome),
        };
        if over {
            spare.set(spare.get() + 1);
            failed.next = failed.next.map(|call| Box::new(call.unfailing()));
            return failed;
        }
        Box::pin(reload(batch)).await;
        if worker.stopping.get() {
            spare.set(spare.get() + 1);
            return failed;
        }
        worker.decided(one.category);
    }
    let may_repeat = worker.plan.resilience.retries > 0 && one.fault.is_none();
    let mut last = attempt(batch, one).await;
    if may_repeat && one.call.is_idempotent() && may_retry(&last) {
        last = Box::pin(retry(batch, one, last)).await;
    }
    if matches!(last.outcome, types::Outcome::Failed(Failure::CircuitOpen)) {
        // It never left, so that it costs nothing.
        spare.set(spare.get() + 1);
    }
    last
}

/// Let the time pass that somebody takes who was told of a failure: within the longer half of the plan's pace.
async fn reload(batch: &Batch<'_>) {
    let Batch { worker, vu, .. } = batch;
    if worker.workload(vu).is_paced() {
        return;
    }
    let load = &worker.plan.load;
    let middle = (load.delay_min + load.delay_max) / 2;
    let rest = load.delay_max.saturating_sub(middle);
    let drawn = unit(vu.seed, Stream::Fault, vu.hold.next_draw());
    let wait = middle + rest.mul_f64(drawn);
    // Before the look at the flag, so that no stop goes unnoticed.
    let stopped = worker.stopped.notified();
    if !wait.is_zero() && !worker.stopping.get() {
        let _ = tokio::time::timeout(wait, stopped).await;
    }
}

fn was_not_sent(outcome: &types::Outcome) -> bool {
    use Failure::{CircuitOpen, Stopped};
    matches!(outcome, types::Outcome::Failed(CircuitOpen | Stopped))
}

/// A failure that may be gone the next time.
fn may_retry(attempt: &Attempt) -> bool {
    use Failure::{Connect, Generator, Reset, Timeout, Unprocessed};
    let passing = match &attempt.outcome {
        _ if attempt.counted.is_accepted() => false,
        types::Outcome::Response(response) => matches!(response.status, 429 | 502 | 503 | 504),
        types::Outcome::Failed(failure) => {
            matches!(failure, Connect | Generator | Reset | Timeout | Unprocessed)
        }
        _ => false,
    };
    passing && attempt.retry_after.is_none_or(|wait| wait <= LONGEST_RETRY)
}

/// Send it again while it fails, as often as the plan allows and the budget holds. Each attempt is a request.
async fn retry(batch: &Batch<'_>, one: &mut Prepared, mut last: Attempt) -> Attempt {
    let Batch { worker, spare, .. } = batch;
    for count in 1..=worker.plan.resilience.retries {
        if !may_retry(&last) || spare.get() == 0 {
            break;
        }
        let vu = batch.vu;
        let chance = || unit(vu.seed, Stream::Backoff, vu.hold.next_draw());
        let (why, wait) = before_retry(count, last.retry_after, chance);
        // Before the look at the flag, so that no stop goes unnoticed.
        let stopped = worker.stopped.notified();
        if worker.stopping.get() {
            break;
        }
        let held = HoldGuard::begin(worker, why);
        let _ = tokio::time::timeout(wait, stopped).await;
        drop(held);
        if worker.stopping.get() || worker.admission(one.call.target()).is_open(worker.now()) {
            break;
        }
        if spare.get() == 0 {
            break; // another request of the batch was quicker
        }
        spare.set(spare.get() - 1);
        let next = attempt(batch, one).await;
        if was_not_sent(&next.outcome) {
            spare.set(spare.get() + 1);
            break;
        }
        worker.decided(one.category);
        worker.recorder.borrow_mut().retried();
        last = next;
    }
    last
}

/// Let the machine free something. What it refuses it refuses at once: users without pauses would try again millions of
/// times, and no other task of their worker had its turn, the end of the run included.
pub(super) async fn catch_breath(worker: &WorkerState) {
    // Before the look at the flag, so that no stop goes unnoticed.
    let stopped = worker.stopped.notified();
    match worker.stopping.get() {
        true => tokio::task::yield_now().await,
        false => drop(tokio::time::timeout(AFTER_LIMIT, stopped).await),
    }
}

/// The outcome of one attempt.
pub(super) struct Attempt {
    pub(super) outcome: types::Outcome,
    /// How it was counted.
    counted: Outcome,
    /// How long the target asks to be left alone.
    retry_after: Option<Duration>,
    /// Where the answer sends it on to.
    next: Option<Box<Call>>,
}

async fn attempt(batch: &Batch<'_>, one: &mut Prepared) -> Attempt {
    let Batch {
        worker,
        vu,
        runtime,
        ..
    } = *batch;
    let mut permit = match admit(worker, vu, runtime, one).await {
        Ok(permit) => permit,
        Err(failure) => return refused(batch, failure),
    };
    let number = leave(batch, &mut permit, one);
    let own = vu.connections(&worker.targets);
    let mut sent = worker.targets.send_for(vu.archetype, own, &one.call).await;
    let next = heed(batch, one, &mut sent);
    let attempt = settle(batch, permit, one, sent, number, next);
    if matches!(attempt.outcome, types::Outcome::Failed(Failure::Generator)) {
        Box::pin(catch_breath(worker)).await;
    }
    attempt
}

/// It will never leave.
pub(super) fn refused(batch: &Batch<'_>, failure: Failure) -> Attempt {
    if failure == Failure::CircuitOpen {
        batch.turned_away.set(true);
    }
    Attempt {
        outcome: types::Outcome::Failed(failure),
        counted: Outcome::Failed(failure),
        retry_after: None,
        next: None,
    }
}

/// It leaves: with what its user has kept, and seen by who looks on. Returns the number that it has there.
pub(super) fn leave(batch: &Batch<'_>, permit: &mut Permit<'_>, one: &mut Prepared) -> u32 {
    let Batch { worker, vu, .. } = *batch;
    if worker.plan.target.trace_context {
        let trace = Trace::next(&worker.plan, vu);
        one.call.trace(trace.parent());
        permit.sample.trace = Some(trace.id);
    }
    vu.cookies.attach(&mut one.call, || worker.clock.wall());
    let number = vu.sent.get();
    if let Some(witness) = &worker.witness {
        let recorder = worker.recorder.borrow();
        let catalog = recorder.catalog();
        witness.saw(Seen::Sent {
            number,
            call: &one.call,
            route: catalog.route(vu.archetype, one.route).1,
            category: catalog.category(usize::from(one.category)),
            is_fault: one.fault.is_some(),
        });
    }
    number
}

/// It has come to its end: count it, and make its outcome.
pub(super) fn settle(
    batch: &Batch<'_>,
    permit: Permit<'_>,
    one: &Prepared,
    mut sent: Exchanged,
    number: u32,
    next: Option<Box<Call>>,
) -> Attempt {
    let worker = batch.worker;
    if let Some(witness) = &worker.witness {
        witness.saw(Seen::Answered {
            number,
            call: &one.call,
            sent: &sent,
        });
        if let Ok(answer) = &mut sent.result {
            answer.captured(one.call.captures());
        }
    }
    let counted = match &sent.result {
        Ok(answer) => one.outcome(answer),
        Err(flaw) => Outcome::Failed(flaw.failure),
    };
    let retry_after = sent.result.as_ref().ok().and_then(|a| a.retry_after);
    let latency = permit.settle(counted, &sent, one.call.path(), retry_after);
    let outcome = match sent.result {
        Ok(answer) => types::Outcome::Response(types::Response {
            status: answer.status,
            grpc: answer.grpc.map(|grpc| {
                Box::new(types::GrpcStatus {
                    code: grpc.code,
                    message: grpc.message,
                    trailers: answer.trailers,
                })
            }),
            headers: answer.headers,
            body: answer.body,
            latency_us: latency.as_micros() as u64,
        }),
        Err(flaw) => {
            if flaw.failure == Failure::Generator {
                worker.reached_limit(&flaw.cause);
            }
            types::Outcome::Failed(flaw.failure)
        }
    };
    Attempt {
        outcome,
        counted,
        retry_after,
        next,
    }
}

/// What an answer tells a browser: keep its cookies, and where it redirects to. One that leads astray is none.
fn heed(batch: &Batch<'_>, one: &Prepared, sent: &mut Exchanged) -> Option<Box<Call>> {
    learn(batch, one, sent);
    let worker = batch.worker;
    let answer = sent.result.as_ref().ok()?;
    answer.location.as_ref()?;
    let most = worker.plan.target.redirects;
    match worker
        .targets
        .heads()
        .follow(&one.call, answer, one.followed, most)
    {
        Ok(call) => call.map(Box::new),
        Err(astray) => {
            sent.result = Err(Flaw {
                failure: Failure::Redirects,
                cause: astray.to_string().into(),
            });
            None
        }
    }
}

/// Keep the cookies that an answer sets.
pub(super) fn learn(batch: &Batch<'_>, one: &Prepared, sent: &Exchanged) {
    let Batch { worker, vu, .. } = *batch;
    if let Ok(answer) = &sent.result
        && !answer.set_cookies.is_empty()
        && !vu.cookies.learn(&one.call, answer, worker.clock.wall())
    {
        worker.dropped_cookies();
    }
}
