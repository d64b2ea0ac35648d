//! Guest calls that did not return: which call, and why, in words that a behavior's author can act on. Made by `instance.rs`,
//! reported by the engine.

use std::time::Duration;

use vespeiro_model::words;
use wasmtime::{ThrownException, Trap};
use wasmtime_wasi::I32Exit;

use super::limits::{Limits, MAX_PASSED};
use super::memory_pool::Refused;

/// What the engine says of a call that passed more than [`MAX_PASSED`] in several calls of the host.
pub(super) const PASSED_TOO_MUCH: &str = "it passed too much to the host";

/// What is said of an instance that the machine has no room for.
const NO_MEMORY: &str = "the machine has no more memory or address space for it (ulimit -v)";

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
    /// The machine is the reason, and not the behavior.
    pub machine: bool,
    /// How long it took: time that its worker had for nobody else.
    pub took: Duration,
}

/// A call that did not return, before it is known which behavior's it was.
#[derive(Debug)]
pub(super) struct GuestFault {
    pub(super) call: GuestCall,
    pub(super) reason: String,
    pub(super) machine: bool,
    pub(super) took: Duration,
}

impl GuestFault {
    /// One that the behavior itself has caused.
    pub(super) fn of_guest(call: GuestCall, reason: String) -> Self {
        Self {
            call,
            reason,
            machine: false,
            took: Duration::ZERO,
        }
    }

    pub(super) fn of(self, behavior: &str, version: &str) -> Crash {
        Crash {
            behavior: behavior.to_owned(),
            version: version.to_owned(),
            call: self.call,
            reason: self.reason,
            machine: self.machine,
            took: self.took,
        }
    }
}

impl GuestFault {
    /// A call that ended in an error; `refused` is memory that the instance did not get.
    pub(super) fn of_error(
        call: GuestCall,
        error: &wasmtime::Error,
        limits: &Limits,
        refused: Option<Refused>,
    ) -> Self {
        let machine = match refused {
            Some(refused) => refused == Refused::Machine,
            None => error.downcast_ref::<Trap>().is_none() && lacks_memory(error),
        };
        Self {
            machine,
            ..Self::of_guest(call, reason(error, limits, refused))
        }
    }
}

/// Why a call did not return.
fn reason(error: &wasmtime::Error, limits: &Limits, refused: Option<Refused>) -> String {
    if let Some(I32Exit(code)) = error.downcast_ref() {
        return format!(
            "it called exit({code}): a behavior lives as long as the run, so end a session with done"
        );
    }
    match (error.downcast_ref::<Trap>(), refused) {
        (Some(Trap::Interrupt), _) => too_long(limits),
        (_, Some(Refused::Machine)) => NO_MEMORY.into(),
        (_, Some(Refused::Pool { others })) => {
            let most = limits.memory >> 20;
            match others >> 20 {
                0 => format!("it asked for more than {most} MiB of memory (guest_memory)"),
                others => format!(
                    "it asked for more than {most} MiB of memory, of which its other instances hold {others} MiB (guest_memory)"
                ),
            }
        }
        (Some(Trap::StackOverflow), None) => "it recursed too deep".into(),
        (Some(trap), None) => trap.to_string(),
        (None, None) if error.is::<ThrownException>() => {
            "it threw an exception that nothing in it catches".into()
        }
        (None, None) if lacks_memory(error) => NO_MEMORY.into(),
        (None, None) => {
            let root = error.root_cause().to_string();
            let line = root.lines().next().unwrap_or("unknown reason");
            if line.contains("fuel allocated for hostcalls") || line == PASSED_TOO_MUCH {
                return format!(
                    "it passed more than {} MiB to the host in one call",
                    MAX_PASSED >> 20
                );
            }
            line.to_owned()
        }
    }
}

/// What is said of a call that took too long.
pub(super) fn too_long(limits: &Limits) -> String {
    let longest = limits.call.as_millis();
    format!("it ran longer than {longest} ms (guest_timeout)")
}

/// Why this machine cannot have it.
pub(super) fn of_machine(error: &wasmtime::Error) -> String {
    match lacks_memory(error) {
        true => NO_MEMORY.into(),
        false => format!("{error:#}"),
    }
}

/// Whether the system did not give the engine the memory that it asked for. It has no error of its own for that.
pub(super) fn lacks_memory(error: &wasmtime::Error) -> bool {
    let text = format!("{error:#}").to_lowercase();
    [
        "os error 12",
        "cannot allocate memory",
        "out of memory",
        "failed to allocate",
    ]
    .iter()
    .any(|sign| text.contains(sign))
}
