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
    let events = app.hub().events();
    let open = app.hub().open(Kind::Events);
    let listener = Listener {
        app,
        caller,
        events,
        open,
    };
    let events = stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        listener.open.counts().sent.fetch_add(1, Relaxed);
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

struct Listener {
    app: App,
    caller: Caller,
    events: Option<Receiver<Arc<Event>>>,
    open: Open,
}

impl Listener {
    /// `None` when the service stops or the session is over.
    async fn next(&mut self) -> Option<Arc<Event>> {
        loop {
            match self.events.as_mut()?.recv().await {
                Ok(event) => return self.caller.is_signed_in(&self.app).then_some(event),
                Err(RecvError::Lagged(missed)) => {
                    self.open.counts().dropped.fetch_add(missed, Relaxed);
                }
                Err(RecvError::Closed) => return None,
            }
        }
    }
}
