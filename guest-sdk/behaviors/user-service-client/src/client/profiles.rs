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

    /// Whether a user has a profile.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn has_profile(&self, user: &Id) -> Result<bool> {
        let reply = self.call(routes::GET_PROFILE).arg(user).send().await?;
        if reply.status == 404 {
            return Ok(false);
        }
        reply.expect_success().map(|_| true)
    }

    /// Opens a user's profile, without a look at what it says.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn open_profile(&self, user: &Id) -> Result<()> {
        done(self.call(routes::GET_PROFILE).arg(user)).await
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
