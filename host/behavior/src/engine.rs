//! The one engine of a process: how modules are compiled, where compiled code is kept, and the clock that bounds a call. Made
//! by the commands that load behaviors.
//!
//! What must stay true: a guest call is interrupted when its time is over, whatever it does.

use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::thread;

use sha2::{Digest, Sha256};
use vespeiro_model::Clock;
use wasmtime::component::Component;

use crate::code_cache::CodeCache;
use crate::compile::{Cancel, Compiled, Compiler};
use crate::crash::of_machine;
use crate::held_code::{Code, HeldCode};
use crate::limits::TICK;
use crate::load_error::LoadErrorKind;
use crate::precompiled::Precompiled;
use crate::wasmtime_config::{EngineError, Processor, compiling, config};

/// Compiles and runs behaviors. Cheap to clone; the clock stops with the last clone.
#[derive(Clone)]
pub struct Engine {
    inner: wasmtime::Engine,
    compiler: Compiler,
    cache: Option<Arc<CodeCache>>,
    /// Asked before the cache.
    ahead: Option<Arc<Precompiled>>,
    /// Where to put what is compiled for other machines.
    out: Option<Arc<Precompiled>>,
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
            Compiler::Here => compiling(clock, Processor::Own)?,
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
            ahead: None,
            out: None,
            held: HeldCode::default(),
            aside: false,
            cancel: Cancel::default(),
            clock,
            _epochs: epochs,
        })
    }

    /// The same engine, which takes from there what was compiled ahead.
    #[must_use]
    pub fn taking_from(self, ahead: Precompiled) -> Self {
        Self {
            ahead: Some(Arc::new(ahead)),
            ..self
        }
    }

    /// The same engine, which puts there whatever it compiles. Its compiler has to compile for [`Processor::Baseline`].
    #[must_use]
    pub fn putting_into(self, out: Precompiled) -> Self {
        Self {
            out: Some(Arc::new(out)),
            ..self
        }
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
        if let Some(ahead) = &self.ahead {
            if let Some(kept) = ahead.get(digest)
                && let Ok(component) = self.map(&kept.code)
            {
                let facts = kept.facts;
                return Ok(self.held.put(digest, Code { facts, component }));
            }
            ahead.lacks();
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
            .map_err(|error| LoadErrorKind::Machine(of_machine(&error)))?;
        if let Some(cache) = &self.cache {
            cache.put(&name, &compiled);
        }
        if let Some(out) = &self.out {
            out.put(digest, &compiled)
                .map_err(|error| LoadErrorKind::Machine(error.to_string()))?;
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
        // returns only what this program has written there, or from a folder that only root and this user can write to.
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
