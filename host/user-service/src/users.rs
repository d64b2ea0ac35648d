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
use crate::store::users::User;
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
    let store = app.read();
    reply::data(
        StatusCode::OK,
        UserView::new(&store, store.users.find(&id)?),
    )
}

async fn by_email(State(app): State<App>, _: Caller, Path(email): Path<String>) -> Reply {
    let store = app.read();
    reply::data(
        StatusCode::OK,
        UserView::new(&store, store.users.find_by_email(&email)?),
    )
}

async fn by_username(State(app): State<App>, _: Caller, Path(username): Path<String>) -> Reply {
    let store = app.read();
    reply::data(
        StatusCode::OK,
        UserView::new(&store, store.users.find_by_username(&username)?),
    )
}

#[derive(Deserialize)]
struct Registration {
    username: Option<String>,
    email: Option<String>,
    password: Option<String>,
    name: Option<String>,
}

async fn register(State(app): State<App>, Json(given): Json<Registration>) -> Reply {
    let mut check = Check::default();
    let username = check.need("username", &given.username, validate::username);
    let email = check.need("email", &given.email, validate::email);
    let password = check.need("password", &given.password, validate::password);
    let name = check.need("name", &given.name, validate::name);
    check.done()?;
    let password = Password::new(password);
    let mut store = app.write();
    let user = store
        .users
        .insert(username, email, name, password, app.now())?;
    changed(&app, &store, user, Change::Created);
    reply::data(StatusCode::CREATED, UserView::of(&store, user)?)
}

/// Tell those who listen, while the store is held: in the order in which things happen.
fn changed(app: &App, store: &Store, user: Key, change: Change) {
    if let Some(user) = store.users.get(user) {
        app.hub().changed(user, change, app.now());
    }
}

#[derive(Deserialize)]
struct Update {
    username: Option<String>,
    email: Option<String>,
    name: Option<String>,
}

async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(given): Json<Update>,
) -> Reply {
    let mut store = app.write();
    let user = store.own_or_managed(caller, &id)?.key;
    let mut check = Check::default();
    check.allow("username", &given.username, validate::username);
    check.allow("email", &given.email, validate::email);
    check.allow("name", &given.name, validate::name);
    check.done()?;
    store
        .users
        .update(user, given.username, given.email, given.name, app.now())?;
    changed(&app, &store, user, Change::Updated);
    reply::data(StatusCode::OK, UserView::of(&store, user)?)
}

async fn remove(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Reply {
    let mut store = app.write();
    let user = dispensable(store.managed(caller, &id)?)?;
    changed(&app, &store, user, Change::Deleted);
    store.remove_user(user);
    reply::nothing()
}

async fn activate(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Reply {
    let mut store = app.write();
    let user = store.managed(caller, &id)?.key;
    store.users.set_active(user, true, app.now());
    changed(&app, &store, user, Change::Activated);
    reply::data(StatusCode::OK, UserView::of(&store, user)?)
}

async fn deactivate(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Reply {
    let mut store = app.write();
    let user = dispensable(store.managed(caller, &id)?)?;
    store.users.set_active(user, false, app.now());
    changed(&app, &store, user, Change::Deactivated);
    store.sessions.end_all_of(user);
    reply::data(StatusCode::OK, UserView::of(&store, user)?)
}

fn dispensable(user: &User) -> Result<Key, Error> {
    if user.seeded {
        return Err(Error::Conflict(
            "the service cannot do without the seeded administrator".into(),
        ));
    }
    Ok(user.key)
}

#[derive(Deserialize)]
struct ChangePassword {
    current_password: Option<String>,
    new_password: Option<String>,
}

async fn change_password(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(given): Json<ChangePassword>,
) -> Reply {
    let mut store = app.write();
    let user = store
        .users
        .find(&id)
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
        .set_password(caller.user, Password::new(new), app.now());
    reply::nothing()
}

#[derive(Deserialize)]
struct ResetPassword {
    new_password: Option<String>,
}

async fn reset_password(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(given): Json<ResetPassword>,
) -> Reply {
    let mut store = app.write();
    let user = store.managed(caller, &id)?.key;
    let mut check = Check::default();
    let new = check.need("new_password", &given.new_password, validate::password);
    check.done()?;
    store
        .users
        .set_password(user, Password::new(new), app.now());
    store.sessions.end_all_of(user);
    reply::nothing()
}
