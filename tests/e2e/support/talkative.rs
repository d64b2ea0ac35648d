//! A service of channels that counts what it hears and says, for behaviors in whatever language.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::http::header;
use axum::{Router, routing};
use serde_json::json;

use super::Played;

/// What a service of channels has counted: WebSockets, their messages and bytes, and events.
#[derive(Default)]
pub struct Talked {
    sockets: AtomicU64,
    messages: AtomicU64,
    bytes: AtomicU64,
    events: AtomicU64,
}

/// Says back what comes over `/chat`, and tells three things at `/events`.
pub fn talkative(heard: &Arc<Talked>) -> Router {
    let (listening, telling) = (Arc::clone(heard), Arc::clone(heard));
    let chat = move |upgrade: WebSocketUpgrade| async move {
        listening.sockets.fetch_add(1, Ordering::Relaxed);
        upgrade.on_upgrade(|mut socket| async move {
            while let Some(Ok(message)) = socket.recv().await {
                if matches!(message, Message::Text(_) | Message::Binary(_)) {
                    let length = message.clone().into_data().len() as u64;
                    listening.messages.fetch_add(1, Ordering::Relaxed);
                    listening.bytes.fetch_add(length, Ordering::Relaxed);
                    if socket.send(message).await.is_err() {
                        return;
                    }
                }
            }
        })
    };
    let events = move || async move {
        telling.events.fetch_add(3, Ordering::Relaxed);
        let told = "data: one\n\nevent: note\nid: 7\ndata: {\"n\":2}\n\ndata: ção\n\n";
        ([(header::CONTENT_TYPE, "text/event-stream")], told)
    };
    Router::new()
        .route("/chat", routing::get(chat))
        .route("/events", routing::get(events))
}

impl Talked {
    /// What the run counts is what this side has counted, and no channel broke.
    pub fn agrees(&self, played: &Played) {
        let counted = |count: &AtomicU64| json!(count.load(Ordering::Relaxed));
        let channels = played.summary["channels"].as_array().unwrap();
        let of = |protocol: &str| channels.iter().find(|one| one["protocol"] == protocol);
        let (chat, events) = (of("websocket").unwrap(), of("event-stream").unwrap());
        for (ours, theirs) in [
            ("opened", &self.sockets),
            ("sent", &self.messages),
            ("received", &self.messages),
            ("sent_bytes", &self.bytes),
        ] {
            assert_eq!(chat[ours], counted(theirs), "{ours}: {chat}");
        }
        assert_eq!(events["received"], counted(&self.events));
        assert_eq!((&chat["broken"], &events["broken"]), (&json!(0), &json!(0)));
    }
}
