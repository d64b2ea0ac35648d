//! Runs a script of `tests/browser`. What npm installs for them, and the pictures that they take, are kept under
//! `target`: only the first run of the tests downloads.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use super::support::{Owned, eventually, tool};

/// The tools are there.
pub struct Chromium {
    node: PathBuf,
}

impl Chromium {
    /// `None` on a machine without one of them: skip the test.
    #[track_caller]
    pub fn ready() -> Option<Chromium> {
        static INSTALLED: LazyLock<()> = LazyLock::new(install);
        let node = tool("node", "nodejs")?;
        tool("npm", "npm")?;
        tool("chromium", "chromium")?;
        LazyLock::force(&INSTALLED);
        Some(Chromium { node })
    }

    /// Run a script to its end, which has to be a good one. It finds `facts` in its environment.
    #[track_caller]
    pub fn run(&self, script: &str, facts: &[(&str, &str)]) {
        let shots = kept().join("shots");
        std::fs::create_dir_all(&shots).unwrap();
        let output = tempfile::NamedTempFile::new().unwrap();
        let child = Command::new(&self.node)
            .arg(scripts().join(script))
            .env("NODE_PATH", kept().join("node_modules"))
            .env("VESPEIRO_SHOTS", shots)
            .envs(facts.iter().copied())
            .stdin(Stdio::null())
            .stdout(output.reopen().unwrap())
            .stderr(output.reopen().unwrap())
            .spawn()
            .unwrap();
        // The browser ends with the process that holds its pipe.
        let mut child = Owned(child);
        // The script has a shorter patience of its own, and closes its browser.
        let status = eventually(script, || child.try_wait().unwrap());
        let said = std::fs::read_to_string(output.path()).unwrap();
        assert!(status.success(), "{script}: {said}");
    }
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/browser")
}

fn kept() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser")
}

/// What the lock file names, once for each state of it.
fn install() {
    std::fs::create_dir_all(kept()).unwrap();
    // Several processes of tests may come here at the same time.
    let lock = File::create(kept().join("lock")).unwrap();
    lock.lock().unwrap();
    let wanted = std::fs::read(scripts().join("package-lock.json")).unwrap();
    let done = kept().join("installed");
    if std::fs::read(&done).is_ok_and(|installed| installed == wanted) {
        return;
    }
    for file in ["package.json", "package-lock.json"] {
        std::fs::copy(scripts().join(file), kept().join(file)).unwrap();
    }
    let output = Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
        .current_dir(kept())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "npm ci: {said}");
    std::fs::write(done, wanted).unwrap();
}
