//! The one engine of a process: how modules are compiled, where compiled code is kept, and the clock that bounds a call. Made
//! by the commands that load behaviors.
//!
//! What must stay true: a guest call is interrupted when its time is over, whatever it does.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use wasmtime::component::Component;
use wasmtime::{Cache, CacheConfig, Config};

use crate::cache_folder;
use crate::function_cache::Functions;

/// One tick of the clock that bounds guest calls. Finer ticks would cost a wake-up each and buy nothing.
const TICK: Duration = Duration::from_millis(10);

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

/// What one instance of a behavior may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Linear memory, in bytes, all memories together.
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

/// Compiles and runs behaviors. Cheap to clone; the clock stops with the last clone.
#[derive(Clone)]
pub struct Engine {
    inner: wasmtime::Engine,
    /// The threads that it compiles on, where that must not slow a run down.
    aside: Option<Arc<rayon::ThreadPool>>,
    _clock: Arc<EpochClock>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Engine")
    }
}

/// Keeps the thread of the clock alive.
struct EpochClock;

impl Engine {
    /// An engine that keeps compiled code in `cache`, keyed by content and engine version; `None` keeps none.
    pub fn new(cache: Option<PathBuf>) -> Result<Self, EngineError> {
        let mut config = Config::new();
        config.wasm_component_model(true);
        config.epoch_interruption(true);
        config.max_wasm_stack(GUEST_STACK);
        config
            .enable_incremental_compilation(Arc::new(Functions::default()))
            .map_err(|e| EngineError::Unsupported(format!("{e:#}")))?;
        if let Some(folder) = cache {
            match open(&folder) {
                Ok(cache) => drop(config.cache(Some(cache))),
                Err(why) => tracing::warn!(
                    "compiled behaviors are not kept in {}: {why}; --no-cache does without them",
                    folder.display()
                ),
            }
        }
        let inner = wasmtime::Engine::new(&config)
            .map_err(|e| EngineError::Unsupported(format!("{e:#}")))?;
        let clock = Arc::new(EpochClock);
        tick(inner.clone(), Arc::downgrade(&clock));
        Ok(Self {
            inner,
            aside: None,
            _clock: clock,
        })
    }

    /// The same engine for use beside a run: it compiles on few threads, which give way to all others.
    pub fn aside(&self) -> Result<Self, EngineError> {
        let cores = thread::available_parallelism().map_or(1, |cores| cores.get());
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads((cores / 4).max(1))
            .thread_name(|_| "compiler".into())
            .start_handler(|_| yield_to_others())
            .build()
            .map_err(|e| EngineError::Unsupported(format!("no thread to compile on: {e}")))?;
        Ok(Self {
            aside: Some(Arc::new(pool)),
            ..self.clone()
        })
    }

    /// Compile a component, or take it from the cache.
    pub(super) fn compile(&self, bytes: &[u8]) -> wasmtime::Result<Component> {
        match &self.aside {
            Some(pool) => pool.install(|| Component::from_binary(&self.inner, bytes)),
            None => Component::from_binary(&self.inner, bytes),
        }
    }

    pub(super) fn inner(&self) -> &wasmtime::Engine {
        &self.inner
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

fn open(folder: &Path) -> Result<Cache, String> {
    cache_folder::prepare(folder)?;
    let mut settings = CacheConfig::new();
    settings.with_directory(folder);
    Cache::new(settings).map_err(|error| format!("{error:#}"))
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
