//! What a session creates beside its own account: how it is named, so that a run's things are told from any other's,
//! and how it is marked, so that cleanup finds them.

use serde::Serialize;
use vespeiro_guest::{Call, Me};

use crate::model::Id;

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
}

impl NewUser {
    /// The virtual user itself.
    #[must_use]
    pub fn myself(me: &Me) -> NewUser {
        let user = me.user();
        NewUser {
            username: user.username.clone(),
            email: user.email.clone(),
            password: user.password.clone(),
            name: user.name.clone(),
        }
    }

    /// A made-up person, the `number`th thing that this session creates.
    #[must_use]
    pub fn made_up(me: &Me, number: u32) -> NewUser {
        let username = numbered(me, "user", number);
        NewUser {
            email: format!("{username}@simulation.test"),
            username,
            password: "SimPass123!".into(),
            name: me.fake_name(),
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
