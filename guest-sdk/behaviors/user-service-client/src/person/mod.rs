//! A person: name, birth, city, telephone and what they say of themselves, all of one locale and all in agreement. The
//! person of a virtual user is a function of the user's index, so that it is the same in every session, and others can
//! look for it by name. Accounts, edits and searches are made from it.

mod edit;
mod locale;

use fastrand::Rng;

pub use edit::ProfileEdit;
use locale::{LOCALES, Locale, Trade};

use crate::model::Profile;

/// Keeps the people of a run from being those of another draw.
const PEOPLE: u64 = 0x70_65_6f_70_6c_65;

/// Someone. Small: positions in the tables of their locale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person {
    locale: u8,
    is_woman: bool,
    first: u8,
    last: u8,
    /// Another last name, which some write out.
    second: u8,
    city: u8,
    trade: u8,
    likes: [u8; 2],
    born: (u16, u8, u8),
    phone: u32,
    /// Whether they have a page of their own, and tell their birthday.
    has_page: bool,
    tells_birth: bool,
}

/// How someone writes their name: what follows the first and the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Nothing.
    Plain,
    /// Their other last name.
    Full,
    /// What they are by trade.
    Trade,
}

impl Person {
    /// The person of the virtual user with this index.
    #[must_use]
    pub fn of(index: u32) -> Person {
        Person::drawn(&mut Rng::with_seed(
            PEOPLE ^ u64::from(index).wrapping_mul(0x9e37_79b9_7f4a_7c15),
        ))
    }

    /// Somebody.
    #[must_use]
    pub fn drawn(rng: &mut Rng) -> Person {
        let locale_at = rng.usize(..LOCALES.len());
        let locale = &LOCALES[locale_at];
        let is_woman = rng.bool();
        let last = usual(rng, locale.last.len());
        let trade = rng.usize(..locale.trades.len());
        let like = rng.usize(..locale.likes.len());
        Person {
            locale: locale_at as u8,
            is_woman,
            first: usual(rng, locale.women.len()) as u8,
            last: last as u8,
            second: other(rng, locale.last.len(), last) as u8,
            city: rng.usize(..locale.cities.len()) as u8,
            trade: trade as u8,
            likes: [like as u8, other(rng, locale.likes.len(), like) as u8],
            born: (
                rng.u16(locale.trades[trade].born.clone()),
                rng.u8(1..=12),
                rng.u8(1..=28),
            ),
            phone: rng.u32(..10_000_000),
            has_page: rng.u8(..) < 100,
            tells_birth: rng.u8(..) < 180,
        }
    }

    fn locale(&self) -> &'static Locale {
        &LOCALES[usize::from(self.locale)]
    }

    /// The language that they speak, as BCP 47 has it.
    #[must_use]
    pub fn language(&self) -> &'static str {
        self.locale().tag
    }

    /// Their first name.
    #[must_use]
    pub fn first_name(&self) -> &'static str {
        let locale = self.locale();
        let names = if self.is_woman {
            &locale.women
        } else {
            &locale.men
        };
        names[usize::from(self.first)]
    }

    /// Their last name.
    #[must_use]
    pub fn last_name(&self) -> &'static str {
        self.locale().last[usize::from(self.last)]
    }

    /// Their name, as they are registered.
    #[must_use]
    pub fn name(&self) -> String {
        self.name_in(Style::Plain)
    }

    /// Their name, written in a style of theirs. The person stays the same.
    #[must_use]
    pub fn name_in(&self, style: Style) -> String {
        let (first, last) = (self.first_name(), self.last_name());
        match style {
            Style::Plain => format!("{first} {last}"),
            Style::Full => {
                let second = self.locale().last[usize::from(self.second)];
                format!("{first} {last} {second}")
            }
            Style::Trade => format!("{first} {last}, {}", self.trade()),
        }
    }

    fn trade(&self) -> &'static str {
        let Trade { woman, man, .. } = self.locale().trades[usize::from(self.trade)];
        if self.is_woman { woman } else { man }
    }

    /// What they tell of themselves.
    #[must_use]
    pub fn profile(&self) -> Profile {
        Profile {
            bio: Some(self.bio(self.likes)),
            phone: Some(self.phone(self.phone)),
            location: Some(self.city().name.into()),
            website: self.has_page.then(|| self.page()),
            birth_date: self.tells_birth.then(|| self.birth_date()),
        }
    }

    fn city(&self) -> &'static locale::City {
        &self.locale().cities[usize::from(self.city)]
    }

    fn bio(&self, likes: [u8; 2]) -> String {
        let locale = self.locale();
        let trade = self.trade();
        let [one, other] = likes.map(|like| locale.likes[usize::from(like)]);
        let and = locale.and;
        match self.phone % 3 {
            0 => format!("{trade}, {one}."),
            1 => format!("{trade}. {one}{and}{other}."),
            _ => format!("{trade} · {one} · {other}"),
        }
    }

    fn phone(&self, number: u32) -> String {
        let locale::City { phone, digits, .. } = *self.city();
        let number = number % 10_u32.pow(digits as u32);
        format!("{phone}{number:0digits$}")
    }

    fn birth_date(&self) -> String {
        let (year, month, day) = self.born;
        format!("{year}-{month:02}-{day:02}")
    }

    /// In the reserved domain.
    fn page(&self) -> String {
        let (page, number) = (self.locale().page, self.phone % 1000);
        format!("{page}{number}.simulation.test")
    }
}

/// First and last name of somebody whom nobody has heard of, in the language of this person.
pub(crate) fn unknown(rng: &mut Rng, like: &Person) -> (&'static str, &'static str) {
    let names = &like.locale().unknown;
    names[rng.usize(..names.len())]
}

/// A position among so many: the first ones are more usual.
fn usual(rng: &mut Rng, of: usize) -> usize {
    rng.usize(..of).min(rng.usize(..of))
}

/// A position that is not this one.
fn other(rng: &mut Rng, of: usize, not: usize) -> usize {
    (not + rng.usize(1..of)) % of
}

#[cfg(test)]
mod tests;
