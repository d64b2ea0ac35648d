//! The session driver: asks a session for its next step, waits, sends, and hears, until the session ends. Users, the
//! teardown and rehearsals are played by it, each over a [`Transport`] of its own.
//!
//! What must stay true: the bounds of a step are the same for all of them.

use vespeiro_behavior::types::{
    Action, Content, Ending, Operation, Outcome, Received, Request, Step,
};
use vespeiro_behavior::{Crash, MAX_DELAY_MS, MAX_IDLE_STEPS};
use vespeiro_model::Failure;

/// How a session came to its end.
#[derive(Debug, Clone)]
pub enum SessionEnd {
    Completed,
    Abandoned,
    /// The host ended it: its budget was spent, its run or its version was over.
    Cut,
    /// The behavior answered with an error, in its own words.
    Failed(String),
    /// It asked for what it may not have.
    Refused(String),
    /// A call did not return, of this session or of another one of its instance.
    Crashed(Crash),
}

/// What a session is played over: a target, or scripted replies.
pub(crate) trait Transport {
    /// Before the session is asked: whether it is to end instead. `heard`: outcomes wait for it.
    fn is_over(&self, heard: bool) -> bool {
        let _ = heard;
        false
    }

    /// No request is left that the session might send: if it ends now, that is why.
    fn is_spent(&self) -> bool {
        false
    }

    /// Ask the session for its next step.
    fn next(&mut self, outcomes: Vec<Outcome>) -> Result<Step, SessionEnd>;

    /// Let the step's delay pass.
    async fn wait(&mut self, step: &Step);

    /// Before requests leave, or, without `requests`, something is done with channels. `false`: drop the step and ask again.
    fn may_send(&mut self, requests: bool) -> Result<bool, SessionEnd>;

    /// Send a batch together; its outcomes, in the same order.
    async fn send(&mut self, requests: Vec<Request>) -> Result<Vec<Outcome>, SessionEnd>;

    /// Carry operations out together, which are not all requests; their outcomes, in the same order.
    async fn carry_out(&mut self, operations: Vec<Operation>) -> Result<Vec<Outcome>, SessionEnd>;
}

/// Play a session that has begun to its end.
pub(crate) async fn drive(transport: &mut impl Transport) -> SessionEnd {
    match play(transport).await {
        Ok(ending) | Err(ending) => ending,
    }
}

async fn play(transport: &mut impl Transport) -> Result<SessionEnd, SessionEnd> {
    let mut outcomes = Vec::new();
    let mut idle_steps = 0;
    loop {
        if transport.is_over(!outcomes.is_empty()) {
            return Ok(SessionEnd::Cut);
        }
        let was_stopped = outcomes.iter().any(was_stopped);
        let step = transport.next(std::mem::take(&mut outcomes))?;
        let is_cut = was_stopped || transport.is_spent();
        let delay = step.delay_ms;
        if delay > MAX_DELAY_MS {
            let why = format!("a delay of {delay} ms is over {MAX_DELAY_MS}");
            return Err(SessionEnd::Refused(why));
        }
        transport.wait(&step).await;
        let requests = match step.action {
            Action::Requests(requests) => requests,
            Action::Operations(operations) => {
                let requests = operations.iter().any(|one| one.request().is_some());
                if !transport.may_send(requests)? {
                    continue;
                }
                let looks: Vec<bool> = operations.iter().map(looks_only).collect();
                // Boxed: most sessions have no channels.
                outcomes = Box::pin(transport.carry_out(operations)).await?;
                let mut pairs = outcomes.iter().zip(looks);
                let is_vain = pairs.all(|(outcome, looked)| is_vain(outcome, looked));
                count_idle(&mut idle_steps, delay == 0 && is_vain)?;
                continue;
            }
            Action::Done(Ending::Completed) => return Ok(SessionEnd::Completed),
            // Whoever is told that nothing more will be sent does not give up by themselves.
            Action::Done(Ending::Abandoned) if is_cut => return Ok(SessionEnd::Cut),
            Action::Done(Ending::Abandoned) => return Ok(SessionEnd::Abandoned),
        };
        if !transport.may_send(true)? {
            continue;
        }
        if requests.is_empty() {
            count_idle(&mut idle_steps, delay == 0)?;
            continue;
        }
        idle_steps = 0;
        outcomes = transport.send(requests).await?;
    }
}

