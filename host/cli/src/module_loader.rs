//! Loads behaviors as a plan wants them: within its limits, and from its cache. Used by every command that plays one.

use std::path::Path;
use std::sync::Arc;

use rustix::process::{Resource, getrlimit};

use crate::compile;
use crate::exit::Misuse;
use vespeiro_behavior::{
    Behavior, Cancel, CompileBounds, Compiler, Engine, Limits, LoadError, LoadErrorKind,
    Precompiled, PrecompiledError,
};
use vespeiro_model::Clock;
use vespeiro_plan::{Module, Plan};

/// What one instance sets aside of the address space, in bytes, whatever it uses of it.
const ADDRESSES: u64 = 4 << 30;

/// An engine with the plan's limits.
pub(super) struct ModuleLoader {
    pub(super) engine: Engine,
    pub(super) limits: Limits,
}

impl ModuleLoader {
    pub(super) fn new(plan: &Plan, clock: Clock) -> anyhow::Result<Self> {
        // With much less of it, the first thread that gets no memory would end the process without a word.
        if let Some(limit) = getrlimit(Resource::As)
            .current
            .filter(|&limit| limit < ADDRESSES)
        {
            let limit = limit >> 20;
            anyhow::bail!(
                "no behavior can be run on this machine: one sets 4 GiB of addresses aside, and {limit} MiB are allowed (ulimit -v): allow more"
            );
        }
        let guest = &plan.guest;
        let cache = guest.cache.then(Engine::default_cache).flatten();
        let bounds = bounds(plan);
        let mut engine = Engine::new(cache, Compiler::apart(&[compile::NAME], bounds), clock)?;
        if let Some(folder) = &guest.precompiled {
            let ahead = Precompiled::open(folder).map_err(refused)?;
            engine = engine.taking_from(ahead);
        }
        Ok(Self {
            engine,
            limits: Limits {
                memory: guest.memory,
                call: guest.call_timeout,
            },
        })
    }

    /// One that puts what it loads into a folder, compiled for any processor of this kind.
    pub(super) fn ahead(plan: &Plan, folder: &Path, clock: Clock) -> anyhow::Result<Self> {
        let loader = Self::new(plan, clock)?;
        let compiler = Compiler::apart(&[compile::NAME, "--baseline"], bounds(plan));
        let out = Precompiled::make(folder).map_err(refused)?;
        Ok(Self {
            engine: Engine::new(None, compiler, clock)?.putting_into(out),
            ..loader
        })
    }

    /// Behaviors of the plan, in turn; `None` when `stop` came meanwhile.
    pub(super) async fn load(
        &self,
        modules: Vec<Module>,
        stop: impl Future<Output = ()>,
    ) -> anyhow::Result<Option<Vec<Arc<Behavior>>>> {
        let cancel = Cancel::default();
        let (engine, limits) = (self.engine.until(cancel.clone()), self.limits);
        // Signals have to be heard meanwhile.
        let loading = tokio::task::spawn_blocking(move || {
            let each = modules.iter();
            each.map(|module| Behavior::of(&engine, module, limits))
                .collect::<Result<Vec<_>, LoadError>>()
        });
        tokio::select! {
            loaded = loading => Ok(Some(loaded?.map_err(as_misuse)?)),
            () = stop => {
                cancel.cancel();
                Ok(None)
            }
        }
    }

    /// A behavior, while nobody listens to signals.
    pub(super) fn load_now(&self, module: &Module) -> Result<Arc<Behavior>, LoadError> {
        Behavior::of(&self.engine, module, self.limits)
    }
}

fn bounds(plan: &Plan) -> CompileBounds {
    CompileBounds {
        cpu: plan.guest.compile_timeout,
        memory: plan.guest.compile_memory as u64,
    }
}

fn refused(error: PrecompiledError) -> Misuse {
    Misuse(error.to_string())
}

/// A behavior that cannot play is the plan's mistake, unless the machine is the reason.
fn as_misuse(error: LoadError) -> anyhow::Error {
    match error.kind {
        LoadErrorKind::Machine(_) | LoadErrorKind::Cancelled => error.into(),
        _ => Misuse(error.to_string()).into(),
    }
}
