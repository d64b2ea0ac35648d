//! The table of users, each with its profile and its roles. Found by id, e-mail or username through an index; the
//! counts of profiles and role assignments are kept along, so that a scrape counts nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use uuid::Uuid;

use super::Key;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::passwords::Password;

/// One user.
#[derive(Debug)]
pub struct User {
    pub key: Key,
    pub id: Uuid,
    pub username: String,
    pub email: String,
    pub name: String,
    pub folded: Folded,
    pub password: Password,
    pub active: bool,
    /// The administrator made by the service itself.
    pub seeded: bool,
    /// In order of assignment; the other end of `Role::members`.
    pub roles: Vec<Key>,
    pub profile: Option<Box<Profile>>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What a user says about himself.
#[derive(Debug)]
pub struct Profile {
    pub bio: Option<String>,
    pub phone: Option<String>,
    pub location: Option<String>,
    pub website: Option<String>,
    pub birth_date: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Username, e-mail and name in lower case, in one piece of memory: searching reads nothing else.
#[derive(Debug)]
pub struct Folded {
    text: Box<str>,
    email_at: usize,
    name_at: usize,
}

impl Folded {
    fn new(username: &str, email: &str, name: &str) -> Self {
        let (username, email, name) = (
            username.to_lowercase(),
            email.to_lowercase(),
            name.to_lowercase(),
        );
        // The separators keep a match from reaching over two fields; validation lets no line break into the first two.
        let text = format!("{username}\n{email}\n{name}");
        let email_at = username.len() + 1;
        Self {
            text: text.into(),
            email_at,
            name_at: email_at + email.len() + 1,
        }
    }

    pub fn all(&self) -> &str {
        &self.text
    }

    pub fn username(&self) -> &str {
        &self.text[..self.email_at - 1]
    }

    pub fn email(&self) -> &str {
        &self.text[self.email_at..self.name_at - 1]
    }

    pub fn name(&self) -> &str {
        &self.text[self.name_at..]
    }
}

/// All users.
#[derive(Debug, Default)]
pub struct Users {
    rows: BTreeMap<Key, User>,
    by_id: HashMap<Uuid, Key>,
    by_email: HashMap<Box<str>, Key>,
    by_username: HashMap<Box<str>, Key>,
    inactive: BTreeSet<Key>,
    profiles: usize,
    assignments: usize,
    last: u64,
}

impl Users {
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// How many users have a profile.
    pub fn profiles(&self) -> usize {
        self.profiles
    }

    /// How many roles all users have, taken together.
    pub fn assignments(&self) -> usize {
        self.assignments
    }

    /// All users, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &User> {
        self.rows.values()
    }

    /// Those who are not active.
    pub fn inactive(&self) -> &BTreeSet<Key> {
        &self.inactive
    }

    pub fn get(&self, key: Key) -> Option<&User> {
        self.rows.get(&key)
    }

    /// The user with this id.
    pub fn find(&self, id: &str) -> Result<&User, Error> {
        let key = id.parse().ok().and_then(|id: Uuid| self.by_id.get(&id));
        self.known(key)
    }

    pub fn find_by_email(&self, email: &str) -> Result<&User, Error> {
        self.known(self.by_email.get(email.to_lowercase().as_str()))
    }

    pub fn find_by_username(&self, username: &str) -> Result<&User, Error> {
        self.known(self.by_username.get(username.to_lowercase().as_str()))
    }

    fn known(&self, key: Option<&Key>) -> Result<&User, Error> {
        key.and_then(|key| self.rows.get(key))
            .ok_or(Error::NotFound("user"))
    }

    pub fn seed(&mut self, username: &str, email: &str, password: Password, now: Timestamp) -> Key {
        self.put(username, email, "Administrator", password, true, now)
    }

    /// Adds a user, unless e-mail or username are taken.
    pub fn insert(
        &mut self,
        username: &str,
        email: &str,
        name: &str,
        password: Password,
        now: Timestamp,
    ) -> Result<Key, Error> {
        self.free(Some(username), Some(email), None)?;
        Ok(self.put(username, email, name, password, false, now))
    }

