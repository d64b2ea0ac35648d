//! Loads behaviors as a plan wants them: within its limits, and from its cache. Used by every command that plays one.

use std::sync::Arc;

use crate::exit::Misuse;
use vespeiro_behavior::{Behavior, Engine, Limits, LoadError};
use vespeiro_plan::{Module, Plan};

/// An engine with the plan's limits.
pub(super) struct ModuleLoader {
    pub(super) engine: Engine,
    pub(super) limits: Limits,
}

impl ModuleLoader {
    pub(super) fn new(plan: &Plan) -> anyhow::Result<Self> {
        let cache = if plan.guest.cache {
            Engine::default_cache()
        } else {
            None
        };
        Ok(Self {
            engine: Engine::new(cache)?,
            limits: Limits {
                memory: plan.guest.memory,
                call: plan.guest.call_timeout,
            },
        })
    }

    /// A behavior of the plan; one that cannot play is the plan's mistake.
    pub(super) fn load(&self, module: &Module) -> anyhow::Result<Arc<Behavior>> {
        Ok(self
            .try_load(module)
            .map_err(|error| Misuse(error.to_string()))?)
    }

    pub(super) fn try_load(&self, module: &Module) -> Result<Arc<Behavior>, LoadError> {
        Behavior::of(&self.engine, module, self.limits)
    }
}
