//! `users.v1.ProfileService`.

use axum::Router;

use super::call::signed;
use super::messages::{DeleteProfileRequest, GetProfileRequest, Profile, ProfileFields};
use super::value::{clearing, moment};

use crate::app::App;
use crate::caller::Caller;
use crate::error::Error;
use crate::profiles::{Fields, ProfileView};

pub fn routes() -> Router<App> {
    Router::new()
        .route("/users.v1.ProfileService/GetProfile", signed(show))
        .route("/users.v1.ProfileService/CreateProfile", signed(create))
        .route("/users.v1.ProfileService/UpdateProfile", signed(update))
        .route("/users.v1.ProfileService/DeleteProfile", signed(remove))
}

fn show(app: &App, _: Caller, asked: GetProfileRequest) -> Result<Profile, Error> {
    app.profile(&asked.user_id, |profile| Ok(profile.into()))
}

fn create(app: &App, caller: Caller, asked: ProfileFields) -> Result<Profile, Error> {
    let (user, given) = fields(asked);
    app.create_profile(caller, &user, given, |profile| Ok(profile.into()))
}

fn update(app: &App, caller: Caller, asked: ProfileFields) -> Result<Profile, Error> {
    let (user, given) = fields(asked);
    app.update_profile(caller, &user, given, |profile| Ok(profile.into()))
}

fn remove(app: &App, caller: Caller, asked: DeleteProfileRequest) -> Result<(), Error> {
    app.remove_profile(caller, &asked.user_id)
}

/// Whose profile, and what it is to say.
fn fields(asked: ProfileFields) -> (String, Fields) {
    let fields = Fields {
        bio: clearing(asked.bio),
        phone: clearing(asked.phone),
        location: clearing(asked.location),
        website: clearing(asked.website),
        birth_date: clearing(asked.birth_date),
    };
    (asked.user_id, fields)
}

impl From<ProfileView<'_>> for Profile {
    fn from(profile: ProfileView<'_>) -> Self {
        Self {
            user_id: profile.user_id.to_string(),
            bio: profile.bio.map(str::to_owned),
            phone: profile.phone.map(str::to_owned),
            location: profile.location.map(str::to_owned),
            website: profile.website.map(str::to_owned),
            birth_date: profile.birth_date.map(str::to_owned),
            created_at: moment(profile.created_at),
            updated_at: moment(profile.updated_at),
        }
    }
}