    /// Changes what is given, unless e-mail or username are taken by another user.
    pub fn update(
        &mut self,
        key: Key,
        username: Option<String>,
        email: Option<String>,
        name: Option<String>,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.free(username.as_deref(), email.as_deref(), Some(key))?;
        let user = self.rows.get_mut(&key).ok_or(Error::NotFound("user"))?;
        self.by_username.remove(user.folded.username());
        self.by_email.remove(user.folded.email());
        user.username = username.unwrap_or(std::mem::take(&mut user.username));
        user.email = email.unwrap_or(std::mem::take(&mut user.email));
        user.name = name.unwrap_or(std::mem::take(&mut user.name));
        user.folded = Folded::new(&user.username, &user.email, &user.name);
        user.updated_at = now;
        self.by_username.insert(user.folded.username().into(), key);
        self.by_email.insert(user.folded.email().into(), key);
        Ok(())
    }

    pub fn set_active(&mut self, key: Key, active: bool, now: Timestamp) {
        if let Some(user) = self.rows.get_mut(&key) {
            user.active = active;
            user.updated_at = now;
            if active {
                self.inactive.remove(&key);
            } else {
                self.inactive.insert(key);
            }
        }
    }

    pub fn set_password(&mut self, key: Key, password: Password, now: Timestamp) {
        if let Some(user) = self.rows.get_mut(&key) {
            user.password = password;
            user.updated_at = now;
        }
    }

    /// The user's profile, for changing.
    pub fn profile_mut(&mut self, key: Key) -> Option<&mut Profile> {
        self.rows.get_mut(&key)?.profile.as_deref_mut()
    }

    /// Sets or removes a user's profile.
    pub fn set_profile(&mut self, key: Key, profile: Option<Profile>) {
        let Some(user) = self.rows.get_mut(&key) else {
            return;
        };
        self.profiles += usize::from(profile.is_some());
        self.profiles -= usize::from(user.profile.is_some());
        user.profile = profile.map(Box::new);
    }

    pub fn remove(&mut self, key: Key) -> Option<User> {
        let user = self.rows.remove(&key)?;
        self.inactive.remove(&key);
        self.by_id.remove(&user.id);
        self.by_email.remove(user.folded.email());
        self.by_username.remove(user.folded.username());
        self.profiles -= usize::from(user.profile.is_some());
        self.assignments -= user.roles.len();
        Some(user)
    }

    /// This table's half of an assignment; call `Store::assign`.
    pub(super) fn add_role(&mut self, key: Key, role: Key) -> bool {
        let Some(user) = self
            .rows
            .get_mut(&key)
            .filter(|user| !user.roles.contains(&role))
        else {
            return false;
        };
        user.roles.push(role);
        self.assignments += 1;
        true
    }

    /// This table's half of the end of an assignment; call `Store::unassign`.
    pub(super) fn remove_role(&mut self, key: Key, role: Key) -> bool {
        let Some(user) = self.rows.get_mut(&key) else {
            return false;
        };
        let Some(at) = user.roles.iter().position(|has| *has == role) else {
            return false;
        };
        user.roles.remove(at);
        self.assignments -= 1;
        true
    }

    fn put(
        &mut self,
        username: &str,
        email: &str,
        name: &str,
        password: Password,
        seeded: bool,
        now: Timestamp,
    ) -> Key {
        let key = Key::next(&mut self.last);
        let user = User {
            key,
            id: new_id(),
            username: username.into(),
            email: email.into(),
            name: name.into(),
            folded: Folded::new(username, email, name),
            password,
            active: true,
            seeded,
            roles: Vec::new(),
            profile: None,
            created_at: now,
            updated_at: now,
        };
        self.by_id.insert(user.id, key);
        self.by_email.insert(user.folded.email().into(), key);
        self.by_username.insert(user.folded.username().into(), key);
        self.rows.insert(key, user);
        key
    }

    fn free(
        &self,
        username: Option<&str>,
        email: Option<&str>,
        except: Option<Key>,
    ) -> Result<(), Error> {
        let taken = |index: &HashMap<Box<str>, Key>, value: Option<&str>| {
            let holder = value.and_then(|value| index.get(value.to_lowercase().as_str()).copied());
            holder.is_some() && holder != except
        };
        if taken(&self.by_username, username) {
            return Err(Error::Conflict("the username is already taken".into()));
        }
        if taken(&self.by_email, email) {
            return Err(Error::Conflict("the e-mail is already taken".into()));
        }
        Ok(())
    }
}

/// A random UUID, version 4.
pub fn new_id() -> Uuid {
    uuid::Builder::from_random_bytes(rand::random()).into_uuid()
}
