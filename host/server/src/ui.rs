//! The live page of a run, over HTTP: its files, the stream of its state, and the actions that the control endpoint has
//! too. Runs beside the orchestrator and never on a worker.
//!
//! What must stay true: without a token it is open to this machine alone; no page of another site can read or steer the
//! run; and a browser that reads slowly, or not at all, keeps nobody waiting.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::Stream;
use futures_util::stream::unfold;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::actions::{Problem, RunHandle, actions, admitted};
use crate::listener::{Listener, Server};
use crate::visitor::{is_own_page, is_this_machine};
use vespeiro_metrics::Snapshot;
use vespeiro_output::page::{ChartPoint, Page, PageInfo, View};
use vespeiro_output::{
    Finish, MaybeOutput, Output, OutputContext, OutputError, Phase, RunResult, SwapEvent, Update,
};

/// The most event streams at the same time.
const MAX_READERS: usize = 32;
/// Header of every POST of the page. A page of another site needs permission to send it, which it never gets.
const PAGE_HEADER: &str = "x-vespeiro-page";
/// The page loads only its own files, and may not be framed.
const SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The latest state for the browsers.
#[derive(Debug, Default)]
struct Frame {
    /// `None` before the run begins.
    state: Option<String>,
    points: Vec<ChartPoint>,
    /// It is the last one.
    is_last: bool,
}

/// The page as an output of the run.
struct LivePage {
    server: Server,
    view: View,
    frame: watch::Sender<Arc<Frame>>,
    swaps: Vec<SwapEvent>,
}

/// The page, if the plan asks for it. It answers from now on.
pub fn output(context: &OutputContext<'_>, run: &RunHandle) -> MaybeOutput {
    let plan = context.plan;
    let Some(address) = plan.control.page else {
        return Ok(None);
    };
    let listener = Listener::bind_private(plan, "ui", address).map_err(OutputError::new)?;
    // Scripts read the address from this line, so it never changes.
    context
        .console
        .line(format!("ui: http://{}", listener.address()));
    let (frame, watching) = watch::channel(Arc::default());
    let routes = Routes {
        run: run.clone(),
        facts: json!(PageInfo::of(plan)).to_string().into(),
        frame: watching,
        readers: Arc::new(Semaphore::new(MAX_READERS)),
    };
    Ok(Some(Box::new(LivePage {
        server: listener.serve(router(routes)),
        view: View::new(plan, context.shape),
        frame,
        swaps: Vec::new(),
    })))
}

impl Output for LivePage {
    fn name(&self) -> &'static str {
        "live page"
    }

    fn update(&mut self, update: &Update<'_>) {
        self.swaps = update.swaps.to_vec();
        self.view.follow(update.interval);
        self.show(update.snapshot, update.phase);
    }

    /// Show the last state, say that it is the last, and answer no more.
    fn finish(mut self: Box<Self>, result: Arc<RunResult>) -> Finish {
        if let Some(snapshot) = &result.snapshot {
            self.show(snapshot, Phase::Done(result.end));
        }
        Box::pin(async {
            self.server.close().await;
            Ok(())
        })
    }
}

impl LivePage {
    fn show(&mut self, snapshot: &Snapshot, phase: Phase) {
        let frame = Frame {
            state: Some(self.view.state(snapshot, phase, self.swaps.clone())),
            points: self.view.points(),
            is_last: matches!(phase, Phase::Done(_)),
        };
        self.frame.send_replace(Arc::new(frame));
    }
}

/// What the routes share.
#[derive(Clone)]
struct Routes {
    run: RunHandle,
    facts: Arc<str>,
    frame: watch::Receiver<Arc<Frame>>,
    readers: Arc<Semaphore>,
}

fn router(server: Routes) -> Router {
    // What shows or does something; the page's files are the same for everybody.
    let inside = Router::new()
        .route("/events", get(events))
        .with_state(server.clone())
        .merge(actions(&server.run))
        .layer(from_fn_with_state(server.run.clone(), admitted));
    let files = Page::new(server.run.plan.output.language).0.into_iter();
    let app = files.fold(inside, |app, asset| {
        let headers = [
            (header::CONTENT_TYPE, asset.content_type),
            (header::CACHE_CONTROL, "no-cache"),
            (header::CONTENT_SECURITY_POLICY, SECURITY_POLICY),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
        ];
        let text: Arc<str> = asset.text.into();
        app.route(asset.path, get(async move || (headers, text.to_string())))
    });
    app.fallback(async || {
        Problem(
            StatusCode::NOT_FOUND,
            "there is nothing here: go to /".into(),
        )
    })
    .layer(from_fn_with_state(server.run, guard))
}

/// Refuses pages of other sites: they have another `Origin`, or a host name that was made to resolve to this machine.
async fn guard(State(run): State<RunHandle>, request: Request, next: Next) -> Response {
    let refused = |why: &str| Problem(StatusCode::FORBIDDEN, why.into()).into_response();
    let headers = request.headers();
    // With a token any name is fine, since such a page does not have it.
    if run.plan.control.token.is_none() && !is_this_machine(headers) {
        return refused("this page answers to localhost and to IP addresses alone");
    }
    if !is_own_page(headers) {
        return refused("a page of another site may not look at or steer a run");
    }
    if request.method() == Method::POST && !headers.contains_key(PAGE_HEADER) {
        return refused(
            "a POST to the page needs the header X-Vespeiro-Page; scripts use --control",
        );
    }
    next.run(request).await
}

/// The facts, the points of the charts so far, then each new state, until the run is over.
async fn events(State(server): State<Routes>) -> Result<impl IntoResponse, Problem> {
    let permit = server.readers.try_acquire_owned().map_err(|_| {
        let why = format!("{MAX_READERS} pages look at this run already: close one");
        Problem(StatusCode::SERVICE_UNAVAILABLE, why)
    })?;
    let stream = EventStream {
        facts: Some(server.facts),
        began: false,
        frame: server.frame,
        ended: false,
        _permit: permit,
    };
    Ok(Sse::new(stream.events()).keep_alive(KeepAlive::default()))
}

/// The events of one reader. It holds no queue: a slow reader misses some states.
struct EventStream {
    facts: Option<Arc<str>>,
    /// The points so far have been told.
    began: bool,
    frame: watch::Receiver<Arc<Frame>>,
    ended: bool,
    _permit: OwnedSemaphorePermit,
}

impl EventStream {
    fn events(self) -> impl Stream<Item = Result<Event, Infallible>> {
        unfold(self, |mut stream| async move {
            let event = stream.next().await?;
            Some((Ok(event), stream))
        })
    }

    async fn next(&mut self) -> Option<Event> {
        if let Some(facts) = self.facts.take() {
            self.frame.mark_changed();
            return Some(Event::default().event("facts").data(facts));
        }
        if self.ended {
            return None;
        }
        loop {
            // The run's end closes the channel, once its last state has been seen.
            self.frame.changed().await.ok()?;
            let frame = self.frame.borrow_and_update().clone();
            let Some(state) = &frame.state else {
                continue;
            };
            if !self.began {
                self.began = true;
                self.frame.mark_changed();
                let points = json!(frame.points).to_string();
                return Some(Event::default().event("points").data(points));
            }
            self.ended = frame.is_last;
            let name = if self.ended { "end" } else { "state" };
            return Some(Event::default().event(name).data(state));
        }
    }
}
