//! What a component is made of, read without compiling it: its size in functions and instances, the contract that it exports,
//! what it imports.
//!
//! What must stay true: it takes time and memory in proportion to the component's bytes.

use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind,
    ComponentTypeRef, Instance, Parser, Payload,
};

use crate::contract::{INTERFACE, Version};
use crate::limits::MAX_PARTS;
use crate::load_error::LoadErrorKind;

/// Most functions of all modules of a component; a whole scripting language has some 20,000.
const MAX_FUNCTIONS: u64 = 200_000;
/// What is instantiated from something that is only known when it runs.
const UNKNOWN: u64 = u64::MAX;
/// The package of the interfaces that the host has for a behavior.
const HOST: &str = "vespeiro:behavior/";
/// Packages of WASI 0.2 that are provided, locked down.
const WASI: [&str; 6] = ["cli", "clocks", "filesystem", "io", "random", "sockets"];
/// Interfaces of these packages that are not: no release has them.
const UNSTABLE: [&str; 1] = ["clocks/timezone"];

/// What a component says of itself at its outermost level.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub(super) exports: Vec<String>,
    pub(super) imports: Vec<String>,
}

/// A component that is being read.
#[derive(Default)]
struct Open {
    /// Instances that one instance of it makes.
    instances: u64,
    /// The same of each component that it knows.
    components: Vec<u64>,
}

/// Read a component, and refuse one that is larger than any behavior.
pub(super) fn survey(component: &[u8]) -> Result<Survey, LoadErrorKind> {
    let invalid = |error: wasmparser::BinaryReaderError| LoadErrorKind::invalid(&error);
    let mut seen = Survey::default();
    let mut functions = 0;
    // `None` stands for a module.
    let mut open: Vec<Option<Open>> = Vec::new();
    let mut outermost = Open::default();
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload.map_err(invalid)?;
        let is_outermost = open.is_empty();
        match payload {
            Payload::ModuleSection { .. } => open.push(None),
            Payload::ComponentSection { .. } => open.push(Some(Open::default())),
            Payload::End(_) => {
                if let Some(Some(done)) = open.pop() {
                    let around = around(&mut open, &mut outermost);
                    around.components.push(done.instances);
                }
            }
            Payload::FunctionSection(section) => {
                functions += u64::from(section.count());
                if functions > MAX_FUNCTIONS {
                    let most = MAX_FUNCTIONS as usize;
                    return Err(LoadErrorKind::too_many(
                        "functions",
                        functions as usize,
                        most,
                    ));
                }
            }
            Payload::InstanceSection(section) => {
                let around = around(&mut open, &mut outermost);
                for instance in section {
                    if let Instance::Instantiate { .. } = instance.map_err(invalid)? {
                        around.instances = around.instances.saturating_add(1);
                    }
                }
            }
            Payload::ComponentInstanceSection(section) => {
                let around = around(&mut open, &mut outermost);
                for instance in section {
                    if let ComponentInstance::Instantiate {
                        component_index, ..
                    } = instance.map_err(invalid)?
                    {
                        let of = around.components.get(component_index as usize);
                        let of = of.copied().unwrap_or(UNKNOWN).saturating_add(1);
                        around.instances = around.instances.saturating_add(of);
                    }
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    let known = match alias.map_err(invalid)? {
                        ComponentAlias::Outer {
                            kind: ComponentOuterAliasKind::Component,
                            count,
                            index,
                        } => {
                            let level = open.len().checked_sub(count as usize);
                            let from = match level {
                                Some(0) => Some(&outermost),
                                Some(level) => open.get(level - 1).and_then(Option::as_ref),
                                None => None,
                            };
                            from.and_then(|from| from.components.get(index as usize))
                                .copied()
                        }
                        ComponentAlias::InstanceExport {
                            kind: ComponentExternalKind::Component,
                            ..
                        } => None,
                        _ => continue,
                    };
                    let around = around(&mut open, &mut outermost);
                    around.components.push(known.unwrap_or(UNKNOWN));
                }
            }
            Payload::ComponentImportSection(section) => {
                for import in section {
                    let import = import.map_err(invalid)?;
                    if is_outermost {
                        seen.imports.push(import.name.name.to_owned());
                    }
                    if let ComponentTypeRef::Component(_) = import.ty {
                        let around = around(&mut open, &mut outermost);
                        around.components.push(UNKNOWN);
                    }
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    let export = export.map_err(invalid)?;
                    if is_outermost {
                        seen.exports.push(export.name.name.to_owned());
                    }
                    if export.kind == ComponentExternalKind::Component {
                        let around = around(&mut open, &mut outermost);
                        let same = around.components.get(export.index as usize).copied();
                        around.components.push(same.unwrap_or(UNKNOWN));
                    }
                }
            }
            _ => {}
        }
        if outermost.instances > MAX_PARTS as u64 {
            let found = usize::try_from(outermost.instances).unwrap_or(usize::MAX);
            return Err(LoadErrorKind::too_many("instances", found, MAX_PARTS));
        }
    }
    Ok(seen)
}

