//! `/api/v1/roles`: named sets of permissions. Anyone signed in reads them, `roles.manage` writes them.

use std::collections::BTreeSet;

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
use crate::permissions::MAX_DESCRIPTION;
use crate::reply::{self, Reply};
use crate::store::catalog::{Entry, Role};
use crate::store::{Key, ROLES_MANAGE, Store};
use crate::validate::{self, Check};

pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/roles", get(list).post(create))
        .route("/api/v1/roles/{id}", get(show).put(update).delete(remove))
}

#[derive(Deserialize)]
struct Fields {
    name: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    description: Option<Option<String>>,
    /// Ids or names.
    permissions: Option<Vec<String>>,
}

/// A role as the API shows it; permissions by name.
#[derive(Serialize)]
pub struct RoleView<'a> {
    id: Uuid,
    name: &'a str,
    description: Option<&'a str>,
    permissions: Vec<&'a str>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl<'a> RoleView<'a> {
    pub fn new(store: &'a Store, role: &'a Entry<Role>) -> Self {
        let grants = role
            .links
            .grants
            .iter()
            .filter_map(|key| store.permissions.get(*key));
        Self {
            id: role.id,
            name: &role.name,
            description: role.description.as_deref(),
            permissions: grants.map(|permission| permission.name.as_str()).collect(),
            created_at: role.created_at,
            updated_at: role.updated_at,
        }
    }
}

async fn list(State(app): State<App>, _: Caller, params: Params) -> Reply {
    let page = Page::only(&params)?;
    let store = app.read();
    let shown = store.roles.iter().skip(page.start()).take(page.size());
    page.reply(
        shown.map(|role| RoleView::new(&store, role)).collect(),
        store.roles.len(),
    )
}

async fn show(State(app): State<App>, _: Caller, Path(id): Path<String>) -> Reply {
    let store = app.read();
    reply::data(
        StatusCode::OK,
        RoleView::new(&store, store.roles.find(&id)?),
    )
}

async fn create(State(app): State<App>, caller: Caller, Json(given): Json<Fields>) -> Reply {
    let mut store = app.write();
    store.require(caller, ROLES_MANAGE)?;
    let mut check = Check::default();
    let name = check.need("name", &given.name, validate::catalog_name);
    check.at_most(
        "description",
        given.description.as_ref().and_then(Option::as_deref),
        MAX_DESCRIPTION,
    );
    check.done()?;
    let granted = resolve(&store, given.permissions.as_deref().unwrap_or_default())?;
    let role = store
        .roles
        .insert(name, given.description.flatten(), app.now())?;
    store.grant(role, granted);
    answer(StatusCode::CREATED, &store, role)
}

async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(given): Json<Fields>,
) -> Reply {
    let mut store = app.write();
    store.require(caller, ROLES_MANAGE)?;
    let role = store.roles.find(&id)?;
    let (key, seeded) = (role.key, role.seeded);
    let mut check = Check::default();
    check.allow("name", &given.name, validate::catalog_name);
    check.at_most(
        "description",
        given.description.as_ref().and_then(Option::as_deref),
        MAX_DESCRIPTION,
    );
    check.done()?;
    let granted = given
        .permissions
        .as_deref()
        .map(|named| resolve(&store, named))
        .transpose()?;
    if seeded
        && granted
            .as_ref()
            .is_some_and(|granted| *granted != role.links.grants)
    {
        return Err(Error::Conflict(
            "the seeded role keeps its permissions".into(),
        ));
    }
    store
        .roles
        .update(key, given.name.as_deref(), given.description, app.now())?;
    if let Some(granted) = granted {
        store.grant(key, granted);
    }
    answer(StatusCode::OK, &store, key)
}

async fn remove(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Reply {
    let mut store = app.write();
    store.require(caller, ROLES_MANAGE)?;
    let role = store.roles.find_deletable(&id)?;
    store.remove_role(role);
    reply::nothing()
}

fn answer(status: StatusCode, store: &Store, role: Key) -> Reply {
    let role = store.roles.get(role).ok_or(Error::NotFound("role"))?;
    reply::data(status, RoleView::new(store, role))
}

fn resolve(store: &Store, named: &[String]) -> Result<BTreeSet<Key>, Error> {
    let find = |name: &String| {
        store
            .permissions
            .key_of(name)
            .ok_or_else(|| Error::invalid("permissions", format!("{name} does not exist")))
    };
    named.iter().map(find).collect()
}
