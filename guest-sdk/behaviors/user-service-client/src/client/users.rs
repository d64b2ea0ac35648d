//! Calls about users: looking for them, changing them, and what only administrators may do to them.

use serde_json::json;
use vespeiro_guest::{Call, Result};

use super::{Client, done, read};
use crate::model::{Data, Id, Identified, Page, Person};
use crate::{Created, NewUser, routes};

impl<'a> Client<'a> {
    /// A page of users.
    ///
    /// # Errors
    /// When there is no reply, no 2xx status or no list; so with all reading calls.
    pub async fn list_users(&self, page: u32, per_page: u32) -> Result<Page<Person>> {
        read(
            self.call(routes::LIST_USERS)
                .query("page", page)
                .query("per_page", per_page),
        )
        .await
    }

    /// A page of users that match all these filters.
    ///
    /// # Errors
    /// As [`Client::list_users`].
    pub async fn search_users(&self, filters: &[(&str, &str)]) -> Result<Page<Person>> {
        read(self.searching(filters)).await
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
        done(
            self.call(routes::UPDATE_USER)
                .arg(id)
                .json(&json!({ "name": name })),
        )
        .await
    }

    /// Sets the account's password anew, to what it was, so that the identity holds for later sessions.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn change_password(&self, id: &Id, password: &str) -> Result<()> {
        let body = json!({ "current_password": password, "new_password": password });
        done(self.call(routes::CHANGE_PASSWORD).arg(id).json(&body)).await
    }

    /// Sets a user's password.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn reset_password(&self, id: &Id, password: &str) -> Result<()> {
        done(
            self.call(routes::RESET_PASSWORD)
                .arg(id)
                .json(&json!({ "new_password": password })),
        )
        .await
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
