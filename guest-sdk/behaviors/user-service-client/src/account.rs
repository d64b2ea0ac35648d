//! The virtual user's own account: registered in its first session, logged in to in every one, and what its owner does to
//! it. Journeys begin with [`Account::enter`] and end with [`Account::leave`].

use std::cell::Cell;

use serde::Deserialize;
use vespeiro_guest::{Me, Reply, Result, Tokens};

use crate::client::Client;
use crate::created::NewUser;
use crate::mistype::mistype;
use crate::model::{Data, Id, Identified};
use crate::password::{Password, Passwords};
use crate::person::Style;
use crate::renames;
use crate::routes::{AUTH, CREATE_USER};
use crate::settings::Settings;
use crate::temper::Pause;
use crate::who::Who;

/// The virtual user's own account, logged in.
#[derive(Debug)]
pub struct Account {
    /// Its tokens.
    pub tokens: Tokens,
    /// Its identifier.
    pub id: Id,
    /// Whether this session has registered it.
    pub is_new: bool,
    who: Who,
    password: Password,
    /// As far as this session knows: who has been here before has one.
    has_profile: Cell<bool>,
}

impl Account {
    /// Logs in, after registering in the first session of a user, or when the service has lost the account.
    ///
    /// # Errors
    /// When the service refuses either.
    pub async fn enter(me: &Me, settings: &Settings, habit: Passwords) -> Result<Account> {
        renames::begin(me);
        let who = Who::of(me, settings);
        let password = Password::of(me, habit);
        let tokens = Tokens::new(&AUTH, me.user().email.as_str(), password.text(me));
        let client = Client::new(me, &tokens, &who);
        let mut is_new = me.ordinal() == 0 && register(client).await?;
        mistype(client).await?;
        let reply = match log_in(client).await {
            Err(error) if error.status() == Some(401) && !is_new => {
                // A first session has asked for the account before: it is there, and so is its password.
                is_new = me.ordinal() > 0 && register(client).await?;
                if is_new {
                    password.is_given();
                } else {
                    password.corrected();
                }
                tokens.set_password(password.text(me));
                log_in(client).await?
            }
            reply => reply?,
        };
        let owner: Data<Owner> = reply.json()?;
        drop(reply);
        Ok(Account {
            tokens,
            id: owner.data.user.id,
            is_new,
            who,
            password,
            has_profile: Cell::new(me.ordinal() > 0 && !is_new),
        })
    }

    /// The service, as this account uses it.
    #[must_use]
    pub fn client<'a>(&'a self, me: &'a Me) -> Client<'a> {
        Client::new(me, &self.tokens, &self.who)
    }

