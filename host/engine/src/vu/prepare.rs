//! Checks every request of a behavior's step before any of them leaves, and gives each the labels it counts under. Used
//! by `live.rs`, by the teardown and by rehearsals; `exchange.rs` sends what comes of it.

use std::sync::Arc;
use std::time::Duration;

use super::channels::ChannelRefused;
use crate::rollout::labels::method;
use crate::rollout::runtime::VersionRuntime;
use crate::seed::{Stream, log_normal, within};
use crate::worker::state::WorkerState;
use vespeiro_behavior::types::{self, Body, Request, RequestKind};
use vespeiro_behavior::{Behavior, MAX_BATCH, MAX_MARK, MAX_PIECES};
use vespeiro_http::{Answer, Call, Capture, Piece, Pieces, Reads, Refused};
use vespeiro_model::{FaultKind, GrpcCode, Outcome};
use vespeiro_plan::{BodyFiles, CookiesFor};

/// How long somebody waits who is to get no answer: from the shortest to the longest, in seconds.
const WAITS: (f64, f64) = (0.3, 3.0);
/// The target is asked to take so many times as long, so that even a quick one is too late.
const TOO_LATE: u32 = 2;
/// What is asked of the target in turn.
const STATUSES: [u16; 4] = [500, 502, 503, 504];

/// Why a step was not carried out: the behavior asked for something that it may not have.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StepRefused {
    #[error("request {route:?}: {refused}")]
    Request { route: String, refused: Refused },
    #[error("a batch of {0} requests is over the {MAX_BATCH} that are allowed")]
    Batch(usize),
    #[error("a step of {0} operations is over the {MAX_BATCH} that are allowed")]
    Operations(usize),
    #[error(transparent)]
    Channel(#[from] ChannelRefused),
    #[error(
        "request {route:?}: a body of {count} pieces is over the {MAX_PIECES} that are allowed"
    )]
    Pieces { route: String, count: usize },
    #[error(
        "request {route:?}: the plan has no file {name:?}: name it in [files], or as in --file {name}=PATH"
    )]
    File { route: String, name: String },
    #[error("request {route:?}: a mark of {length} bytes is over the {MAX_MARK} that are allowed")]
    Mark { route: String, length: usize },
}

/// A request that was checked, with the labels it counts under.
pub(crate) struct Prepared {
    /// Boxed: it is handed on a few times until it leaves.
    pub(crate) call: Box<Call>,
    pub(crate) route: u16,
    pub(crate) category: u16,
    /// The fault that it is meant to meet.
    pub(crate) fault: Option<FaultKind>,
    /// Statuses from 400 on that are no error, wherever it is redirected to; or codes of gRPC.
    expect: Vec<u16>,
    /// What it creates, if anything.
    pub(crate) mark: Option<String>,
    /// It asks for a token.
    pub(crate) login: bool,
    /// Redirects that led to it.
    pub(crate) followed: u32,
}

impl Prepared {
    /// The same request, made to fail by the host; `seed` and `draw` say how, and `longest` is how long its user waits at
    /// most.
    pub(crate) fn failing(&self, kind: FaultKind, seed: u64, draw: u64, longest: Duration) -> Self {
        let call = Call::clone(&self.call);
        let call = match kind {
            FaultKind::Timeout => {
                let wait = log_normal(seed, Stream::Fault, draw, WAITS.0, WAITS.1);
                let wait = Duration::from_secs_f64(wait).min(self.call.limit().unwrap_or(longest));
                call.failing(None, Some(wait * TOO_LATE))
                    .timeout(Some(wait))
            }
            _ => {
                let last = STATUSES.len() as u32 - 1;
                let at = within(seed, Stream::Fault, draw, 0, last);
                call.failing(STATUSES.get(at as usize).copied(), None)
            }
        };
        Self {
            call: Box::new(call),
            fault: Some(kind),
            expect: Vec::new(),
            route: self.route,
            category: self.category,
            // The journal has had it from the request that this one stands for.
            mark: None,
            login: self.login,
            followed: self.followed,
        }
    }

    /// The request that an answer to this one asks for: counted by the route that its path belongs to, for the category of
    /// the request that led to it.
    pub(crate) fn sent_on(self, call: Box<Call>, runtime: &VersionRuntime) -> Self {
        let slot = runtime.slot.borrow();
        let (method, path) = (call.method(), call.path());
        Self {
            route: (runtime.labels).route_of(slot.behavior(), call.target(), method, path),
            category: self.category,
            fault: self.fault,
            mark: None,
            login: false,
            followed: self.followed + 1,
            // The response that its behavior gets is the last one.
            expect: self.expect,
            call,
        }
    }

    /// Its target, and whether it is a login.
    pub(crate) fn admitted_by(&self) -> (u16, bool) {
        (self.call.target(), self.login)
    }

