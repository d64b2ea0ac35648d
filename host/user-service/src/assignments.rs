//! `/api/v1/users/{userId}/roles`: who has which role. Anyone signed in reads it, `roles.manage` changes it.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};

use crate::app::App;
use crate::caller::Caller;
use crate::error::Error;
use crate::page::{Listing, Page};
use crate::params::Params;
use crate::path::Path;
use crate::reply::{self, Reply};
use crate::roles::RoleView;
use crate::store::ROLES_MANAGE;

pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/users/{userId}/roles", get(list))
        .route(
            "/api/v1/users/{userId}/roles/{roleId}",
            post(assign).delete(revoke),
        )
}

async fn list(
    State(app): State<App>,
    _: Caller,
    Path(user): Path<String>,
    params: Params,
) -> Reply {
    let page = Page::only(&params)?;
    app.roles_of(&user, page, |roles| reply::json(StatusCode::OK, &roles))
}

async fn assign(
    State(app): State<App>,
    caller: Caller,
    Path((user, role)): Path<(String, String)>,
) -> Reply {
    app.assign(caller, &user, &role, |role| {
        reply::data(StatusCode::CREATED, role)
    })
}

async fn revoke(
    State(app): State<App>,
    caller: Caller,
    Path((user, role)): Path<(String, String)>,
) -> Reply {
    app.revoke(caller, &user, &role)?;
    reply::nothing()
}

impl App {
    pub fn roles_of<T>(
        &self,
        user: &str,
        page: Page,
        show: impl FnOnce(Listing<RoleView<'_>>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let store = self.read();
        let roles = &store.users.find(user)?.roles;
        let shown = roles
            .iter()
            .skip(page.start())
            .take(page.size())
            .filter_map(|role| store.roles.get(*role));
        let shown = shown.map(|role| RoleView::new(&store, role)).collect();
        show(page.listing(shown, roles.len()))
    }

    pub fn assign<T>(
        &self,
        caller: Caller,
        user: &str,
        role: &str,
        show: impl FnOnce(RoleView<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut store = self.write();
        store.require(caller, ROLES_MANAGE)?;
        let (user, role) = (store.users.find(user)?.key, store.roles.find(role)?.key);
        if !store.assign(user, role) {
            return Err(Error::Conflict("the user has this role already".into()));
        }
        show(RoleView::of(&store, role)?)
    }

    pub fn revoke(&self, caller: Caller, user: &str, role: &str) -> Result<(), Error> {
        let mut store = self.write();
        store.require(caller, ROLES_MANAGE)?;
        let (user, role) = (store.users.find(user)?, store.roles.find(role)?);
        if user.seeded && role.seeded {
            return Err(Error::Conflict(
                "the seeded administrator keeps its role".into(),
            ));
        }
        let (user, role) = (user.key, role.key);
        if !store.unassign(user, role) {
            return Err(Error::NotFound("role assignment"));
        }
        Ok(())
    }
}
