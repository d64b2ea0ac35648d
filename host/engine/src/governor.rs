//! Holds the plan's mixes by feedback: what the run has had so far decides what it wants next. One for each worker,
//! which governs its own share; its users tell it what they send and with which outcome, and ask before each step.
//!
//! What must stay true: it is a pure function of what it was told, in that order; no clock, no randomness.

mod errors;
mod mix;

pub(super) use errors::{Errors, FaultRequest};
pub(super) use mix::Mix;

#[cfg(test)]
mod tests;

use vespeiro_metrics::Catalog;
use vespeiro_plan::Plan;

/// Both halves; a mix that is off is `None`.
#[derive(Debug)]
pub(super) struct Governor {
    pub(super) mix: Option<Mix>,
    pub(super) errors: Option<Errors>,
}

impl Governor {
    /// For a worker with so many users.
    pub(super) fn new(plan: &Plan, catalog: &Catalog, users: usize) -> Self {
        let mix = plan.mix.as_ref().map(|mix| {
            let shares = catalog.categories.iter().map(|name| mix.share(name));
            Mix::new(shares.collect(), users)
        });
        let errors = plan
            .error_mix
            .map(|mix| Errors::new(mix, plan.faults, plan.archetypes.len()));
        Self { mix, errors }
    }

    /// Go on with a later generation of the catalog, in which an archetype is played by another behavior.
    pub(super) fn adopt(&mut self, plan: &Plan, catalog: &Catalog, archetype: u16) {
        if let (Some(mix), Some(wanted)) = (&mut self.mix, &plan.mix) {
            let shares = catalog.categories.iter().map(|name| wanted.share(name));
            mix.grow(shares.collect());
        }
        if let Some(errors) = &mut self.errors {
            errors.reset_ignored(archetype);
        }
    }
}
