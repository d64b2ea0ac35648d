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
use crate::page::{Listing, Page};
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

async fn list(State(app): State<App>, _: Caller, params: Params) -> Reply {
    let page = Page::only(&params)?;
    app.roles(page, |roles| reply::json(StatusCode::OK, &roles))
}

async fn show(State(app): State<App>, _: Caller, Path(id): Path<String>) -> Reply {
    app.role(&id, |role| reply::data(StatusCode::OK, role))
}

async fn create(State(app): State<App>, caller: Caller, Json(given): Json<Fields>) -> Reply {
    app.create_role(caller, given, |role| reply::data(StatusCode::CREATED, role))
}

async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(given): Json<Fields>,
) -> Reply {
    app.update_role(caller, &id, given, |role| reply::data(StatusCode::OK, role))
}

async fn remove(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Reply {
    app.remove_role(caller, &id)?;
    reply::nothing()
}

#[derive(Deserialize)]
pub struct Fields {
    pub name: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub description: Option<Option<String>>,
    /// Ids or names.
    pub permissions: Option<Vec<String>>,
}

/// A role as the API shows it; permissions by name.
#[derive(Serialize)]
pub struct RoleView<'a> {
    pub id: Uuid,
    pub name: &'a str,
    pub description: Option<&'a str>,
    pub permissions: Vec<&'a str>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
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

    pub fn of(store: &'a Store, role: Key) -> Result<Self, Error> {
        let role = store.roles.get(role).ok_or(Error::NotFound("role"))?;
        Ok(Self::new(store, role))
    }
}

impl App {
    pub fn roles<T>(
        &self,
        page: Page,
        show: impl FnOnce(Listing<RoleView<'_>>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let store = self.read();
        let shown = store.roles.iter().skip(page.start()).take(page.size());
        let shown = shown.map(|role| RoleView::new(&store, role)).collect();
        show(page.listing(shown, store.roles.len()))
    }

    pub fn role<T>(
        &self,
        id: &str,
        show: impl FnOnce(RoleView<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let store = self.read();
        show(RoleView::new(&store, store.roles.find(id)?))
    }

    pub fn create_role<T>(
        &self,
        caller: Caller,
        given: Fields,
        show: impl FnOnce(RoleView<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut store = self.write();
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
            .insert(name, given.description.flatten(), self.now())?;
        store.grant(role, granted);
        show(RoleView::of(&store, role)?)
    }

    pub fn update_role<T>(
        &self,
        caller: Caller,
        id: &str,
        given: Fields,
        show: impl FnOnce(RoleView<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut store = self.write();
        store.require(caller, ROLES_MANAGE)?;
        let role = store.roles.find(id)?;
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
            .update(key, given.name.as_deref(), given.description, self.now())?;
        if let Some(granted) = granted {
            store.grant(key, granted);
        }
        show(RoleView::of(&store, key)?)
    }

    pub fn remove_role(&self, caller: Caller, id: &str) -> Result<(), Error> {
        let mut store = self.write();
        store.require(caller, ROLES_MANAGE)?;
        let role = store.roles.find_deletable(id)?;
        store.remove_role(role);
        Ok(())
    }
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
