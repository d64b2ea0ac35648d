//! Calls about users: looking for them, changing them, and what only administrators may do to them.

use vespeiro_guest::{Call, Reply, Result};

use super::Client;
use crate::bodies::{Change, Rename, Reset};
use crate::model::{Data, Id, Identified};
use crate::temper::Pause;
use crate::{Created, Member, NewUser, routes};

impl<'a> Client<'a> {
    /// A page of users: what came, to be read as a [`Page`](crate::Page) of people who borrow from it.
    ///
    /// # Errors
    /// When there is no reply or no 2xx status.
    pub async fn list_users(&self, page: u32, per_page: u32) -> Result<Reply> {
        let call = self.listing_users(page, per_page).capture_body();
        self.ask(Pause::Look, call).await
    }

    /// A page of users, ready to be sent alone or with others.
    pub fn listing_users(&self, page: u32, per_page: u32) -> Call<'a> {
        self.call(routes::LIST_USERS)
            .query("page", page)
            .query("per_page", per_page)
    }

    /// A page of users that match all these filters, ready to be sent; to be read like that of [`Client::list_users`].
    pub fn searching(&self, filters: &[(&str, &str)]) -> Call<'a> {
        let call = self.call(routes::SEARCH_USERS);
        filters
            .iter()
            .fold(call, |call, (name, value)| call.query(name, value))
    }

    /// A user.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub async fn get_user(&self, id: &Id) -> Result<()> {
        self.done(Pause::Look, self.call(routes::GET_USER).arg(id))
            .await
    }

    /// A user by e-mail address.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn get_user_by_email(&self, email: &str) -> Result<()> {
        let call = self.call(routes::GET_USER_BY_EMAIL).arg(email);
        self.done(Pause::Look, call).await
    }

    /// A user by login name.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn get_user_by_username(&self, username: &str) -> Result<()> {
        let call = self.call(routes::GET_USER_BY_USERNAME).arg(username);
        self.done(Pause::Look, call).await
    }

    fn creating(&self, user: &NewUser) -> Call<'a> {
        user.on(self.call(routes::CREATE_USER)).capture_body()
    }

    /// Registers a user.
    ///
    /// # Errors
    /// As [`Client::list_users`], and when the answer does not say who that is.
    pub async fn create_user(&self, user: NewUser) -> Result<Member> {
        let reply = self.ask(Pause::Form, self.creating(&user)).await?;
        member(&reply, user)
    }

    /// Registers several at once.
    ///
    /// # Errors
    /// As [`Client::create_user`]; those that were created keep their marks.
    pub async fn create_users(&self, users: Vec<NewUser>) -> Result<Vec<Member>> {
        let calls = users.iter().map(|user| self.creating(user)).collect();
        let replies = self.together(Pause::Form, calls).await?;
        let members = replies.iter().zip(users);
        members.map(|(reply, user)| member(reply, user)).collect()
    }

    /// Gives a user another display name.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn rename_user(&self, id: &Id, name: &str) -> Result<()> {
        self.done(Pause::Form, self.renaming(id, name)).await
    }

    /// Another display name for a user, ready to be sent alone or with others.
    pub fn renaming(&self, id: &Id, name: &str) -> Call<'a> {
        self.call(routes::UPDATE_USER)
            .arg(id)
            .json(&Rename { name })
    }

    /// Sets the account's own password.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn change_password(&self, id: &Id, old: &str, new: &str) -> Result<()> {
        let body = Change {
            current_password: old,
            new_password: new,
        };
        let call = self.call(routes::CHANGE_PASSWORD).arg(id).json(&body);
        self.done(Pause::Form, call.reload(0, 0)).await
    }

    /// Sets a user's password.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn reset_password(&self, id: &Id, password: &str) -> Result<()> {
        self.done(Pause::Form, self.resetting(id, password)).await
    }

    /// A new password for a user, ready to be sent alone or with others.
    pub fn resetting(&self, id: &Id, new_password: &str) -> Call<'a> {
        self.call(routes::RESET_PASSWORD)
            .arg(id)
            .json(&Reset { new_password })
    }

    /// Locks a user out.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn deactivate_user(&self, id: &Id) -> Result<()> {
        self.done(Pause::Look, self.call(routes::DEACTIVATE_USER).arg(id))
            .await
    }

    /// Lets a user in again.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn activate_user(&self, id: &Id) -> Result<()> {
        self.done(Pause::Look, self.call(routes::ACTIVATE_USER).arg(id))
            .await
    }

    /// Deletes users that this session has created, together.
    ///
    /// # Errors
    /// As [`Client::together`]; none of them is unmarked then.
    pub async fn delete_users(&self, users: &[Member]) -> Result<()> {
        let deleting = |user: &Member| self.call(routes::DELETE_USER).arg(&user.account.id);
        self.together(Pause::Look, users.iter().map(deleting).collect())
            .await?;
        for user in users {
            user.account.unmark(self.me(), "user");
        }
        Ok(())
    }
}

fn member(reply: &Reply, user: NewUser) -> Result<Member> {
    let created: Data<Identified> = reply.json()?;
    Ok(Member {
        account: Created {
            id: created.data.id,
            name: user.username,
        },
        person: user.person,
        has_profile: false,
        renamed: 0,
    })
}
