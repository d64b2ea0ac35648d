//! Tokens that sessions have been given and have not logged out: what the journal may not hold, since it is on disk.
//! Each worker keeps those of its own sessions; the teardown after the run gets what is left of them.
//!
//! What must stay true: a token is nowhere but in memory, and not in what is printed.

use std::collections::HashSet;
use std::fmt;

use crate::rehearsal::WITHHELD;
use vespeiro_behavior::TOKEN;

/// Most tokens that one worker remembers; those beyond that end when they expire.
const MOST: usize = 1 << 15;

/// Things of the kind `token`, as sessions have marked them.
#[derive(Default)]
pub struct Tokens(HashSet<Box<str>>);

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tokens").field(&self.0.len()).finish()
    }
}

impl Tokens {
    pub(crate) fn mark(&mut self, thing: &str) {
        if self.0.len() < MOST {
            self.0.insert(thing.into());
        }
    }

    pub(crate) fn unmark(&mut self, thing: &str) {
        self.0.remove(thing);
    }

    /// Those of another worker as well.
    pub fn join(&mut self, others: Tokens) {
        self.0.extend(others.0);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn things(&self) -> Vec<String> {
        self.0.iter().map(|thing| thing.to_string()).collect()
    }
}

/// Take the tokens among `marks` out of what a session says.
pub(crate) fn veil(marks: &[String], text: &mut String) {
    let tokens = marks.iter().filter_map(|mark| mark.strip_prefix(TOKEN));
    for token in tokens.filter(|token| !token.is_empty()) {
        if text.contains(token) {
            *text = text.replace(token, WITHHELD);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded_and_not_shown() {
        let mut tokens = Tokens::default();
        for n in 0..MOST + 10 {
            tokens.mark(&format!("token:Bearer s3cret-{n}"));
        }
        assert_eq!(tokens.len(), MOST);
        tokens.unmark("token:Bearer s3cret-7");
        assert_eq!(tokens.len(), MOST - 1);
        assert!(!format!("{tokens:?}").contains("s3cret"));
    }

    #[test]
    fn a_text_is_told_without_its_tokens() {
        let marks = [
            "user:sim_user_x".into(),
            "token:Bearer abc".into(),
            "token:".into(),
        ];
        let mut text = "no way to remove `token:Bearer abc`, nor `user:sim_user_x`".to_owned();
        veil(&marks, &mut text);
        assert_eq!(
            text,
            "no way to remove `token:(withheld)`, nor `user:sim_user_x`"
        );
    }
}