/// Whoever asks for nothing that takes time, over and over, would hold up all others.
fn count_idle(idle_steps: &mut u32, is_idle: bool) -> Result<(), SessionEnd> {
    *idle_steps = if is_idle { *idle_steps + 1 } else { 0 };
    match *idle_steps > MAX_IDLE_STEPS {
        true => {
            let why = "it asks for neither a request nor a delay, over and over";
            Err(SessionEnd::Refused(why.into()))
        }
        false => Ok(()),
    }
}

/// It takes what has come, and waits for nothing.
fn looks_only(operation: &Operation) -> bool {
    matches!(operation, Operation::Receive { within_ms: 0, .. })
}

/// Nothing came of an operation, and at once: its channel is over, or it only `looked`.
fn is_vain(outcome: &Outcome, looked: bool) -> bool {
    match outcome {
        Outcome::Failed(Failure::Channel) => true,
        Outcome::Received(Received { messages, .. }) => match &messages[..] {
            [] => looked,
            [one] => one.content == Content::End,
            _ => false,
        },
        _ => false,
    }
}

/// The budget was spent, or the run is over.
fn was_stopped(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed(Failure::Stopped))
}

#[cfg(test)]
pub(crate) mod testing {
    use vespeiro_behavior::types::{Capture, Method, Request, RequestKind, RouteRef};

