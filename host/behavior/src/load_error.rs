//! What can be wrong with a module, in one line each that says what to do. Made by `load.rs`, printed by the command line.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::contract::CONTRACT;
use super::crash::{GuestCall, lacks_memory};
use super::limits::MAX_PROGRAM;
use vespeiro_plan::one_line;

/// Mistakes of a program that are told at once.
const MAX_MISTAKES: usize = 20;

/// A module that cannot be used, and what to do about it: one line, or one for each mistake of a program.
#[derive(Debug, thiserror::Error)]
pub struct LoadError {
    /// The file or built-in name that was loaded.
    pub source_name: String,
    pub kind: LoadErrorKind,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = one_line(&self.source_name);
        let LoadErrorKind::Program(mistakes) = &self.kind else {
            return write!(f, "behavior {name}: {}", self.kind);
        };
        for (n, mistake) in mistakes.lines().take(MAX_MISTAKES).enumerate() {
            let line_end = if n == 0 { "" } else { "\n" };
            write!(f, "{line_end}behavior {name}: {}", one_line(&mistake))?;
        }
        Ok(())
    }
}

/// What is wrong with a module.
#[derive(Debug, thiserror::Error, Serialize, Deserialize)]
pub enum LoadErrorKind {
    #[error("cannot be read: {0}: check the path")]
    #[serde(skip)]
    Read(std::io::Error),
    #[error("has {found} {what}, and a behavior may have {most}: see that it is a behavior at all")]
    TooMany {
        what: String,
        found: usize,
        most: usize,
    },
    #[error(
        "takes more than {0} s of processor time to compile (compile_timeout): make it smaller, or allow more with --compile-timeout"
    )]
    CompileTime(u64),
    #[error(
        "is not compiled after {0} s, ten times the processor time that it may take (compile_timeout): see what holds this machine up, or allow more with --compile-timeout"
    )]
    CompileWait(u64),
    #[error(
        "takes more than {0} MiB of memory to compile (compile_memory): make it smaller, or allow more with --compile-memory"
    )]
    CompileMemory(u64),
    #[error("ends its compiler: {0}: please report it with the module")]
    CompilerLost(String),
    #[error("is not needed any more: its compilation was given up")]
    Cancelled,
    #[error("cannot be run on this machine: {0}: give it more, or run fewer and smaller behaviors")]
    Machine(String),
    #[error("there is no such built-in behavior: there are newcomer, active, admin and power")]
    NoBuiltIn,
    #[error(
        "is not WebAssembly: build it for the target wasm32-unknown-unknown and name the .wasm file"
    )]
    NotWasm,
    #[error(
        "is a core module with neither a WIT description nor the exports of {CONTRACT}: build it with the vespeiro-guest SDK, make it a component, or export the contract's functions under their canonical names"
    )]
    NoWit,
    #[error("cannot be made a component: {0}: build it with the vespeiro-guest SDK")]
    Componentize(String),
    #[error("is not valid WebAssembly: {0}")]
    Invalid(String),
    #[error(
        "has exceptions as they were encoded before the standard: build it with the new encoding (clang: \
         -mllvm -wasm-use-legacy-eh=false; Kotlin: -Xwasm-use-new-exception-proposal)"
    )]
    LegacyExceptions,
    #[error("exports no {CONTRACT}: build it with the vespeiro-guest SDK of this version")]
    NoContract,
    #[error(
        "implements {found}, and this vespeiro speaks {CONTRACT}: rebuild it with the matching vespeiro-guest SDK"
    )]
    OtherContract { found: String },
    #[error(
        "implements {found}, a prerelease of the contract, and this vespeiro speaks {CONTRACT}: build it for a released version"
    )]
    Prerelease { found: String },
    #[error(
        "does not fit the contract {CONTRACT}: {0}: rebuild it with the matching vespeiro-guest SDK"
    )]
    Mismatch(String),
    #[error(
        "wants the import {0}, which a behavior does not get: it may import vespeiro:behavior/host and, locked down, WASI 0.2 or preview 1"
    )]
    Import(String),
    #[error("crashed in {call}: {reason}: correct it before it can play", call = match .0 { GuestCall::Describe => "describe", _ => "its start" }, reason = .1)]
    #[serde(skip)]
    Crashed(GuestCall, String),
    #[error("{0}")]
    Program(String),
    #[error("is larger than {} MiB: split it into several archetypes", MAX_PROGRAM >> 20)]
    ProgramTooLarge,
    #[error("has a wrong description: {0}")]
    Description(String),
}

impl LoadErrorKind {
    /// A file that is still being written looks like this, too.
    pub fn may_be_half(&self) -> bool {
        matches!(
            self,
            Self::NotWasm
                | Self::NoWit
                | Self::Componentize(_)
                | Self::Invalid(_)
                | Self::NoContract
                | Self::Mismatch(_)
                | Self::Program(_)
        )
    }

    pub(super) fn too_many(what: &str, found: usize, most: usize) -> Self {
        let what = what.into();
        Self::TooMany { what, found, most }
    }

    /// What the compiler says of a module.
    pub(super) fn of_compiler(error: &wasmtime::Error) -> Self {
        match lacks_memory(error) {
            // Whoever has set the bound knows it.
            true => Self::CompileMemory(0),
            false => Self::invalid(&error.root_cause()),
        }
    }

    /// What a decoder or a validator says of a module.
    pub(super) fn invalid(error: &impl std::fmt::Display) -> Self {
        let line = Self::line(error);
        // The library has no kind for what it does not support, only words.
        match line.contains("legacy_exceptions") || line.contains("legacy exceptions") {
            true => Self::LegacyExceptions,
            false => Self::Invalid(line),
        }
    }

    /// The first line of a library's message.
    pub(super) fn line(error: &impl std::fmt::Display) -> String {
        error
            .to_string()
            .lines()
            .next()
            .unwrap_or_default()
            .trim_end_matches(':')
            .to_owned()
    }
}
