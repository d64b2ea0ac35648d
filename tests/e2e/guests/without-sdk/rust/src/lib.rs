//! Someone who asks for `/health` and is done: the contract by wit-bindgen, without any SDK. It uses what brings WASI into a
//! module: it prints, looks at the clock, and has a map whose order is random.

use std::cell::Cell;
use std::collections::HashMap;
use std::time::SystemTime;

use exports::vespeiro::behavior::behavior::{Guest, GuestSession};
use vespeiro::behavior::types::*;

wit_bindgen::generate!({
    path: "../../../../../guest-sdk/wit",
    world: "archetype",
});

struct Behavior;

struct Session {
    user: u32,
    asked: Cell<bool>,
}

impl Guest for Behavior {
    type Session = Session;

    fn describe() -> Description {
        Description {
            name: "without-sdk".into(),
            version: "0.1.0".into(),
            routes: vec![Route {
                method: Method::Get,
                path: "/health".into(),
                category: "monitoring".into(),
            }],
            categories: vec!["monitoring".into()],
        }
    }
}

impl GuestSession for Session {
    fn new(setup: Setup) -> Self {
        Self {
            user: setup.user.index,
            asked: Cell::new(false),
        }
    }

    fn next(&self, _: Context, outcomes: Vec<Outcome>) -> Result<Step, String> {
        if self.asked.replace(true) {
            return match outcomes.first() {
                Some(Outcome::Response(Response { status: 200, .. })) => Ok(Step {
                    delay_ms: 0,
                    action: Action::Done(Ending::Completed),
                }),
                other => Err(format!("{other:?}")),
            };
        }
        let words = HashMap::from([("I am", self.user), ("of", 3)]);
        let year = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_err(|error| error.to_string())?
            .as_secs()
            / (365 * 24 * 3600)
            + 1970;
        println!("I am {} of {} in {year}", words["I am"], words["of"]);
        Ok(Step {
            delay_ms: 0,
            action: Action::Requests(vec![Request {
                method: Method::Get,
                path: "/health".into(),
                route: "/health".into(),
                category: "monitoring".into(),
                headers: Vec::new(),
                body: None,
                capture: Capture::empty(),
                timeout_ms: None,
                mark: None,
                fault: None,
            }]),
        })
    }
}

export!(Behavior);
