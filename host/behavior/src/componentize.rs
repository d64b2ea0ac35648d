//! Recognizes the format of a module, and makes a component of a core module: with the WIT that it embeds, or with the
//! contract's own when it only exports the contract's functions under their canonical names. An adapter turns WASI preview 1
//! into WASI 0.2. Called by `compile/serve.rs`.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wasmparser::{Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use super::contract::{INTERFACE, Version};
use super::load_error::LoadErrorKind;

/// The format of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ModuleFormat {
    Component,
    Core {
        /// It carries its WIT, rather than canonical names alone.
        embedded_wit: bool,
        /// It imports WASI preview 1.
        preview1: bool,
    },
}

impl fmt::Display for ModuleFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Core {
            embedded_wit,
            preview1,
        } = self
        else {
            return f.write_str("component");
        };
        f.write_str(if *embedded_wit {
            "core module with embedded WIT"
        } else {
            "core module with canonical export names"
        })?;
        if *preview1 {
            f.write_str(", WASI preview 1")?;
        }
        Ok(())
    }
}

/// `(module (func (export "emscripten_notify_memory_growth") (param i32)))`: the host looks at a memory when it needs it.
const NOTIFY_MEMORY_GROWTH: &[u8] =
    b"\0asm\x01\0\0\0\x01\x05\x01\x60\x01\x7f\0\x03\x02\x01\0\x07\x23\x01\x1femscripten_notify_memory_growth\0\0\x0a\x04\x01\x02\0\x0b";

/// The module as a component.
pub(super) fn componentize<'a>(
    engine: &wasmtime::Engine,
    bytes: &'a [u8],
) -> Result<(Cow<'a, [u8]>, ModuleFormat), LoadErrorKind> {
    // The preamble: magic, then version and layer as 16-bit little-endian numbers.
    let layer = match bytes {
        [b'\0', b'a', b's', b'm', _, _, layer, 0, ..] => *layer,
        _ => return Err(LoadErrorKind::NotWasm),
    };
    if layer == 1 {
        return Ok((Cow::Borrowed(bytes), ModuleFormat::Component));
    }
    // The decoders trust the sections' lengths and panic where one of them is wrong.
    wasmtime::Module::validate(engine, bytes)
        .map_err(|e| LoadErrorKind::invalid(&e.root_cause()))?;
    let seen = survey(bytes).map_err(|e| LoadErrorKind::invalid(&e))?;
    let metadata = wit_component::metadata::decode(bytes)
        .map_err(|e| LoadErrorKind::invalid(&e.root_cause()))?;
    let embedded_wit = metadata.0.is_some();
    let described = if embedded_wit {
        Cow::Borrowed(bytes)
    } else {
        let version = seen.version.ok_or(LoadErrorKind::NoWit)?;
        Cow::Owned(describe(bytes, &version)?)
    };
    let failed =
        |e: anyhow::Error| LoadErrorKind::Componentize(LoadErrorKind::line(&e.root_cause()));
    let mut encoder = ComponentEncoder::default()
        .module(&described)
        .map_err(failed)?
        .validate(false);
    if seen.preview1 {
        let (name, adapter) = (
            WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME,
            WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
        );
        encoder = encoder.adapter(name, adapter).map_err(failed)?;
    }
    if seen.tells_growth {
        encoder = encoder
            .adapter("env", NOTIFY_MEMORY_GROWTH)
            .map_err(failed)?;
    }
    let component = encoder.encode().map_err(failed)?;
    let form = ModuleFormat::Core {
        embedded_wit,
        preview1: seen.preview1,
    };
    Ok((Cow::Owned(component), form))
}

/// What a core module's imports and exports say.
#[derive(Default)]
struct Survey {
    /// Version of the contract in its canonical export names.
    version: Option<String>,
    preview1: bool,
    /// Emscripten's runtime wants to say that its memory has grown.
    tells_growth: bool,
}

fn survey(bytes: &[u8]) -> Result<Survey, wasmparser::BinaryReaderError> {
    let mut seen = Survey::default();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import?;
                    seen.preview1 |= import.module == WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME;
                    seen.tells_growth |=
                        import.module == "env" && import.name == "emscripten_notify_memory_growth";
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let name = export?.name;
                    if seen.version.is_none() {
                        seen.version = canonical_version(name).map(str::to_owned);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(seen)
}

/// The version in `vespeiro:behavior/behavior@0.1.0#describe` or `cm32p2|vespeiro:behavior/behavior@0.1|describe`.
fn canonical_version(name: &str) -> Option<&str> {
    let name = name.strip_prefix("cm32p2|").unwrap_or(name);
    let versioned = name.strip_prefix(INTERFACE)?.strip_prefix('@')?;
    versioned.split(['#', '|']).next()
}

/// The module with the contract's WIT in the version that its names ask for.
fn describe(bytes: &[u8], version: &str) -> Result<Vec<u8>, LoadErrorKind> {
    let other = || LoadErrorKind::OtherContract {
        found: format!("{INTERFACE}@{version}"),
    };
    let spoken = Version::of(version).ok_or_else(other)?;
    let wit = match version == spoken.minor() {
        true => Cow::Borrowed(spoken.wit()),
        false => {
            let first = format!("@{}.0;", spoken.minor());
            Cow::Owned(spoken.wit().replacen(&first, &format!("@{version};"), 1))
        }
    };
    let failed = |_| other();
    let mut resolve = Resolve::default();
    let package = resolve.push_source("behavior.wit", &wit).map_err(failed)?;
    let world = resolve
        .select_world(&[package], Some("archetype"))
        .map_err(failed)?;
    let mut described = bytes.to_vec();
    embed_component_metadata(&mut described, &resolve, world, StringEncoding::UTF8)
        .map_err(failed)?;
    Ok(described)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_both_schemes_of_names() {
        for (name, version) in [
            ("vespeiro:behavior/behavior@0.1.0#describe", Some("0.1.0")),
            (
                "vespeiro:behavior/behavior@0.1.7#[dtor]session",
                Some("0.1.7"),
            ),
            (
                "cm32p2|vespeiro:behavior/behavior@0.1|describe",
                Some("0.1"),
            ),
            ("vespeiro:behavior/behavior#describe", None),
            ("memory", None),
        ] {
            assert_eq!(canonical_version(name), version, "{name}");
        }
    }
}
