//! `/api/v1/users/{userId}/profile`: one profile per user, its owner's or a manager's to write, anyone's to read.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::app::App;
use crate::body::{Json, nullable};
use crate::caller::Caller;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::path::Path;
use crate::reply::{self, Reply};
use crate::store::users::{Profile, User};
use crate::store::{Key, Store};
use crate::validate::Check;

pub fn routes() -> Router<App> {
    Router::new().route(
        "/api/v1/users/{userId}/profile",
        get(show).post(create).put(update).delete(remove),
    )
}

async fn show(State(app): State<App>, _: Caller, Path(id): Path<String>) -> Reply {
    app.profile(&id, |profile| reply::data(StatusCode::OK, profile))
}

async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(given): Json<Fields>,
) -> Reply {
    app.create_profile(caller, &id, given, |profile| {
        reply::data(StatusCode::CREATED, profile)
    })
}

async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(given): Json<Fields>,
) -> Reply {
    app.update_profile(caller, &id, given, |profile| {
        reply::data(StatusCode::OK, profile)
    })
}

async fn remove(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Reply {
    app.remove_profile(caller, &id)?;
    reply::nothing()
}

/// Absent fields stay as they are, `null` ones are cleared.
#[derive(Deserialize)]
pub struct Fields {
    #[serde(default, deserialize_with = "nullable")]
    pub bio: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    pub phone: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    pub location: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    pub website: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    pub birth_date: Option<Option<String>>,
}

impl Fields {
    fn check(&self) -> Result<(), Error> {
        let mut check = Check::default();
        let limits = [
            ("bio", &self.bio, 1000),
            ("phone", &self.phone, 32),
            ("location", &self.location, 120),
            ("website", &self.website, 255),
            ("birth_date", &self.birth_date, 32),
        ];
        for (field, value, max) in limits {
            check.at_most(field, value.as_ref().and_then(Option::as_deref), max);
        }
        check.done()
    }

    fn apply(self, profile: &mut Profile, now: Timestamp) {
        let set = |place: &mut Option<String>, value: Option<Option<String>>| {
            if let Some(value) = value {
                *place = value;
            }
        };
        set(&mut profile.bio, self.bio);
        set(&mut profile.phone, self.phone);
        set(&mut profile.location, self.location);
        set(&mut profile.website, self.website);
        set(&mut profile.birth_date, self.birth_date);
        profile.updated_at = now;
    }
}

/// A profile as the API shows it.
#[derive(Serialize)]
pub struct ProfileView<'a> {
    pub user_id: Uuid,
    pub bio: Option<&'a str>,
    pub phone: Option<&'a str>,
    pub location: Option<&'a str>,
    pub website: Option<&'a str>,
    pub birth_date: Option<&'a str>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

fn view(user: &User) -> Result<ProfileView<'_>, Error> {
    let profile = user.profile.as_deref().ok_or(Error::NotFound("profile"))?;
    Ok(ProfileView {
        user_id: user.id,
        bio: profile.bio.as_deref(),
        phone: profile.phone.as_deref(),
        location: profile.location.as_deref(),
        website: profile.website.as_deref(),
        birth_date: profile.birth_date.as_deref(),
        created_at: profile.created_at,
        updated_at: profile.updated_at,
    })
}

fn view_of(store: &Store, user: Key) -> Result<ProfileView<'_>, Error> {
    view(store.users.get(user).ok_or(Error::NotFound("user"))?)
}

impl App {
    pub fn profile<T>(
        &self,
        id: &str,
        show: impl FnOnce(ProfileView<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let store = self.read();
        show(view(store.users.find(id)?)?)
    }

    pub fn create_profile<T>(
        &self,
        caller: Caller,
        id: &str,
        given: Fields,
        show: impl FnOnce(ProfileView<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut store = self.write();
        let user = store.own_or_managed(caller, id)?;
        let (user, exists) = (user.key, user.profile.is_some());
        given.check()?;
        if exists {
            return Err(Error::Conflict("the user has a profile already".into()));
        }
        let now = self.now();
        let mut profile = Profile {
            bio: None,
            phone: None,
            location: None,
            website: None,
            birth_date: None,
            created_at: now,
            updated_at: now,
        };
        given.apply(&mut profile, now);
        store.users.set_profile(user, Some(profile));
        show(view_of(&store, user)?)
    }

    pub fn update_profile<T>(
        &self,
        caller: Caller,
        id: &str,
        given: Fields,
        show: impl FnOnce(ProfileView<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut store = self.write();
        let user = store.own_or_managed(caller, id)?.key;
        let profile = store
            .users
            .profile_mut(user)
            .ok_or(Error::NotFound("profile"))?;
        given.check()?;
        given.apply(profile, self.now());
        show(view_of(&store, user)?)
    }

    pub fn remove_profile(&self, caller: Caller, id: &str) -> Result<(), Error> {
        let mut store = self.write();
        let user = store.own_or_managed(caller, id)?;
        view(user)?;
        let user = user.key;
        store.users.set_profile(user, None);
        Ok(())
    }
}