    /// The service, as another session of the same account uses it.
    #[must_use]
    pub fn client_of<'a>(&'a self, me: &'a Me, tokens: &'a Tokens) -> Client<'a> {
        Client::new(me, tokens, &self.who)
    }

    /// The person.
    #[must_use]
    pub fn who(&self) -> &Who {
        &self.who
    }

    /// Another session of the same account, not yet logged in.
    #[must_use]
    pub fn another_session(&self, me: &Me) -> Tokens {
        Tokens::new(&AUTH, me.user().email.as_str(), self.password.text(me))
    }

    /// Makes sure that there is a profile: creates it for a new account, otherwise only where it is missing. With at
    /// least `most` requests to spare, it is looked at as well.
    ///
    /// # Errors
    /// When the service refuses; so with all of these.
    pub async fn ensure_profile(&self, me: &Me, most: u32) -> Result<()> {
        if !self.is_new && (most < 2 || self.finds_profile(me).await?) {
            return Ok(());
        }
        let client = self.client(me);
        let profile = self.who.person.profile();
        if self.is_new {
            client.create_profile(&self.id, &profile).await?;
            self.has_profile.set(true);
        }
        if most >= 2 {
            let read = client.get_profile(&self.id).await?;
            me.check(
                "a created profile reads as written",
                read.bio == profile.bio,
            );
        }
        Ok(())
    }

    /// Looks at the profile; somebody who never got around to it fills it in now.
    ///
    /// # Errors
    /// As [`Account::ensure_profile`].
    pub async fn look_at_profile(&self, me: &Me) -> Result<()> {
        self.finds_profile(me).await.map(drop)
    }

    /// Whether there is a profile, as far as anybody knows.
    #[must_use]
    pub fn has_profile(&self) -> bool {
        self.has_profile.get()
    }

    fn lacks_profile(&self) -> bool {
        self.is_new && !self.has_profile.get()
    }

    /// Whether there was a profile, as there is now.
    async fn finds_profile(&self, me: &Me) -> Result<bool> {
        let client = self.client(me);
        // Whoever has just registered need not look.
        let found = !self.lacks_profile() && client.has_profile(&self.id).await?;
        if !found {
            let profile = self.who.person.profile();
            client.create_profile(&self.id, &profile).await?;
        }
        self.has_profile.set(true);
        Ok(found)
    }

    /// Changes a field or two of the profile, after a look at it with at least two requests to spare; whoever knows that
    /// there is none fills it in.
    ///
    /// # Errors
    /// As [`Account::ensure_profile`].
    pub async fn edit_profile(&self, me: &Me, most: u32) -> Result<()> {
        if (most >= 2 || self.lacks_profile()) && !self.finds_profile(me).await? {
            return Ok(());
        }
        let edit = me.with_rng(|rng| self.who.person.edit(rng));
        self.client(me).edit_profile(&self.id, &edit).await
    }

    /// Removes the profile and makes it anew.
    ///
    /// # Errors
    /// As [`Account::ensure_profile`].
    pub async fn remake_profile(&self, me: &Me) -> Result<()> {
        let client = self.client(me);
        client.delete_profile(&self.id).await?;
        self.has_profile.set(false);
        let profile = self.who.person.profile();
        client.create_profile(&self.id, &profile).await?;
        self.has_profile.set(true);
        Ok(())
    }

    /// How much reason there is to write the name in another way, around 1.0: the oftener somebody has done so, the less. It
    /// is left to those who see to others' names then, where the mix has such. 0.0 when it is enough for a session, or for long.
    #[must_use]
    pub fn reason_to_rename(&self, me: &Me) -> f32 {
        renames::reason(me)
    }

    /// Writes the name in another way: with the other last name, with the trade, or with neither. Nobody becomes somebody
    /// else.
    ///
    /// # Errors
    /// As [`Account::ensure_profile`].
    pub async fn edit_name(&self, me: &Me) -> Result<()> {
        const STYLES: [Style; 3] = [Style::Full, Style::Plain, Style::Trade];
        let name = STYLES[renames::so_far(me) as usize % 3];
        let name = self.who.person.name_in(name);
        renames::note(me);
        self.client(me).rename_user(&self.id, &name).await
    }

    /// Whether the password is to be changed in this session.
    #[must_use]
    pub fn changes_password(&self) -> bool {
        self.password.is_due()
    }

    /// How much reason there is to change the password out of turn, around 1.0: hardly any, for a mix that has nothing else,
    /// and none twice in a session.
    #[must_use]
    pub fn reason_for_another_password(&self) -> f32 {
        if self.password.is_changed() { 0.0 } else { 0.1 }
    }

    /// Sets another password; the next login uses it.
    ///
    /// # Errors
    /// As [`Account::ensure_profile`].
    pub async fn change_password(&self, me: &Me) -> Result<()> {
        let (old, new) = (self.password.text(me), self.password.next(me));
        let client = self.client(me);
        client.change_password(&self.id, &old, &new).await?;
        self.password.changed();
        self.tokens.set_password(new);
        Ok(())
    }

    /// Logs out and in again, as somebody does who wants to see whether a new password works.
    ///
    /// # Errors
    /// As [`Account::ensure_profile`].
    pub async fn log_in_again(&self, me: &Me) -> Result<()> {
        let client = self.client(me);
        client.log_out().await?;
        mistype(client).await?;
        log_in(client).await.map(drop)
    }

    /// Logs out.
    ///
    /// # Errors
    /// As [`Account::ensure_profile`].
    pub async fn leave(&self, me: &Me) -> Result<()> {
        self.client(me).log_out().await
    }
}

/// The virtual user's login, once more when the service fails.
async fn log_in(client: Client<'_>) -> Result<Reply> {
    client.pause(Pause::Form).await?;
    match client.tokens().login(client.me()).await {
        Err(error) if client.waits_for(&error) => {
            client.wait_a_second().await;
            client.tokens().login(client.me()).await
        }
        reply => reply,
    }
}

/// Registers the virtual user; false when it is registered already.
async fn register(client: Client<'_>) -> Result<bool> {
    client.pause(Pause::Form).await?;
    let me = client.me();
    let reply: Reply = NewUser::myself(me).on(me.call(CREATE_USER)).send().await?;
    match reply.status {
        409 => Ok(false),
        _ => reply.expect_success().map(|_| true),
    }
}

/// Where a login says whose the token is.
#[derive(Deserialize)]
struct Owner {
    user: Identified,
}