    /// How an answer counts.
    pub(crate) fn outcome(&self, answer: &Answer) -> Outcome {
        let is_expected = |status| self.fault.is_none() && self.expect.contains(&status);
        if let Some(grpc) = &answer.grpc {
            let code = grpc.code;
            return match code != GrpcCode::Ok && is_expected(code.number().into()) {
                true => Outcome::AcceptedGrpc(code),
                false => Outcome::Grpc(code),
            };
        }
        let status = answer.status;
        match status >= 400 && is_expected(status) {
            true => Outcome::Accepted(status),
            false => Outcome::Status(status),
        }
    }
}

/// Check every request of a step before any of them leaves.
pub(crate) fn prepare(
    worker: &WorkerState,
    runtime: &VersionRuntime,
    requests: Vec<Request>,
) -> Result<Vec<Prepared>, StepRefused> {
    let slot = runtime.slot.borrow();
    check(slot.behavior(), &requests)?;
    requests
        .into_iter()
        .map(|request| prepare_one(worker, runtime, slot.behavior(), request))
        .collect()
}

/// What a step may not ask for, whatever it is played over.
pub(crate) fn check(behavior: &Behavior, requests: &[Request]) -> Result<(), StepRefused> {
    if requests.len() > MAX_BATCH {
        return Err(StepRefused::Batch(requests.len()));
    }
    for request in requests {
        if let Some(Body::Pieces(pieces)) = &request.body
            && pieces.len() > MAX_PIECES
        {
            let route = behavior.route_of(request).to_owned();
            let count = pieces.len();
            return Err(StepRefused::Pieces { route, count });
        }
        let length = request.mark.as_ref().map_or(0, String::len);
        if length > MAX_MARK {
            let route = behavior.route_of(request).to_owned();
            return Err(StepRefused::Mark { route, length });
        }
    }
    Ok(())
}

fn prepare_one(
    worker: &WorkerState,
    runtime: &VersionRuntime,
    behavior: &Behavior,
    request: Request,
) -> Result<Prepared, StepRefused> {
    let labels = &runtime.labels;
    let at = labels.target(&request.route);
    let category = labels.category(request.category);
    let capture = request.capture;
    let target = &worker.plan.target;
    let heads = worker.targets.heads();
    let method = method(request.method);
    let (bytes, pieces) = match request.body {
        Some(Body::Pieces(pieces)) => (None, Some(pieces)),
        Some(Body::Bytes(bytes)) => (Some(bytes), None),
        None => (None, None),
    };
    let template = || behavior.template(&request.route).to_owned();
    let call = match request.grpc {
        true => heads.grpc(
            at,
            request.path,
            request.headers,
            &bytes.unwrap_or_default(),
        ),
        false => heads.call(at, &method, request.path, request.headers, bytes),
    };
    let mut call = call.map_err(|refused| StepRefused::Request {
        route: template(),
        refused,
    })?;
    if let Some(pieces) = pieces {
        let found = found(&worker.plan.files, pieces).map_err(|name| StepRefused::File {
            route: template(),
            name,
        })?;
        call = call.with_pieces(found);
    }
    let route = match call.target() == at {
        true => labels.route(&request.route),
        // It has followed a link to somewhere else.
        false => labels.route_of(behavior, call.target(), &method, call.path()),
    };
    let timeout = request
        .timeout_ms
        .map(|ms| Duration::from_millis(u64::from(ms)));
    let call = call
        .capture(Capture {
            headers: capture.headers,
            body: capture.body,
        })
        .timeout(timeout)
        .reads(Reads {
            cookies: target.cookies != CookiesFor::Off,
            location: target.redirects > 0 && !request.grpc,
        });
    let call = match worker.witness {
        Some(_) => call.watched(),
        None => call,
    };
    Ok(Prepared {
        call: Box::new(call),
        route,
        category,
        fault: request.fault,
        expect: request.expect,
        mark: request.mark.map(|mut thing| {
            worker.plan.secrets.veil_in(&mut thing);
            thing
        }),
        // A refresh that is refused is as suspicious.
        login: matches!(request.kind, RequestKind::Login | RequestKind::Refresh),
        followed: 0,
    })
}

/// The pieces with the plan's files for their names, or the name that the plan does not have.
fn found(files: &BodyFiles, pieces: Vec<types::Piece>) -> Result<Pieces, String> {
    let each = pieces.into_iter().map(|piece| match piece {
        types::Piece::Bytes(bytes) => Ok(Piece::Bytes(bytes.into())),
        types::Piece::File(name) => match files.get(&name) {
            Some(file) => Ok(Piece::File(Arc::clone(file))),
            None => Err(name),
        },
    });
    each.collect::<Result<_, _>>().map(Pieces::new)
}

/// What the requests of a batch that will be sent are admitted by: target, and whether it is a login.
pub(crate) fn admitted(
    batch: &[Prepared],
    left: u32,
) -> impl Iterator<Item = (u16, bool)> + Clone + '_ {
    batch.iter().take(left as usize).map(Prepared::admitted_by)
}
