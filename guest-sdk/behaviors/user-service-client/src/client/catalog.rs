//! Calls about roles, permissions and who has which role.

use vespeiro_guest::{Call, Result, Route};

use super::Client;
use crate::bodies::{Described, NewPermission, NewRole};
use crate::model::{Data, Id, Identified, Named, Page};
use crate::temper::Pause;
use crate::{Created, routes};

const MADE: &str = "made by a simulation";

impl<'a> Client<'a> {
    /// A page of roles.
    ///
    /// # Errors
    /// As [`Client::list_users`].
    pub async fn list_roles(&self, page: u32, per_page: u32) -> Result<Page<Named>> {
        let call = self.listing(routes::LIST_ROLES, page, per_page);
        self.read(Pause::Look, call).await
    }

    /// A page of permissions.
    ///
    /// # Errors
    /// As [`Client::list_users`].
    pub async fn list_permissions(&self, page: u32, per_page: u32) -> Result<Page<Named>> {
        let call = self.listing(routes::LIST_PERMISSIONS, page, per_page);
        self.read(Pause::Look, call).await
    }

    /// The first page of roles and of permissions together, without a look at what is on them.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn skim_rights(&self) -> Result<()> {
        let both = [routes::LIST_ROLES, routes::LIST_PERMISSIONS];
        let calls = both.map(|route| self.listing(route, 1, 50));
        self.together(Pause::Look, calls.into()).await.map(drop)
    }

    fn listing(&self, route: Route, page: u32, per_page: u32) -> Call<'a> {
        self.call(route)
            .query("page", page)
            .query("per_page", per_page)
    }

    /// A role.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn get_role(&self, id: &Id) -> Result<()> {
        self.done(Pause::Look, self.call(routes::GET_ROLE).arg(id))
            .await
    }

    /// A permission.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn get_permission(&self, id: &Id) -> Result<()> {
        self.done(Pause::Look, self.call(routes::GET_PERMISSION).arg(id))
            .await
    }

    /// Makes a permission.
    ///
    /// # Errors
    /// As [`Client::list_users`].
    pub async fn create_permission(&self, name: String) -> Result<Created> {
        let call = self.call(routes::CREATE_PERMISSION).json(&NewPermission {
            name: &name,
            description: MADE,
        });
        self.created(call, "permission", name).await
    }

    /// Makes a role with these permissions.
    ///
    /// # Errors
    /// As [`Client::list_users`].
    pub async fn create_role(&self, name: String, permissions: &[&str]) -> Result<Created> {
        let call = self.call(routes::CREATE_ROLE).json(&NewRole {
            name: &name,
            description: MADE,
            permissions,
        });
        self.created(call, "role", name).await
    }

    /// Describes a role anew.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn describe_role(&self, id: &Id, description: &str) -> Result<()> {
        let call = self.call(routes::UPDATE_ROLE).arg(id);
        self.done(Pause::Form, call.json(&Described { description }))
            .await
    }

    /// Describes a permission anew.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn describe_permission(&self, id: &Id, description: &str) -> Result<()> {
        let call = self.call(routes::UPDATE_PERMISSION).arg(id);
        self.done(Pause::Form, call.json(&Described { description }))
            .await
    }

    /// A role and a permission, together.
    ///
    /// # Errors
    /// As [`Client::together`].
    pub async fn compare(&self, role: &Id, permission: &Id) -> Result<()> {
        let role = self.call(routes::GET_ROLE).arg(role);
        let permission = self.call(routes::GET_PERMISSION).arg(permission);
        self.together(Pause::Look, vec![permission, role])
            .await
            .map(drop)
    }

    /// Deletes roles that this session has made, together.
    ///
    /// # Errors
    /// As [`Client::together`]; none of them is unmarked then.
    pub async fn delete_roles(&self, roles: &[Created]) -> Result<()> {
        self.deleting(routes::DELETE_ROLE, "role", roles).await
    }

    /// Deletes permissions that this session has made, together.
    ///
    /// # Errors
    /// As [`Client::delete_roles`].
    pub async fn delete_permissions(&self, permissions: &[Created]) -> Result<()> {
        self.deleting(routes::DELETE_PERMISSION, "permission", permissions)
            .await
    }

    async fn deleting(&self, route: Route, kind: &str, things: &[Created]) -> Result<()> {
        let calls = things.iter().map(|thing| self.call(route).arg(&thing.id));
        self.together(Pause::Look, calls.collect()).await?;
        for thing in things {
            thing.unmark(self.me(), kind);
        }
        Ok(())
    }

    /// The roles of a user.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn list_user_roles(&self, user: &Id) -> Result<()> {
        self.done(Pause::Look, self.call(routes::LIST_USER_ROLES).arg(user))
            .await
    }

    /// Gives a user a role.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn assign_role(&self, user: &Id, role: &Id) -> Result<()> {
        let call = self.call(routes::ASSIGN_ROLE).arg(user).arg(role);
        self.done(Pause::Look, call).await
    }

    /// Takes a role from a user.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn revoke_role(&self, user: &Id, role: &Id) -> Result<()> {
        let call = self.call(routes::REVOKE_ROLE).arg(user).arg(role);
        self.done(Pause::Look, call).await
    }

    async fn created(&self, call: Call<'_>, kind: &str, name: String) -> Result<Created> {
        let call = call.mark(format!("{kind}:{name}"));
        let created: Data<Identified> = self.read(Pause::Form, call).await?;
        Ok(Created {
            id: created.data.id,
            name,
        })
    }
}
