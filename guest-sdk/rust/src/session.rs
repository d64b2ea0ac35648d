//! The executor: turns a journey into steps. The bindings and the harness call [`Session::next`]; one poll of the
//! journey gathers all the requests it wants to send at this point into one step, and pauses only advance a virtual
//! clock until a request follows, so a pause and the requests behind it cost one call.
//!
//! What must stay true: every request handed out gets exactly its own outcome, in the next call.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll, Waker};

use crate::contract::{
    Action, Context, Ending, Failure, Level, MAX_DELAY_MS, Operation, Outcome, Pace, Purpose,
    Request, Response, Setup, Step, User,
};
use crate::host::Host;
use crate::{Behavior, Fault, Journey, Me, Result};

/// After so many pauses without a request the host gets the word, so that a journey of empty pauses cannot spin.
const MAX_TURNS: u32 = 64;

/// One journey of one user, from the first step to the end.
pub struct Session {
    core: Rc<Core>,
    journey: RefCell<Option<Journey>>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("user", &self.core.user.index)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// Begin; nothing is decided before the first [`Session::next`].
    #[must_use]
    pub fn begin(behavior: &'static Behavior, setup: Setup, host: Box<dyn Host>) -> Session {
        let (start, marks) = match setup.purpose {
            Purpose::Journey => (Some(behavior.journey), Vec::new()),
            Purpose::Cleanup(marks) => (behavior.cleanup, marks),
            Purpose::Prepare => (behavior.prepare, Vec::new()),
            Purpose::Teardown => (behavior.teardown, Vec::new()),
        };
        let core = Rc::new(Core {
            behavior,
            host,
            user: setup.user,
            ordinal: setup.ordinal,
            pace: setup.pace,
            run: setup.run,
            config: setup.config,
            marks: RefCell::new(marks),
            kept: RefCell::default(),
            resumed: RefCell::default(),
            rng: Cell::new(setup.seed),
            clock: Cell::new(0),
            left: Cell::new(0),
            mix: RefCell::default(),
            fault: Cell::new(None),
            outbox: RefCell::default(),
            operations: RefCell::default(),
            inbox: RefCell::default(),
            round: Cell::new(0),
            earliest: Cell::new(u64::MAX),
            over: Cell::new(false),
            woken: Cell::new(false),
        });
        let journey = match start {
            Some(start) => start(Me::new(Rc::clone(&core))),
            None => Box::pin(async { Ok(()) }), // nothing to remove, or to prepare
        };
        Session {
            core,
            journey: RefCell::new(Some(journey)),
        }
    }

    /// Begin where another session, perhaps of another version, has [kept](Me::keep) its state.
    #[must_use]
    pub fn resume(
        behavior: &'static Behavior,
        setup: Setup,
        host: Box<dyn Host>,
        state: Vec<u8>,
    ) -> Session {
        let session = Session::begin(behavior, setup, host);
        // Nothing of the journey has run yet.
        *session.core.resumed.borrow_mut() = Some(state);
        session
    }

    /// What the journey has kept, if it has done nothing since that a successor would have to know.
    #[must_use]
    pub fn kept(&self) -> Option<Vec<u8>> {
        self.core.kept.borrow().clone()
    }

    /// How large the journey's own state is, in bytes; 0 once it is over.
    #[must_use]
    pub fn state_bytes(&self) -> usize {
        self.journey
            .borrow()
            .as_ref()
            .map_or(0, |journey| size_of_val(&**journey))
    }

    /// Given what came of the requests of the last step, what next?
    ///
    /// # Errors
    /// With the message for the host's log when the behavior or its configuration is wrong.
    pub fn next(&self, context: Context, outcomes: Vec<Outcome>) -> Result<Step, String> {
        let mut slot = self.journey.borrow_mut();
        let Some(journey) = slot.as_mut() else {
            return Err("the session is over".into());
        };
        let answer = self
            .core
            .hear(context, outcomes)
            .and_then(|()| self.core.drive(journey));
        if !matches!(
            answer,
            Ok(Step {
                action: Action::Requests(_) | Action::Operations(_),
                ..
            })
        ) {
            *slot = None;
        }
        answer
    }
}

