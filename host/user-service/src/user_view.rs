//! A user as every answer shows it, and no other way: without the password.

use serde::Serialize;
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::users::User;
use crate::store::{Key, Store};

/// A user as the API shows it.
#[derive(Serialize)]
pub struct UserView<'a> {
    pub id: Uuid,
    pub username: &'a str,
    pub email: &'a str,
    pub name: &'a str,
    pub active: bool,
    pub roles: Vec<&'a str>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl<'a> UserView<'a> {
    pub fn new(store: &'a Store, user: &'a User) -> Self {
        Self {
            id: user.id,
            username: &user.username,
            email: &user.email,
            name: &user.name,
            active: user.active,
            roles: user
                .roles
                .iter()
                .filter_map(|role| store.roles.get(*role))
                .map(|role| role.name.as_str())
                .collect(),
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }

    pub fn of(store: &'a Store, user: Key) -> Result<Self, Error> {
        store
            .users
            .get(user)
            .map(|user| Self::new(store, user))
            .ok_or(Error::NotFound("user"))
    }
}
