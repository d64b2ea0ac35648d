//! From a behavior's step to what came of it: check every request of the batch, send them together, count each.

use std::cell::Cell;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::crew::Badge;
use super::floor::Floor;
use super::identity;
use super::labels::method;
use super::player::Player;
use super::restraint::{Held, Leave, Patience, PendingLogin};
use super::trace::Trace;
use crate::behavior::{MAX_BATCH, MAX_MARK, types};
use crate::http::{Call, Refused};
use crate::metrics::{Failure, FaultKind, Outcome, RequestSample};

/// How long a request waits that is to time out.
const TOO_SHORT: Duration = Duration::from_millis(1);
/// How long the target is asked to take over it, so that even a quick one is too late.
const TOO_LATE: Duration = Duration::from_millis(50);
/// Longest wait before a request is sent again; a target that asks for more gets it from the user's next request.
const LONGEST_RETRY: Duration = Duration::from_secs(10);
/// The category of the request mix that logins belong to.
const AUTH: &str = "auth";

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
    /// It asks for a token: see [`is_login`].
    login: bool,
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
            login: self.login,
        }
    }

    /// The same request, to be sent once more should it fail.
    fn again(&self) -> Self {
        Self {
            call: self.call.clone(),
            mark: None,
            ..*self
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
    pub(super) patience: &'a Patience,
}

/// What came of a batch.
pub(super) struct Sent {
    /// In the order of the requests.
    pub(super) outcomes: Vec<types::Outcome>,
    /// Requests that were spent: some may have been sent twice.
    pub(super) requests: u32,
    /// At least one met an open breaker.
    pub(super) turned_away: bool,
}

/// What a batch and its requests share.
struct Batch<'a> {
    floor: &'a Floor,
    who: Who<'a>,
    /// Requests that may still be spent.
    spare: Cell<u32>,
    turned_away: Cell<bool>,
}

/// Logins among the requests of a batch that will be sent.
pub(super) fn logins(batch: &[Prepared], left: u32) -> usize {
    let within = batch.iter().take(left as usize);
    within.filter(|one| one.login).count()
}

