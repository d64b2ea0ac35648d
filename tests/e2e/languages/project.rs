//! Projects as `vespeiro new` writes them, built as their README says. What the registries' clients download and cargo
//! builds is kept under `target`, so that only the first run of the tests waits for it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use tempfile::TempDir;

/// Languages whose compiler is a large package of PyPI: their projects share one copy of it here.
const SHARING: [&str; 3] = ["c", "zig", "go"];
static SHARED: Mutex<()> = Mutex::new(());

/// The Python that has those compilers, once a project was built with them.
pub fn sharing() -> String {
    kept("venv").join("bin/python").to_str().unwrap().to_owned()
}

/// One project in a folder of its own.
pub struct Project {
    pub name: &'static str,
    /// What its journey prints, and so what the log of a run says.
    pub prints: Option<&'static str>,
    folder: TempDir,
}

impl Project {
    /// Written, nothing more.
    pub fn begun(language: &str, archetype: Option<&str>) -> Project {
        let options = archetype.map(|archetype| ["--archetype", archetype]);
        let mut project = Project::new(language, options.as_ref().map_or(&[], |all| &all[..]));
        if archetype.is_none() {
            project.print(language);
        }
        project
    }

    /// As `vespeiro new` writes it.
    fn new(language: &str, options: &[&str]) -> Project {
        let name = "night-shift";
        let folder = TempDir::new().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_vespeiro"));
        command
            .args(["new", name, "--lang", language])
            .args(options)
            .current_dir(folder.path());
        succeed(&mut command);
        Project {
            name,
            prints: None,
            folder,
        }
    }

    /// Put a blank journey and its test where the tools are, with one request more: the test goes along.
    pub fn becomes_blank(&self, language: &str, sources: [&str; 2], more: (&str, &str)) {
        let blank = Project::new(language, &["--blank"]);
        let [from, to] = [&blank, self].map(|project| project.folder.path().join(self.name));
        for source in sources {
            let text = std::fs::read_to_string(from.join(source)).unwrap();
            let (place, request) = more;
            let edited = text.replacen(place, &format!("{place}{request}"), 1);
            assert!(source == sources[1] || text != edited, "{text}");
            std::fs::write(to.join(source), edited).unwrap();
        }
    }

    /// Written, and built by its own script.
    pub fn built(language: &str, archetype: Option<&str>) -> Project {
        let project = Project::begun(language, archetype);
        let mut _alone = None; // one at a time installs what they share
        if SHARING.contains(&language) {
            _alone = Some(SHARED.lock().unwrap_or_else(PoisonError::into_inner));
        }
        project.run("./build", &[]);
        assert!(Path::new(&project.module()).is_file());
        project
    }

    /// Run something in it.
    pub fn run(&self, program: &str, arguments: &[&str]) {
        succeed(
            tool(program)
                .args(arguments)
                .current_dir(self.folder.path().join(self.name)),
        );
    }

