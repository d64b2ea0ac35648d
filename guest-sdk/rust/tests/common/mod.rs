//! What the tests of the executor share: a few routes, a behavior of one journey, and how its steps look.

#![allow(dead_code)] // no test uses all of it

use vespeiro_guest::contract::{Action, Step};
use vespeiro_guest::prelude::*;

pub const A: Route = Route::get("/a/{id}/b/{name}", "query");
pub const B: Route = Route::post("/b", "mutation");
pub const LOGIN: Route = Route::post("/login", "auth").login();
pub const REFRESH: Route = Route::post("/refresh", "auth").refresh();
pub const LOGOUT: Route = Route::post("/logout", "auth").logout();
pub const ROUTES: &[Route] = &[A, B, LOGIN, REFRESH, LOGOUT];

/// A harness for a behavior of this one journey, in a world where everything answers 200 and `{}`.
macro_rules! playing {
    ($journey:path) => {{
        static BEHAVIOR: Behavior = Behavior::new("test", "0.0.0", ROUTES, |me| {
            Box::pin(async move { $journey(&me).await })
        });
        Harness::new(&BEHAVIOR).otherwise(200, json!({}))
    }};
}

/// How many requests each step sends.
pub fn sizes(steps: &[Step]) -> Vec<usize> {
    let size = |action: &Action| match action {
        Action::Requests(requests) => requests.len(),
        Action::Operations(operations) => operations.len(),
        Action::Done(_) => 0,
    };
    steps.iter().map(|step| size(&step.action)).collect()
}
