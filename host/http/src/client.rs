//! A worker's way to a target, as the run uses it: options, calls in, outcomes out, counts. What happens to a call is in
//! `sender`.
//!
//! What must stay true: a client belongs to one worker, and whoever drops a pool of a user closes its connections.

use std::future::Future;
use std::rc::Rc;

use crate::call::Call;
use crate::dial::{DialOptions, DialSetupError};
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
        Ok(Self(Sender::new(dial, options)?))
    }

    /// Connections for one user.
    pub fn user(&self) -> UserPool {
        UserPool {
            sender: Rc::clone(&self.0),
            pool: self.0.pools().user(),
        }
    }

    /// Send over a connection that all of the worker's users share, and read to the end. Dropped in the middle, it
    /// closes its connection.
    pub fn send<'a>(&'a self, call: &'a Call) -> impl Future<Output = Outcome> + 'a {
        self.0.send(self.0.pools().home(), call)
    }

    /// Send over the user's own connections, or over the shared ones where it has none.
    pub fn send_for<'a>(
        &'a self,
        user: Option<&'a UserPool>,
        call: &'a Call,
    ) -> impl Future<Output = Outcome> + 'a {
        let pool = user.map_or(self.0.pools().home(), |user| &user.pool);
        self.0.send(pool, call)
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
