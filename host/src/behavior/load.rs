//! From bytes to a behavior that can be instantiated: tell what they are, make a component of a core module,
//! compile, check the contract's version, ask it who it is.
//!
//! Built-in behaviors take the same way as a stranger's module.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use wasmtime::Store;
use wasmtime::component::{Component, HasSelf, Linker};
use wit_component::ComponentEncoder;

use super::builtin::built_in;
use super::contract::{Archetype, ArchetypePre, CONTRACT, types};
use super::engine::{Engine, Limits};
use super::guest::GuestState;
use super::instance::{GuestCall, reason};
use crate::plan::Module;

/// Most routes that a behavior may describe: they become metric labels.
const MAX_ROUTES: usize = 512;
/// Most categories that a behavior may describe.
const MAX_CATEGORIES: usize = 32;
/// Longest name, version, category or path template, in bytes.
const MAX_LABEL: usize = 200;
/// Live sessions that one instance may hold; the engine's own default ends between 50,000 and 100,000.
const MAX_SESSIONS: usize = 4_000_000;

/// A module that cannot be used, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("behavior {source_name}: {kind}")]
pub struct LoadError {
    /// The file or built-in name that was loaded.
    pub source_name: String,
    pub kind: LoadErrorKind,
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
        "is a core module without a WIT description: build it with the vespeiro-guest SDK, or make it a component"
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
        "wants the import {0}, which a behavior does not get: it may import vespeiro:behavior/host only"
    )]
    Import(String),
    #[error("crashed in {call}: {reason}: mend it before it can play", call = match .0 { GuestCall::Describe => "describe", _ => "its start" }, reason = .1)]
    Crashed(GuestCall, String),
    #[error("describes itself wrongly: {0}")]
    Description(String),
}

/// A compiled behavior, shared by all workers.
pub struct Behavior {
    /// The file or built-in name it was loaded from.
    pub source: String,
    pub name: String,
    pub version: String,
    /// First 12 hexadecimal digits of the SHA-256 of its bytes.
    pub hash: String,
    pub routes: Vec<types::Route>,
    pub categories: Vec<String>,
    pub(super) pre: ArchetypePre<GuestState>,
    pub(super) limits: Limits,
    engine: Engine,
}

impl fmt::Debug for Behavior {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Behavior")
            .field("source", &self.source)
            .field("name", &self.name)
            .field("version", &self.version)
            .field("hash", &self.hash)
            .finish_non_exhaustive()
    }
}

impl Behavior {
    /// Load what a plan names: a built-in behavior or a file.
    pub fn of(engine: &Engine, module: &Module, limits: Limits) -> Result<Arc<Self>, LoadError> {
        match module {
            Module::BuiltIn(name) => {
                let source = format!("builtin:{name}");
                let unknown = || LoadError {
                    source_name: source.clone(),
                    kind: LoadErrorKind::NoBuiltIn,
                };
                let bytes = built_in(name).ok_or_else(unknown)?;
                Self::load(engine, &source, bytes, limits)
            }
            Module::File(path) => {
                let source = path.display().to_string();
                let bytes = std::fs::read(path).map_err(|e| LoadError {
                    source_name: source.clone(),
                    kind: LoadErrorKind::Read(e),
                })?;
                Self::load(engine, &source, &bytes, limits)
            }
        }
    }

    /// Load a component or a core module with embedded WIT. `source` names it in messages.
    pub fn load(
        engine: &Engine,
        source: &str,
        bytes: &[u8],
        limits: Limits,
    ) -> Result<Arc<Self>, LoadError> {
        Self::try_load(engine, source, bytes, limits)
            .map(Arc::new)
            .map_err(|kind| LoadError {
                source_name: source.to_owned(),
                kind,
            })
    }

    fn try_load(
        engine: &Engine,
        source: &str,
        bytes: &[u8],
        limits: Limits,
    ) -> Result<Self, LoadErrorKind> {
        let encoded = componentize(engine, bytes)?;
        let component = Component::from_binary(engine.inner(), encoded.as_deref().unwrap_or(bytes))
            .map_err(|e| LoadErrorKind::Invalid(first_line(&e.root_cause().to_string())))?;
        check_contract(engine, &component)?;
        let mut linker = Linker::<GuestState>::new(engine.inner());
        Archetype::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)
            .map_err(|e| LoadErrorKind::Mismatch(format!("{e:#}")))?;
        let pre = linker
            .instantiate_pre(&component)
            .and_then(ArchetypePre::new)
            .map_err(|e| LoadErrorKind::Mismatch(first_line(&format!("{e:#}"))))?;
        let description = describe(&pre, limits)?;
        Ok(Self {
            source: source.to_owned(),
            name: description.name,
            version: description.version,
            hash: hash(bytes),
            routes: description.routes,
            categories: description.categories,
            pre,
            limits,
            engine: engine.clone(),
        })
    }

    pub(super) fn new_store(&self) -> Store<GuestState> {
        new_store(self.engine.inner(), self.limits)
    }
}

