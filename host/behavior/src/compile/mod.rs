//! From a module's bytes to compiled code. A module is anybody's, and a few hundred bytes can ask a compiler for gigabytes and
//! minutes: so what reads and compiles it is a child process, within bounds, and can be ended at any time. Used by `load.rs`.
//!
//! What must stay true: this process reads nothing of a module but what its own child has made of it.

mod cancel;
mod check;
mod child;
mod job;
mod process;
mod serve;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use self::cancel::Cancel;
pub(crate) use self::check::Import;
use self::child::Child;
pub(crate) use self::job::{Compiled, Facts, receive, send};
pub use self::serve::serve_compile_jobs;
use crate::load_error::LoadErrorKind;

/// Most bytes of a module; one that carries a whole scripting language has 20 MiB.
pub const MAX_MODULE: usize = 128 << 20;

/// What compiling one module may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompileBounds {
    /// Time of all its threads on the processor.
    pub cpu: Duration,
    /// Memory that it may write to, in bytes.
    pub memory: u64,
}

impl CompileBounds {
    /// Time by the clock: much more than on the processor, for beside a run a compiler gets what the load leaves.
    fn longest(&self) -> Duration {
        self.cpu.saturating_mul(10)
    }
}

/// Where modules are compiled.
#[derive(Clone)]
pub enum Compiler {
    /// In this process, without bounds: for modules that are trusted, as those of tests are.
    Here,
    /// In a child process.
    Apart(Arc<Child>),
}

impl Compiler {
    /// In a child process, which is this program started with `arguments`: they have to lead to [`serve_compile_jobs`]. It is
    /// started with the first module, kept for the next ones, and ends with this process.
    pub fn apart(arguments: &[&str], bounds: CompileBounds) -> Self {
        Self::Apart(Arc::new(Child::new(own_program, arguments, bounds)))
    }

    /// Compile a module. `aside`: beside a run, on few threads that give way to all others.
    pub(crate) fn compile(
        &self,
        engine: &wasmtime::Engine,
        bytes: &[u8],
        aside: bool,
        cancel: &Cancel,
    ) -> Result<Compiled, LoadErrorKind> {
        match self {
            Self::Here => serve::compile(engine, bytes),
            Self::Apart(child) => child.compile(bytes, aside, cancel),
        }
    }
}

/// This program, also after its file was replaced by a newer version, when its name reads as deleted. Otherwise its name, since
/// under valgrind the link in `/proc` starts valgrind.
fn own_program() -> io::Result<PathBuf> {
    let named = std::env::current_exe();
    match named {
        Ok(named) if named.exists() => Ok(named),
        _ if cfg!(target_os = "linux") => Ok(PathBuf::from("/proc/self/exe")),
        named => named,
    }
}

impl fmt::Debug for Compiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Here => "Here",
            Self::Apart(_) => "Apart",
        })
    }
}
