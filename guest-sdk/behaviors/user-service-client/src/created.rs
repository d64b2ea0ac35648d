//! What a session creates beside its own account: how it is named, so that a run's things are told from any other's,
//! and how it is marked, so that cleanup finds them.

use serde::Serialize;
use vespeiro_guest::{Call, Me};

use crate::model::Id;
use crate::person::{Person, Style};

/// A user about to be registered.
#[derive(Debug, Clone, Serialize)]
pub struct NewUser {
    /// Login name.
    pub username: String,
    /// E-mail address.
    pub email: String,
    /// Password.
    pub password: String,
    /// Display name.
    pub name: String,
    /// Who that is.
    #[serde(skip)]
    pub person: Person,
}

impl NewUser {
    /// The virtual user itself.
    #[must_use]
    pub fn myself(me: &Me) -> NewUser {
        let user = me.user();
        let person = Person::of(user.index);
        NewUser {
            username: user.username.clone(),
            email: user.email.clone(),
            password: user.password.clone(),
            name: person.name(),
            person,
        }
    }

    /// A made-up person, the `number`th thing that this session creates.
    #[must_use]
    pub fn made_up(me: &Me, number: u32) -> NewUser {
        let username = numbered(me, "user", number);
        let person = me.with_rng(Person::drawn);
        NewUser {
            email: format!("{username}@simulation.test"),
            username,
            password: "SimPass123!".into(),
            name: person.name(),
            person,
        }
    }

    /// Puts it on a registration, mark included.
    pub(crate) fn on<'a>(&self, call: Call<'a>) -> Call<'a> {
        call.json(self).mark(format!("user:{}", self.username))
    }
}

/// A user, role or permission that this session has created.
#[derive(Debug, Clone)]
pub struct Created {
    /// Identifier.
    pub id: Id,
    /// Login name, or name.
    pub name: String,
}

/// A user that this session has registered.
#[derive(Debug, Clone)]
pub struct Member {
    /// Identifier and login name.
    pub account: Created,
    /// Who that is.
    pub person: Person,
    /// Whether they have a profile.
    pub has_profile: bool,
    /// How often their name has been written in another way.
    pub renamed: u32,
}

impl Member {
    /// Their name in another way, a way after the other.
    pub fn another_name(&mut self) -> String {
        const STYLES: [Style; 3] = [Style::Full, Style::Trade, Style::Plain];
        let style = STYLES[self.renamed as usize % 3];
        self.renamed += 1;
        self.person.name_in(style)
    }
}

impl Created {
    pub(crate) fn unmark(&self, me: &Me, kind: &str) {
        me.unmark(&format!("{kind}:{}", self.name));
    }
}

/// The name of the `number`th thing that this session creates: `sim_<kind>_<run>_<index>_<n>`, where `n` is unique
/// over the user's sessions.
#[must_use]
pub fn numbered(me: &Me, kind: &str, number: u32) -> String {
    let n = u64::from(me.ordinal()) * 1000 + u64::from(number);
    format!("sim_{kind}_{}_{}_{n}", me.run(), me.user().index)
}
