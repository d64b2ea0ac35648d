//! The replies of a rehearsal, lines of JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vespeiro_behavior::types::{Capture, Method, Request, RequestKind, RouteRef};
use vespeiro_engine::rehearsal::Replies;
use vespeiro_fuzz::is_one_line;

fuzz_target!(|text: &str| {
    let mut replies = match Replies::parse(text, "replies.jsonl") {
        Ok(replies) => replies,
        Err(error) => return is_one_line(error),
    };
    for (method, path) in [
        (Method::Get, "/api/v1/users/7"),
        (Method::Post, "/login"),
        (Method::Delete, "/a?b=c"),
    ] {
        for kept in [true, false] {
            let asked = Request {
                method,
                kind: RequestKind::Plain,
                grpc: false,
                path: path.into(),
                route: RouteRef::Described(0),
                category: Some(0),
                headers: Vec::new(),
                body: None,
                expect: Vec::new(),
                capture: Capture {
                    headers: kept,
                    body: kept,
                },
                timeout_ms: None,
                mark: None,
                fault: None,
            };
            replies.answer(&asked, "/api/v1/users/{id}");
        }
    }
});
