//! What sessions have said of themselves, as a [`Summary`](crate::Summary) has it: transactions, and why they were given up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Distribution, LatencyByOutcome};

/// Sessions that were given up for one reason in one place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Abandoned {
    pub archetype: String,
    /// As the behavior has said it.
    pub reason: String,
    /// Where in the behavior; left out where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    pub count: u64,
}

/// The transactions of one name: named spans of sessions over several steps, and requests with all that they were redirected to
/// (`redirects: GET /route`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transaction {
    pub archetype: String,
    pub name: String,
    pub passed: u64,
    /// Those that failed, or were open when their session came to its end by itself.
    pub failed: u64,
    /// Those that were open when the tool ended their session; they are in no distribution.
    pub cut: u64,
    /// How long their sessions waited for what they had sent: their time without the pauses before requests.
    pub active: Distribution,
    /// The same of those that passed (`success`) and of those that failed apart; one without any is left out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub active_by_outcome: LatencyByOutcome,
    /// From begin to end.
    pub duration: Distribution,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub duration_by_outcome: LatencyByOutcome,
}