fn new_store(engine: &wasmtime::Engine, limits: Limits) -> Store<GuestState> {
    let mut store = Store::new(engine, GuestState::new(limits.memory));
    store.limiter(|state| state);
    store.set_max_component_handles(MAX_SESSIONS);
    store
}

/// The component of a core module, or `None` when the bytes are a component already.
fn componentize(engine: &Engine, bytes: &[u8]) -> Result<Option<Vec<u8>>, LoadErrorKind> {
    // The preamble: magic, then version and layer as 16-bit little-endian numbers.
    let layer = match bytes {
        [b'\0', b'a', b's', b'm', _, _, layer, 0, ..] => *layer,
        _ => return Err(LoadErrorKind::NotWasm),
    };
    if layer == 1 {
        return Ok(None);
    }
    // The decoder takes the sections' lengths on trust and panics where one of them lies.
    wasmtime::Module::validate(engine.inner(), bytes)
        .map_err(|e| LoadErrorKind::Invalid(first_line(&e.root_cause().to_string())))?;
    let metadata = wit_component::metadata::decode(bytes)
        .map_err(|e| LoadErrorKind::Invalid(first_line(&e.root_cause().to_string())))?;
    if metadata.0.is_none() {
        return Err(LoadErrorKind::NoWit);
    }
    ComponentEncoder::default()
        .module(bytes)
        .and_then(|encoder| encoder.validate(false).encode())
        .map(Some)
        .map_err(|e| LoadErrorKind::Componentize(first_line(&e.root_cause().to_string())))
}

fn check_contract(engine: &Engine, component: &Component) -> Result<(), LoadErrorKind> {
    let ty = component.component_type();
    let interface = CONTRACT.split('@').next().unwrap_or(CONTRACT);
    let found: Vec<_> = ty
        .exports(engine.inner())
        .map(|(name, _)| name.to_owned())
        .filter(|name| name.split('@').next() == Some(interface))
        .collect();
    let speaks = |name: &String| {
        name.strip_prefix(CONTRACT)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    match found.first() {
        None => return Err(LoadErrorKind::NoContract),
        Some(other) if !found.iter().any(speaks) => {
            return Err(LoadErrorKind::OtherContract {
                found: other.clone(),
            });
        }
        Some(_) => {}
    }
    match ty
        .imports(engine.inner())
        .find(|(name, _)| !name.starts_with("vespeiro:behavior/"))
    {
        Some((name, _)) => Err(LoadErrorKind::Import(name.to_owned())),
        None => Ok(()),
    }
}

fn describe(
    pre: &ArchetypePre<GuestState>,
    limits: Limits,
) -> Result<types::Description, LoadErrorKind> {
    let mut store = new_store(pre.engine(), limits);
    store.set_epoch_deadline(limits.ticks());
    let crashed = |call, e: &wasmtime::Error, store: &Store<GuestState>| {
        LoadErrorKind::Crashed(call, reason(e, &limits, store.data().memory_refused))
    };
    let exports = pre
        .instantiate(&mut store)
        .map_err(|e| crashed(GuestCall::Instantiate, &e, &store))?;
    let description = exports
        .vespeiro_behavior_behavior()
        .call_describe(&mut store)
        .map_err(|e| crashed(GuestCall::Describe, &e, &store))?;
    validate(&description).map_err(LoadErrorKind::Description)?;
    Ok(description)
}

/// Labels become metric labels and lines on a terminal: bounded, printable, and consistent with each other.
fn validate(description: &types::Description) -> Result<(), String> {
    let label = |what: &str, text: &str| {
        if text.is_empty() || text.len() > MAX_LABEL || text.chars().any(char::is_control) {
            return Err(format!(
                "{what} must have 1 to {MAX_LABEL} bytes and no control character"
            ));
        }
        Ok(())
    };
    label("its name", &description.name)?;
    label("its version", &description.version)?;
    if description.routes.len() > MAX_ROUTES {
        return Err(format!(
            "{} routes, and {MAX_ROUTES} are allowed",
            description.routes.len()
        ));
    }
    if description.categories.len() > MAX_CATEGORIES {
        return Err(format!(
            "{} categories, and {MAX_CATEGORIES} are allowed",
            description.categories.len()
        ));
    }
    for category in &description.categories {
        label("a category", category)?;
    }
    for route in &description.routes {
        label("a route's path", &route.path)?;
        if !route.path.starts_with('/') {
            return Err(format!(
                "the route {:?} does not start with a slash",
                route.path
            ));
        }
        if !description.categories.contains(&route.category) {
            return Err(format!(
                "the route {:?} has the category {:?}, which is not among its categories",
                route.path, route.category
            ));
        }
    }
    Ok(())
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn first_line(text: &str) -> String {
    text.lines()
        .next()
        .unwrap_or_default()
        .trim_end_matches(':')
        .to_owned()
}
