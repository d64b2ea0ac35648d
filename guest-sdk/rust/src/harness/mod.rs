//! The test harness: plays a behavior natively, against scripted replies, so that an author unit-tests a journey with
//! plain `cargo test`. It runs the same executor as the module does, and holds it to the contract as the host would.
//!
//! ```
//! # use vespeiro_guest::prelude::*;
//! # const LOGIN: Route = Route::post("/login", "auth").login();
//! # async fn journey(me: &mut Me) -> Result<()> {
//! #     me.call(LOGIN).send().await?.expect_status(200)?;
//! #     Ok(())
//! # }
//! # behavior! { name: "b", version: "0.1.0", routes: [LOGIN], journey: journey }
//! # fn main() {
//! use serde_json::json;
//! use vespeiro_guest::contract::Ending;
//! use vespeiro_guest::harness::Harness;
//!
//! let played = Harness::new(&BEHAVIOR).seed(7).reply(LOGIN, 503, json!({})).run();
//! assert_eq!(played.ending, Ok(Ending::Abandoned));
//! assert_eq!(played.requests.len(), 1);
//! # }
//! ```

mod channels;
mod played;
mod script;
mod sent;

pub use played::Played;
pub use sent::Sent;

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::Value;

use crate::contract::{
    Action, Context, Failure, MAX_DELAY_MS, Operation, Outcome, Pace, Purpose, Setup, User,
};
use crate::session::Session;
use crate::{Behavior, Code, Fault, Route};
use channels::Channels;
use played::Recorder;
use script::Script;

/// A session that takes more steps than this does not end.
const MAX_STEPS: usize = 100_000;

/// One session to be played, and the world it meets.
#[derive(Debug)]
pub struct Harness {
    behavior: &'static Behavior,
    setup: Setup,
    script: Script,
    budget: u32,
    latency_us: u64,
    mix: Vec<(&'static str, f32)>,
    faults: Vec<Fault>,
    feeds: Vec<(String, Vec<Value>)>,
    channels: Channels,
    secrets: Vec<(String, String)>,
    remembered: Option<String>,
    shared: Option<String>,
}

impl Harness {
    /// A first session of user 0 in the run `testrun0`, with a pace of 100 to 2000 ms, a budget of 1000 requests and
    /// replies that take a millisecond.
    #[must_use]
    pub fn new(behavior: &'static Behavior) -> Harness {
        let run = "testrun0";
        Harness {
            behavior,
            setup: Setup {
                user: user(run, 0),
                ordinal: 0,
                seed: 1,
                purpose: Purpose::Journey,
                pace: Pace {
                    delay_min_ms: 100,
                    delay_max_ms: 2000,
                },
                run: run.into(),
                config: "{}".into(),
            },
            script: Script::default(),
            budget: 1000,
            latency_us: 1000,
            mix: Vec::new(),
            faults: Vec::new(),
            feeds: Vec::new(),
            channels: Channels::default(),
            secrets: Vec::new(),
            remembered: None,
            shared: None,
        }
    }

    /// The session's seed.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.setup.seed = seed;
        self
    }

    /// Another user of the run.
    #[must_use]
    pub fn user(mut self, index: u32) -> Self {
        self.setup.user = user(&self.setup.run, index);
        self
    }

    /// How many sessions the user has begun before.
    #[must_use]
    pub fn ordinal(mut self, ordinal: u32) -> Self {
        self.setup.ordinal = ordinal;
        self
    }

    /// The archetype's configuration.
    #[must_use]
    pub fn config(mut self, config: Value) -> Self {
        self.setup.config = config.to_string();
        self
    }

    /// Bounds of the pauses in milliseconds.
    #[must_use]
    pub fn pace(mut self, min_ms: u32, max_ms: u32) -> Self {
        self.setup.pace = Pace {
            delay_min_ms: min_ms,
            delay_max_ms: max_ms,
        };
        self
    }

    /// How many requests the user may send.
    #[must_use]
    pub fn budget(mut self, requests: u32) -> Self {
        self.budget = requests;
        self
    }

