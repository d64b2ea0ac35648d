//! `/api/v1/users`: registration, reading, editing, and what managers do to accounts. Searching has its own file.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, put};
use serde::Deserialize;

use crate::app::App;
use crate::body::Json;
use crate::caller::Caller;
use crate::error::Error;
use crate::hub::Change;
use crate::passwords::Password;
use crate::path::Path;
use crate::reply::{self, Reply};
use crate::search;
use crate::store::users::{User, Users};
use crate::store::{Key, Store};
use crate::user_view::UserView;
use crate::validate::{self, Check};

pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/users", get(search::list).post(register))
        .route("/api/v1/users/search", get(search::search))
        .route("/api/v1/users/email/{email}", get(by_email))
        .route("/api/v1/users/username/{username}", get(by_username))
        .route("/api/v1/users/{id}", get(by_id).put(update).delete(remove))
        .route("/api/v1/users/{id}/activate", put(activate))
        .route("/api/v1/users/{id}/deactivate", put(deactivate))
        .route("/api/v1/users/{id}/change-password", put(change_password))
        .route("/api/v1/users/{id}/reset-password", put(reset_password))
}

async fn by_id(State(app): State<App>, _: Caller, Path(id): Path<String>) -> Reply {
    app.user(
        |users| users.find(&id),
        |user| reply::data(StatusCode::OK, user),
    )
}

async fn by_email(State(app): State<App>, _: Caller, Path(email): Path<String>) -> Reply {
    app.user(
        |users| users.find_by_email(&email),
        |user| reply::data(StatusCode::OK, user),
    )
}

async fn by_username(State(app): State<App>, _: Caller, Path(username): Path<String>) -> Reply {
    app.user(
        |users| users.find_by_username(&username),
        |user| reply::data(StatusCode::OK, user),
    )
}

async fn register(State(app): State<App>, Json(given): Json<Registration>) -> Reply {
    app.register(given, |user| reply::data(StatusCode::CREATED, user))
}

async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(given): Json<Update>,
) -> Reply {
    app.update_user(caller, &id, given, |user| reply::data(StatusCode::OK, user))
}

async fn remove(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Reply {
    app.remove_user(caller, &id)?;
    reply::nothing()
}

async fn activate(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Reply {
    app.activate(caller, &id, |user| reply::data(StatusCode::OK, user))
}

async fn deactivate(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Reply {
    app.deactivate(caller, &id, |user| reply::data(StatusCode::OK, user))
}

async fn change_password(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(given): Json<ChangePassword>,
) -> Reply {
    app.change_password(caller, &id, given)?;
    reply::nothing()
}

async fn reset_password(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(given): Json<ResetPassword>,
) -> Reply {
    app.reset_password(caller, &id, given)?;
    reply::nothing()
}

#[derive(Deserialize)]
pub struct Registration {
    pub username: Option<String>,
    pub email: Option<String>,
    pub password: Option<String>,
    pub name: Option<String>,
}

/// Absent fields stay as they are.
#[derive(Deserialize)]
pub struct Update {
    pub username: Option<String>,
    pub email: Option<String>,
    pub name: Option<String>,
}

#[derive(Deserialize)]
pub struct ChangePassword {
    pub current_password: Option<String>,
    pub new_password: Option<String>,
}

#[derive(Deserialize)]
pub struct ResetPassword {
    pub new_password: Option<String>,
}

impl App {
    /// Who is found.
    pub fn user<T>(
        &self,
        find: impl FnOnce(&Users) -> Result<&User, Error>,
        show: impl FnOnce(UserView<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let store = self.read();
        show(UserView::new(&store, find(&store.users)?))
    }

    pub fn register<T>(
        &self,
        given: Registration,
        show: impl FnOnce(UserView<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut check = Check::default();
        let username = check.need("username", &given.username, validate::username);
        let email = check.need("email", &given.email, validate::email);
        let password = check.need("password", &given.password, validate::password);
        let name = check.need("name", &given.name, validate::name);
        check.done()?;
        let password = Password::new(password);
        let mut store = self.write();
        let user = store
            .users
            .insert(username, email, name, password, self.now())?;
        self.changed(&store, user, Change::Created);
        show(UserView::of(&store, user)?)
    }

    /// Tell those who listen, while the store is held: in the order in which things happen.
    fn changed(&self, store: &Store, user: Key, change: Change) {
        if let Some(user) = store.users.get(user) {
            self.hub().changed(user, change, self.now());
        }
    }

    pub fn update_user<T>(
        &self,
        caller: Caller,
        id: &str,
        given: Update,
        show: impl FnOnce(UserView<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut store = self.write();
        let user = store.own_or_managed(caller, id)?.key;
        let mut check = Check::default();
        check.allow("username", &given.username, validate::username);
        check.allow("email", &given.email, validate::email);
        check.allow("name", &given.name, validate::name);
        check.done()?;
        store
            .users
            .update(user, given.username, given.email, given.name, self.now())?;
        self.changed(&store, user, Change::Updated);
        show(UserView::of(&store, user)?)
    }

    pub fn remove_user(&self, caller: Caller, id: &str) -> Result<(), Error> {
        let mut store = self.write();
        let user = dispensable(store.managed(caller, id)?)?;
        self.changed(&store, user, Change::Deleted);
        store.remove_user(user);
        Ok(())
    }

    pub fn activate<T>(
        &self,
        caller: Caller,
        id: &str,
        show: impl FnOnce(UserView<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut store = self.write();
        let user = store.managed(caller, id)?.key;
        store.users.set_active(user, true, self.now());
        self.changed(&store, user, Change::Activated);
        show(UserView::of(&store, user)?)
    }

    pub fn deactivate<T>(
        &self,
        caller: Caller,
        id: &str,
        show: impl FnOnce(UserView<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut store = self.write();
        let user = dispensable(store.managed(caller, id)?)?;
        store.users.set_active(user, false, self.now());
        self.changed(&store, user, Change::Deactivated);
        store.sessions.end_all_of(user);
        show(UserView::of(&store, user)?)
    }

    pub fn change_password(
        &self,
        caller: Caller,
        id: &str,
        given: ChangePassword,
    ) -> Result<(), Error> {
        let mut store = self.write();
        let user = store
            .users
            .find(id)
            .ok()
            .filter(|user| user.key == caller.user);
        let user = user.ok_or(Error::Forbidden(
            "only its owner can change a password; managers reset it".into(),
        ))?;
        let mut check = Check::default();
        let current = check.required("current_password", &given.current_password);
        let new = check.need("new_password", &given.new_password, validate::password);
        check.done()?;
        if !user.password.matches(current) {
            return Err(Error::invalid("current_password", "does not match"));
        }
        store
            .users
            .set_password(caller.user, Password::new(new), self.now());
        Ok(())
    }

    pub fn reset_password(
        &self,
        caller: Caller,
        id: &str,
        given: ResetPassword,
    ) -> Result<(), Error> {
        let mut store = self.write();
        let user = store.managed(caller, id)?.key;
        let mut check = Check::default();
        let new = check.need("new_password", &given.new_password, validate::password);
        check.done()?;
        store
            .users
            .set_password(user, Password::new(new), self.now());
        store.sessions.end_all_of(user);
        Ok(())
    }
}

fn dispensable(user: &User) -> Result<Key, Error> {
    if user.seeded {
        return Err(Error::Conflict(
            "the service cannot do without the seeded administrator".into(),
        ));
    }
    Ok(user.key)
}
