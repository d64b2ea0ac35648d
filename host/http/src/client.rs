//! A worker's way to a target, as the run uses it: options, calls in, outcomes out, counts. What happens to a call is in
//! `sender`.
//!
//! What must stay true: a client belongs to one worker, and whoever drops a pool of a user closes its connections.

use std::future::Future;
use std::rc::Rc;

use crate::call::Call;
use crate::channel::{Channel, ChannelKind, Observer};
use crate::dial::{DialOptions, DialSetupError, Tls};
use crate::options::ClientOptions;
use crate::outcome::Outcome;
use crate::pool::Counts;
use crate::sender::{OwnPool, Sender};

/// A worker's connections to one target. Cheap to clone within the worker; used within a `LocalSet`.
#[derive(Debug, Clone)]
pub struct Client(Rc<Sender>);

/// One user's own connections, as a browser has them. Dropped, they are closed.
#[derive(Debug)]
pub struct UserPool {
    sender: Rc<Sender>,
    pool: Rc<OwnPool>,
}

impl Client {
    /// What `dial` asks for is checked here; no connection is made before the first call.
    pub fn new(dial: DialOptions, options: ClientOptions) -> Result<Self, DialSetupError> {
        Self::with_identities(dial, Vec::new(), options)
    }

    /// The same, for users who differ in who they are to the target: `others` is what TLS is told for identity 1 and up;
    /// identity 0 is that of `dial`. Bounds hold over all of them together.
    pub fn with_identities(
        dial: DialOptions,
        others: Vec<Tls>,
        options: ClientOptions,
    ) -> Result<Self, DialSetupError> {
        Ok(Self(Sender::new(dial, others, options)?))
    }

    /// Connections for one user.
    pub fn user(&self) -> UserPool {
        self.user_as(0)
    }

    /// Connections for one user with this identity.
    pub fn user_as(&self, identity: usize) -> UserPool {
        UserPool {
            sender: Rc::clone(&self.0),
            pool: self.0.pools().user(identity),
        }
    }

    /// Send over a connection that all of the worker's users share, and read to the end. Dropped in the middle, it
    /// closes its connection.
    pub fn send<'a>(&'a self, call: &'a Call) -> impl Future<Output = Outcome> + 'a {
        self.send_as(0, None, call)
    }

    /// Send over the user's own connections, or over those that all with this identity share where it has none.
    pub fn send_as<'a>(
        &'a self,
        identity: usize,
        user: Option<&'a UserPool>,
        call: &'a Call,
    ) -> impl Future<Output = Outcome> + 'a {
        let shared = || self.0.pool_of(identity);
        let pool = user.map_or_else(shared, |user| &user.pool);
        self.0.send(pool, call)
    }

    /// Open a channel as somebody with this identity, over a connection of its own; the outcome is that of the request which
    /// asks for it, and there is a channel where the answer agrees. Dropped in the middle, it closes its connection.
    pub async fn open_as(
        &self,
        identity: usize,
        call: &Call,
        kind: ChannelKind,
        observer: Observer,
    ) -> (Outcome, Option<Channel>) {
        self.0.open(identity, call, kind, observer).await
    }

    /// What became of connections so far.
    pub fn counts(&self) -> Counts {
        self.0.counts()
    }
}

impl UserPool {
    /// Send over one of the user's connections, and read to the end. Dropped in the middle, it closes its connection.
    pub fn send<'a>(&'a self, call: &'a Call) -> impl Future<Output = Outcome> + 'a {
        self.sender.send(&self.pool, call)
    }

    /// The user's session is over: close what it had open.
    pub fn hang_up(&self) {
        self.sender.pools().hang_up(&self.pool);
    }
}

impl Drop for UserPool {
    fn drop(&mut self) {
        self.hang_up();
    }
}
