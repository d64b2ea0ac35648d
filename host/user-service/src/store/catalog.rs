//! Roles and permissions: two tables of the same make, named things found by id or name, that differ only in what
//! they are linked to. Names are unique without regard to case.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use uuid::Uuid;

use super::Key;
use crate::clock::Timestamp;
use crate::error::Error;

/// What a role is linked to.
#[derive(Debug, Default)]
pub struct Role {
    /// Permissions it carries.
    pub grants: BTreeSet<Key>,
    /// Users who have it; the other end of `User::roles`.
    pub members: BTreeSet<Key>,
}

/// What a permission is linked to.
#[derive(Debug, Default)]
pub struct Permission {
    /// Roles that carry it; the other end of `Role::grants`.
    pub holders: BTreeSet<Key>,
}

/// One named thing.
#[derive(Debug)]
pub struct Entry<L> {
    pub key: Key,
    pub id: Uuid,
    pub name: String,
    pub description: Option<String>,
    /// Made by the service itself: keeps its name and cannot be deleted.
    pub seeded: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub links: L,
}

/// A table of named things.
#[derive(Debug)]
pub struct Catalog<L> {
    /// What one of them is called in messages.
    kind: &'static str,
    rows: BTreeMap<Key, Entry<L>>,
    by_id: HashMap<Uuid, Key>,
    by_name: HashMap<String, Key>,
    last: u64,
}

impl<L: Default> Catalog<L> {
    pub fn new(kind: &'static str) -> Self {
        Self {
            kind,
            rows: BTreeMap::new(),
            by_id: HashMap::new(),
            by_name: HashMap::new(),
            last: 0,
        }
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// All entries, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Entry<L>> {
        self.rows.values()
    }

    pub fn get(&self, key: Key) -> Option<&Entry<L>> {
        self.rows.get(&key)
    }

    pub fn get_mut(&mut self, key: Key) -> Option<&mut Entry<L>> {
        self.rows.get_mut(&key)
    }

    pub fn key_of_name(&self, name: &str) -> Option<Key> {
        self.by_name
            .get(name)
            .or_else(|| self.by_name.get(&name.to_lowercase()))
            .copied()
    }

    /// The key of what is called `reference`, by id or by name.
    pub fn key_of(&self, reference: &str) -> Option<Key> {
        let by_id = reference
            .parse()
            .ok()
            .and_then(|id: Uuid| self.by_id.get(&id).copied());
        by_id.or_else(|| self.key_of_name(reference))
    }

    /// The entry with this id.
    pub fn find(&self, id: &str) -> Result<&Entry<L>, Error> {
        let key = id.parse().ok().and_then(|id: Uuid| self.by_id.get(&id));
        key.and_then(|key| self.rows.get(key))
            .ok_or(Error::NotFound(self.kind))
    }

    /// The entry with this id, for deletion: seeded ones are refused.
    pub fn find_deletable(&self, id: &str) -> Result<Key, Error> {
        let entry = self.find(id)?;
        if entry.seeded {
            return Err(Error::Conflict(format!(
                "the {} {} belongs to the service itself",
                self.kind, entry.name
            )));
        }
        Ok(entry.key)
    }

    pub fn seed(&mut self, name: &str, description: &str, now: Timestamp) -> Key {
        self.put(name, Some(description.to_owned()), true, now)
    }

    /// Adds an entry, unless its name is taken.
    pub fn insert(
        &mut self,
        name: &str,
        description: Option<String>,
        now: Timestamp,
    ) -> Result<Key, Error> {
        self.free(name, None)?;
        Ok(self.put(name, description, false, now))
    }

    /// Changes what is given, unless the new name is taken or the entry is a seeded one.
    pub fn update(
        &mut self,
        key: Key,
        name: Option<&str>,
        description: Option<Option<String>>,
        now: Timestamp,
    ) -> Result<(), Error> {
        if let Some(name) = name {
            self.free(name, Some(key))?;
        }
        let Some(entry) = self.rows.get_mut(&key) else {
            return Err(Error::NotFound(self.kind));
        };
        if let Some(name) = name.filter(|name| *name != entry.name) {
            if entry.seeded {
                return Err(Error::Conflict(format!(
                    "the {} {} keeps its name",
                    self.kind, entry.name
                )));
            }
            self.by_name.remove(&entry.name.to_lowercase());
            self.by_name.insert(name.to_lowercase(), key);
            entry.name = name.to_owned();
        }
        if let Some(description) = description {
            entry.description = description;
        }
        entry.updated_at = now;
        Ok(())
    }

    pub fn remove(&mut self, key: Key) -> Option<Entry<L>> {
        let entry = self.rows.remove(&key)?;
        self.by_id.remove(&entry.id);
        self.by_name.remove(&entry.name.to_lowercase());
        Some(entry)
    }

    fn put(
        &mut self,
        name: &str,
        description: Option<String>,
        seeded: bool,
        now: Timestamp,
    ) -> Key {
        let key = Key::next(&mut self.last);
        let id = super::users::new_id();
        self.by_id.insert(id, key);
        self.by_name.insert(name.to_lowercase(), key);
        let name = name.to_owned();
        let entry = Entry {
            key,
            id,
            name,
            description,
            seeded,
            created_at: now,
            updated_at: now,
            links: L::default(),
        };
        self.rows.insert(key, entry);
        key
    }

    fn free(&self, name: &str, except: Option<Key>) -> Result<(), Error> {
        match self.by_name.get(&name.to_lowercase()) {
            Some(key) if Some(*key) != except => Err(Error::Conflict(format!(
                "the {} name {name} is already taken",
                self.kind
            ))),
            _ => Ok(()),
        }
    }
}