/// What a session's journey, its [`Me`] and its pending requests share.
pub(crate) struct Core {
    pub(crate) behavior: &'static Behavior,
    pub(crate) host: Box<dyn Host>,
    pub(crate) user: User,
    pub(crate) ordinal: u32,
    pub(crate) pace: Pace,
    pub(crate) run: String,
    pub(crate) config: String,
    pub(crate) marks: RefCell<Vec<String>>,
    /// Where a successor would go on; gone once a request has had its outcome.
    pub(crate) kept: RefCell<Option<Vec<u8>>>,
    /// Where this session goes on.
    pub(crate) resumed: RefCell<Option<Vec<u8>>>,
    /// State of the session's random numbers.
    pub(crate) rng: Cell<u64>,
    /// Milliseconds since the session began, the pauses of this step included.
    pub(crate) clock: Cell<u64>,
    pub(crate) left: Cell<u32>,
    pub(crate) mix: RefCell<Vec<f32>>,
    pub(crate) fault: Cell<Option<Fault>>,
    outbox: RefCell<Vec<Request>>,
    /// What else the step is to carry out, and where among the requests.
    operations: RefCell<Vec<(usize, Operation)>>,
    inbox: RefCell<Vec<Option<Outcome>>>,
    /// How many steps with requests have been handed out.
    round: Cell<u32>,
    /// When the next pause ends, as the last poll found it.
    earliest: Cell<u64>,
    over: Cell<bool>,
    woken: Cell<bool>,
}

impl Core {
    fn hear(&self, context: Context, outcomes: Vec<Outcome>) -> Result<(), String> {
        self.clock.set(context.elapsed_ms);
        self.left.set(context.requests_left);
        self.fault
            .set(context.fault.as_ref().and_then(Fault::known));
        *self.mix.borrow_mut() = context.mix;
        let mut inbox = self.inbox.borrow_mut();
        if outcomes.len() != inbox.len() {
            return Err(format!(
                "{} outcomes came for {} requests",
                outcomes.len(),
                inbox.len()
            ));
        }
        if !outcomes.is_empty() {
            self.kept.take();
            inbox.clear();
            inbox.extend(outcomes.into_iter().map(Some));
            self.round.set(self.round.get() + 1);
        }
        Ok(())
    }

    fn drive(&self, journey: &mut Journey) -> Result<Step, String> {
        let began = self.clock.get();
        let mut task = TaskContext::from_waker(Waker::noop());
        let mut turns = 0;
        loop {
            self.earliest.set(u64::MAX);
            self.woken.set(false);
            let polled = journey.as_mut().poll(&mut task);
            let delay = self.clock.get() - began;
            if let Poll::Ready(result) = polled {
                return self
                    .end(result)
                    .map(|ending| step(delay, Action::Done(ending)));
            }
            if !self.operations.borrow().is_empty() {
                let operations = self.operations();
                let mut inbox = self.inbox.borrow_mut();
                inbox.clear();
                inbox.resize_with(operations.len(), || None);
                return Ok(step(delay, Action::Operations(operations)));
            }
            let requests = self.outbox.take();
            if !requests.is_empty() {
                let mut inbox = self.inbox.borrow_mut();
                inbox.clear();
                inbox.resize_with(requests.len(), || None);
                return Ok(step(delay, Action::Requests(requests)));
            }
            if self.over.get() {
                return Ok(step(delay, Action::Done(Ending::Abandoned)));
            }
            if self.woken.get() {
                continue;
            }
            let next = self.earliest.get();
            if next == u64::MAX {
                return Err(
                    "the journey waits for something that is neither a request nor a pause".into(),
                );
            }
            turns += 1;
            let longer = next.max(self.clock.get()) - began;
            if turns > MAX_TURNS || (delay > 0 && longer > u64::from(MAX_DELAY_MS)) {
                self.inbox.borrow_mut().clear();
                return Ok(step(delay, Action::Requests(Vec::new())));
            }
            self.clock.set(began + longer);
        }
    }

