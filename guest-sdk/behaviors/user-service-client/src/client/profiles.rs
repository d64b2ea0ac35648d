//! Calls about profiles.

use vespeiro_guest::Result;

use super::Client;
use crate::model::{Data, Id, Profile};
use crate::person::ProfileEdit;
use crate::routes;
use crate::temper::Pause;

impl Client<'_> {
    /// Gives a user a profile.
    ///
    /// # Errors
    /// As [`Client::ask`]; so with all of these.
    pub async fn create_profile(&self, user: &Id, profile: &Profile) -> Result<()> {
        let call = self.call(routes::CREATE_PROFILE).arg(user).json(profile);
        self.done(Pause::Form, call).await
    }

    /// Whether a user has a profile.
    ///
    /// # Errors
    /// As [`Client::create_profile`].
    pub async fn has_profile(&self, user: &Id) -> Result<bool> {
        self.pause(Pause::Look).await?;
        let reply = self.call(routes::GET_PROFILE).arg(user).send().await?;
        if reply.status == 404 {
            return Ok(false);
        }
        reply.expect_success().map(|_| true)
    }

    /// Opens a user's profile, without a look at what it says.
    ///
    /// # Errors
    /// As [`Client::create_profile`].
    pub async fn open_profile(&self, user: &Id) -> Result<()> {
        self.done(Pause::Look, self.call(routes::GET_PROFILE).arg(user))
            .await
    }

    /// A user's profile.
    ///
    /// # Errors
    /// As [`Client::create_profile`], and when it is not what was asked for.
    pub async fn get_profile(&self, user: &Id) -> Result<Profile> {
        let call = self.call(routes::GET_PROFILE).arg(user);
        let found: Data<Profile> = self.read(Pause::Look, call).await?;
        Ok(found.data)
    }

    /// Changes some fields of a profile.
    ///
    /// # Errors
    /// As [`Client::create_profile`].
    pub async fn edit_profile(&self, user: &Id, edit: &ProfileEdit) -> Result<()> {
        let call = self.call(routes::UPDATE_PROFILE).arg(user).json(edit);
        self.done(Pause::Form, call).await
    }

    /// Removes a profile.
    ///
    /// # Errors
    /// As [`Client::create_profile`].
    pub async fn delete_profile(&self, user: &Id) -> Result<()> {
        self.done(Pause::Look, self.call(routes::DELETE_PROFILE).arg(user))
            .await
    }
}
