//! From bytes to a behavior that can be instantiated: have it checked and compiled, link its imports, call `describe`. Called by
//! the commands and by swaps.
//!
//! What must stay true: built-in behaviors take the same way as anybody's module, and so do the players of programs.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::builtin::built_in;
use super::componentize::ModuleFormat;
use super::contract::Version;
use super::crash::{Crash, GuestCall, GuestFault};
use super::description::validate;
use super::engine::Engine;
use super::held_code::Code;
use super::instance::{Instance, Unusable};
use super::limits::{Limits, MAX_PROGRAM};
use super::load_error::{LoadError, LoadErrorKind};
use super::memory_pool::MemoryPool;
use super::program::{Program, SharedProgram, player};
use super::timed_by::TimedBy;
use super::types::{Once, Request, Route, RouteRef};
use crate::compile::Import;
use crate::module_file::ModuleFile;
use crate::pre_instantiated::PreInstantiated;
use vespeiro_plan::Module;

/// What requests count for whose category or route the behavior has not described.
const OTHER: &str = "other";

/// A compiled behavior, shared by all workers.
pub struct Behavior {
    /// The file or built-in name it was loaded from.
    pub source: String,
    pub name: String,
    pub version: String,
    /// The [`content_hash`] of its bytes.
    pub hash: String,
    pub routes: Vec<Route>,
    pub categories: Vec<String>,
    /// What it does once in a run.
    pub once: Vec<Once>,
    /// What its bytes are.
    pub form: ModuleFormat,
    /// How many bytes it has.
    pub size: usize,
    /// The contract as it exports it, with the patch version.
    pub contract: String,
    /// What it imports.
    pub imports: Vec<String>,
    /// Linear memory of an instance without sessions, in bytes.
    pub(super) fresh: usize,
    image: PreInstantiated,
    /// Held for the next archetype that plays the same bytes.
    _code: Arc<Code>,
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
                Self::load(engine, &source, &bytes, limits)
            }
            Module::File(path) => {
                let source = path.display().to_string();
                let file = ModuleFile::read(path).map_err(|error| LoadError {
                    source_name: source.clone(),
                    kind: LoadErrorKind::Read(error),
                })?;
                Self::load(engine, &source, &file.bytes, limits)
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
        Self::try_load(engine, name, &module, Some(Arc::new(program)), limits).map(Arc::new)
    }

    fn try_load(
        engine: &Engine,
        source: &str,
        bytes: &[u8],
        program: Option<SharedProgram>,
        limits: Limits,
    ) -> Result<Self, LoadErrorKind> {
        let digest: [u8; 32] = Sha256::digest(bytes).into();
        let code = engine.compile(bytes, &digest)?;
        let facts = &code.facts;
        let wasi = facts.imports.iter().any(|name| name.starts_with("wasi:"));
        let version = Version::of_interface(&facts.contract).ok_or(LoadErrorKind::NoContract)?;
        let mut image = PreInstantiated::link(engine, &code.component, version, wasi, limits)
            .map_err(|e| LoadErrorKind::Mismatch(LoadErrorKind::line(&format!("{e:#}"))))?;
        // Who plays a program is what was written, not the player.
        let (hash, size) = match &program {
            Some(program) => (content_hash(&program.source), program.source.len()),
            None => (hash(&digest), bytes.len()),
        };
        image.program = program;
        let memory = MemoryPool::new(limits.memory);
        let first = Instance::new(&image, 0, &memory, TimedBy::Processor);
        let (instance, description) = first.map_err(|unusable| match unusable {
            Unusable::Crashed(GuestFault {
                reason,
                machine: true,
                ..
            }) => LoadErrorKind::Machine(reason),
            Unusable::Crashed(GuestFault { call, reason, .. }) => {
                LoadErrorKind::Crashed(call, reason)
            }
            Unusable::Mismatch(why) => LoadErrorKind::Mismatch(why),
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
            once: description.once,
            form: facts.form,
            size,
            contract: facts.contract.clone(),
            imports: facts.imports.clone(),
            fresh: instance.memory(),
            image,
            _code: code,
        })
    }

    /// A new instance. It has to describe itself as the first one did, for labels and lookups come from that.
    pub(super) fn instantiate(
        &self,
        seed: u64,
        memory: &MemoryPool,
        timed_by: TimedBy,
    ) -> Result<Instance, Crash> {
        let first = Instance::new(&self.image, seed, memory, timed_by);
        let (instance, said) = first.map_err(|unusable| {
            self.crash(match unusable {
                Unusable::Crashed(fault) => fault,
                Unusable::Mismatch(reason) => GuestFault::of_guest(GuestCall::Instantiate, reason),
                Unusable::Program(reason) => GuestFault::of_guest(GuestCall::Program, reason),
            })
        })?;
        let same = said.name == self.name
            && said.version == self.version
            && said.routes == self.routes
            && said.categories == self.categories
            && said.once == self.once;
        if !same {
            let reason =
                "its answer differs from the first one: it has to be the same each time".into();
            return Err(self.crash(GuestFault::of_guest(GuestCall::Describe, reason)));
        }
        Ok(instance)
    }

    pub(super) fn crash(&self, fault: GuestFault) -> Crash {
        fault.of(&self.name, &self.version)
    }

    /// Those of its imports whose functions end the call that calls them.
    pub fn refused(&self) -> impl Iterator<Item = &str> {
        let refused = |name: &&str| Import::of(name) == Import::Refused;
        self.imports.iter().map(String::as_str).filter(refused)
    }

    /// The path template that a request of it counts for.
    pub fn route_of<'a>(&'a self, request: &'a Request) -> &'a str {
        self.template(&request.route)
    }

    /// The path template of a route.
    pub fn template<'a>(&'a self, route: &'a RouteRef) -> &'a str {
        match route {
            RouteRef::Described(place) => match self.routes.get(usize::from(*place)) {
                Some(route) => &route.path,
                None => OTHER,
            },
            RouteRef::Undescribed(template) => template,
        }
    }

    /// The category that a request of it counts for.
    pub fn category_of(&self, request: &Request) -> &str {
        let place = request.category.map(usize::from);
        let known = place.and_then(|place| self.categories.get(place));
        known.map_or(OTHER, String::as_str)
    }

    /// Linear memory that its instances on one worker may hold together, in bytes.
    pub fn memory_cap(&self) -> usize {
        self.image.limits.memory
    }
}

/// What tells a module or program from others: the first 12 hexadecimal digits of its SHA-256.
pub fn content_hash(bytes: &[u8]) -> String {
    hash(&Sha256::digest(bytes))
}

fn hash(digest: &[u8]) -> String {
    let first = digest.iter().take(6);
    first.map(|byte| format!("{byte:02x}")).collect()
}
