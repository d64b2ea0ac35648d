//! What the exported metrics say of a run beside its snapshots: its name, and what its plan asked for. Made once by `cli` from
//! the plan, read by [`super::families`].
//!
//! What must stay true: it contains no secret.

use vespeiro_plan::{ErrorMix, Plan, RequestMix};

/// What a run is and what it aims at.
#[derive(Debug, Clone, PartialEq)]
pub struct RunInfo {
    /// Its identifier.
    pub run: String,
    pub scenario: String,
    /// The target's address.
    pub target: String,
    /// Users that the plan asks for.
    pub users: u32,
    pub mix: Option<RequestMix>,
    pub error_mix: Option<ErrorMix>,
}

impl RunInfo {
    pub fn of(plan: &Plan) -> RunInfo {
        RunInfo {
            run: plan.run_id.clone(),
            scenario: plan.preset.clone(),
            target: plan.target.base_url.as_str().trim_end_matches('/').into(),
            users: plan.usual_users(),
            mix: plan.mix.clone(),
            error_mix: plan.error_mix,
        }
    }
}