    /// A request as any.
    pub(crate) fn request() -> Request {
        Request {
            method: Method::Get,
            kind: RequestKind::Plain,
            grpc: false,
            route: RouteRef::Described(0),
            path: "/".into(),
            headers: Vec::new(),
            body: None,
            expect: Vec::new(),
            category: Some(0),
            capture: Capture::default(),
            timeout_ms: None,
            mark: None,
            fault: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use futures_util::FutureExt as _;

    use super::*;
    use vespeiro_behavior::types::Message;

    /// Gives these steps and remembers what became of them.
    #[derive(Default)]
    struct Scripted {
        steps: VecDeque<Step>,
        /// What `may_send` answers in turn; `true` at the end.
        may_send: VecDeque<bool>,
        heard: Vec<usize>,
        waited: u64,
        sent: usize,
        /// Operations.
        carried: usize,
        /// Requests end as stopped, not as reset.
        is_stopped: bool,
    }

    impl Transport for Scripted {
        fn next(&mut self, outcomes: Vec<Outcome>) -> Result<Step, SessionEnd> {
            self.heard.push(outcomes.len());
            self.steps.pop_front().ok_or(SessionEnd::Cut)
        }

        async fn wait(&mut self, step: &Step) {
            self.waited += u64::from(step.delay_ms);
        }

        fn may_send(&mut self, requests: bool) -> Result<bool, SessionEnd> {
            if !requests {
                return Ok(true);
            }
            Ok(self.may_send.pop_front().unwrap_or(true))
        }

        async fn send(&mut self, requests: Vec<Request>) -> Result<Vec<Outcome>, SessionEnd> {
            self.sent += requests.len();
            let failure = match self.is_stopped {
                true => Failure::Stopped,
                false => Failure::Reset,
            };
            Ok(vec![Outcome::Failed(failure); requests.len()])
        }

        async fn carry_out(
            &mut self,
            operations: Vec<Operation>,
        ) -> Result<Vec<Outcome>, SessionEnd> {
            self.carried += operations.len();
            Ok(vec![
                Outcome::Received(Received::default());
                operations.len()
            ])
        }
    }

    fn receive(within_ms: u32) -> Step {
        let receive = Operation::Receive {
            channel: 0,
            at_most: 1,
            within_ms,
        };
        Step {
            delay_ms: 0,
            action: Action::Operations(vec![receive; 2]),
        }
    }

    fn requests(count: usize, delay_ms: u32) -> Step {
        Step {
            delay_ms,
            action: Action::Requests(vec![testing::request(); count]),
        }
    }

    fn played(scripted: &mut Scripted) -> SessionEnd {
        drive(scripted).now_or_never().unwrap()
    }

    #[test]
    fn a_session_hears_of_a_batch_before_its_next_step() {
        let done = Step {
            delay_ms: 5,
            action: Action::Done(Ending::Completed),
        };
        let mut scripted = Scripted {
            steps: [requests(2, 10), requests(1, 0), done].into(),
            ..Scripted::default()
        };
        assert!(matches!(played(&mut scripted), SessionEnd::Completed));
        assert_eq!((scripted.sent, scripted.waited), (3, 15));
        assert_eq!(scripted.heard, [0, 2, 1]);
    }

    #[test]
    fn whoever_ends_since_nothing_more_is_sent_is_cut_and_has_not_given_up() {
        let gives_up = || Step {
            delay_ms: 0,
            action: Action::Done(Ending::Abandoned),
        };
        let ended = |is_stopped| {
            let steps = [requests(1, 0), gives_up()].into();
            played(&mut Scripted {
                steps,
                is_stopped,
                ..Scripted::default()
            })
        };
        assert!(matches!(ended(true), SessionEnd::Cut));
        assert!(matches!(ended(false), SessionEnd::Abandoned));
    }

    #[test]
    fn a_step_that_may_not_be_sent_is_dropped_and_the_session_asked_again() {
        let mut scripted = Scripted {
            steps: [requests(2, 0), requests(1, 0)].into(),
            may_send: [false].into(),
            ..Scripted::default()
        };
        assert!(matches!(played(&mut scripted), SessionEnd::Cut));
        assert_eq!((scripted.sent, scripted.heard), (1, vec![0, 0, 1]));
    }

    #[test]
    fn a_delay_past_the_bound_and_idling_fail() {
        let ended = |steps: Vec<Step>| {
            let mut scripted = Scripted {
                steps: steps.into(),
                ..Scripted::default()
            };
            match played(&mut scripted) {
                SessionEnd::Refused(why) => why,
                other => format!("{other:?}"),
            }
        };
        assert_eq!(
            ended(vec![requests(1, MAX_DELAY_MS + 1)]),
            "a delay of 3600001 ms is over 3600000"
        );
        let idle = MAX_IDLE_STEPS as usize;
        assert_eq!(ended(vec![requests(0, 0); idle]), "Cut");
        assert!(ended(vec![requests(0, 0); idle + 1]).contains("over and over"));
        assert_eq!(ended(vec![requests(0, 1); idle * 2]), "Cut");
        // Looking for messages, over and over, is idling as well; waiting for some is not.
        assert!(ended(vec![receive(0); idle + 1]).contains("over and over"));
        assert_eq!(ended(vec![receive(1); idle * 2]), "Cut");
    }

    #[test]
    fn what_is_done_in_vain_over_and_over_is_idling() {
        let message = |content| {
            let (event, id) = (String::new(), String::new());
            let messages = vec![Message {
                content,
                event,
                id,
                at_us: 0,
            }];
            Outcome::Received(Received {
                messages,
                dropped: 0,
            })
        };
        for (outcome, looked, vain) in [
            (Outcome::Failed(Failure::Channel), false, true),
            (Outcome::Failed(Failure::Timeout), false, false),
            (Outcome::Received(Received::default()), true, true),
            (Outcome::Received(Received::default()), false, false),
            (message(Content::End), false, true),
            (message(Content::Text("a".into())), true, false),
            (Outcome::Done, false, false),
        ] {
            assert_eq!(is_vain(&outcome, looked), vain, "{outcome:?}");
        }
    }

    #[test]
    fn a_session_hears_of_operations_in_their_number() {
        let mut scripted = Scripted {
            steps: [receive(5), requests(1, 0)].into(),
            ..Scripted::default()
        };
        assert!(matches!(played(&mut scripted), SessionEnd::Cut));
        assert_eq!((scripted.carried, scripted.sent), (2, 1));
        assert_eq!(scripted.heard, [0, 2, 1]);
    }
}
