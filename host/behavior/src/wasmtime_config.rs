//! How WebAssembly is compiled and run: the same for whoever compiles and whoever runs it, or compiled code would be refused.
//! Used by `engine.rs` and by the process that compiles.

use std::sync::Arc;

use vespeiro_model::Clock;
use wasmtime::Config;

use crate::function_cache::Functions;

/// Stack of a guest call: well within the 2 MiB of a worker's thread, with room for the host below it.
const GUEST_STACK: usize = 512 << 10;

/// The engine could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("the WebAssembly engine does not run on this machine: {0}")]
    Unsupported(String),
}

impl EngineError {
    pub(super) fn of(error: &wasmtime::Error) -> Self {
        Self::Unsupported(format!("{error:#}"))
    }
}

/// How code is made and run. Whoever compiles and whoever runs it have to agree.
pub(super) fn config() -> Config {
    let mut config = Config::new();
    config.wasm_component_model(true);
    // Languages that bring no memory management of their own. The collected heap is a memory like the others: it grows within
    // the same bound.
    config.wasm_gc(true);
    config.wasm_function_references(true);
    config.wasm_exceptions(true);
    // The same seed has to decide the same on every machine.
    config.cranelift_nan_canonicalization(true);
    config.relaxed_simd_deterministic(true);
    config.epoch_interruption(true);
    config.max_wasm_stack(GUEST_STACK);
    config
}

/// An engine that compiles, and keeps compiled functions for the next module.
pub(crate) fn compiling(clock: Clock) -> Result<wasmtime::Engine, EngineError> {
    let mut config = config();
    config
        .enable_incremental_compilation(Arc::new(Functions::new(clock)))
        .and_then(|config| wasmtime::Engine::new(config))
        .map_err(|error| EngineError::of(&error))
}

/// Lower the calling thread's priority, for work beside a run. Only on Linux: elsewhere it would be the whole process's.
pub fn yield_to_others() {
    #[cfg(target_os = "linux")]
    {
        // Where it is refused, compiling only takes its fair share.
        let _ = rustix::process::setpriority_process(None, 10);
    }
}
