//! `GET /api/v1/users/events`: what happens to users, as it happens.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use axum::Router;
use axum::extract::State;
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::stream;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::app::App;
use crate::caller::Caller;
use crate::hub::{Event, Kind, Open};

pub fn routes() -> Router<App> {
    Router::new().route("/api/v1/users/events", get(listen))
}

async fn listen(State(app): State<App>, caller: Caller) -> Response {
    let listener = Listener::new(app, caller, Kind::Events);
    let events = stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await.ok()?;
        let event = sse::Event::default()
            .event(event.name)
            .id(event.number.to_string())
            .data(&event.data);
        Some((Ok::<_, Infallible>(event), listener))
    });
    Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response()
}

/// Whoever hears of what happens from now on.
pub struct Listener {
    app: App,
    caller: Caller,
    events: Option<Receiver<Arc<Event>>>,
    open: Open,
}

/// Why there is nothing more to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Session,
    Service,
}

impl Listener {
    pub fn new(app: App, caller: Caller, kind: Kind) -> Self {
        Self {
            events: app.hub().events(),
            open: app.hub().open(kind),
            app,
            caller,
        }
    }

    /// The next event, counted as sent.
    pub async fn next(&mut self) -> Result<Arc<Event>, End> {
        let events = self.events.as_mut().ok_or(End::Service)?;
        loop {
            match events.recv().await {
                Ok(_) if !self.caller.is_signed_in(&self.app) => return Err(End::Session),
                Ok(event) => {
                    self.open.counts().sent.fetch_add(1, Relaxed);
                    return Ok(event);
                }
                Err(RecvError::Lagged(missed)) => {
                    self.open.counts().dropped.fetch_add(missed, Relaxed);
                }
                Err(RecvError::Closed) => return Err(End::Service),
            }
        }
    }
}
