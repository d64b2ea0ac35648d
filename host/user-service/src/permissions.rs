//! `/api/v1/permissions`: the names that roles carry. Anyone signed in reads them, `permissions.manage` writes them.

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
use crate::page::Page;
use crate::params::Params;
use crate::path::Path;
use crate::reply::{self, Reply};
use crate::store::catalog::{Entry, Permission};
use crate::store::{Key, PERMISSIONS_MANAGE, Store};
use crate::validate::{self, Check};

/// Longest description of a role or permission, in characters.
pub const MAX_DESCRIPTION: usize = 255;

pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/permissions", get(list).post(create))
        .route(
            "/api/v1/permissions/{id}",
            get(show).put(update).delete(remove),
        )
}

#[derive(Deserialize)]
struct Fields {
    name: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    description: Option<Option<String>>,
}

#[derive(Serialize)]
struct PermissionView<'a> {
    id: Uuid,
    name: &'a str,
    description: Option<&'a str>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

fn view(permission: &Entry<Permission>) -> PermissionView<'_> {
    PermissionView {
        id: permission.id,
        name: &permission.name,
        description: permission.description.as_deref(),
        created_at: permission.created_at,
        updated_at: permission.updated_at,
    }
}

async fn list(State(app): State<App>, _: Caller, params: Params) -> Reply {
    let page = Page::only(&params)?;
    let store = app.read();
    let shown = store
        .permissions
        .iter()
        .skip(page.start())
        .take(page.size());
    page.reply(shown.map(view).collect(), store.permissions.len())
}

async fn show(State(app): State<App>, _: Caller, Path(id): Path<String>) -> Reply {
    let store = app.read();
    reply::data(StatusCode::OK, view(store.permissions.find(&id)?))
}

async fn create(State(app): State<App>, caller: Caller, Json(given): Json<Fields>) -> Reply {
    let mut store = app.write();
    store.require(caller, PERMISSIONS_MANAGE)?;
    let mut check = Check::default();
    let name = check.need("name", &given.name, validate::catalog_name);
    check.at_most(
        "description",
        given.description.as_ref().and_then(Option::as_deref),
        MAX_DESCRIPTION,
    );
    check.done()?;
    let permission = store
        .permissions
        .insert(name, given.description.flatten(), app.now())?;
    answer(StatusCode::CREATED, &store, permission)
}

async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(given): Json<Fields>,
) -> Reply {
    let mut store = app.write();
    store.require(caller, PERMISSIONS_MANAGE)?;
    let permission = store.permissions.find(&id)?.key;
    let mut check = Check::default();
    check.allow("name", &given.name, validate::catalog_name);
    check.at_most(
        "description",
        given.description.as_ref().and_then(Option::as_deref),
        MAX_DESCRIPTION,
    );
    check.done()?;
    store.permissions.update(
        permission,
        given.name.as_deref(),
        given.description,
        app.now(),
    )?;
    answer(StatusCode::OK, &store, permission)
}

async fn remove(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Reply {
    let mut store = app.write();
    store.require(caller, PERMISSIONS_MANAGE)?;
    let permission = store.permissions.find_deletable(&id)?;
    store.remove_permission(permission);
    reply::nothing()
}

fn answer(status: StatusCode, store: &Store, permission: Key) -> Reply {
    reply::data(
        status,
        view(
            store
                .permissions
                .get(permission)
                .ok_or(Error::NotFound("permission"))?,
        ),
    )
}
