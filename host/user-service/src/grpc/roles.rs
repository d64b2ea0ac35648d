//! `users.v1.RoleService`.

use axum::Router;

use super::call::signed;
use super::messages::{
    CreateRoleRequest, DeleteRoleRequest, GetRoleRequest, ListUserRolesRequest, PageRequest, Role,
    RoleAssignment, RoleList, UpdateRoleRequest,
};
use super::value::{self, clearing, moment};
use crate::app::App;
use crate::caller::Caller;
use crate::error::Error;
use crate::page::Listing;
use crate::roles::{Fields, RoleView};

pub fn routes() -> Router<App> {
    Router::new()
        .route("/users.v1.RoleService/ListRoles", signed(list))
        .route("/users.v1.RoleService/GetRole", signed(show))
        .route("/users.v1.RoleService/CreateRole", signed(create))
        .route("/users.v1.RoleService/UpdateRole", signed(update))
        .route("/users.v1.RoleService/DeleteRole", signed(remove))
        .route("/users.v1.RoleService/ListUserRoles", signed(list_of))
        .route("/users.v1.RoleService/AssignRole", signed(assign))
        .route("/users.v1.RoleService/RevokeRole", signed(revoke))
}

fn list(app: &App, _: Caller, asked: PageRequest) -> Result<RoleList, Error> {
    app.roles(value::only_page(asked)?, |roles| Ok(roles.into()))
}

fn show(app: &App, _: Caller, asked: GetRoleRequest) -> Result<Role, Error> {
    app.role(&asked.id, |role| Ok(role.into()))
}

fn create(app: &App, caller: Caller, asked: CreateRoleRequest) -> Result<Role, Error> {
    let given = Fields {
        name: asked.name,
        description: clearing(asked.description),
        permissions: Some(asked.permissions),
    };
    app.create_role(caller, given, |role| Ok(role.into()))
}

fn update(app: &App, caller: Caller, asked: UpdateRoleRequest) -> Result<Role, Error> {
    let given = Fields {
        name: asked.name,
        description: clearing(asked.description),
        permissions: asked.permissions.map(|set| set.permissions),
    };
    app.update_role(caller, &asked.id, given, |role| Ok(role.into()))
}

fn remove(app: &App, caller: Caller, asked: DeleteRoleRequest) -> Result<(), Error> {
    app.remove_role(caller, &asked.id)
}

fn list_of(app: &App, _: Caller, asked: ListUserRolesRequest) -> Result<RoleList, Error> {
    let page = value::only_page(asked.page.unwrap_or_default())?;
    app.roles_of(&asked.user_id, page, |roles| Ok(roles.into()))
}

fn assign(app: &App, caller: Caller, asked: RoleAssignment) -> Result<Role, Error> {
    app.assign(caller, &asked.user_id, &asked.role_id, |role| {
        Ok(role.into())
    })
}

fn revoke(app: &App, caller: Caller, asked: RoleAssignment) -> Result<(), Error> {
    app.revoke(caller, &asked.user_id, &asked.role_id)
}

impl From<RoleView<'_>> for Role {
    fn from(role: RoleView<'_>) -> Self {
        Self {
            id: role.id.to_string(),
            name: role.name.into(),
            description: role.description.map(str::to_owned),
            permissions: role.permissions.into_iter().map(str::to_owned).collect(),
            created_at: moment(role.created_at),
            updated_at: moment(role.updated_at),
        }
    }
}

impl From<Listing<RoleView<'_>>> for RoleList {
    fn from(roles: Listing<RoleView<'_>>) -> Self {
        Self {
            roles: roles.data.into_iter().map(Role::from).collect(),
            page: Some(roles.meta.into()),
        }
    }
}
