//! One session, played as a run would: the same bounds, the same refusals, a clock that only knows delays and replies.

use std::time::{Duration, Instant};

use ::http::Method;
use url::Url;

use super::replies::{Answer, Replies};
use vespeiro_behavior::types::{Action, Context, Ending, Outcome, Request, Setup};
use vespeiro_behavior::{
    Crash, Feeder, GuestEvent, MAX_BATCH, MAX_DELAY_MS, MAX_IDLE_STEPS, MAX_MARK, Slot,
    StartedSession,
};
use vespeiro_http::Call;

/// Steps of a session that never ends by itself.
const MAX_STEPS: u32 = 10_000;

/// How a session came to its end.
#[derive(Debug, Clone)]
pub enum Ended {
    Completed,
    Abandoned,
    /// Its budget was spent.
    Cut,
    /// The behavior answered with an error, or asked for what it may not have.
    Failed(String),
    Crashed(Crash),
}

/// What happens in a session, in turn.
#[derive(Debug)]
pub enum Happening<'a> {
    Wait {
        ms: u32,
    },
    Sent {
        request: &'a Request,
        answer: &'a Answer,
        /// `describe` does not list its method and route: it counts as `other`.
        undeclared: bool,
    },
    Said(GuestEvent),
}

/// A session that is over.
#[derive(Debug)]
pub struct Played {
    pub ended: Ended,
    pub steps: u32,
    pub requests: u32,
    /// What the session was told of time at its end, in milliseconds.
    pub elapsed_ms: u64,
    /// How long each call of `next` took.
    pub calls: Vec<Duration>,
}

/// Play one session in `slot`, with the rows of `feeder` and at most `budget` requests. `watch` sees what happens, and
/// when.
pub fn play(
    slot: &mut Slot,
    setup: &Setup,
    feeder: &Feeder,
    replies: &mut Replies,
    base: &Url,
    budget: u32,
    mut watch: impl FnMut(u64, Happening<'_>),
) -> Played {
    let mut played = Played {
        ended: Ended::Cut,
        steps: 0,
        requests: 0,
        elapsed_ms: 0,
        calls: Vec::new(),
    };
    let behavior = std::sync::Arc::clone(slot.behavior());
    let mut session = match slot.begin(setup, feeder.clone()) {
        Ok(StartedSession { session, .. }) => session,
        Err(crash) => {
            played.ended = Ended::Crashed(crash);
            return played;
        }
    };
    session.events(|event| watch(0, Happening::Said(event)));
    let mut outcomes: Vec<Outcome> = Vec::new();
    let mut idle = 0;
    let ended = loop {
        if played.steps == MAX_STEPS {
            break Ended::Failed(format!(
                "it has not come to its end after {MAX_STEPS} steps"
            ));
        }
        let context = Context {
            elapsed_ms: played.elapsed_ms,
            requests_left: budget - played.requests,
            mix: Vec::new(),
            fault: None,
        };
        let called = Instant::now();
        let answer = session.next(&context, &outcomes);
        played.calls.push(called.elapsed());
        played.steps += 1;
        session.events(|event| watch(played.elapsed_ms, Happening::Said(event)));
        let step = match answer {
            Ok(Ok(step)) => step,
            Ok(Err(message)) => break Ended::Failed(message),
            Err(crash) => break Ended::Crashed(crash),
        };
        if step.delay_ms > MAX_DELAY_MS {
            break Ended::Failed(format!(
                "a delay of {} ms is over {MAX_DELAY_MS}",
                step.delay_ms
            ));
        }
        if step.delay_ms > 0 {
            watch(played.elapsed_ms, Happening::Wait { ms: step.delay_ms });
            played.elapsed_ms += u64::from(step.delay_ms);
        }
        let requests = match step.action {
            Action::Done(Ending::Completed) => break Ended::Completed,
            Action::Done(Ending::Abandoned) => break Ended::Abandoned,
            Action::Requests(requests) => requests,
        };
        if played.requests == budget {
            break Ended::Cut;
        }
        idle = if requests.is_empty() && step.delay_ms == 0 {
            idle + 1
        } else {
            0
        };
        if idle > MAX_IDLE_STEPS {
            break Ended::Failed("it asks for neither a request nor a delay, over and over".into());
        }
        if let Err(refused) = check(&requests, base) {
            break Ended::Failed(refused);
        }
        outcomes.clear();
        let mut slowest_us = 0;
        for request in &requests {
            if played.requests == budget {
                outcomes.push(Outcome::Failed(vespeiro_behavior::types::Failure::Stopped));
                continue;
            }
            played.requests += 1;
            let answer = replies.answer(request);
            let undeclared = !behavior
                .routes
                .iter()
                .any(|route| route.method == request.method && route.path == request.route);
            if let Outcome::Response(response) = &answer.outcome {
                slowest_us = slowest_us.max(response.latency_us);
            }
            let sent = Happening::Sent {
                request,
                answer: &answer,
                undeclared,
            };
            watch(played.elapsed_ms, sent);
            outcomes.push(answer.outcome);
        }
        played.elapsed_ms += slowest_us / 1000;
    };
    played.ended = match (session.end(), ended) {
        (Err(crash), ended) if !matches!(ended, Ended::Crashed(_)) => Ended::Crashed(crash),
        (_, ended) => ended,
    };
    played
}

/// What a run would refuse, it refuses too.
fn check(requests: &[Request], base: &Url) -> Result<(), String> {
    if requests.len() > MAX_BATCH {
        let count = requests.len();
        return Err(format!(
            "a batch of {count} requests is over the {MAX_BATCH} that are allowed"
        ));
    }
    for request in requests {
        let route = &request.route;
        let mark = request.mark.as_deref().unwrap_or_default();
        if mark.len() > MAX_MARK {
            let length = mark.len();
            return Err(format!(
                "request {route:?}: a mark of {length} bytes is over the {MAX_MARK} that are allowed"
            ));
        }
        let method = Method::from_bytes(request.method.as_str().as_bytes())
            .map_err(|error| error.to_string())?;
        Call::new(base, method, &request.path, request.headers.clone(), None)
            .map_err(|refused| format!("request {route:?}: {refused}"))?;
    }
    Ok(())
}
