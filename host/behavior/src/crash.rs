//! Guest calls that did not return: which call, and why, in words that a behavior's author can act on.

use wasmtime::Trap;
use wasmtime_wasi::I32Exit;

use super::engine::{HANDED_OVER, Limits};

/// A call into a guest, for messages and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuestCall {
    Instantiate,
    Describe,
    Constructor,
    Next,
    Drop,
    Save,
    Restore,
}

impl GuestCall {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Instantiate => "instantiation",
            Self::Describe => "describe",
            Self::Constructor => "the session's constructor",
            Self::Next => "next",
            Self::Drop => "the session's destructor",
            Self::Save => "save",
            Self::Restore => "restore",
        }
    }
}

impl std::fmt::Display for GuestCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A guest call that did not return: the instance is lost, and every session in it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("behavior {behavior} {version} crashed in {}: {reason}", .call.as_str())]
pub struct Crash {
    pub behavior: String,
    pub version: String,
    pub call: GuestCall,
    pub reason: String,
}

/// A call that did not return, before it is known whose it was.
#[derive(Debug)]
pub(super) struct GuestFault {
    pub(super) call: GuestCall,
    pub(super) reason: String,
}

impl GuestFault {
    pub(super) fn of(self, behavior: &str, version: &str) -> Crash {
        Crash {
            behavior: behavior.to_owned(),
            version: version.to_owned(),
            call: self.call,
            reason: self.reason,
        }
    }
}

/// Why a call did not return.
pub(super) fn reason(error: &wasmtime::Error, limits: &Limits, memory_refused: bool) -> String {
    if let Some(I32Exit(code)) = error.downcast_ref() {
        return format!(
            "it called exit({code}): a behavior lives as long as the run, so end a session with done"
        );
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => {
            format!(
                "it ran longer than {} ms (guest_timeout)",
                limits.call.as_millis()
            )
        }
        _ if memory_refused => {
            format!(
                "it asked for more than {} MiB of memory (guest_memory)",
                limits.memory >> 20
            )
        }
        Some(Trap::StackOverflow) => "it recursed too deep".into(),
        Some(trap) => trap.to_string(),
        None => {
            let root = error.root_cause().to_string();
            let line = root.lines().next().unwrap_or("unknown reason");
            if line.contains("fuel allocated for hostcalls") {
                return format!(
                    "it handed over more than {} MiB in one call",
                    HANDED_OVER >> 20
                );
            }
            line.to_owned()
        }
    }
}