    /// All that the step is to carry out, in the order in which it was asked for.
    fn operations(&self) -> Vec<Operation> {
        let mut requests = self.outbox.take().into_iter().map(Operation::Request);
        let others = self.operations.take();
        let mut all = Vec::with_capacity(requests.len() + others.len());
        for (place, operation) in others {
            let before = place - all.len();
            all.extend(requests.by_ref().take(before));
            all.push(operation);
        }
        all.extend(requests);
        all
    }

    fn end(&self, result: Result<()>) -> Result<Ending, String> {
        let Err(error) = result else {
            return Ok(Ending::Completed);
        };
        let Some(ending) = error.ending() else {
            return Err(error.to_string());
        };
        let place = error.place();
        self.host.abandoned(&error.to_string(), place.as_deref());
        if matches!(
            error,
            crate::Error::Json { .. } | crate::Error::Message { .. }
        ) {
            self.host.log(Level::Warn, &error.to_string());
        }
        Ok(ending)
    }

    /// Poll the journey again before asking the host: something inside it has changed.
    pub(crate) fn wake(&self) {
        self.woken.set(true);
    }
}

fn step(delay_ms: u64, action: Action) -> Step {
    Step {
        delay_ms: u32::try_from(delay_ms).unwrap_or(u32::MAX),
        action,
    }
}

/// Waits until a moment of the virtual clock. Always gives the executor one turn, even when the moment has come, so
/// that it can count them.
pub(crate) struct Pause<'a> {
    core: &'a Core,
    until: u64,
    begun: bool,
}

impl<'a> Pause<'a> {
    pub(crate) fn new(core: &'a Core, millis: u64) -> Pause<'a> {
        Pause {
            core,
            until: core.clock.get() + millis,
            begun: false,
        }
    }
}

impl Future for Pause<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<()> {
        if self.begun && self.core.clock.get() >= self.until {
            return Poll::Ready(());
        }
        self.begun = true;
        self.core
            .earliest
            .set(self.core.earliest.get().min(self.until));
        Poll::Pending
    }
}

/// One operation on its way: in the outbox from the start, its outcome in the inbox after the next call. Never ready once the
/// session may send no more: the executor then ends the session.
pub(crate) struct Exchange<'a> {
    core: &'a Core,
    round: u32,
    index: usize,
}

