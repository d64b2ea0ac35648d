//! Plain enums, each of whose values has one stable word: in metrics, in JSON, in a plan and on the terminal. Declared with
//! [`words!`](crate::words) here and in the rooms above.
//!
//! What must stay true: a word is written once, beside its value. It never changes.

use serde::de::{Deserialize, Deserializer, Error as _};

/// A plain enum, each of whose values has a word of its own.
pub trait Word: Copy + PartialEq + 'static {
    /// All values with their words, in the order of their declaration.
    const TABLE: &'static [(&'static str, Self)];

    /// The value that has this word.
    fn from_word(word: &str) -> Option<Self> {
        let found = Self::TABLE.iter().find(|(known, _)| *known == word);
        found.map(|(_, value)| *value)
    }

    /// All words, separated by commas: for messages.
    fn list() -> String {
        let words: Vec<&str> = Self::TABLE.iter().map(|(word, _)| *word).collect();
        words.join(", ")
    }
}

/// Reads a value by its word.
#[doc(hidden)]
pub fn deserialize<'de, T: Word, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    let word = String::deserialize(from)?;
    T::from_word(&word).ok_or_else(|| {
        D::Error::custom(format_args!(
            "unknown word {word:?}, expected one of {}",
            T::list()
        ))
    })
}

/// Declares an enum of plain values with a word each: `ALL`, `as_str`, [`Word`](crate::Word), and the word as its form in
/// JSON.
#[macro_export]
macro_rules! words {
    ($(
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $($(#[$doc:meta])* $variant:ident => $word:literal,)+
        }
    )+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// All of them, in the order of their declaration.
            pub const ALL: [$name; [$($word),+].len()] = [$($name::$variant),+];

            /// The stable word for it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)+
                }
            }
        }

        impl $crate::Word for $name {
            const TABLE: &'static [(&'static str, $name)] = &[$(($word, $name::$variant)),+];
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl $crate::serde::Serialize for $name {
            fn serialize<S: $crate::serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }

        impl<'de> $crate::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                $crate::deserialize(from)
            }
        }
    )+};
}

#[cfg(test)]
mod tests {
    use std::fmt::{Debug, Display};

    use serde::Serialize;
    use serde::de::DeserializeOwned;

    use crate::*;

    /// The contract that behaviors are built with.
    const WIT: [&str; 2] = [
        include_str!("../../../guest-sdk/wit/behavior.wit"),
        include_str!("../../../guest-sdk/wit/0.2/behavior.wit"),
    ];

    /// The cases of an `enum` of the contract, or of a `variant` that ends with `other`, in each version.
    fn contract(name: &str) -> [Vec<&'static str>; 2] {
        WIT.map(|wit| {
            let head = ["enum", "variant"].map(|is| format!("{is} {name} {{"));
            let (_, rest) = head.iter().find_map(|head| wit.split_once(head)).unwrap();
            let (body, _) = rest.split_once('}').unwrap();
            let lines = body.lines().map(str::trim);
            let cases = lines.filter(|line| !line.is_empty() && !line.starts_with("//"));
            let named = cases.filter(|case| *case != "other(string),");
            named.map(|case| case.trim_end_matches(',')).collect()
        })
    }

    fn check<T: Word + Serialize + DeserializeOwned + Display + Debug>() {
        for (word, value) in T::TABLE {
            let json = serde_json::to_string(value).unwrap();
            assert_eq!(json, format!("\"{word}\""));
            assert_eq!(serde_json::from_str::<T>(&json).unwrap(), *value);
            assert_eq!(
                (value.to_string(), T::from_word(word)),
                (word.to_string(), Some(*value))
            );
        }
        let words: Vec<_> = T::TABLE.iter().map(|(word, _)| word).collect();
        let once = words
            .iter()
            .all(|w| words.iter().filter(|o| o == &w).count() == 1);
        assert!(once, "{words:?}");
    }

    #[test]
    fn json_and_text_spell_each_word_alike() {
        check::<Failure>();
        check::<FaultKind>();
        check::<OutcomeClass>();
        check::<Ending>();
        check::<SwapResult>();
        check::<BreakerState>();
        check::<HoldReason>();
        check::<ThresholdState>();
        check::<AbortReason>();
        check::<LimitKind>();
        check::<EventKind>();
        let wrong = serde_json::from_str::<Ending>("\"gone\"").unwrap_err();
        assert!(
            wrong
                .to_string()
                .contains("unknown word \"gone\", expected one of completed, ")
        );
    }

    #[test]
    fn behaviors_hear_the_same_words() {
        for failures in contract("failure") {
            assert!(!failures.is_empty());
            for word in failures {
                assert!(Failure::ALL.iter().any(|f| f.as_str() == word), "{word}");
            }
        }
        let behaviors = FaultKind::ALL.iter().filter(|kind| !kind.is_hosts());
        let mut known: Vec<_> = behaviors.map(|kind| kind.as_str()).collect();
        known.sort_unstable();
        for mut faults in contract("fault") {
            faults.sort_unstable();
            assert_eq!(faults, known);
        }
        for word in contract("ending").into_iter().flatten() {
            assert!(Ending::ALL.iter().any(|e| e.as_str() == word), "{word}");
        }
    }
}
