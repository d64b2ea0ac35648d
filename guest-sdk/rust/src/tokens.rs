//! The token holder: logs in, keeps the bearer token fresh, logs out. A journey makes one for each account it acts
//! for and gives it to [`Call::bearer`](crate::Call::bearer). At any time at most one request of a holder renews its
//! token; the others wait for that one.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::Poll;

use serde::{Deserialize, Serialize};

use crate::auth::{Auth, is_out, mark_of};
use crate::contract::Kind;
use crate::session::Core;
use crate::{Error, Me, Reply, Result};

/// A token is renewed when a fifth of its life is left, but no earlier than this before its end.
const MARGIN_MS: u64 = 30_000;

/// One account's tokens. See the module's description.
pub struct Tokens {
    auth: &'static Auth,
    name: String,
    password: RefCell<String>,
    held: RefCell<Held>,
    /// Counts the tokens that were had, so that two requests that meet a 401 log in once.
    generation: Cell<u32>,
    busy: Cell<bool>,
    /// Whoever cannot log out leaves it to cleanup.
    lasting: bool,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens")
            .field("name", &self.name)
            .finish_non_exhaustive() // never the secrets
    }
}

#[derive(Default)]
struct Held {
    /// Value of the authorization header; empty when logged out.
    bearer: String,
    refresh: Option<String>,
    /// When to renew, on the session's clock.
    due_ms: u64,
}

impl Tokens {
    /// A holder that is not logged in yet; the first request that needs it logs in.
    #[must_use]
    pub fn new(
        auth: &'static Auth,
        name: impl Into<String>,
        password: impl Into<String>,
    ) -> Tokens {
        Tokens {
            auth,
            name: name.into(),
            password: RefCell::new(password.into()),
            held: RefCell::default(),
            generation: Cell::new(0),
            busy: Cell::new(false),
            lasting: false,
        }
    }

    /// The account is none of the run's, such as an administrator's: it outlives the run, and so would its tokens. They
    /// are marked while they live, `token:<value of the authorization header>`, and cleanup [logs
    /// out](Auth::log_out_marked) what a session that was cut could not.
    #[must_use]
    pub fn lasting(mut self) -> Tokens {
        self.lasting = self.auth.logout.is_some();
        self
    }

    /// The account's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The account has another password from now on.
    pub fn set_password(&self, password: impl Into<String>) {
        *self.password.borrow_mut() = password.into();
    }

    /// Whether there is a token, valid or not.
    #[must_use]
    pub fn is_logged_in(&self) -> bool {
        !self.held.borrow().bearer.is_empty()
    }

    /// Log in. The reply has its body, for whatever else the target says there.
    ///
    /// # Errors
    /// [`Error::UnexpectedStatus`](crate::Error::UnexpectedStatus) when the target refuses, and what
    /// [`Call::send`](crate::Call::send) meets.
    pub async fn login(&self, me: &Me) -> Result<Reply> {
        let _alone = self.alone(me).await;
        // What was had before lives on beside it.
        let (reply, _) = self.login_now(me).await?;
        Ok(reply)
    }

    /// Renew the token now, as happens by itself before it expires; logs in when there is nothing to renew with.
    ///
    /// # Errors
    /// As [`Tokens::login`].
    pub async fn refresh(&self, me: &Me) -> Result<()> {
        let _alone = self.alone(me).await;
        self.refresh_now(me).await
    }

    /// Log out and forget the tokens; nothing is sent when not logged in, or when the target has no such route. A token
    /// that is about to expire is renewed first, so that it is not refused; one that cannot be renewed any more is as good
    /// as logged out.
    ///
    /// # Errors
    /// As [`Tokens::login`]; the tokens are forgotten all the same.
    pub async fn logout(&self, me: &Me) -> Result<()> {
        let _alone = self.alone(me).await;
        if !self.is_logged_in() {
            return Ok(());
        }
        if self.is_due(me) && self.auth.logout.is_some() {
            // Boxed, as all that is rare.
            Box::pin(self.renew_for_logout(me)).await?;
        }
        let bearer = std::mem::take(&mut *self.held.borrow_mut()).bearer;
        if let Some(route) = self.auth.logout.filter(|_| !bearer.is_empty()) {
            let call = me.call(route).header("authorization", bearer.as_str());
            let reply = call.send().await?;
            if is_out(&reply) {
                self.unmark(me, &bearer);
            }
            reply.expect_success()?;
        }
        Ok(())
    }

    /// Forget the tokens without a word to the target.
    pub fn forget(&self) {
        *self.held.borrow_mut() = Held::default();
    }

    pub(crate) fn generation(&self) -> u32 {
        self.generation.get()
    }

    /// Value of the authorization header.
    pub(crate) fn bearer(&self) -> String {
        self.held.borrow().bearer.clone()
    }

    /// A token for a request that needs one now.
    pub(crate) async fn renew(&self, me: &Me) -> Result<()> {
        let _alone = self.alone(me).await;
        if self.is_due(me) {
            self.refresh_now(me).await
        } else {
            Ok(())
        }
    }

    /// A new token for one that was refused, unless it has been replaced meanwhile.
    pub(crate) async fn replace(&self, me: &Me, generation: u32) -> Result<()> {
        let _alone = self.alone(me).await;
        if self.generation.get() == generation {
            return self.login_anew(me).await;
        }
        Ok(())
    }

    /// Whether there is no token, or one that is about to expire at the latest so many milliseconds from now: a request
    /// that is sent then renews it first.
    #[must_use]
    pub fn is_due_within(&self, me: &Me, millis: u32) -> bool {
        let held = self.held.borrow();
        held.bearer.is_empty() || me.core().clock.get() + u64::from(millis) >= held.due_ms
    }

