//! Programs that tests play against and that do not come with the toolchain. A machine without one of them skips those
//! tests and says so; where VESPEIRO_REQUIRE_TOOLS=1 is set, as in CI, a missing one fails them.

use std::path::PathBuf;

/// Where the program is; `None`: skip the test.
#[track_caller]
pub fn tool(name: &str, package: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file());
    if found.is_none() {
        let missing = format!("{name} is missing (Debian package {package}; see scripts/peers)");
        assert!(
            std::env::var_os("VESPEIRO_REQUIRE_TOOLS").is_none_or(|value| value != "1"),
            "{missing}"
        );
        eprintln!("*** SKIPPED: {missing}: this test has shown nothing ***");
    }
    found
}
