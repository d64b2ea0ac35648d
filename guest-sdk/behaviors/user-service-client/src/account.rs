//! Accounts: the virtual user's own, registered in its first session, and the configured administrator's.

use serde::Deserialize;
use vespeiro_guest::{Error, Me, Reply, Result, Tokens};

use crate::client::Client;
use crate::created::NewUser;
use crate::model::{Data, Id, Identified, Profile};
use crate::routes::{AUTH, CREATE_USER};

/// The virtual user's own account, logged in.
#[derive(Debug)]
pub struct Account {
    /// Its tokens.
    pub tokens: Tokens,
    /// Its identifier.
    pub id: Id,
    /// Whether this session has registered it.
    pub is_new: bool,
}

impl Account {
    /// Logs in, after registering in the first session of a user, or when the service has lost the account.
    ///
    /// # Errors
    /// When the service refuses either.
    pub async fn enter(me: &Me) -> Result<Account> {
        let user = me.user();
        let tokens = Tokens::new(&AUTH, user.email.as_str(), user.password.as_str());
        let mut is_new = false;
        if me.ordinal() == 0 {
            is_new = register(me).await?;
            me.think().await;
        }
        let reply = match tokens.login(me).await {
            Err(error) if error.status() == Some(401) && me.ordinal() > 0 => {
                is_new = register(me).await?;
                tokens.login(me).await?
            }
            reply => reply?,
        };
        let owner: Data<Owner> = reply.json()?;
        Ok(Account {
            tokens,
            id: owner.data.user.id,
            is_new,
        })
    }

    /// The service, as this account uses it.
    #[must_use]
    pub fn client<'a>(&'a self, me: &'a Me) -> Client<'a> {
        Client::new(me, &self.tokens)
    }

    /// Makes sure that there is a profile: creates it for a new account, otherwise only where it is missing. Checks
    /// that a created one can be read.
    ///
    /// # Errors
    /// When the service refuses.
    pub async fn ensure_profile(&self, me: &Me) -> Result<()> {
        let client = self.client(me);
        if !self.is_new {
            me.think().await;
            if client.has_profile(&self.id).await? {
                return Ok(());
            }
        }
        me.think_long().await;
        let profile = Profile::made_up(me);
        client.create_profile(&self.id, &profile).await?;
        let read = client.get_profile(&self.id).await?;
        me.check(
            "a created profile reads as written",
            read.bio == profile.bio,
        );
        Ok(())
    }
}

/// Registers the virtual user; false when it is registered already.
async fn register(me: &Me) -> Result<bool> {
    me.think_long().await;
    let reply: Reply = NewUser::myself(me).on(me.call(CREATE_USER)).send().await?;
    match reply.status {
        409 => Ok(false),
        _ => reply.expect_success().map(|_| true),
    }
}

/// The tokens of the administrator that the archetype's config names, not yet logged in.
///
/// # Errors
/// [`Error::Config`] when it names none.
pub fn operator(me: &Me) -> Result<Tokens> {
    #[derive(Deserialize)]
    struct Config {
        admin: Option<Credentials>,
    }
    #[derive(Deserialize)]
    struct Credentials {
        email: String,
        password: String,
    }
    let Config { admin } = me.config()?;
    let Some(admin) = admin else {
        return Err(Error::config(
            "`admin` is missing: give the archetype's config `admin = { email = \"…\", password = \"…\" }`",
        ));
    };
    Ok(Tokens::new(&AUTH, admin.email, admin.password).lasting())
}

#[derive(Deserialize)]
struct Owner {
    user: Identified,
}
