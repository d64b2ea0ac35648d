//! The macro that each table of names is written with: an enum, its variants in order, their words, and their form in
//! JSON, from one list.

/// An enum of plain variants with a stable word each: `ALL`, `as_str`, and the same word in serde.
macro_rules! words {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $($(#[$doc:meta])* $variant:ident => $word:literal,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize,
            serde::Deserialize,
        )]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)+
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
    };
}

#[cfg(test)]
mod tests {
    use crate::{BreakerState, Ending, Failure, FaultKind, HoldReason, OutcomeClass, SwapResult};

    /// The contract that behaviors are built with.
    const WIT: &str = include_str!("../../../guest-sdk/wit/behavior.wit");

    /// The cases of an `enum` of the contract.
    fn contract(name: &str) -> Vec<&'static str> {
        let (_, rest) = WIT.split_once(&format!("enum {name} {{")).unwrap();
        let (body, _) = rest.split_once('}').unwrap();
        let lines = body.lines().map(str::trim);
        let cases = lines.filter(|line| !line.is_empty() && !line.starts_with("//"));
        cases.map(|case| case.trim_end_matches(',')).collect()
    }

    #[test]
    fn json_and_text_spell_each_word_alike() {
        fn check<T: serde::Serialize>(all: &[T], word: impl Fn(&T) -> &'static str) {
            for one in all {
                let json = serde_json::to_string(one).unwrap();
                assert_eq!(json, format!("\"{}\"", word(one)));
            }
        }
        check(&Failure::ALL, |f| f.as_str());
        check(&FaultKind::ALL, |f| f.as_str());
        check(&OutcomeClass::ALL, |c| c.as_str());
        check(&Ending::ALL, |e| e.as_str());
        check(&SwapResult::ALL, |s| s.as_str());
        check(&BreakerState::ALL, |b| b.as_str());
        check(&HoldReason::ALL, |h| h.as_str());
    }

    #[test]
    fn behaviors_hear_the_same_words() {
        let failures = contract("failure");
        assert!(!failures.is_empty());
        for word in failures {
            assert!(Failure::ALL.iter().any(|f| f.as_str() == word), "{word}");
        }
        let mut faults = contract("fault");
        faults.sort_unstable();
        let behaviors = FaultKind::ALL.iter().filter(|kind| !kind.is_hosts());
        let mut known: Vec<_> = behaviors.map(|kind| kind.as_str()).collect();
        known.sort_unstable();
        assert_eq!(faults, known);
        for word in contract("ending") {
            assert!(Ending::ALL.iter().any(|e| e.as_str() == word), "{word}");
        }
    }
}
