//! What two runs tell of one figure. Made by `compare.rs` and `interval.rs`; in words in `output`.

use serde::Serialize;

/// What two runs tell of a figure: it has changed (better, worse, changed), it is the same, or they cannot tell.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Verdict {
    Better,
    Worse,
    /// A rate: more is not better where the load is given.
    Changed,
    Same {
        /// It has changed by no more than this: a share of the older value, or for an error rate of all requests.
        within: f64,
    },
    CannotTell {
        /// By how much both runs would have to be longer, in seconds, for as long as can be foreseen.
        more_seconds: Option<f64>,
    },
}

impl Verdict {
    /// More than chance would have it.
    pub fn is_change(self) -> bool {
        !matches!(self, Verdict::Same { .. } | Verdict::CannotTell { .. })
    }
}
