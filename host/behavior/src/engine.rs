//! The one engine of a process: how modules are compiled, where compiled code is kept, and the clock that bounds a call. Made
//! by the commands that load behaviors.
//!
//! What must stay true: a guest call is interrupted when its time is over, whatever it does.

use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use sha2::{Digest, Sha256};
use vespeiro_model::Clock;
use wasmtime::Config;
use wasmtime::component::Component;

use crate::code_cache::CodeCache;
use crate::compile::{Cancel, Compiled, Compiler};
use crate::function_cache::Functions;
use crate::held_code::{Code, HeldCode};
use crate::load_error::LoadErrorKind;

/// One tick of the clock that bounds guest calls. Finer ticks would cost a wake-up each and buy nothing.
const TICK: Duration = Duration::from_millis(10);

/// By how much a call may be longer than allowed that was not interrupted: the clock's tick under way, and one more.
pub(super) const OVERRUN: Duration = TICK.saturating_mul(2);

/// Live sessions that one instance may hold; the engine's own default ends between 50,000 and 100,000.
pub(super) const MAX_SESSIONS: usize = 4_000_000;
/// Bytes that one call may pass to the host: a guest could pass the same megabyte a million times.
pub(super) const MAX_PASSED: usize = 64 << 20;
/// Elements of all tables of one instance.
pub(super) const MAX_TABLE_ELEMENTS: usize = 1 << 20;
/// Core instances, memories and tables of one component; one of a scripting language holds a few dozen.
pub(super) const MAX_PARTS: usize = 1000;
/// Stack of a guest call: well within the 2 MiB of a worker's thread, with room for the host below it.
const GUEST_STACK: usize = 512 << 10;

/// What a behavior may cost on one worker.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Linear memory of all its instances together, in bytes.
    pub memory: usize,
    /// Longest time of one call.
    pub call: Duration,
}

impl Limits {
    /// Ticks until a call is interrupted: the cap, rounded up, plus the tick that is already under way.
    pub(super) fn ticks(&self) -> u64 {
        self.call.as_micros().div_ceil(TICK.as_micros()) as u64 + 1
    }
}

/// The engine could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("the WebAssembly engine does not run on this machine: {0}")]
    Unsupported(String),
}

impl EngineError {
    fn of(error: &wasmtime::Error) -> Self {
        Self::Unsupported(format!("{error:#}"))
    }
}

/// Compiles and runs behaviors. Cheap to clone; the clock stops with the last clone.
#[derive(Clone)]
pub struct Engine {
    inner: wasmtime::Engine,
    compiler: Compiler,
    cache: Option<Arc<CodeCache>>,
    held: HeldCode,
    /// It compiles beside a run, which must not be slowed down.
    aside: bool,
    cancel: Cancel,
    clock: Clock,
    _epochs: Arc<EpochClock>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Engine")
    }
}

/// Keeps the thread of the clock alive.
struct EpochClock;