impl<'a> Exchange<'a> {
    pub(crate) fn post(core: &'a Core, request: Request) -> Exchange<'a> {
        if !Self::may_send(core) {
            return Self::never(core);
        }
        let exchange = Self::next(core);
        core.outbox.borrow_mut().push(request);
        exchange
    }

    /// The same of what is no request.
    pub(crate) fn operate(core: &'a Core, operation: Operation) -> Exchange<'a> {
        if matches!(operation, Operation::Open(_)) && !Self::may_send(core) {
            return Self::never(core);
        }
        let exchange = Self::next(core);
        let mut operations = core.operations.borrow_mut();
        operations.push((exchange.index, operation));
        exchange
    }

    fn may_send(core: &Core) -> bool {
        let left = core.left.get();
        core.left.set(left.saturating_sub(1));
        left > 0
    }

    fn never(core: &'a Core) -> Exchange<'a> {
        core.over.set(true);
        Exchange {
            core,
            round: u32::MAX,
            index: 0,
        }
    }

    fn next(core: &'a Core) -> Exchange<'a> {
        Exchange {
            core,
            round: core.round.get() + 1,
            index: core.outbox.borrow().len() + core.operations.borrow().len(),
        }
    }

    /// What came of an operation that is no request.
    pub(crate) async fn outcome(self) -> std::result::Result<Outcome, Failure> {
        poll_fn(|_| self.take()).await
    }

    fn take(&self) -> Poll<std::result::Result<Outcome, Failure>> {
        let core = self.core;
        if core.round.get() != self.round {
            return Poll::Pending;
        }
        match core
            .inbox
            .borrow_mut()
            .get_mut(self.index)
            .and_then(Option::take)
        {
            Some(Outcome::Failed(Failure::Stopped)) | None => {
                core.over.set(true);
                Poll::Pending
            }
            Some(Outcome::Failed(failure)) => Poll::Ready(Err(failure)),
            Some(outcome) => Poll::Ready(Ok(outcome)),
        }
    }
}

impl Future for Exchange<'_> {
    type Output = std::result::Result<Response, Failure>;

    fn poll(self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<Self::Output> {
        self.take().map(|outcome| match outcome? {
            Outcome::Response(response) => Ok(response),
            // A host that answers a request with something else is none that this SDK knows.
            _ => Err(Failure::Protocol),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Route;

    const HEALTH: Route = Route::get("/health", "monitoring");

    /// A host that nobody listens to.
    struct Deaf;

    impl Host for Deaf {
        fn log(&self, _: Level, _: &str) {}
        fn check(&self, _: &str, _: bool) {}
        fn observe(&self, _: &str, _: f64) {}
        fn begin(&self, _: &str) {}
        fn end(&self, _: &str, _: bool) {}
        fn abandoned(&self, _: &str, _: Option<&str>) {}
        fn share(&self, _: &str) {}
        fn shared(&self) -> Option<String> {
            None
        }
        fn remember(&self, _: &str) {}
        fn remembered(&self) -> Option<String> {
            None
        }
        fn mark(&self, _: &str) {}
        fn unmark(&self, _: &str) {}
        fn feed(&self, _: &str) -> Option<String> {
            None
        }
        fn secret(&self, _: &str) -> Option<String> {
            None
        }
    }

    /// Counts its requests, keeps the count before every other one, and is over after ten.
    async fn journey(me: &mut Me) -> Result<()> {
        let mut count: u32 = me.kept()?.unwrap_or(0);
        while count < 10 {
            if count.is_multiple_of(2) {
                me.keep(&count)?;
            }
            me.call(HEALTH).send().await?;
            count += 1;
        }
        Ok(())
    }

    static COUNTS: Behavior = Behavior::new("counts", "0.1.0", &[HEALTH], |mut me| {
        Box::pin(async move { journey(&mut me).await })
    });

    fn setup() -> Setup {
        Setup {
            user: User {
                index: 0,
                seed: 1,
                username: String::new(),
                email: String::new(),
                password: String::new(),
                name: String::new(),
            },
            seed: 1,
            ordinal: 0,
            purpose: Purpose::Journey,
            pace: Pace {
                delay_min_ms: 0,
                delay_max_ms: 0,
            },
            run: String::new(),
            config: "{}".into(),
        }
    }

    fn next(session: &Session, outcomes: Vec<Outcome>) -> Result<Step, String> {
        let context = Context {
            elapsed_ms: 0,
            requests_left: 100,
            mix: Vec::new(),
            fault: None,
        };
        session.next(context, outcomes)
    }

    fn fine() -> Vec<Outcome> {
        vec![Outcome::Response(Response {
            status: 200,
            headers: Vec::new(),
            body: Vec::new(),
            latency_us: 1,
            grpc: None,
        })]
    }

    #[test]
    fn what_was_kept_holds_until_a_request_has_had_its_outcome() {
        let session = Session::begin(&COUNTS, setup(), Box::new(Deaf));
        assert_eq!(session.kept(), None);
        next(&session, Vec::new()).unwrap();
        assert_eq!(session.kept().as_deref(), Some(&b"0"[..]));
        next(&session, fine()).unwrap();
        assert_eq!(session.kept(), None);
        next(&session, fine()).unwrap();
        assert_eq!(session.kept().as_deref(), Some(&b"2"[..]));
    }

    #[test]
    fn a_session_goes_on_from_what_was_kept_or_says_that_it_cannot() {
        let session = Session::resume(&COUNTS, setup(), Box::new(Deaf), b"9".to_vec());
        next(&session, Vec::new()).unwrap();
        let last = next(&session, fine()).unwrap();
        assert!(matches!(last.action, Action::Done(Ending::Completed)));
        let session = Session::resume(&COUNTS, setup(), Box::new(Deaf), b"{}".to_vec());
        let why = next(&session, Vec::new()).unwrap_err();
        assert!(why.contains("what was kept does not fit"), "{why}");
    }
}