    /// What each reply takes, in microseconds.
    #[must_use]
    pub fn latency_us(mut self, micros: u64) -> Self {
        self.latency_us = micros;
        self
    }

    /// How far the plan's mix is from a category's share, in percentage points; the same at each step.
    #[must_use]
    pub fn wanted(mut self, category: &'static str, points: f32) -> Self {
        self.mix.push((category, points));
        self
    }

    /// Ask for this fault until a request commits it; then for the next one.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Play a cleanup of these marks instead of a journey.
    #[must_use]
    pub fn cleanup<'a>(mut self, marks: impl IntoIterator<Item = &'a str>) -> Self {
        self.setup.purpose = Purpose::Cleanup(marks.into_iter().map(Into::into).collect());
        self
    }

    /// Rows of a data feed; after the last one comes the first.
    #[must_use]
    pub fn feed(mut self, name: &str, rows: impl IntoIterator<Item = Value>) -> Self {
        self.feeds.push((name.into(), rows.into_iter().collect()));
        self
    }

    /// Play what is done once before a run.
    #[must_use]
    pub fn prepare(mut self) -> Self {
        self.setup.purpose = Purpose::Prepare;
        self
    }

    /// Play what is done once after a run.
    #[must_use]
    pub fn teardown(mut self) -> Self {
        self.setup.purpose = Purpose::Teardown;
        self
    }

    /// What the preparation has shared.
    #[must_use]
    pub fn shared(mut self, value: &Value) -> Self {
        self.shared = Some(value.to_string());
        self
    }

    /// What the user remembers of sessions before.
    #[must_use]
    pub fn remembered(mut self, notes: &Value) -> Self {
        self.remembered = Some(notes.to_string());
        self
    }

    /// One of the plan's secrets.
    #[must_use]
    pub fn secret(mut self, name: &str, value: &str) -> Self {
        self.secrets.push((name.into(), value.into()));
        self
    }

    /// Answer a route like this whenever nothing else is left for it.
    #[must_use]
    pub fn reply(mut self, route: Route, status: u16, body: Value) -> Self {
        self.script
            .always(route, Box::new(move |_| script::response(status, &body)));
        self
    }

    /// Answer a route like this once, in the order of the calls.
    #[must_use]
    pub fn reply_once(mut self, route: Route, status: u16, body: Value) -> Self {
        self.script
            .once(route, Box::new(move |_| script::response(status, &body)));
        self
    }

    /// End the calls of a gRPC method like this: with a message where the code is OK, for instance what `encode_to_vec` of
    /// `prost` gives.
    #[must_use]
    pub fn grpc(mut self, route: Route, code: Code, message: impl Into<Vec<u8>>) -> Self {
        let message = message.into();
        self.script.always(
            route,
            Box::new(move |_| script::status(code, message.clone())),
        );
        self
    }

    /// Let a route fail once, in the order of the calls.
    #[must_use]
    pub fn fail_once(mut self, route: Route, failure: Failure) -> Self {
        self.script
            .once(route, Box::new(move |_| Outcome::Failed(failure.clone())));
        self
    }

    /// Answer a route with what a function makes of the request: a status and a JSON body.
    #[must_use]
    pub fn answer(
        mut self,
        route: Route,
        mut answer: impl FnMut(&Sent) -> (u16, Value) + 'static,
    ) -> Self {
        self.script.always(
            route,
            Box::new(move |request| {
                let (status, body) = answer(request);
                script::response(status, &body)
            }),
        );
        self
    }

    /// Let a route open a channel, over which these messages come; then nothing more does. Without this a WebSocket that an
    /// answer with the status 101 opens says back what it is told, and an event stream (200) says nothing.
    #[must_use]
    pub fn messages<'a>(
        mut self,
        route: Route,
        messages: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let messages = messages.into_iter().map(str::to_owned).collect();
        self.channels.script(route, messages);
        self.reply(route, 101, Value::Null)
    }

    /// Answer every route that has no answer of its own.
    #[must_use]
    pub fn otherwise(mut self, status: u16, body: Value) -> Self {
        self.script
            .otherwise(Box::new(move |_| script::response(status, &body)));
        self
    }

    /// Play it to its end.
    #[must_use]
    pub fn run(mut self) -> Played {
        let recorder = Rc::new(RefCell::new(Played {
            remembered: self.remembered.take(),
            shared: self.shared.take(),
            ..Played::default()
        }));
        let host = Recorder::new(
            Rc::clone(&recorder),
            std::mem::take(&mut self.feeds),
            std::mem::take(&mut self.secrets),
        );
        let session = Session::begin(self.behavior, self.setup.clone(), Box::new(host));
        let state_bytes = session.state_bytes();
        let ending = self.play(&session, &recorder);
        drop(session);
        let mut played = recorder.take();
        played.ending = ending;
        played.state_bytes = state_bytes;
        played
    }

    fn play(
        &mut self,
        session: &Session,
        recorder: &RefCell<Played>,
    ) -> Result<crate::contract::Ending, String> {
        let mut outcomes = Vec::new();
        let (mut elapsed_us, mut left) = (0, self.budget);
        for _ in 0..MAX_STEPS {
            let context = Context {
                elapsed_ms: elapsed_us / 1000,
                requests_left: left,
                mix: self.mix_hints(),
                fault: self.faults.first().copied().map(Into::into),
            };
            let step = session.next(context, std::mem::take(&mut outcomes))?;
            if let Some(why) = recorder.borrow_mut().refused.take() {
                return Err(why);
            }
            recorder.borrow_mut().steps.push(step.clone());
            if step.delay_ms > MAX_DELAY_MS {
                return Err(format!(
                    "a pause of {} ms is longer than an hour",
                    step.delay_ms
                ));
            }
            elapsed_us += u64::from(step.delay_ms) * 1000;
            recorder.borrow_mut().elapsed_ms = elapsed_us / 1000;
            let operations = match step.action {
                Action::Done(ending) => return Ok(ending),
                Action::Requests(requests) => {
                    requests.into_iter().map(Operation::Request).collect()
                }
                Action::Operations(operations) => operations,
            };
            for operation in operations {
                let (protocol, request) = match operation {
                    Operation::Request(request) => (None, request),
                    Operation::Open(open) => (Some(open.protocol), open.request),
                    other => {
                        if let Operation::Send(sending) = &other {
                            let content = sending.content.clone();
                            recorder.borrow_mut().messages.push(content);
                        }
                        let carried = self.channels.carry_out(other, &mut elapsed_us)?;
                        outcomes.push(carried);
                        continue;
                    }
                };
                let request = Sent::of(self.behavior, request)?;
                if request.fault.is_some() && request.fault == self.faults.first().copied() {
                    self.faults.remove(0);
                }
                if left == 0 {
                    return Err(format!("{} was sent beyond the budget", request.route));
                }
                left -= 1;
                let mut outcome = self.script.play(&request, self.latency_us)?;
                if let (Some(protocol), Outcome::Response(response)) = (protocol, &outcome) {
                    outcome = self.channels.open(protocol, &request, response)?;
                }
                outcomes.push(outcome);
                recorder.borrow_mut().requests.push(request);
            }
            elapsed_us += if outcomes.is_empty() {
                0
            } else {
                self.latency_us
            };
        }
        Err(format!("no end after {MAX_STEPS} steps"))
    }

    fn mix_hints(&self) -> Vec<f32> {
        if self.mix.is_empty() {
            return Vec::new();
        }
        let wanted = |category: &&str| {
            self.mix
                .iter()
                .find(|(name, _)| name == category)
                .map_or(0.0, |(_, n)| *n)
        };
        self.behavior.categories().iter().map(wanted).collect()
    }
}

fn user(run: &str, index: u32) -> User {
    let username = format!("sim_user_{run}_{index}");
    User {
        index,
        seed: u64::from(index),
        email: format!("{username}@simulation.test"),
        username,
        password: "SimPass123!".into(),
        name: format!("Simulated User {index}"),
    }
}