    /// Put the tests of the language's SDK into it, where the tools are.
    pub fn add_tests_of_sdk(&self, language: &str) {
        let tests = self.folder.path().join(self.name).join("tests");
        std::fs::create_dir(&tests).unwrap();
        for file in std::fs::read_dir(sdk_of(language).join("tests")).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), tests.join(file.file_name())).unwrap();
        }
    }

    pub fn module(&self) -> String {
        self.path(&format!("{}.wasm", self.name))
    }

    /// A file in it.
    pub fn path(&self, file: &str) -> String {
        let folder = self.folder.path().join(self.name);
        folder.join(file).to_str().unwrap().to_owned()
    }

    /// Where a language prints, its journey does: text, a clock and randomness that are the session's own.
    fn print(&mut self, language: &str) {
        const LOG: &str = "  console.log('I am', me.user.index, 'in', new Date().getFullYear(), Math.random() < 1);";
        const PRINT: &str = "    import random, datetime; print('I am', me.user.index, 'in', \
                             datetime.datetime.now().year, str(random.random() < 1).lower())";
        let (file, begins, line) = match language {
            "javascript" => ("behavior.js", "function* journey(me) {\n", LOG),
            "typescript" => ("behavior.ts", "function* journey(me: Me): Steps {\n", LOG),
            "python" => ("behavior.py", "def journey(me):\n", PRINT),
            "kotlin" => (
                "behavior.kt",
                "suspend fun journey(me: Me) {\n",
                "    println(\"I am ${me.user.index} ${kotlin.time.Clock.System.now().toString().startsWith(\"202\")} \
                 ${kotlin.random.Random.nextDouble() < 1}\")",
            ),
            _ => return,
        };
        let path = self.folder.path().join(self.name).join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(begins), "{text}");
        std::fs::write(
            &path,
            text.replacen(begins, &format!("{begins}{line}\n"), 1),
        )
        .unwrap();
        self.prints = Some(match language {
            "kotlin" => "I am 4 true true",
            _ => "I am 4 in 2000 true",
        });
    }
}

/// Run something in a language's folder of the SDK.
pub fn in_sdk(language: &str, program: &str, arguments: &[&str]) {
    succeed(tool(program).args(arguments).current_dir(sdk_of(language)));
}

fn sdk_of(language: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../guest-sdk")
        .join(language)
}

pub fn rust() -> bool {
    true // these tests are built with it
}

/// Whether the toolchain builds for a target.
pub fn target(name: &str) -> bool {
    let printed = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", name])
        .output();
    let folder = printed.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    required(
        &format!("rustc's {name}"),
        folder.is_ok_and(|folder| Path::new(&folder).is_dir()),
    )
}

pub fn node() -> bool {
    there(
        "Node 20 with npm",
        &[("node", "--version"), ("npm", "--version")],
    )
}

pub fn java() -> bool {
    there("Java 17", &[("java", "-version")])
}

/// Enough for the compiler from PyPI, too.
pub fn python() -> bool {
    there(
        "Python 3.10 with venv",
        &[(
            "python3",
            "-cimport sys, ensurepip, venv; sys.exit(sys.version_info < (3, 10))",
        )],
    )
}

fn there(what: &str, checks: &[(&str, &str)]) -> bool {
    let all = checks.iter().all(|(program, argument)| {
        let output = Command::new(program).arg(argument).output();
        output.is_ok_and(|output| output.status.success())
    });
    required(what, all)
}

fn required(what: &str, is_there: bool) -> bool {
    if !is_there {
        let required = std::env::var("VESPEIRO_REQUIRE_TOOLS").is_ok_and(|value| value == "1");
        assert!(
            !required,
            "{what} is missing, and VESPEIRO_REQUIRE_TOOLS wants it: install it"
        );
        eprintln!("NOT TESTED: {what} is missing, so that its template was not built");
    }
    is_there
}

/// A folder that the next run of the tests finds again.
pub fn kept(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// A program with the environment of an author's terminal, its caches where ours are.
pub fn tool(program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .env("npm_config_cache", kept("npm"))
        .env("npm_config_prefer_offline", "true")
        .env("PIP_CACHE_DIR", kept("pip"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("VENV", kept("venv"))
        .env("GOPATH", kept("gopath"))
        .env("GOCACHE", kept("gocache"))
        .env("ZIG_GLOBAL_CACHE_DIR", kept("zig"))
        .env("CARGO_TARGET_DIR", kept("cargo"));
    // What cargo says to this process is not for the cargo of a project.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_") && text != "CARGO_HOME" && text != "CARGO_TARGET_DIR"
            || text.starts_with("RUSTFLAGS")
        {
            command.env_remove(&name);
        }
    }
    command
}

#[track_caller]
pub fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}",
        String::from_utf8_lossy(&output.stderr),
        String::from_utf8_lossy(&output.stdout)
    );
}
