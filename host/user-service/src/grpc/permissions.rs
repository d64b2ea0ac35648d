//! `users.v1.PermissionService`.

use axum::Router;

use super::call::signed;
use super::messages::{
    CreatePermissionRequest, DeletePermissionRequest, GetPermissionRequest, PageRequest,
    Permission, PermissionList, UpdatePermissionRequest,
};
use super::value::{self, clearing, moment};
use crate::app::App;
use crate::caller::Caller;
use crate::error::Error;
use crate::page::Listing;
use crate::permissions::{Fields, PermissionView};

pub fn routes() -> Router<App> {
    Router::new()
        .route("/users.v1.PermissionService/ListPermissions", signed(list))
        .route("/users.v1.PermissionService/GetPermission", signed(show))
        .route(
            "/users.v1.PermissionService/CreatePermission",
            signed(create),
        )
        .route(
            "/users.v1.PermissionService/UpdatePermission",
            signed(update),
        )
        .route(
            "/users.v1.PermissionService/DeletePermission",
            signed(remove),
        )
}

fn list(app: &App, _: Caller, asked: PageRequest) -> Result<PermissionList, Error> {
    app.permissions(value::only_page(asked)?, |permissions| {
        Ok(permissions.into())
    })
}

fn show(app: &App, _: Caller, asked: GetPermissionRequest) -> Result<Permission, Error> {
    app.permission(&asked.id, |permission| Ok(permission.into()))
}

fn create(app: &App, caller: Caller, asked: CreatePermissionRequest) -> Result<Permission, Error> {
    let given = Fields {
        name: asked.name,
        description: clearing(asked.description),
    };
    app.create_permission(caller, given, |permission| Ok(permission.into()))
}

fn update(app: &App, caller: Caller, asked: UpdatePermissionRequest) -> Result<Permission, Error> {
    let given = Fields {
        name: asked.name,
        description: clearing(asked.description),
    };
    app.update_permission(caller, &asked.id, given, |permission| Ok(permission.into()))
}

fn remove(app: &App, caller: Caller, asked: DeletePermissionRequest) -> Result<(), Error> {
    app.remove_permission(caller, &asked.id)
}

impl From<PermissionView<'_>> for Permission {
    fn from(permission: PermissionView<'_>) -> Self {
        Self {
            id: permission.id.to_string(),
            name: permission.name.into(),
            description: permission.description.map(str::to_owned),
            created_at: moment(permission.created_at),
            updated_at: moment(permission.updated_at),
        }
    }
}

impl From<Listing<PermissionView<'_>>> for PermissionList {
    fn from(permissions: Listing<PermissionView<'_>>) -> Self {
        Self {
            permissions: permissions.data.into_iter().map(Permission::from).collect(),
            page: Some(permissions.meta.into()),
        }
    }
}
