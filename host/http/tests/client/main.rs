//! The client against targets on real sockets that do what a test says; what they saw is the oracle.

// Tests measure by the machine's clock.
#![allow(clippy::disallowed_methods)]

mod answers;
mod channels;
mod chaos;
mod connections;
mod encrypted;
mod failures;
mod http2;
mod server;
#[allow(dead_code)]
#[path = "../support/mod.rs"]
mod support;
mod uploads;

use std::rc::Rc;

use http::Method;
use vespeiro_http::codec::{Codings, HeadOptions, RouteHead};
use vespeiro_http::{Answer, Call, Capture, Failure, Outcome};

/// A request that captures everything.
pub fn call(method: Method, path: &str) -> Call {
    with(method, path, &[], None)
}

pub fn get(path: &str) -> Call {
    call(Method::GET, path)
}

pub fn with(method: Method, path: &str, headers: &[(&str, &str)], body: Option<Vec<u8>>) -> Call {
    let options = HeadOptions {
        host: "target.test".into(),
        user_agent: "vespeiro/test".into(),
        run_id: "r1".into(),
        codings: Codings {
            gzip: true,
            br: true,
            zstd: true,
        },
        ..HeadOptions::default()
    };
    let head = Rc::new(RouteHead::new(&options, method).expect("a valid request"));
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect();
    let call = Call::new(head, path.into(), headers, body).expect("a valid request");
    call.capture(Capture {
        headers: true,
        body: true,
    })
}

/// The answer of a request that has to have one.
pub fn answer(outcome: &Outcome) -> &Answer {
    assert!(outcome.phases.service() > std::time::Duration::ZERO);
    outcome
        .result
        .as_ref()
        .unwrap_or_else(|flaw| panic!("{flaw:?}"))
}

pub fn body(outcome: &Outcome) -> String {
    String::from_utf8(answer(outcome).body.clone()).expect("UTF-8")
}

/// The failure of a request that has to have one, and its cause.
pub fn failure(outcome: &Outcome) -> (Failure, &str) {
    match &outcome.result {
        Ok(answer) => panic!("an answer: {answer:?}"),
        Err(flaw) => (flaw.failure, &flaw.cause),
    }
}
