//! One typed call for each endpoint. Journeys make a [`Client`] for an account and say what the person does; every
//! call insists on success, captures only what it returns, and marks what it creates.
//!
//! What must stay true: between two steps of a session lies one pause, and every call makes its own.

mod catalog;
mod profiles;
mod users;

use serde::de::DeserializeOwned;
use vespeiro_guest::{Call, Error, Failure, Me, Method, Reply, Result, Route, Tokens, join};

use crate::temper::Pause;
use crate::who::Who;

/// The service, as one account uses it.
#[derive(Debug, Clone, Copy)]
pub struct Client<'a> {
    me: &'a Me,
    tokens: &'a Tokens,
    who: &'a Who,
}

impl<'a> Client<'a> {
    /// The service for the owner of these tokens.
    #[must_use]
    pub fn new(me: &'a Me, tokens: &'a Tokens, who: &'a Who) -> Client<'a> {
        Client { me, tokens, who }
    }

    /// The virtual user.
    #[must_use]
    pub fn me(&self) -> &'a Me {
        self.me
    }

    /// The account's tokens.
    #[must_use]
    pub fn tokens(&self) -> &'a Tokens {
        self.tokens
    }

    /// The person at the keyboard.
    #[must_use]
    pub fn who(&self) -> &'a Who {
        self.who
    }

    /// How many requests may be sent, if so many are to be left.
    #[must_use]
    pub fn spare(&self, reserve: u32) -> u32 {
        self.me.requests_left().saturating_sub(reserve)
    }

    /// Any endpoint, with the account's token. It is sent without a pause: [`Client::ask`] and [`Client::together`] make
    /// one. Where the service fails it is reloaded after a second or so, as often as the person is patient.
    pub fn call(&self, route: Route) -> Call<'a> {
        let call = self.me.call(route).bearer(self.tokens);
        match route.method {
            Method::Post => call, // it might be done twice
            _ => call.reload(self.who.temper.reloads(self.me), a_second(self.me)),
        }
    }

    /// The pause before what is sent next. A token that would be due by then is renewed first, as a step of its own.
    ///
    /// # Errors
    /// As [`Tokens::login`].
    pub async fn pause(&self, pause: Pause) -> Result<()> {
        let millis = self.who.pause(self.me, pause);
        if self.tokens.is_due_within(self.me, millis) && self.tokens.is_logged_in() {
            // Boxed: what is rare must not make every waiting journey larger.
            return Box::pin(self.renew_and_pause(pause, millis)).await;
        }
        self.me.wait_ms(millis).await;
        Ok(())
    }

    async fn renew_and_pause(&self, pause: Pause, millis: u32) -> Result<()> {
        let me = self.me;
        me.wait_ms(self.who.pause(me, Pause::Look)).await;
        self.tokens.refresh(me).await?;
        let millis = match self.tokens.is_due_within(me, millis) {
            // Tokens that live for seconds leave no time to think.
            true => self.who.temper.shortest(me, pause),
            false => millis,
        };
        me.wait_ms(millis).await;
        Ok(())
    }

    /// Sends a call after its pause, and insists that it succeeds.
    ///
    /// # Errors
    /// When there is no reply or no 2xx status; so with all calls that return nothing.
    pub async fn ask(&self, pause: Pause, call: Call<'_>) -> Result<Reply> {
        self.pause(pause).await?;
        call.send().await?.expect_success()
    }

    /// Sends calls together after one pause, and insists that all succeed.
    ///
    /// # Errors
    /// The first that did not.
    pub async fn together(&self, pause: Pause, calls: Vec<Call<'_>>) -> Result<Vec<Reply>> {
        if calls.is_empty() {
            return Ok(Vec::new());
        }
        self.pause(pause).await?;
        let replies = self.me.batch(calls).await;
        replies
            .into_iter()
            .map(|reply| reply.and_then(Reply::expect_success))
            .collect()
    }

    /// Logs in with a form.
    ///
    /// # Errors
    /// As [`Tokens::login`].
    pub async fn log_in(&self) -> Result<()> {
        self.pause(Pause::Form).await?;
        self.tokens.login(self.me).await.map(drop)
    }

    /// Renews the token, though it may live for long.
    ///
    /// # Errors
    /// As [`Tokens::login`].
    pub async fn renew(&self) -> Result<()> {
        self.pause(Pause::Look).await?;
        self.tokens.refresh(self.me).await
    }

    /// Logs out.
    ///
    /// # Errors
    /// As [`Tokens::logout`].
    pub async fn log_out(&self) -> Result<()> {
        if self.tokens.is_logged_in() {
            self.pause(Pause::Look).await?;
        }
        self.tokens.logout(self.me).await
    }

    /// Logs out of this session and another one, together.
    ///
    /// # Errors
    /// As [`Tokens::logout`].
    pub async fn log_out_with(&self, other: &Client<'_>) -> Result<()> {
        let me = self.me;
        let mut millis = self.who.pause(me, Pause::Look);
        for client in [self, other] {
            if client.tokens.is_due_within(me, 2 * me.pace().delay_max_ms) {
                me.wait_ms(millis).await;
                Box::pin(client.tokens.refresh(me)).await?;
                millis = self.who.temper.shortest(me, Pause::Look);
            }
        }
        me.wait_ms(millis).await;
        let (here, there) = join(self.tokens.logout(me), other.tokens.logout(me)).await;
        here.and(there)
    }

    /// Asks who the token belongs to.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub async fn whoami(&self) -> Result<()> {
        self.done(Pause::Look, self.call(crate::routes::WHOAMI))
            .await
    }

    /// Whether somebody as patient as this would try again after such an error.
    pub(crate) fn waits_for(&self, error: &Error) -> bool {
        may_pass(error) && self.who.temper.reloads(self.me) > 0
    }

    pub(crate) async fn wait_a_second(&self) {
        self.me.wait_ms(a_second(self.me)).await;
    }

    /// Sends a call that only has to succeed.
    pub(crate) async fn done(&self, pause: Pause, call: Call<'_>) -> Result<()> {
        self.pause(pause).await?;
        call.send().await?.expect_success().map(drop)
    }

    /// Sends a call for what its body says.
    pub(crate) async fn read<T: DeserializeOwned>(
        &self,
        pause: Pause,
        call: Call<'_>,
    ) -> Result<T> {
        self.pause(pause).await?;
        let reply = call.capture_body().send().await?;
        reply.expect_success()?.json()
    }
}

/// The end of a session: whoever gives up because the service fails does not come back within a second or so either.
///
/// # Errors
/// As the session.
pub async fn given_up(me: &Me, played: Result<()>) -> Result<()> {
    if let Err(error) = &played
        && may_pass(error)
        && me.pace().delay_max_ms > 0
    {
        me.wait_ms(a_second(me)).await;
    }
    played
}

/// Whether the next attempt may go well.
fn may_pass(error: &Error) -> bool {
    match error {
        Error::UnexpectedStatus { status, .. } => matches!(status, 500 | 502 | 503 | 504),
        Error::Failed { kind, .. } => {
            matches!(
                kind,
                Failure::Timeout
                    | Failure::Connect
                    | Failure::Reset
                    | Failure::Unprocessed
                    | Failure::Generator
            )
        }
        _ => false,
    }
}

/// A second or so, in milliseconds: what people take to reload a page.
fn a_second(me: &Me) -> u32 {
    me.range(700..1600)
}