    /// Whether there is no token, or one that is about to expire.
    pub(crate) fn is_due(&self, me: &Me) -> bool {
        let held = self.held.borrow();
        held.bearer.is_empty() || me.core().clock.get() >= held.due_ms
    }

    /// The reply, and the token that this one takes the place of.
    async fn login_now(&self, me: &Me) -> Result<(Reply, String)> {
        let (behavior, route) = (me.core().behavior, self.auth.login);
        let declared = behavior
            .place(&route)
            .map(|place| behavior.routes[place].kind);
        if declared.is_some_and(|kind| kind != Kind::Login) {
            return Err(Error::usage(format!(
                "{}: a token holder logs in there: declare the route with .login(), so that the host knows",
                route.path
            )));
        }
        let call = {
            let password = self.password.borrow();
            let body = Credentials {
                name_field: self.auth.name_field,
                name: &self.name,
                password: &password,
            };
            me.call(self.auth.login).json(&body).capture_body()
        };
        let reply = call.send().await?.expect_success()?;
        let before = self.take(me, &reply)?;
        Ok((reply, before))
    }

    /// Log in for a token that is worth nothing any more.
    async fn login_anew(&self, me: &Me) -> Result<()> {
        let (_, before) = self.login_now(me).await?;
        self.unmark(me, &before);
        Ok(())
    }

    async fn refresh_now(&self, me: &Me) -> Result<()> {
        match self.renewal(me).await? {
            Some(reply) if reply.is_success() => {
                let before = self.take(me, &reply)?;
                self.unmark(me, &before);
                Ok(())
            }
            _ => self.login_anew(me).await,
        }
    }

    /// What came of the refresh token; `None` where there is no way to renew.
    async fn renewal(&self, me: &Me) -> Result<Option<Reply>> {
        let token = self.held.borrow_mut().refresh.take(); // it rotates: never twice
        let (Some(route), Some(refresh_token)) = (self.auth.refresh, token) else {
            return Ok(None);
        };
        let body = Renewal { refresh_token };
        let call = me.call(route).json(&body).capture_body();
        call.send().await.map(Some)
    }

    /// A token that can be logged out; none where the session is over already. Nobody logs in to log out.
    async fn renew_for_logout(&self, me: &Me) -> Result<()> {
        match self.renewal(me).await? {
            Some(reply) if reply.is_success() => {
                let before = self.take(me, &reply)?;
                self.unmark(me, &before);
            }
            Some(reply) if is_out(&reply) => {
                let gone = std::mem::take(&mut *self.held.borrow_mut());
                self.unmark(me, &gone.bearer);
            }
            // What there is may still do.
            _ => {}
        }
        Ok(())
    }

    /// Hold the token that the reply grants; gives back the one before.
    fn take(&self, me: &Me, reply: &Reply) -> Result<String> {
        let answer: Answer = reply.json()?;
        let Grant {
            access_token,
            refresh_token,
            expires_in,
        } = answer.grant();
        let Some(access_token) = access_token else {
            return Err(reply.misses("access_token"));
        };
        let now = me.core().clock.get();
        let due_ms = expires_in.map_or(u64::MAX, |seconds| {
            let life = seconds.saturating_mul(1000);
            now.saturating_add(life - (life / 5).min(MARGIN_MS))
        });
        let mut bearer = String::with_capacity(7 + access_token.len());
        bearer.push_str("Bearer ");
        bearer.push_str(&access_token);
        if self.lasting {
            me.mark(&mark_of(&bearer));
        }
        let held = Held {
            bearer,
            refresh: refresh_token,
            due_ms,
        };
        let before = self.held.replace(held);
        self.generation.set(self.generation.get().wrapping_add(1));
        Ok(before.bearer)
    }

    /// This token is worth nothing any more, unless it was granted anew: within a second some targets sign the same one.
    fn unmark(&self, me: &Me, bearer: &str) {
        if self.lasting && !bearer.is_empty() && self.held.borrow().bearer != bearer {
            me.unmark(&mark_of(bearer));
        }
    }

    /// Waits until no other request of this holder is renewing.
    async fn alone<'a>(&'a self, me: &'a Me) -> Alone<'a> {
        poll_fn(|_| {
            if self.busy.get() {
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        })
        .await;
        self.busy.set(true);
        Alone {
            busy: &self.busy,
            core: me.core(),
        }
    }
}

struct Alone<'a> {
    busy: &'a Cell<bool>,
    core: &'a Core,
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        self.busy.set(false);
        self.core.wake(); // the ones that wait may have been polled already
    }
}

struct Credentials<'a> {
    name_field: &'static str,
    name: &'a str,
    password: &'a str,
}

impl Serialize for Credentials<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(self.name_field, self.name), ("password", self.password)])
    }
}

#[derive(Serialize)]
struct Renewal {
    refresh_token: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Grant {
    access_token: Option<String>,
    refresh_token: Option<String>,
    expires_in: Option<u64>,
}

/// The grant, bare or under `data`. Not flattened: that would gather the whole answer before it is read.
#[derive(Deserialize)]
struct Answer {
    data: Option<Grant>,
    access_token: Option<String>,
    refresh_token: Option<String>,
    expires_in: Option<u64>,
}

impl Answer {
    fn grant(self) -> Grant {
        self.data.unwrap_or(Grant {
            access_token: self.access_token,
            refresh_token: self.refresh_token,
            expires_in: self.expires_in,
        })
    }
}
