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
use crate::page::{Listing, Page};
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

async fn list(State(app): State<App>, _: Caller, params: Params) -> Reply {
    let page = Page::only(&params)?;
    app.permissions(page, |permissions| {
        reply::json(StatusCode::OK, &permissions)
    })
}

async fn show(State(app): State<App>, _: Caller, Path(id): Path<String>) -> Reply {
    app.permission(&id, |permission| reply::data(StatusCode::OK, permission))
}

async fn create(State(app): State<App>, caller: Caller, Json(given): Json<Fields>) -> Reply {
    app.create_permission(caller, given, |permission| {
        reply::data(StatusCode::CREATED, permission)
    })
}

async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(given): Json<Fields>,
) -> Reply {
    app.update_permission(caller, &id, given, |permission| {
        reply::data(StatusCode::OK, permission)
    })
}

async fn remove(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Reply {
    app.remove_permission(caller, &id)?;
    reply::nothing()
}

#[derive(Deserialize)]
pub struct Fields {
    pub name: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub description: Option<Option<String>>,
}

/// A permission as the API shows it.
#[derive(Serialize)]
pub struct PermissionView<'a> {
    pub id: Uuid,
    pub name: &'a str,
    pub description: Option<&'a str>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
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

fn view_of(store: &Store, permission: Key) -> Result<PermissionView<'_>, Error> {
    let permission = store.permissions.get(permission);
    permission.map(view).ok_or(Error::NotFound("permission"))
}

impl App {
    pub fn permissions<T>(
        &self,
        page: Page,
        show: impl FnOnce(Listing<PermissionView<'_>>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let store = self.read();
        let shown = store
            .permissions
            .iter()
            .skip(page.start())
            .take(page.size());
        show(page.listing(shown.map(view).collect(), store.permissions.len()))
    }

    pub fn permission<T>(
        &self,
        id: &str,
        show: impl FnOnce(PermissionView<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let store = self.read();
        show(view(store.permissions.find(id)?))
    }

    pub fn create_permission<T>(
        &self,
        caller: Caller,
        given: Fields,
        show: impl FnOnce(PermissionView<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut store = self.write();
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
            .insert(name, given.description.flatten(), self.now())?;
        show(view_of(&store, permission)?)
    }

    pub fn update_permission<T>(
        &self,
        caller: Caller,
        id: &str,
        given: Fields,
        show: impl FnOnce(PermissionView<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut store = self.write();
        store.require(caller, PERMISSIONS_MANAGE)?;
        let permission = store.permissions.find(id)?.key;
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
            self.now(),
        )?;
        show(view_of(&store, permission)?)
    }

    pub fn remove_permission(&self, caller: Caller, id: &str) -> Result<(), Error> {
        let mut store = self.write();
        store.require(caller, PERMISSIONS_MANAGE)?;
        let permission = store.permissions.find_deletable(id)?;
        store.remove_permission(permission);
        Ok(())
    }
}
