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

/// The processor that code is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Processor {
    /// This machine's, with all that it can do.
    Own,
    /// Any of its kind.
    Baseline,
}

/// What every processor of a kind can do.
pub(crate) struct Baseline {
    pub(crate) cpu: &'static str,
    /// As compilers name it.
    triple: &'static str,
}

/// That of this machine's kind.
pub(crate) fn baseline() -> Result<Baseline, EngineError> {
    use std::env::consts::{ARCH, OS};
    let (cpu, triple) = match (ARCH, OS) {
        ("x86_64", "linux") => ("x86-64", "x86_64-unknown-linux-gnu"),
        ("x86_64", "macos") => ("x86-64", "x86_64-apple-darwin"),
        ("aarch64", "linux") => ("armv8-a", "aarch64-unknown-linux-gnu"),
        ("aarch64", "macos") => ("armv8-a", "aarch64-apple-darwin"),
        _ => {
            return Err(EngineError::Unsupported(format!(
                "nothing is compiled ahead for {ARCH} on {OS}"
            )));
        }
    };
    Ok(Baseline { cpu, triple })
}

/// An engine that compiles, and keeps compiled functions for the next module.
pub(crate) fn compiling(
    clock: Clock,
    processor: Processor,
) -> Result<wasmtime::Engine, EngineError> {
    let mut config = config();
    if processor == Processor::Baseline {
        let named = config.target(baseline()?.triple);
        named.map_err(|error| EngineError::of(&error))?;
    }
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
