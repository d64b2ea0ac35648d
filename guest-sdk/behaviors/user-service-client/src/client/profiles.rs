//! Calls about profiles.

use vespeiro_guest::Result;

use super::{Client, done, read};
use crate::model::{Data, Id, Profile};
use crate::routes;

impl Client<'_> {
    /// Gives a user a profile.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn create_profile(&self, user: &Id, profile: &Profile) -> Result<()> {
        done(self.call(routes::CREATE_PROFILE).arg(user).json(profile)).await
    }

    /// A user's profile; `None` when there is none.
    ///
    /// # Errors
    /// As [`Client::list_users`].
    pub async fn find_profile(&self, user: &Id) -> Result<Option<Profile>> {
        let reply = self
            .call(routes::GET_PROFILE)
            .arg(user)
            .capture_body()
            .send()
            .await?;
        if reply.status == 404 {
            return Ok(None);
        }
        let found: Data<Profile> = reply.expect_success()?.json()?;
        Ok(Some(found.data))
    }

    /// A user's profile.
    ///
    /// # Errors
    /// As [`Client::list_users`].
    pub async fn get_profile(&self, user: &Id) -> Result<Profile> {
        let found: Data<Profile> = read(self.call(routes::GET_PROFILE).arg(user)).await?;
        Ok(found.data)
    }

    /// Changes a profile.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn update_profile(&self, user: &Id, profile: &Profile) -> Result<()> {
        done(self.call(routes::UPDATE_PROFILE).arg(user).json(profile)).await
    }

    /// Removes a profile.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn delete_profile(&self, user: &Id) -> Result<()> {
        done(self.call(routes::DELETE_PROFILE).arg(user)).await
    }
}
