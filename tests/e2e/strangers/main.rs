//! Services that nobody here wrote, from packages, played against as a stranger would: their own counts are the oracle. A
//! target of its own, for it needs a package of PyPI, which the first run installs: where Python is missing its tests say
//! so and pass, unless `VESPEIRO_REQUIRE_TOOLS` is 1.

// Tests measure by the machine's clock.
#![allow(clippy::disallowed_methods)]
#![allow(clippy::unwrap_used)]

mod django;
mod grpc;
mod grpc_catalog;
mod kubernetes;
mod pocketbase;
#[path = "../languages/project.rs"]
#[allow(dead_code)]
mod project;
#[path = "../support/mod.rs"]
#[allow(dead_code, unused_imports)]
mod support;
mod uploads;
mod websockets;

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use project::{kept, succeed, tool};

/// A Python that has these packages, in a folder of this name.
fn interpreter(name: &str, packages: &[&str]) -> PathBuf {
    // Tests that share a folder would make it twice at once.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = kept(name);
    let python = folder.join("bin/python");
    if !python.is_file() {
        succeed(tool("python3").args(["-m", "venv"]).arg(&folder));
    }
    let mut install = tool(python.to_str().unwrap());
    install.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]);
    succeed(install.args(packages));
    python
}
