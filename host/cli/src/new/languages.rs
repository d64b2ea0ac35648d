//! The languages that `vespeiro new` offers, one row each. What they write is in `guest-sdk`, embedded by build.rs: of
//! every language its folder `template`, with `admin` laid over it for those archetypes, and its SDK.
//!
//! A new language is a folder `guest-sdk/<name>` with a `template`, and a row here.

use std::io::Read as _;
use std::sync::LazyLock;

use flate2::read::DeflateDecoder;

include!(concat!(env!("OUT_DIR"), "/templates.rs"));

/// One language.
#[derive(Debug)]
pub(super) struct Language {
    /// The value of `--lang`, and the folder in `guest-sdk`.
    pub(super) name: &'static str,
    /// Its usual spelling.
    pub(super) title: &'static str,
    /// The file of the project that plays as it is, without a build.
    pub(super) plays: Option<&'static str>,
    /// What its `./build` needs on the machine; nothing where there is none.
    pub(super) needs: &'static str,
    /// Folders of `guest-sdk`, and where in the project each goes.
    pub(super) sdk: &'static [(&'static str, &'static str)],
}

const WIT: (&str, &str) = ("wit", "vespeiro/wit");

/// The compilers of C, Zig and Go come from PyPI.
const PYTHON_FOR_COMPILERS: &str = "Python 3.9 or later, with venv";

pub(super) const LANGUAGES: &[Language] = &[
    Language {
        name: "rust",
        title: "Rust",
        plays: None,
        needs: "rustup",
        sdk: &[("rust/src", "vespeiro/rust/src"), WIT],
    },
    Language {
        name: "javascript",
        title: "JavaScript",
        plays: Some("behavior.js"),
        needs: "Node 20 or later",
        sdk: &[("javascript/sdk", "vespeiro"), WIT],
    },
    Language {
        name: "typescript",
        title: "TypeScript",
        plays: Some("behavior.ts"),
        needs: "Node 20 or later",
        sdk: &[("javascript/sdk", "vespeiro"), WIT],
    },
    Language {
        name: "python",
        title: "Python",
        plays: None,
        needs: "Python 3.10 or later, with venv",
        sdk: &[("python/sdk", "vespeiro"), WIT],
    },
    Language {
        name: "c",
        title: "C",
        plays: None,
        needs: PYTHON_FOR_COMPILERS,
        sdk: &[("c/sdk", "vespeiro"), WIT],
    },
    Language {
        name: "zig",
        title: "Zig",
        plays: None,
        needs: PYTHON_FOR_COMPILERS,
        sdk: &[("zig/sdk", "vespeiro"), ("c/sdk", "vespeiro/c"), WIT],
    },
    Language {
        name: "assemblyscript",
        title: "AssemblyScript",
        plays: None,
        needs: "Node 20 or later",
        sdk: &[("assemblyscript/sdk", "vespeiro"), WIT],
    },
    Language {
        name: "go",
        title: "Go",
        plays: None,
        needs: PYTHON_FOR_COMPILERS,
        sdk: &[("go/sdk", "vespeiro"), WIT],
    },
    Language {
        name: "kotlin",
        title: "Kotlin",
        plays: None,
        needs: "Java 17 or later, and npm",
        sdk: &[("kotlin/sdk", "vespeiro"), WIT],
    },
    Language {
        name: "toml",
        title: "TOML",
        plays: Some("journey.toml"),
        needs: "",
        sdk: &[],
    },
];

/// One file of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct File {
    pub(super) executable: bool,
    pub(super) text: &'static str,
}

/// All texts, one behind the other. What build.rs has packed can be unpacked: a test reads each.
static TEXTS: LazyLock<String> = LazyLock::new(|| {
    let mut texts = String::new();
    let _ = DeflateDecoder::new(PACKED).read_to_string(&mut texts);
    texts
});

/// The embedded files below a folder of `guest-sdk`, by their path in it.
pub(super) fn below(folder: &str) -> impl Iterator<Item = (&'static str, File)> {
    FILES.iter().filter_map(move |(path, executable, place)| {
        let path = path.strip_prefix(folder)?.strip_prefix('/')?;
        let (executable, text) = (*executable, TEXTS.get(place.clone())?);
        Some((path, File { executable, text }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_embedded_as_it_is() {
        let sdk = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guest-sdk");
        assert!(FILES.len() > 100);
        for (path, _, place) in FILES {
            let text = std::fs::read_to_string(sdk.join(path)).unwrap();
            assert_eq!(TEXTS.get(place.clone()), Some(&*text), "{path}");
        }
    }
}
