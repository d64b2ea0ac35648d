//! `GET /api/v1/notifications`: a WebSocket over which a user is told of its account and of notes, and sends notes to others.

use std::sync::atomic::Ordering::Relaxed;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::mpsc;

use crate::app::App;
use crate::caller::Caller;
use crate::error::Error;
use crate::gate::MAX_BODY;
use crate::hub::{Kind, Open};

/// Read at a time, and held by each socket.
const READ: usize = 4 << 10;

pub fn routes() -> Router<App> {
    Router::new().route("/api/v1/notifications", get(connect))
}

async fn connect(
    State(app): State<App>,
    caller: Caller,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Error> {
    let upgrade = upgrade.map_err(|error| Error::Malformed(error.body_text()))?;
    let upgrade = upgrade
        .max_message_size(MAX_BODY)
        .max_frame_size(MAX_BODY)
        .read_buffer_size(READ)
        .write_buffer_size(0);
    // From the answer on, so that whoever has it misses nothing.
    let told = app.hub().notifications(caller.user);
    let open = app.hub().open(Kind::Notifications);
    let talk = Talk { app, caller, open };
    Ok(upgrade.on_upgrade(move |socket| talk.run(socket, told)))
}

/// One user's socket.
struct Talk {
    app: App,
    caller: Caller,
    open: Open,
}

#[derive(Deserialize)]
struct Note {
    to: String,
    text: String,
}

impl Talk {
    async fn run(self, mut socket: WebSocket, mut told: mpsc::Receiver<String>) {
        let code = self.converse(&mut socket, &mut told).await;
        self.app.hub().leave(self.caller.user, told);
        if let Some(code) = code {
            let reason = "".into();
            // It may have gone.
            let _ = socket
                .send(Message::Close(Some(CloseFrame { code, reason })))
                .await;
        }
    }

    /// Until one side is done; why, where it is this one.
    async fn converse(
        &self,
        socket: &mut WebSocket,
        told: &mut mpsc::Receiver<String>,
    ) -> Option<u16> {
        loop {
            let message = tokio::select! {
                message = told.recv() => match message {
                    Some(message) => message,
                    None => return Some(close_code::AWAY),
                },
                came = socket.recv() => match came {
                    Some(Ok(Message::Text(note))) => {
                        self.open.counts().received.fetch_add(1, Relaxed);
                        self.pass_on(&note)
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                    Some(Ok(Message::Binary(_))) => {
                        self.open.counts().received.fetch_add(1, Relaxed);
                        return Some(close_code::UNSUPPORTED);
                    }
                    Some(Err(_)) => return Some(close_code::SIZE),
                    Some(Ok(Message::Close(_))) | None => return None,
                },
            };
            if !self.caller.is_signed_in(&self.app) {
                return Some(close_code::POLICY);
            }
            // Before it leaves, so that whoever has it finds it counted.
            self.open.counts().sent.fetch_add(1, Relaxed);
            if socket.send(Message::Text(message.into())).await.is_err() {
                return None;
            }
        }
    }

    /// Pass a note on: what its sender is told.
    fn pass_on(&self, note: &str) -> String {
        let wrong = |message: &str| json!({ "type": "error", "message": message }).to_string();
        let note: Note = match serde_json::from_str(note) {
            Ok(note) => note,
            Err(error) => return wrong(&error.to_string()),
        };
        let (to, from) = {
            let store = self.app.read();
            let to = store.users.find_by_username(&note.to);
            let from = store.users.get(self.caller.user);
            match (to, from) {
                (Ok(to), Some(from)) => (to.key, from.username.clone()),
                (Err(error), _) => return wrong(&error.to_string()),
                (_, None) => return wrong("the session has ended"),
            }
        };
        let message = json!({ "type": "note", "from": from, "text": note.text });
        let delivered = self.app.hub().tell(to, &message.to_string());
        json!({ "type": "sent", "to": note.to, "delivered": delivered }).to_string()
    }
}
