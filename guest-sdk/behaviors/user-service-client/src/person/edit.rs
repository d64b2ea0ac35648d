//! Why someone edits their profile, and what they change: a field or two, and the rest stays as it is. `explore` and the
//! journeys send it.

use fastrand::Rng;
use serde::Serialize;

use super::{Person, other};

/// The fields of a profile that change; the others are not said, and keep their values.
#[derive(Debug, Default, Serialize)]
pub struct ProfileEdit {
    #[serde(skip_serializing_if = "Option::is_none")]
    bio: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    website: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    birth_date: Option<String>,
}

impl Person {
    /// What they change today.
    #[must_use]
    pub fn edit(&self, rng: &mut Rng) -> ProfileEdit {
        let city = self.city();
        let new_bio = |rng: &mut Rng| {
            let likes = self.locale().likes.len();
            let [one, two] = self.likes.map(usize::from);
            // One thing stays, another is new.
            let new = other(rng, likes, two);
            self.bio([one as u8, if new == one { two } else { new } as u8])
        };
        let mut edit = ProfileEdit::default();
        match rng.u8(0..7) {
            // A new telephone, of the same city.
            0 | 1 => edit.phone = Some(self.phone(rng.u32(..10_000_000))),
            // Strangers ask where that is; friends know.
            2 => edit.location = Some(if rng.bool() { city.wide } else { city.name }),
            // They tell more than before.
            3 => edit.website = Some(self.page()),
            4 => edit.birth_date = Some(self.birth_date()),
            // They have found something new, and perhaps written about it.
            5 => edit.bio = Some(new_bio(rng)),
            _ => {
                edit.bio = Some(new_bio(rng));
                edit.website = Some(self.page());
            }
        }
        edit
    }
}
