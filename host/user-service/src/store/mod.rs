//! The whole state, and what must hold across its tables: deleting a thing deletes what hangs on it, and the links
//! between users, roles and permissions always agree in both directions. Plain data under `App`'s lock: nothing in
//! this room waits, and nothing but listing and searching walks through all users.

pub mod catalog;
pub mod sessions;
#[cfg(test)]
mod tests;
pub mod users;

use std::collections::BTreeSet;

use crate::Config;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::passwords::Password;
use catalog::{Catalog, Permission, Role};
use sessions::{Caller, Sessions};
use users::{User, Users};

/// Permission to manage other users.
pub const USERS_MANAGE: &str = "users.manage";
/// Permission to manage roles and who has them.
pub const ROLES_MANAGE: &str = "roles.manage";
/// Permission to manage permissions.
pub const PERMISSIONS_MANAGE: &str = "permissions.manage";

/// Number of a row in its table, in order of creation, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(u64);

impl Key {
    /// The next key of a table whose counter is `counter`.
    fn next(counter: &mut u64) -> Self {
        *counter += 1;
        Self(*counter)
    }
}

/// All tables.
pub struct Store {
    pub users: Users,
    pub roles: Catalog<Role>,
    pub permissions: Catalog<Permission>,
    pub sessions: Sessions,
}

impl Store {
    /// A store with the administrator, its role and the three permissions.
    pub fn seeded(config: &Config, now: Timestamp) -> Self {
        let mut store = Self {
            users: Users::default(),
            roles: Catalog::new("role"),
            permissions: Catalog::new("permission"),
            sessions: Sessions::with_room_for(sessions::MAX_SESSIONS),
        };
        let rights = [
            (USERS_MANAGE, "Manage other users"),
            (ROLES_MANAGE, "Manage roles and their assignment"),
            (PERMISSIONS_MANAGE, "Manage permissions"),
        ];
        let granted = rights
            .map(|(name, about)| store.permissions.seed(name, about, now))
            .into();
        let role = store
            .roles
            .seed("admin", "Holds every seeded permission", now);
        store.grant(role, granted);
        let admin = store.users.seed(
            "admin",
            &config.admin_email,
            Password::new(&config.admin_password),
            now,
        );
        store.assign(admin, role);
        store
    }

    /// Whether `user` exists and one of its roles carries the permission named `right`.
    pub fn permits(&self, user: Key, right: &str) -> bool {
        let (Some(user), Some(right)) = (self.users.get(user), self.permissions.key_of_name(right))
        else {
            return false;
        };
        user.roles
            .iter()
            .filter_map(|role| self.roles.get(*role))
            .any(|role| role.links.grants.contains(&right))
    }

    /// Refuses a caller without the permission named `right`.
    pub fn require(&self, caller: Caller, right: &str) -> Result<(), Error> {
        if self.permits(caller.user, right) {
            Ok(())
        } else {
            Err(Error::Forbidden(format!(
                "this needs the permission {right}"
            )))
        }
    }

    /// The user with this id, if the caller may manage users.
    pub fn managed(&self, caller: Caller, id: &str) -> Result<&User, Error> {
        self.require(caller, USERS_MANAGE)?;
        let user = self.users.find(id)?;
        if user.seeded && user.key != caller.user {
            return Err(Error::Conflict(
                "the seeded administrator can be edited by itself only".into(),
            ));
        }
        Ok(user)
    }

    /// The user with this id, if it is the caller, or one that the caller may manage.
    pub fn own_or_managed(&self, caller: Caller, id: &str) -> Result<&User, Error> {
        match self.users.find(id) {
            Ok(user) if user.key == caller.user => Ok(user),
            _ => self.managed(caller, id),
        }
    }

    /// Gives a role exactly these permissions.
    pub fn grant(&mut self, role: Key, granted: BTreeSet<Key>) {
        let Some(row) = self.roles.get_mut(role) else {
            return;
        };
        let before = std::mem::replace(&mut row.links.grants, granted.clone());
        for lost in before.difference(&granted) {
            if let Some(permission) = self.permissions.get_mut(*lost) {
                permission.links.holders.remove(&role);
            }
        }
        for won in granted.difference(&before) {
            if let Some(permission) = self.permissions.get_mut(*won) {
                permission.links.holders.insert(role);
            }
        }
    }

    /// Gives `user` a role; false if it has it already.
    pub fn assign(&mut self, user: Key, role: Key) -> bool {
        let Some(row) = self.roles.get_mut(role) else {
            return false;
        };
        let new = self.users.add_role(user, role);
        if new {
            row.links.members.insert(user);
        }
        new
    }

    /// Takes a role from `user`; false if it does not have it.
    pub fn unassign(&mut self, user: Key, role: Key) -> bool {
        if let Some(row) = self.roles.get_mut(role) {
            row.links.members.remove(&user);
        }
        self.users.remove_role(user, role)
    }

    /// Deletes a user with its profile, role assignments and sessions.
    pub fn remove_user(&mut self, user: Key) {
        let Some(row) = self.users.remove(user) else {
            return;
        };
        for role in row.roles {
            if let Some(role) = self.roles.get_mut(role) {
                role.links.members.remove(&user);
            }
        }
        self.sessions.end_all_of(user);
    }

    /// Deletes a role with its assignments.
    pub fn remove_role(&mut self, role: Key) {
        self.grant(role, BTreeSet::new());
        let Some(row) = self.roles.remove(role) else {
            return;
        };
        for user in row.links.members {
            self.users.remove_role(user, role);
        }
    }

    /// Deletes a permission and takes it out of the roles that grant it.
    pub fn remove_permission(&mut self, permission: Key) {
        let Some(row) = self.permissions.remove(permission) else {
            return;
        };
        for role in row.links.holders {
            if let Some(role) = self.roles.get_mut(role) {
                role.links.grants.remove(&permission);
            }
        }
    }
}
