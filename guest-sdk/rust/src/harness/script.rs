//! What the target answers in a harness: for each route a queue of single answers, then a standing one. Used by the
//! harness only; a request without an answer is an error that names the route.

use std::collections::{HashMap, VecDeque};

use serde_json::Value;

use super::Sent;
use crate::contract::{Capture, GrpcStatus, Method, Outcome, Response};
use crate::{Code, Route};

pub(super) type Answer = Box<dyn FnMut(&Sent) -> Outcome>;

#[derive(Default)]
struct Answers {
    once: VecDeque<Answer>,
    always: Option<Answer>,
}

#[derive(Default)]
pub(super) struct Script {
    routes: HashMap<(Method, &'static str), Answers>,
    otherwise: Option<Answer>,
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.routes.keys()).finish()
    }
}

impl Script {
    pub(super) fn once(&mut self, route: Route, answer: Answer) {
        self.routes
            .entry((route.method, route.path))
            .or_default()
            .once
            .push_back(answer);
    }

    pub(super) fn always(&mut self, route: Route, answer: Answer) {
        self.routes
            .entry((route.method, route.path))
            .or_default()
            .always = Some(answer);
    }

    pub(super) fn otherwise(&mut self, answer: Answer) {
        self.otherwise = Some(answer);
    }

    /// The outcome as the session sees it: only what it captures.
    pub(super) fn play(&mut self, request: &Sent, latency_us: u64) -> Result<Outcome, String> {
        let mut outcome = self.find(request)?;
        if let Outcome::Response(response) = &mut outcome {
            response.latency_us = latency_us;
            if !request.capture.contains(Capture::BODY) {
                response.body = Vec::new();
            }
            if !request.capture.contains(Capture::HEADERS) {
                response.headers = Vec::new();
            }
        }
        Ok(outcome)
    }

    fn find(&mut self, request: &Sent) -> Result<Outcome, String> {
        let known = self
            .routes
            .iter_mut()
            .find(|((method, path), _)| *method == request.method && *path == request.route);
        if let Some((_, answers)) = known {
            if let Some(mut answer) = answers.once.pop_front() {
                return Ok(answer(request));
            }
            if let Some(answer) = &mut answers.always {
                return Ok(answer(request));
            }
        }
        match &mut self.otherwise {
            Some(answer) => Ok(answer(request)),
            None => Err(format!(
                "no reply is scripted for {:?} {}",
                request.method, request.route
            )),
        }
    }
}

pub(super) fn response(status: u16, body: &Value) -> Outcome {
    let headers = vec![("content-type".into(), "application/json".into())];
    Outcome::Response(Response {
        status,
        headers,
        body: body.to_string().into_bytes(),
        latency_us: 0,
        grpc: None,
    })
}

/// Of a gRPC call.
pub(super) fn status(code: Code, message: Vec<u8>) -> Outcome {
    Outcome::Response(Response {
        status: 200,
        headers: vec![("content-type".into(), "application/grpc".into())],
        body: message,
        latency_us: 0,
        grpc: Some(GrpcStatus {
            code: code.number().into(),
            message: String::new(),
            trailers: Vec::new(),
        }),
    })
}
