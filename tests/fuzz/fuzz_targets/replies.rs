//! The replies of a rehearsal, lines of JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vespeiro_behavior::types::{Capture, Method, Request};
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
        for capture in [Capture::BODY | Capture::HEADERS, Capture::empty()] {
            replies.answer(&Request {
                method,
                path: path.into(),
                route: "/api/v1/users/{id}".into(),
                category: "user-query".into(),
                headers: Vec::new(),
                body: None,
                capture,
                timeout_ms: None,
                mark: None,
                fault: None,
            });
        }
    }
});
