//! The bodies of requests that are more than what a caller has at hand. The client's calls send them; each is written
//! field by field as it is, without a tree of values in between.

use serde::Serialize;

/// Another display name.
#[derive(Serialize)]
pub(crate) struct Rename<'a> {
    pub(crate) name: &'a str,
}

/// A password for someone else.
#[derive(Serialize)]
pub(crate) struct Reset<'a> {
    pub(crate) new_password: &'a str,
}

/// A password of one's own.
#[derive(Serialize)]
pub(crate) struct Change<'a> {
    pub(crate) current_password: &'a str,
    pub(crate) new_password: &'a str,
}

/// What a role or a permission is for.
#[derive(Serialize)]
pub(crate) struct Described<'a> {
    pub(crate) description: &'a str,
}

/// A permission about to be made.
#[derive(Serialize)]
pub(crate) struct NewPermission<'a> {
    pub(crate) name: &'a str,
    pub(crate) description: &'a str,
}

/// A role about to be made.
#[derive(Serialize)]
pub(crate) struct NewRole<'a> {
    pub(crate) name: &'a str,
    pub(crate) description: &'a str,
    pub(crate) permissions: &'a [&'a str],
}
