//! Calls about users: looking for them, changing them, and what only administrators may do to them.

use vespeiro_guest::{Call, Reply, Result};

use super::{Client, done, found, read};
use crate::bodies::{Change, Rename, Reset};
use crate::model::{Data, Extent, Id, Identified};
use crate::{Created, NewUser, routes};

impl<'a> Client<'a> {
    /// A page of users: what came, to be read as a [`Page`](crate::Page) of people who borrow from it.
    ///
    /// # Errors
    /// When there is no reply or no 2xx status.
    pub async fn list_users(&self, page: u32, per_page: u32) -> Result<Reply> {
        found(self.listing_users(page, per_page)).await
    }

    /// How many users there are.
    ///
    /// # Errors
    /// When there is no reply, no 2xx status or not what was asked for; so with all reading calls.
    pub async fn count_users(&self) -> Result<u32> {
        let first: Extent = read(self.listing_users(1, 10)).await?;
        Ok(first.meta.total)
    }

    fn listing_users(&self, page: u32, per_page: u32) -> Call<'a> {
        self.call(routes::LIST_USERS)
            .query("page", page)
            .query("per_page", per_page)
    }

    /// A page of users that match all these filters, to be read like that of [`Client::list_users`].
    ///
    /// # Errors
    /// As [`Client::list_users`].
    pub async fn search_users(&self, filters: &[(&str, &str)]) -> Result<Reply> {
        found(self.searching(filters)).await
    }

    /// The same without a look at who was found.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn skim_users(&self, filters: &[(&str, &str)]) -> Result<()> {
        done(self.searching(filters)).await
    }

    fn searching(&self, filters: &[(&str, &str)]) -> Call<'a> {
        let call = self.call(routes::SEARCH_USERS);
        filters
            .iter()
            .fold(call, |call, (name, value)| call.query(name, value))
    }

    /// A user.
    ///
    /// # Errors
    /// When there is no reply or no 2xx status; so with all calls that return nothing.
    pub async fn get_user(&self, id: &Id) -> Result<()> {
        done(self.call(routes::GET_USER).arg(id)).await
    }

    /// A user by e-mail address.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn get_user_by_email(&self, email: &str) -> Result<()> {
        done(self.call(routes::GET_USER_BY_EMAIL).arg(email)).await
    }

    /// A user by login name.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn get_user_by_username(&self, username: &str) -> Result<()> {
        done(self.call(routes::GET_USER_BY_USERNAME).arg(username)).await
    }

    /// The registration of a user, ready to be sent alone or with others.
    pub fn creating(&self, user: &NewUser) -> Call<'a> {
        user.on(self.call(routes::CREATE_USER)).capture_body()
    }

    /// Registers a user.
    ///
    /// # Errors
    /// As [`Client::list_users`].
    pub async fn create_user(&self, user: NewUser) -> Result<Created> {
        let created: Data<Identified> = read(self.creating(&user)).await?;
        Ok(Created {
            id: created.data.id,
            name: user.username,
        })
    }

    /// Registers several at once.
    ///
    /// # Errors
    /// As [`Client::list_users`]; those that were created keep their marks.
    pub async fn create_users(&self, users: Vec<NewUser>) -> Result<Vec<Created>> {
        let replies = self
            .all(users.iter().map(|user| self.creating(user)).collect())
            .await?;
        let created = replies.iter().zip(users).map(|(reply, user)| {
            let created: Data<Identified> = reply.json()?;
            Ok(Created {
                id: created.data.id,
                name: user.username,
            })
        });
        created.collect()
    }

    /// Gives a user another display name.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn rename_user(&self, id: &Id, name: &str) -> Result<()> {
        done(self.renaming(id, name)).await
    }

    /// Another display name for a user, ready to be sent alone or with others.
    pub fn renaming(&self, id: &Id, name: &str) -> Call<'a> {
        self.call(routes::UPDATE_USER)
            .arg(id)
            .json(&Rename { name })
    }

    /// Sets the account's password anew, to what it was, so that the identity holds for later sessions.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn change_password(&self, id: &Id, password: &str) -> Result<()> {
        let body = Change {
            current_password: password,
            new_password: password,
        };
        done(self.call(routes::CHANGE_PASSWORD).arg(id).json(&body)).await
    }

    /// Sets a user's password.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn reset_password(&self, id: &Id, password: &str) -> Result<()> {
        done(self.resetting(id, password)).await
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
        done(self.call(routes::DEACTIVATE_USER).arg(id)).await
    }

    /// Lets a user in again.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn activate_user(&self, id: &Id) -> Result<()> {
        done(self.call(routes::ACTIVATE_USER).arg(id)).await
    }

    /// Deletes a user that this session has created.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn delete_user(&self, user: &Created) -> Result<()> {
        done(self.call(routes::DELETE_USER).arg(&user.id)).await?;
        user.unmark(self.me(), "user");
        Ok(())
    }
}
