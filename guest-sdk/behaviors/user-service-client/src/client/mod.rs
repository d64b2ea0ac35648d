//! One typed call for each endpoint. Journeys make a [`Client`] for an account and say what the person does; every
//! call insists on success, captures only what it returns, and marks what it creates.

mod catalog;
mod profiles;
mod users;

use serde::de::DeserializeOwned;
use vespeiro_guest::{Call, Me, Reply, Result, Route, Tokens};

/// The service, as one account uses it.
#[derive(Debug, Clone, Copy)]
pub struct Client<'a> {
    me: &'a Me,
    tokens: &'a Tokens,
}

impl<'a> Client<'a> {
    /// The service for the owner of these tokens.
    #[must_use]
    pub fn new(me: &'a Me, tokens: &'a Tokens) -> Client<'a> {
        Client { me, tokens }
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

    /// Any endpoint, with the account's token.
    pub fn call(&self, route: Route) -> Call<'a> {
        self.me.call(route).bearer(self.tokens)
    }

    /// Asks who the token belongs to.
    ///
    /// # Errors
    /// When there is no reply or no 2xx status.
    pub async fn whoami(&self) -> Result<()> {
        done(self.call(crate::routes::WHOAMI)).await
    }

    /// Sends calls together and insists that all succeed.
    ///
    /// # Errors
    /// The first that did not.
    pub async fn all(&self, calls: Vec<Call<'_>>) -> Result<Vec<Reply>> {
        let replies = self.me.batch(calls).await;
        replies
            .into_iter()
            .map(|reply| reply.and_then(Reply::expect_success))
            .collect()
    }
}

/// Sends a call that only has to succeed.
///
/// # Errors
/// When there is no reply or no 2xx status.
pub(crate) async fn done(call: Call<'_>) -> Result<()> {
    call.send().await?.expect_success().map(drop)
}

/// Sends a call for what its body says.
pub(crate) async fn read<T: DeserializeOwned>(call: Call<'_>) -> Result<T> {
    found(call).await?.json()
}

/// Sends a call for its body.
pub(crate) async fn found(call: Call<'_>) -> Result<Reply> {
    call.capture_body().send().await?.expect_success()
}
