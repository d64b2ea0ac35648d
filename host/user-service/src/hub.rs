//! Who listens to what happens to users, and to what others tell them. The handlers tell it, event streams and notification
//! sockets hear of it.
//!
//! What must stay true: whoever reads too slowly costs a bounded amount of memory and holds nobody up; each message is
//! counted once.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::json;
use tokio::sync::{broadcast, mpsc};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::store::Key;
use crate::store::users::User;

/// Events that an event stream may be behind.
pub const MAX_BEHIND: usize = 1024;
/// Messages that a notification socket may be behind.
pub const MAX_UNSENT: usize = 64;

/// What happened to a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Created,
    Updated,
    Activated,
    Deactivated,
    Deleted,
}

impl Change {
    fn name(self) -> &'static str {
        match self {
            Self::Created => "user.created",
            Self::Updated => "user.updated",
            Self::Activated => "user.activated",
            Self::Deactivated => "user.deactivated",
            Self::Deleted => "user.deleted",
        }
    }
}

/// An event, as all streams send it.
#[derive(Debug)]
pub struct Event {
    pub number: u64,
    pub name: &'static str,
    pub id: Uuid,
    pub username: String,
    pub at: Timestamp,
    /// All but the number, as JSON.
    pub data: String,
}

/// What is spoken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Events,
    Notifications,
    /// Event streams over gRPC.
    Watches,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Events, Self::Notifications, Self::Watches];

    fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Notifications => "notifications",
            Self::Watches => "watches",
        }
    }
}

/// Messages of one kind of channel.
#[derive(Debug, Default)]
pub struct Counts {
    opened: AtomicU64,
    open: AtomicU64,
    pub sent: AtomicU64,
    pub received: AtomicU64,
    pub dropped: AtomicU64,
}

/// Everybody who listens.
#[derive(Default)]
pub struct Hub {
    listeners: Mutex<Listeners>,
    counts: Arc<[Counts; 3]>,
}

struct Listeners {
    /// `None` once the service stops.
    events: Option<broadcast::Sender<Arc<Event>>>,
    number: u64,
    sockets: HashMap<Key, Vec<mpsc::Sender<String>>>,
}

impl Default for Listeners {
    fn default() -> Self {
        Self {
            events: Some(broadcast::Sender::new(MAX_BEHIND)),
            number: 0,
            sockets: HashMap::new(),
        }
    }
}

/// Counts a channel as open until it is dropped.
pub struct Open {
    counts: Arc<[Counts; 3]>,
    kind: Kind,
}

impl Open {
    pub fn counts(&self) -> &Counts {
        &self.counts[self.kind as usize]
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.counts().open.fetch_sub(1, Relaxed);
    }
}

impl Hub {
    /// A channel is open.
    pub fn open(&self, kind: Kind) -> Open {
        let open = Open {
            counts: Arc::clone(&self.counts),
            kind,
        };
        open.counts().opened.fetch_add(1, Relaxed);
        open.counts().open.fetch_add(1, Relaxed);
        open
    }

    /// What happens from now on; nothing once the service stops.
    pub fn events(&self) -> Option<broadcast::Receiver<Arc<Event>>> {
        let listeners = self.listeners();
        listeners.events.as_ref().map(broadcast::Sender::subscribe)
    }

    /// What this user is told from now on.
    pub fn notifications(&self, user: Key) -> mpsc::Receiver<String> {
        let (sender, receiver) = mpsc::channel(MAX_UNSENT);
        let mut listeners = self.listeners();
        if listeners.events.is_some() {
            let sockets = listeners.sockets.entry(user).or_default();
            sockets.retain(|socket| !socket.is_closed());
            sockets.push(sender);
        }
        receiver
    }

    /// The user's socket is gone.
    pub fn leave(&self, user: Key, mut socket: mpsc::Receiver<String>) {
        socket.close();
        let mut listeners = self.listeners();
        if let Some(sockets) = listeners.sockets.get_mut(&user) {
            sockets.retain(|socket| !socket.is_closed());
            if sockets.is_empty() {
                listeners.sockets.remove(&user);
            }
        }
    }

    /// Something has happened to a user.
    pub fn changed(&self, user: &User, change: Change, at: Timestamp) {
        let mut listeners = self.listeners();
        listeners.number += 1;
        let number = listeners.number;
        let is_heard = |events: &&broadcast::Sender<_>| events.receiver_count() > 0;
        let events = listeners.events.as_ref().filter(is_heard);
        if events.is_none() && !listeners.sockets.contains_key(&user.key) {
            return;
        }
        let name = change.name();
        let data = json!({ "type": name, "id": user.id, "username": user.username, "at": at });
        let data = data.to_string();
        self.tell_sockets(&listeners, user.key, &data);
        if let Some(events) = events {
            let event = Event {
                number,
                name,
                id: user.id,
                username: user.username.clone(),
                at,
                data,
            };
            // Those who listened may just have left.
            let _ = events.send(Arc::new(event));
        }
    }

    /// Tell a user: how many of its sockets take it.
    pub fn tell(&self, user: Key, message: &str) -> usize {
        self.tell_sockets(&self.listeners(), user, message)
    }

    fn tell_sockets(&self, listeners: &Listeners, user: Key, message: &str) -> usize {
        let sockets = listeners.sockets.get(&user).into_iter().flatten();
        let told = sockets.filter(|socket| match socket.try_send(message.to_owned()) {
            Ok(()) => true,
            Err(error) => {
                if matches!(error, mpsc::error::TrySendError::Full(_)) {
                    let dropped = &self.counts[Kind::Notifications as usize].dropped;
                    dropped.fetch_add(1, Relaxed);
                }
                false
            }
        });
        told.count()
    }

    /// The service stops: whoever listens hears the end.
    pub fn close(&self) {
        let mut listeners = self.listeners();
        listeners.events = None;
        listeners.sockets.clear();
    }

    pub fn write(&self, text: &mut String) -> std::fmt::Result {
        text.push_str("# HELP user_service_messages_total Messages of event streams and notification sockets.\n");
        text.push_str("# TYPE user_service_messages_total counter\n");
        for kind in Kind::ALL {
            let counts = &self.counts[kind as usize];
            for (direction, count) in [
                ("sent", &counts.sent),
                ("received", &counts.received),
                ("dropped", &counts.dropped),
            ] {
                writeln!(
                    text,
                    "user_service_messages_total{{channel=\"{}\",direction=\"{direction}\"}} {}",
                    kind.name(),
                    count.load(Relaxed)
                )?;
            }
        }
        text.push_str("# HELP user_service_channels_total Event streams and notification sockets that were opened.\n");
        text.push_str("# TYPE user_service_channels_total counter\n");
        self.write_each(text, "channels_total", |counts| &counts.opened)?;
        text.push_str("# HELP user_service_channels Those that are open.\n");
        text.push_str("# TYPE user_service_channels gauge\n");
        self.write_each(text, "channels", |counts| &counts.open)
    }

    fn write_each(
        &self,
        text: &mut String,
        name: &str,
        of: impl Fn(&Counts) -> &AtomicU64,
    ) -> std::fmt::Result {
        for kind in Kind::ALL {
            let count = of(&self.counts[kind as usize]).load(Relaxed);
            let channel = kind.name();
            writeln!(text, "user_service_{name}{{channel=\"{channel}\"}} {count}")?;
        }
        Ok(())
    }

    fn listeners(&self) -> MutexGuard<'_, Listeners> {
        self.listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
