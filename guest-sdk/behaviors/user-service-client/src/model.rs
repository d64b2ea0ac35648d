//! What the service says, as far as journeys read it. Unknown fields are skipped, and no more is kept than is used.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use vespeiro_guest::Me;

/// An identifier, which the service may write as a string or as a number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Id(Box<str>);

impl Id {
    /// An identifier in the form of a UUID that nothing has.
    #[must_use]
    pub fn unknown(me: &Me) -> Id {
        let number = me.with_rng(|rng| rng.u128(..));
        let hex = format!("{number:032x}");
        // Version 4, variant 1, as any random UUID: nothing but its absence is wrong with it.
        Id(format!(
            "{}-{}-4{}-a{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[13..16],
            &hex[17..20],
            &hex[20..]
        )
        .into())
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Id, D::Error> {
        identifier(deserializer).map(|text| Id(text.into()))
    }
}

/// What an identifier says, borrowed where it can be.
fn identifier<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cow<'de, str>, D::Error> {
    struct Visitor;
    impl<'de> serde::de::Visitor<'de> for Visitor {
        type Value = Cow<'de, str>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an identifier: a string or a number")
        }

        fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
            Ok(Cow::Borrowed(text))
        }

        fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
            Ok(Cow::Owned(text.into()))
        }

        fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
            Ok(Cow::Owned(number.to_string()))
        }
    }
    deserializer.deserialize_any(Visitor)
}

/// A body of `{"data": …}`.
#[derive(Debug, Deserialize)]
pub(crate) struct Data<T> {
    pub(crate) data: T,
}

/// Something with nothing but an identifier of interest.
#[derive(Debug, Deserialize)]
pub(crate) struct Identified {
    pub(crate) id: Id,
}

/// A page of a list.
#[derive(Debug, Deserialize)]
pub struct Page<T> {
    /// Its items.
    #[serde(rename = "data")]
    pub items: Vec<T>,
    /// Where it is in the whole.
    #[serde(default)]
    pub meta: Meta,
}

/// A page of which only its place in the whole is read.
#[derive(Debug, Deserialize)]
pub struct Extent {
    /// Where it is in the whole.
    #[serde(default)]
    pub meta: Meta,
}

/// Where a page is in the whole.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(default)]
pub struct Meta {
    /// How many items there are on all pages.
    pub total: u32,
    /// How many pages there are.
    pub total_pages: u32,
}

/// A user as lists show it. Borrows from the reply: of the many on a page one or two are looked at.
#[derive(Debug, Clone, Deserialize)]
pub struct Listed<'a> {
    /// Identifier.
    #[serde(borrow, deserialize_with = "identifier")]
    pub id: Cow<'a, str>,
    /// Login name.
    #[serde(borrow)]
    pub username: Cow<'a, str>,
    /// E-mail address.
    #[serde(borrow)]
    pub email: Cow<'a, str>,
}

impl Listed<'_> {
    /// Whether this user stays for the whole run: not one that an administrator may delete at any moment. Of the
    /// simulated ones those are the virtual users of this run.
    #[must_use]
    pub fn stays(&self, run: &str) -> bool {
        let Some(rest) = self.username.strip_prefix("sim_user_") else {
            return true;
        };
        let index = rest
            .strip_prefix(run)
            .and_then(|rest| rest.strip_prefix('_'));
        index.is_some_and(|index| index.bytes().all(|byte| byte.is_ascii_digit()))
    }
}

/// A role or a permission.
#[derive(Debug, Clone, Deserialize)]
pub struct Named {
    /// Identifier.
    pub id: Id,
    /// Name.
    pub name: Box<str>,
}

impl Named {
    /// Whether it stays for the whole run: not one that an administrator has made in a run.
    #[must_use]
    pub fn stays(&self) -> bool {
        !self.name.starts_with("sim_")
    }
}

/// What a user says of themselves.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[allow(missing_docs)] // the names say it
pub struct Profile {
    pub bio: Option<String>,
    pub phone: Option<String>,
    pub location: Option<String>,
    pub website: Option<String>,
    pub birth_date: Option<String>,
}
