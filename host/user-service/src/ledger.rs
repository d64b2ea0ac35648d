//! The requests that were received. The ledger is the oracle of the load tool's tests: each request is in it exactly once,
//! and before its answer leaves.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{MatchedPath, Request};
use axum::http::{Method, Response};
use tonic::Code;

use crate::grpc;

/// Route label of requests off the table.
const UNMATCHED: &str = "unmatched";
/// Status of a request whose client went away before its answer was made; no answer ever carries it by itself.
const CLIENT_GONE: Status = Status::Http(499);

type Counts = BTreeMap<(&'static str, Status), u64>;

/// What an answer said of itself: a number, or the name of a gRPC code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Status {
    Http(u16),
    Grpc(&'static str),
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(number) => number.fmt(f),
            Self::Grpc(name) => f.write_str(name),
        }
    }
}

/// Requests by route, method and status; as many cells as the table allows, whatever clients send.
#[derive(Clone, Default)]
pub struct Ledger(Arc<Mutex<BTreeMap<Box<str>, Counts>>>);

/// A request being answered. It is counted when closed or, if its task is dropped first, as gone.
pub struct Entry {
    ledger: Ledger,
    route: Option<MatchedPath>,
    method: &'static str,
    status: Status,
}

impl Ledger {
    /// A gRPC call: until it has a status it is cancelled.
    pub fn open_call(&self, request: &Request) -> Entry {
        let mut entry = self.open(request);
        entry.status = Status::Grpc(grpc::name(Code::Cancelled));
        entry
    }

    pub fn open(&self, request: &Request) -> Entry {
        Entry {
            ledger: self.clone(),
            route: request.extensions().get::<MatchedPath>().cloned(),
            method: method_label(request.method()),
            status: CLIENT_GONE,
        }
    }

    fn count(&self, route: &str, method: &'static str, status: Status) {
        let mut routes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Only the first request of a route pays for its name.
        if !routes.contains_key(route) {
            routes.insert(route.into(), Counts::new());
        }
        if let Some(counts) = routes.get_mut(route) {
            *counts.entry((method, status)).or_default() += 1;
        }
    }

    pub fn write(&self, text: &mut String) -> std::fmt::Result {
        let routes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (route, counts) in routes.iter() {
            for ((method, status), count) in counts {
                writeln!(
                    text,
                    "user_service_requests_total{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}} {count}"
                )?;
            }
        }
        Ok(())
    }
}

impl Entry {
    /// What the head of an answer says: that of a call may be a status already.
    pub fn close<B>(mut self, response: &Response<B>) {
        self.status = match grpc::code_of(response.headers()) {
            Some(code) => Status::Grpc(grpc::name(code)),
            None => Status::Http(response.status().as_u16()),
        };
    }

    pub fn close_call(mut self, code: Code) {
        self.status = Status::Grpc(grpc::name(code));
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let route = self.route.as_ref().map_or(UNMATCHED, MatchedPath::as_str);
        self.ledger.count(route, self.method, self.status);
    }
}

/// The method's name, or `OTHER`: clients can invent methods, but not labels.
fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "PATCH" => "PATCH",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        _ => "OTHER",
    }
}
