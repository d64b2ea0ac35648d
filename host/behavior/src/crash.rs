//! Guest calls that did not return: which call, and why, in words that a behavior's author can act on. Made by `instance.rs`,
//! reported by the engine.

use vespeiro_model::words;
use wasmtime::Trap;
use wasmtime_wasi::I32Exit;

use super::engine::{Limits, MAX_PASSED};

words! {
    /// A call into a guest, for messages and metrics.
    pub enum GuestCall {
        Instantiate => "instantiation",
        Program => "reading its program",
        Describe => "describe",
        Constructor => "the session's constructor",
        Next => "next",
        Drop => "the session's destructor",
        Save => "save",
        Restore => "restore",
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

/// A call that did not return, before it is known which behavior's it was.
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
                    "it passed more than {} MiB to the host in one call",
                    MAX_PASSED >> 20
                );
            }
            line.to_owned()
        }
    }
}