/// A POST of the category `auth` that carries no bearer token is there to get one. The host cannot know more of a login,
/// and a refresh of a token that is refused is as suspicious.
fn is_login(request: &types::Request) -> bool {
    let bearer = |(name, value): &(String, String)| {
        name.eq_ignore_ascii_case("authorization")
            && value
                .get(..6)
                .is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer"))
    };
    request.method == types::Method::Post
        && request.category == AUTH
        && !request.headers.iter().any(bearer)
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
    let login = is_login(&request);
    let capture = request.capture;
    let call = floor.client.call(
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
        login,
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
    floor: &Floor,
    who: Who<'_>,
    mut requests: Vec<Prepared>,
    left: u32,
) -> Sent {
    let within = requests.len().min(left as usize);
    let over = requests.split_off(within);
    let batch = Batch {
        floor,
        who,
        spare: Cell::new(left - within as u32),
        turned_away: Cell::new(false),
    };
    floor.intend(requests.iter().filter_map(|one| one.mark.as_deref()));
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
    let Batch { floor, spare, .. } = batch;
    if one.fault.is_none()
        && one.call.is_safe()
        && spare.get() > 0
        && !floor.stopping.get()
        && let Some(kind) = floor.make()
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
        floor.decided(one.category);
    }
    let again = (floor.plan.regard.retries > 0 && one.fault.is_none() && one.call.is_idempotent())
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
    let Batch { floor, spare, .. } = batch;
    let restraint = &floor.restraint;
    for attempt in 1..=floor.plan.regard.retries {
        if !may_retry(&came) || spare.get() == 0 {
            break;
        }
        let seed = identity::user_seed(&floor.plan, batch.who.user);
        let (why, wait) =
            restraint.before_retry(batch.who.patience, seed, attempt, came.retry_after);
        // Before the look at the flag, so that no stop goes unnoticed.
        let stopped = floor.stopped.notified();
        if floor.stopping.get() {
            break;
        }
        let held = Held::begin(floor, why);
        let _ = tokio::time::timeout(wait, stopped).await;
        drop(held);
        if floor.stopping.get() || restraint.is_open() {
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
        floor.decided(one.category);
        floor.recorder.borrow_mut().retried();
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
    let floor = batch.floor;
    let pending = PendingLogin::new(&floor.restraint, one.login);
    let due = floor.turn(batch.who.badge).await;
    let mut counted = Counted::new(batch, &one);
    pending.counted();
    let place = floor.place().await;
    let learn = |outcome, retry_after| {
        let seed = || identity::user_seed(&floor.plan, batch.who.user);
        let restraint = &floor.restraint;
        restraint.learn(batch.who.patience, seed, outcome, retry_after, one.fault);
    };
    match floor.restraint.ask() {
        Ok(pass) => counted.leave.pass = pass,
        Err(()) => {
            batch.turned_away.set(true);
            learn(Outcome::Failed(Failure::CircuitOpen), None);
            counted.not_sent(Failure::CircuitOpen);
            return Came::not_sent(types::Failure::CircuitOpen);
        }
    }
    if floor.stopping.get() || !floor.spend(batch.who.badge) {
        counted.not_sent(Failure::Stopped);
        return Came::not_sent(types::Failure::Stopped);
    }
    counted.sending(due.map(|due| floor.clock.at(due)));
    let mut call = one.call;
    if floor.plan.target.trace_context {
        let trace = Trace::next(&floor.plan, batch.who.user, batch.who.badge);
        floor.client.trace(&mut call, &trace.parent());
        counted.sample.trace = Some(trace.id);
    }
    let exchange = floor.client.send(call).await;
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

/// A request on its way to being counted exactly once: if its user is ended while it is in flight, dropping this
/// counts it as timed out, since the target may well have seen it.
struct Counted<'a> {
    floor: &'a Floor,
    sample: RequestSample,
    leave: Leave,
    badge: &'a Badge,
    in_flight: Option<Instant>,
    counted: bool,
}

impl<'a> Counted<'a> {
    fn new(batch: &Batch<'a>, one: &Prepared) -> Self {
        let sample = RequestSample {
            role: batch.who.player.role(),
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
            floor: batch.floor,
            sample,
            leave: Leave {
                fault: one.fault,
                login: one.login,
                ..Leave::default()
            },
            badge: batch.who.badge,
            in_flight: None,
            counted: false,
        }
    }

    /// `due`: when it should have left, if a profile says so.
    fn sending(&mut self, due: Option<Instant>) {
        let now = Instant::now();
        self.in_flight = Some(now);
        self.sample.waited = due.map(|due| now.saturating_duration_since(due));
        let in_flight = &self.floor.restraint.in_flight;
        in_flight.set(in_flight.get() + 1);
        self.badge.in_flight.set(self.badge.in_flight.get() + 1);
    }

    fn not_sent(&mut self, why: Failure) {
        self.count(Outcome::Failed(why), Duration::ZERO);
    }

    fn done(&mut self, outcome: Outcome, latency: Duration, sent: u64, received: u64) {
        self.sample.bytes_sent = sent;
        self.sample.bytes_received = received;
        self.count(outcome, latency);
    }

    fn count(&mut self, outcome: Outcome, latency: Duration) {
        let floor = self.floor;
        self.counted = true;
        self.leave.sent = self.in_flight.is_some();
        let fault = self.leave.fault;
        self.sample.expected = fault.is_some_and(|kind| kind.is_met_by(outcome));
        self.sample.outcome = outcome;
        self.sample.latency = latency + self.sample.waited.unwrap_or_default();
        if self.leave.sent {
            let in_flight = &floor.restraint.in_flight;
            in_flight.set(in_flight.get() - 1);
            self.badge.in_flight.set(self.badge.in_flight.get() - 1);
        }
        floor.recorder.borrow_mut().request(&self.sample);
        floor.came(outcome, self.leave);
        if floor.tells_requests {
            tell(floor, &self.sample, self.leave.sent);
        }
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        if self.counted {
            return;
        }
        self.leave.broken_off = true;
        match self.in_flight {
            Some(since) => self.count(Outcome::Failed(Failure::Timeout), since.elapsed()),
            None => self.count(Outcome::Failed(Failure::Stopped), Duration::ZERO),
        }
    }
}

/// One line of log about a request: where it went and what came of it, and nothing of what was in it.
#[cold]
fn tell(floor: &Floor, sample: &RequestSample, sent: bool) {
    let recorder = floor.recorder.borrow();
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