/// The component that is being read; sections of components are never within a module.
fn around<'a>(open: &'a mut [Option<Open>], outermost: &'a mut Open) -> &'a mut Open {
    match open.last_mut() {
        Some(Some(open)) => open,
        _ => outermost,
    }
}

/// The contract's interface, of those that a component exports.
pub(super) fn facts(exports: &[String]) -> Result<String, LoadErrorKind> {
    let mut found = exports
        .iter()
        .filter(|name| name.split('@').next() == Some(INTERFACE));
    let spoken = Version::ALL.into_iter().find_map(|version| {
        let mut names = found.clone();
        names.find(|name| Version::of_interface(name) == Some(version))
    });
    let Some(spoken) = spoken else {
        return Err(match found.next_back() {
            Some(found) => LoadErrorKind::OtherContract {
                found: found.clone(),
            },
            None => LoadErrorKind::NoContract,
        });
    };
    // Of a version that was never released, nobody knows what it means.
    match spoken.contains('-') {
        true => Err(LoadErrorKind::Prerelease {
            found: spoken.clone(),
        }),
        false => Ok(spoken.clone()),
    }
}

/// What a behavior gets for an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Import {
    /// What it asks for.
    Met,
    /// Functions that end the call in words: many a language imports more than its programs ever call.
    Refused,
    /// Nothing, so that it cannot play.
    Unknown,
}

impl Import {
    pub(crate) fn of(name: &str) -> Self {
        let Some(wasi) = name.strip_prefix("wasi:") else {
            return match name.starts_with(HOST) {
                true => Self::Met,
                false => Self::Unknown,
            };
        };
        let (interface, version) = wasi.split_once('@').unwrap_or((wasi, "0.2.0"));
        let package = interface.split('/').next().unwrap_or(interface);
        // Later ones wait in ways that this host does not know.
        match version.split('.').take(2).eq(["0", "2"]) {
            false => Self::Unknown,
            true if WASI.contains(&package) && !UNSTABLE.contains(&interface) => Self::Met,
            true => Self::Refused,
        }
    }
}

/// The imports in order, none of which is unknown.
pub(super) fn check_imports(mut imports: Vec<String>) -> Result<Vec<String>, LoadErrorKind> {
    imports.sort_unstable();
    let mut names = imports.iter();
    match names.find(|name| Import::of(name) == Import::Unknown) {
        Some(other) => Err(LoadErrorKind::Import(other.clone())),
        None => Ok(imports),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instances(text: &str) -> Result<(), String> {
        survey(&wat::parse_str(text).unwrap())
            .map(drop)
            .map_err(|error| error.to_string())
    }

    /// A component whose instances double with each level.
    fn doubling(levels: usize) -> String {
        let mut text =
            String::from("(component $c0 (core module $m) (core instance (instantiate $m)))");
        for level in 1..levels {
            let inner = level - 1;
            text += &format!(
                "(component $c{level} (alias outer 1 $c{inner} (component $c))
                    (instance (instantiate $c)) (instance (instantiate $c)))"
            );
        }
        let last = levels - 1;
        format!("(component {text} (instance (instantiate $c{last})))")
    }

    #[test]
    fn what_instantiates_itself_in_levels_is_counted_without_being_built() {
        assert_eq!(instances(&doubling(8)), Ok(()));
        for levels in [10, 40, 80] {
            let why = instances(&doubling(levels)).unwrap_err();
            assert!(why.contains("instances"), "{why}");
        }
    }

    #[test]
    fn a_component_from_elsewhere_cannot_be_counted() {
        let text =
            "(component (component $c (import \"of\" (component $of)) (instance (instantiate $of)))
            (component $none) (instance (instantiate $c (with \"of\" (component $none)))))";
        assert!(instances(text).unwrap_err().contains("instances"));
    }

    #[test]
    fn imports_are_met_refused_or_unknown() {
        for (name, expected) in [
            ("vespeiro:behavior/host@0.1.0", Import::Met),
            ("wasi:io/streams@0.2.6", Import::Met),
            ("wasi:clocks/timezone@0.2.6", Import::Refused),
            ("wasi:http/types@0.2.3", Import::Refused),
            ("wasi:keyvalue/store@0.2.0-draft2", Import::Refused),
            ("wasi:logging/logging", Import::Refused),
            ("wasi:io/streams@0.20.0", Import::Unknown),
            ("wasi:http/types@0.3.0", Import::Unknown),
            ("acme:http/types@0.2.0", Import::Unknown),
        ] {
            assert_eq!(Import::of(name), expected, "{name}");
        }
    }

    #[test]
    fn a_prerelease_of_the_contract_is_no_version_of_it() {
        let of = |name: &str| facts(&[name.to_owned()]);
        assert!(of("vespeiro:behavior/behavior@0.1.7").is_ok());
        for name in ["0.1.0-rc.1", "0.1.1-alpha"] {
            let name = format!("vespeiro:behavior/behavior@{name}");
            assert!(
                matches!(of(&name), Err(LoadErrorKind::Prerelease { .. })),
                "{name}"
            );
        }
    }
}
