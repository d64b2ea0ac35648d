//! From bytes to a behavior that can be instantiated: recognize the format, make a component of a core module, compile, check
//! the contract's version, call `describe`. Called by the commands and by swaps.
//!
//! What must stay true: built-in behaviors take the same way as anybody's module, and so do the players of programs.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use wasmtime::component::Component;

use super::builtin::built_in;
use super::componentize::{ModuleFormat, componentize};
use super::contract::{CONTRACT, INTERFACE, types};
use super::crash::{Crash, GuestCall, GuestFault};
use super::description::validate;
use super::engine::{Engine, Limits};
use super::instance::{Instance, Unusable};
use super::load_error::{LoadError, LoadErrorKind};
use super::program::{MAX_PROGRAM, Program, SharedProgram, player};
use crate::pre_instantiated::PreInstantiated;
use vespeiro_plan::{Module, bounded};

/// Packages of WASI 0.2 that are provided, locked down.
const WASI: [&str; 6] = ["cli", "clocks", "filesystem", "io", "random", "sockets"];

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
    /// What its bytes are.
    pub form: ModuleFormat,
    /// How many bytes it has.
    pub size: usize,
    /// The contract as it exports it, with the patch version.
    pub contract: String,
    /// What it imports.
    pub imports: Vec<String>,
    image: PreInstantiated,
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
                let bytes = bounded::read(path, bounded::MAX_FILE).map_err(|e| LoadError {
                    source_name: source.clone(),
                    kind: LoadErrorKind::Read(e),
                })?;
                Self::load(engine, &source, &bytes, limits)
            }
            Module::Program {
                player,
                name,
                source,
            } => Self::play(engine, player, name, source, limits).map_err(|kind| LoadError {
                source_name: name.clone(),
                kind,
            }),
        }
    }

    /// Load a component, a core module, or a program by the end of its name. `source` names it in messages.
    pub fn load(
        engine: &Engine,
        source: &str,
        bytes: &[u8],
        limits: Limits,
    ) -> Result<Arc<Self>, LoadError> {
        let loaded = match player(source) {
            Some(player) => Self::play(engine, player, source, bytes, limits),
            None => Self::try_load(engine, source, bytes, None, limits).map(Arc::new),
        };
        loaded.map_err(|kind| LoadError {
            source_name: source.to_owned(),
            kind,
        })
    }

    /// Load the embedded player of that name, and hand it what it plays.
    fn play(
        engine: &Engine,
        player: &str,
        name: &str,
        source: &[u8],
        limits: Limits,
    ) -> Result<Arc<Self>, LoadErrorKind> {
        let module = built_in(player).ok_or(LoadErrorKind::NoBuiltIn)?;
        if source.len() > MAX_PROGRAM {
            return Err(LoadErrorKind::ProgramTooLarge);
        }
        let program = Program {
            name: name.to_owned(),
            source: source.to_owned(),
        };
        Self::try_load(engine, name, module, Some(Arc::new(program)), limits).map(Arc::new)
    }

    fn try_load(
        engine: &Engine,
        source: &str,
        bytes: &[u8],
        program: Option<SharedProgram>,
        limits: Limits,
    ) -> Result<Self, LoadErrorKind> {
        let (encoded, form) = componentize(engine, bytes)?;
        let component = engine
            .compile(&encoded)
            .map_err(|e| LoadErrorKind::Invalid(LoadErrorKind::line(&e.root_cause())))?;
        let contract = contract_of(engine, &component)?;
        let imports = imports_of(engine, &component)?;
        let wasi = imports.iter().any(|name| name.starts_with("wasi:"));
        let mut image = PreInstantiated::link(engine, &component, wasi, limits)
            .map_err(|e| LoadErrorKind::Mismatch(LoadErrorKind::line(&format!("{e:#}"))))?;
        // Who plays a program is what was written, not the player.
        let played = program.as_ref().map_or(bytes, |program| &program.source);
        let (hash, size) = (hash(played), played.len());
        image.program = program;
        let (_, description) = Instance::new(&image, 0).map_err(|unusable| match unusable {
            Unusable::Crashed(GuestFault { call, reason }) => LoadErrorKind::Crashed(call, reason),
            Unusable::Program(why) => LoadErrorKind::Program(why),
        })?;
        validate(&description).map_err(LoadErrorKind::Description)?;
        Ok(Self {
            source: source.to_owned(),
            name: description.name,
            version: description.version,
            hash,
            routes: description.routes,
            categories: description.categories,
            form,
            size,
            contract,
            imports,
            image,
        })
    }

    /// A new instance. It has to describe itself as the first one did, for labels and lookups come from that.
    pub(super) fn instantiate(&self, seed: u64) -> Result<Instance, Crash> {
        let (instance, said) = Instance::new(&self.image, seed).map_err(|unusable| {
            self.crash(match unusable {
                Unusable::Crashed(fault) => fault,
                Unusable::Program(reason) => GuestFault {
                    call: GuestCall::Program,
                    reason,
                },
            })
        })?;
        let same = said.name == self.name
            && said.version == self.version
            && said.routes == self.routes
            && said.categories == self.categories;
        if !same {
            let reason =
                "its answer differs from the first one: it has to be the same each time".into();
            let call = GuestCall::Describe;
            return Err(self.crash(GuestFault { call, reason }));
        }
        Ok(instance)
    }

    pub(super) fn crash(&self, fault: GuestFault) -> Crash {
        fault.of(&self.name, &self.version)
    }

    /// Linear memory that one of its instances may hold, in bytes.
    pub fn memory_cap(&self) -> usize {
        self.image.limits.memory
    }
}

/// The contract's interface as the component exports it.
fn contract_of(engine: &Engine, component: &Component) -> Result<String, LoadErrorKind> {
    let ty = component.component_type();
    let mut found: Vec<_> = ty
        .exports(engine.inner())
        .map(|(name, _)| name.to_owned())
        .filter(|name| name.split('@').next() == Some(INTERFACE))
        .collect();
    let speaks = |name: &String| {
        name.strip_prefix(CONTRACT)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    match found.iter().position(speaks) {
        Some(spoken) => Ok(found.swap_remove(spoken)),
        None => Err(match found.pop() {
            Some(found) => LoadErrorKind::OtherContract { found },
            None => LoadErrorKind::NoContract,
        }),
    }
}

fn imports_of(engine: &Engine, component: &Component) -> Result<Vec<String>, LoadErrorKind> {
    let met = |name: &str| {
        let wasi = |name: &str| {
            let (interface, version) = name.split_once('@').unwrap_or((name, ""));
            let package = interface.split('/').next().unwrap_or(interface);
            WASI.contains(&package) && version.starts_with("0.2.")
        };
        name.starts_with("vespeiro:behavior/") || name.strip_prefix("wasi:").is_some_and(wasi)
    };
    let ty = component.component_type();
    let mut imports: Vec<String> = ty
        .imports(engine.inner())
        .map(|(name, _)| name.to_owned())
        .collect();
    imports.sort_unstable();
    match imports.iter().find(|name| !met(name)) {
        Some(other) => Err(LoadErrorKind::Import(other.clone())),
        None => Ok(imports),
    }
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
