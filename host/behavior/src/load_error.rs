//! What can be wrong with a module, in one line each that says what to do. Made by `load.rs`, printed by the command line.

use std::fmt;

use super::contract::CONTRACT;
use super::crash::GuestCall;
use super::program::MAX_PROGRAM;
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
#[derive(Debug, thiserror::Error)]
pub enum LoadErrorKind {
    #[error("cannot be read: {0}: check the path")]
    Read(std::io::Error),
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
    #[error("exports no {CONTRACT}: build it with the vespeiro-guest SDK of this version")]
    NoContract,
    #[error(
        "implements {found}, and this vespeiro speaks {CONTRACT}: rebuild it with the matching vespeiro-guest SDK"
    )]
    OtherContract { found: String },
    #[error(
        "does not fit the contract {CONTRACT}: {0}: rebuild it with the matching vespeiro-guest SDK"
    )]
    Mismatch(String),
    #[error(
        "wants the import {0}, which a behavior does not get: it may import vespeiro:behavior/host and, locked down, WASI 0.2 or preview 1"
    )]
    Import(String),
    #[error("crashed in {call}: {reason}: correct it before it can play", call = match .0 { GuestCall::Describe => "describe", _ => "its start" }, reason = .1)]
    Crashed(GuestCall, String),
    #[error("{0}")]
    Program(String),
    #[error("is larger than {} MiB: split it into several archetypes", MAX_PROGRAM >> 20)]
    ProgramTooLarge,
    #[error("has a wrong description: {0}")]
    Description(String),
}

impl LoadErrorKind {
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
