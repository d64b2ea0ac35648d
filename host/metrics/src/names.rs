//! A small table by name, for what behaviors name themselves: checks, observed metrics, transactions. Used by the counts of an
//! archetype.
//!
//! What must stay true: however many names a behavior makes up, the table has at most [`MAX_NAMES`] and one for the rest.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::OTHER_ROUTE as OTHER;
use super::merge::Merge;
use vespeiro_model::text::{harmless, is_hidden};

/// Names of its own that one table holds; the others share the name `other`.
pub const MAX_NAMES: usize = 64;
/// The place of what has none.
pub const NOWHERE: &str = "-";
/// Longer names are cut.
const MAX_CHARS: usize = 80;

/// Values by name, in the order of their first use.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct NamedCounts<T> {
    entries: Vec<(Box<str>, T)>,
}

impl<T: Merge + Default> NamedCounts<T> {
    /// The value of a name; a new one if there is room, else that of `other`.
    pub fn entry(&mut self, name: &str) -> &mut T {
        let name = match self.position(name) {
            Some(at) => return &mut self.entries[at].1,
            None => clean(name),
        };
        // One place is kept free for `other`.
        let names = self.entries.iter();
        let own = names.filter(|(known, _)| **known != *OTHER).count();
        let name = if self.position(&name).is_none() && own >= MAX_NAMES {
            OTHER
        } else {
            &name
        };
        let at = self.position(name).unwrap_or_else(|| {
            self.entries.push((name.into(), T::default()));
            self.entries.len() - 1
        });
        &mut self.entries[at].1
    }

    /// The names in use, in alphabetical order.
    pub fn sorted(&self) -> Vec<(&str, &T)> {
        let used = self.entries.iter().filter(|(_, value)| !value.is_empty());
        let mut used: Vec<(&str, &T)> = used.map(|(name, value)| (&**name, value)).collect();
        used.sort_by_key(|(name, _)| *name);
        used
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.entries.iter().position(|(known, _)| **known == *name)
    }
}

impl<T: Merge + Default> Merge for NamedCounts<T> {
    fn merge(&mut self, other: &NamedCounts<T>) {
        for (name, value) in other.entries.iter().filter(|(_, value)| !value.is_empty()) {
            self.entry(name).merge(value);
        }
    }

    /// Keeps the names, so that the next use of a name does not allocate.
    fn reset(&mut self) {
        self.entries.iter_mut().for_each(|(_, value)| value.reset());
    }

    fn is_empty(&self) -> bool {
        self.entries.iter().all(|(_, value)| value.is_empty())
    }

    fn fits(&self, _: &NamedCounts<T>) -> bool {
        let (mut values, like) = (self.entries.iter(), T::default());
        self.entries.len() <= MAX_NAMES + 1 && values.all(|(_, value)| value.fits(&like))
    }
}

/// A name that is safe on a terminal and short enough for a label.
fn clean(name: &str) -> Cow<'_, str> {
    if name.chars().count() <= MAX_CHARS && !name.contains(is_hidden) && !name.is_empty() {
        return name.into();
    }
    let name: String = harmless(name).chars().take(MAX_CHARS).collect();
    if name.is_empty() {
        "unnamed".into()
    } else {
        name.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CheckCount;

    #[test]
    fn the_sixty_fifth_name_shares_other() {
        let mut names = NamedCounts::<CheckCount>::default();
        (0..100).for_each(|i| names.entry(&format!("check {i}")).passed += 1);
        let sorted = names.sorted();
        assert_eq!(sorted.len(), MAX_NAMES + 1);
        assert_eq!(
            sorted
                .iter()
                .find(|(name, _)| *name == "other")
                .unwrap()
                .1
                .passed,
            36
        );
        assert_eq!(sorted.iter().map(|(_, c)| c.passed).sum::<u64>(), 100);
    }

    #[test]
    fn hostile_names_are_cut_and_cleaned_once() {
        let mut names = NamedCounts::<CheckCount>::default();
        names.entry(&"x".repeat(5_000)).passed += 1;
        names.entry(&"x".repeat(5_000)).passed += 1;
        names.entry("\x1b[2J").failed += 1;
        names.entry("").failed += 1;
        let shown: Vec<String> = names
            .sorted()
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect();
        assert_eq!(
            shown,
            [
                "?[2J".to_owned(),
                "unnamed".to_owned(),
                "x".repeat(MAX_CHARS)
            ]
        );
    }

    #[test]
    fn a_reset_table_shows_nothing_until_used_again() {
        let mut names = NamedCounts::<CheckCount>::default();
        names.entry("a").passed += 1;
        names.reset();
        assert!(names.sorted().is_empty());
        names.entry("a").failed += 1;
        assert_eq!(names.sorted().len(), 1);
    }
}