/// How code is made and run. Whoever compiles and whoever runs it have to agree.
fn config() -> Config {
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

impl Engine {
    /// An engine that keeps compiled code below the folder `cache`; `None` keeps none, and neither does a folder that cannot
    /// be used, which is told in the log.
    ///
    /// # Errors
    /// The machine is none that WebAssembly can be compiled for.
    pub fn new(
        cache: Option<PathBuf>,
        compiler: Compiler,
        clock: Clock,
    ) -> Result<Self, EngineError> {
        let inner = match compiler {
            Compiler::Here => compiling(clock)?,
            Compiler::Apart(_) => {
                wasmtime::Engine::new(&config()).map_err(|error| EngineError::of(&error))?
            }
        };
        let cache = cache.and_then(|folder| {
            CodeCache::open(&folder)
                .inspect_err(|why| tracing::warn!("compiled behaviors are not kept: {why}"))
                .ok()
        });
        let epochs = Arc::new(EpochClock);
        tick(inner.clone(), Arc::downgrade(&epochs));
        Ok(Self {
            inner,
            compiler,
            cache: cache.map(Arc::new),
            held: HeldCode::default(),
            aside: false,
            cancel: Cancel::default(),
            clock,
            _epochs: epochs,
        })
    }

    /// The same engine for use beside a run: it compiles on few threads, which give way to all others.
    #[must_use]
    pub fn aside(&self) -> Self {
        Self {
            aside: true,
            ..self.clone()
        }
    }

    /// The same engine, for modules that are compiled until `cancel` says that nobody waits for them any more.
    #[must_use]
    pub fn until(&self, cancel: Cancel) -> Self {
        Self {
            cancel,
            ..self.clone()
        }
    }

    /// Compile a module, or take it from the cache, or from an archetype that plays the same bytes. `digest` is that of its bytes.
    pub(super) fn compile(
        &self,
        bytes: &[u8],
        digest: &[u8; 32],
    ) -> Result<Arc<Code>, LoadErrorKind> {
        if let Some(held) = self.held.get(digest) {
            return Ok(held);
        }
        let name = self.cache_name(digest);
        if let Some(kept) = self.cache.as_ref().and_then(|cache| cache.get(&name))
            && let Ok(component) = self.map(&kept.code)
        {
            let facts = kept.facts;
            return Ok(self.held.put(digest, Code { facts, component }));
        }
        let compiler = &self.compiler;
        let compiled = compiler.compile(&self.inner, bytes, self.aside, &self.cancel)?;
        let component = self
            .map(&compiled.code)
            .map_err(|error| LoadErrorKind::Machine(format!("{error:#}")))?;
        if let Some(cache) = &self.cache {
            cache.put(&name, &compiled);
        }
        let Compiled { facts, .. } = compiled;
        Ok(self.held.put(digest, Code { facts, component }))
    }

    /// Compiled code as something that can run.
    // The engine offers no other way to code that was compiled elsewhere. Compiling here instead is what has to be avoided:
    // a module of a few hundred bytes took 5 GiB and 30 s.
    #[allow(unsafe_code)]
    fn map(&self, code: &[u8]) -> wasmtime::Result<Component> {
        // SAFETY: the code comes from this program, in a child process or in this one, or from the cache, which
        // returns only what this program has written there.
        unsafe { Component::deserialize(&self.inner, code) }
    }

    /// Under which name a module is kept: another program, engine or machine makes other code of it.
    fn cache_name(&self, digest: &[u8; 32]) -> String {
        let mut of = DefaultHasher::new();
        self.inner.precompile_compatibility_hash().hash(&mut of);
        let mut all = Sha256::new();
        all.update(env!("CARGO_PKG_VERSION"));
        all.update(of.finish().to_le_bytes());
        all.update(digest);
        all.finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    pub(super) fn inner(&self) -> &wasmtime::Engine {
        &self.inner
    }

    /// Measures the calls into guests.
    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    /// Where compiled code is kept by default: `$XDG_CACHE_HOME/vespeiro`, else `~/.cache/vespeiro`.
    /// `None` when neither variable is set to an absolute path: then there is nowhere to keep it.
    pub fn default_cache() -> Option<PathBuf> {
        let from = |name: &str| {
            std::env::var_os(name)
                .map(PathBuf::from)
                .filter(|p| p.is_absolute())
        };
        from("XDG_CACHE_HOME")
            .or_else(|| from("HOME").map(|home| home.join(".cache")))
            .map(|p| p.join("vespeiro"))
    }
}

/// Lower the calling thread's priority, for work beside a run. Only on Linux: elsewhere it would be the whole process's.
pub fn yield_to_others() {
    #[cfg(target_os = "linux")]
    {
        // Where it is refused, compiling only takes its fair share.
        let _ = rustix::process::setpriority_process(None, 10);
    }
}

fn tick(engine: wasmtime::Engine, alive: Weak<EpochClock>) {
    let spawned = thread::Builder::new()
        .name("guest-clock".into())
        .spawn(move || {
            while alive.strong_count() > 0 {
                thread::sleep(TICK);
                engine.increment_epoch();
            }
        });
    spawned.expect("the machine can start one thread");
}
