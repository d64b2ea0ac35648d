//! Calls about roles, permissions and who has which role.

use vespeiro_guest::{Call, Result, Route, join};

use super::{Client, done, read};
use crate::bodies::{Described, NewPermission, NewRole};
use crate::model::{Data, Id, Identified, Named, Page};
use crate::{Created, routes};

const MADE: &str = "made by a simulation";

impl Client<'_> {
    /// A page of roles.
    ///
    /// # Errors
    /// As [`Client::list_users`].
    pub async fn list_roles(&self, page: u32, per_page: u32) -> Result<Page<Named>> {
        read(self.listing(routes::LIST_ROLES, page, per_page)).await
    }

    /// A page of permissions.
    ///
    /// # Errors
    /// As [`Client::list_users`].
    pub async fn list_permissions(&self, page: u32, per_page: u32) -> Result<Page<Named>> {
        read(self.listing(routes::LIST_PERMISSIONS, page, per_page)).await
    }

    /// The first page of roles and of permissions together, without a look at what is on them.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn skim_rights(&self) -> Result<()> {
        let (roles, permissions) = join(
            done(self.listing(routes::LIST_ROLES, 1, 50)),
            done(self.listing(routes::LIST_PERMISSIONS, 1, 50)),
        )
        .await;
        roles.and(permissions)
    }

    fn listing(&self, route: Route, page: u32, per_page: u32) -> Call<'_> {
        self.call(route)
            .query("page", page)
            .query("per_page", per_page)
    }

    /// A role.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn get_role(&self, id: &Id) -> Result<()> {
        done(self.call(routes::GET_ROLE).arg(id)).await
    }

    /// A permission.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn get_permission(&self, id: &Id) -> Result<()> {
        done(self.call(routes::GET_PERMISSION).arg(id)).await
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
        created(call, "permission", name).await
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
        created(call, "role", name).await
    }

    /// Describes a role anew.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn describe_role(&self, id: &Id, description: &str) -> Result<()> {
        done(
            self.call(routes::UPDATE_ROLE)
                .arg(id)
                .json(&Described { description }),
        )
        .await
    }

    /// Describes a permission anew.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn describe_permission(&self, id: &Id, description: &str) -> Result<()> {
        done(
            self.call(routes::UPDATE_PERMISSION)
                .arg(id)
                .json(&Described { description }),
        )
        .await
    }

    /// Deletes a role that this session has made.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn delete_role(&self, role: &Created) -> Result<()> {
        done(self.call(routes::DELETE_ROLE).arg(&role.id)).await?;
        role.unmark(self.me(), "role");
        Ok(())
    }

    /// Deletes a permission that this session has made.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn delete_permission(&self, permission: &Created) -> Result<()> {
        done(self.call(routes::DELETE_PERMISSION).arg(&permission.id)).await?;
        permission.unmark(self.me(), "permission");
        Ok(())
    }

    /// The roles of a user.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn list_user_roles(&self, user: &Id) -> Result<()> {
        done(self.call(routes::LIST_USER_ROLES).arg(user)).await
    }

    /// Gives a user a role.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn assign_role(&self, user: &Id, role: &Id) -> Result<()> {
        done(self.assignment(routes::ASSIGN_ROLE, user, role)).await
    }

    /// Takes a role from a user.
    ///
    /// # Errors
    /// As [`Client::get_user`].
    pub async fn revoke_role(&self, user: &Id, role: &Id) -> Result<()> {
        done(self.assignment(routes::REVOKE_ROLE, user, role)).await
    }

    fn assignment(&self, route: Route, user: &Id, role: &Id) -> Call<'_> {
        self.call(route).arg(user).arg(role)
    }
}

async fn created(call: Call<'_>, kind: &str, name: String) -> Result<Created> {
    let created: Data<Identified> = read(call.mark(format!("{kind}:{name}"))).await?;
    Ok(Created {
        id: created.data.id,
        name,
    })
}
