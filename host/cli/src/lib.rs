//! The command line: parses it and runs one command, each of which lives in its own file. Called by `main` and, in
//! process, by tests. Every mistake on the command line is told in one line, without a usage text.

#![forbid(unsafe_code)]

mod check;
mod cleanup;
mod compile;
mod completions;
mod conclusion;
mod dashboard;
mod demo;
mod embedded;
pub mod exit;
mod help;
mod hit;
mod import;
mod kubernetes;
mod log;
mod meeting;
mod module_loader;
mod new;
mod once_per_run;
mod open_files;
mod outputs;
mod plan;
mod play;
mod precompile;
mod record;
mod rehearsal;
mod rehearse;
mod report;
mod results_folder;
mod run;
pub mod secrecy;
mod serve;
mod session_text;
mod settings;
mod sharded;
mod slurm;
mod swap;
mod teardown;
mod trial;

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::exit::Exit;
pub use vespeiro_output::Console;
use vespeiro_output::{stdout, translated};
use vespeiro_plan::{Flags, Language, PlanErrors, Preset, Resolved, Sources, resolve};

/// The version, and what it was built from.
const ORIGIN: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (",
    env!("VESPEIRO_ORIGIN"),
    ")"
);

/// A load tool whose virtual users are sandboxed WebAssembly.
#[derive(Debug, Parser)]
#[command(name = "vespeiro", version, long_version = ORIGIN, after_help = settings::EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Run),
    Demo(demo::Demo),
    Hit(hit::Hit),
    Try(trial::Try),
    Import(import::Import),
    Record(record::Record),
    Cleanup(cleanup::Cleanup),
    Swap(swap::Swap),
    Serve(serve::Serve),
    Plan(plan::PrintPlan),
    New(new::New),
    Check(check::Check),
    #[command(name = compile::NAME)]
    Compile(compile::Compile),
    Rehearse(rehearse::Rehearse),
    Dashboard(dashboard::PrintDashboard),
    Report(report::Report),
    Precompile(precompile::Precompile),
    Slurm(slurm::Slurm),
    Kubernetes(kubernetes::Kubernetes),
    Completions(completions::Completions),
    Man(completions::Man),
}

/// A command line that asks for no command: help, the version, or a mistake.
#[derive(Debug)]
pub struct NoCommand {
    error: clap::Error,
    language: Language,
}

impl Cli {
    /// Reads the command line, the program's name first. What there is to say of it is said in this language.
    ///
    /// # Errors
    /// Help, the version or a mistake is asked for rather than a command.
    pub fn parse_from(
        arguments: impl IntoIterator<Item = OsString>,
        language: Language,
    ) -> Result<Cli, NoCommand> {
        help::in_language(command(), language)
            .try_get_matches_from(arguments)
            .and_then(|matches| Cli::from_arg_matches(&matches))
            .map_err(|error| NoCommand { error, language })
    }

    /// Runs the command to its end.
    ///
    /// # Errors
    /// What kept the command from its job; [`Exit::of`] tells the code.
    pub fn execute(self, console: &Console) -> anyhow::Result<Exit> {
        match self.command {
            Command::Run(command) => command.execute(console),
            Command::Demo(command) => command.execute(console),
            Command::Hit(command) => command.execute(console),
            Command::Try(command) => command.execute(console),
            Command::Import(command) => command.execute(console),
            Command::Record(command) => command.execute(console),
            Command::Cleanup(command) => command.execute(console),
            Command::Swap(command) => command.execute(console),
            Command::Serve(command) => command.execute(console),
            Command::Plan(command) => command.execute(console),
            Command::New(command) => command.execute(console),
            Command::Check(command) => command.execute(console),
            Command::Compile(command) => command.execute(),
            Command::Rehearse(command) => command.execute(console),
            Command::Dashboard(command) => command.execute(),
            Command::Report(command) => command.execute(console),
            Command::Precompile(command) => command.execute(console),
            Command::Slurm(command) => command.execute(console),
            Command::Kubernetes(command) => command.execute(console),
            Command::Completions(command) => command.execute(),
            Command::Man(command) => command.execute(console.language()),
        }
    }
}

impl NoCommand {
    /// Prints what there is to say, help to standard output and a mistake to standard error, and tells the exit code.
    pub fn report(&self, console: &Console) -> Exit {
        let mistake = !matches!(
            self.error.kind(),
            ErrorKind::DisplayHelp
                | ErrorKind::DisplayVersion
                | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        );
        if mistake {
            console.error(&self.message());
        } else {
            // A reader that has seen enough may close the pipe.
            match help::print(&self.error, self.language) {
                Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                    let lost = stdout::Lost::from(error).to_string();
                    console.error(&console.translated(&lost));
                    return Exit::Failed;
                }
                _ => {}
            }
        }
        if self.error.use_stderr() {
            Exit::Usage
        } else {
            Exit::Fine
        }
    }

    /// The mistake in one line.
    pub fn message(&self) -> String {
        let text = self.error.render().to_string();
        let lines = text
            .lines()
            .take_while(|line| {
                !line.starts_with("Usage:") && !line.starts_with("For more information")
            })
            .map(|line| {
                line.trim()
                    .trim_start_matches("error: ")
                    .trim_start_matches("tip: ")
            })
            .filter(|line| !line.is_empty())
            .map(|line| translated(line, self.language));
        format!(
            "{}; see --help",
            lines.collect::<Vec<_>>().join("; ").replace(":; ", ": ")
        )
    }
}

/// What `--lang` or the environment say: there may never be a plan.
pub fn language(arguments: &[OsString]) -> Language {
    let mut texts = arguments.iter().map_while(|text| match text.to_str() {
        Some("--") => None,
        text => Some(text.unwrap_or_default()),
    });
    let flag = texts.by_ref().find_map(|text| match text {
        "--lang" => Some(None),
        text => text.strip_prefix("--lang=").map(Some),
    });
    let flag = flag.and_then(|value| value.or_else(|| texts.next()));
    vespeiro_plan::language(flag, environment())
}

fn command() -> clap::Command {
    Cli::command()
        .mut_subcommand("demo", |demo| {
            settings::with_defaults_of(demo, &demo::PRESET)
        })
        .mut_subcommand("try", |one| settings::with_defaults_of(one, &trial::PRESET))
        .mut_subcommand("hit", |hit| {
            hit::with_short_names(settings::with_defaults_of(hit, &hit::PRESET))
        })
}

/// Resolves a command's plan against the environment of this process.
fn resolve_here(settings: Flags, base: Option<&Preset>) -> Result<Resolved, PlanErrors> {
    resolve(Sources {
        base,
        flags: settings,
        env: environment(),
    })
}

/// A value that is not Unicode is refused by its own check.
fn environment() -> impl Iterator<Item = (String, String)> {
    let text = |text: OsString| text.to_string_lossy().into_owned();
    std::env::vars_os().map(move |(name, value)| (text(name), text(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Cli, NoCommand> {
        parse_in(line, Language::English)
    }

    fn parse_in(line: &str, language: Language) -> Result<Cli, NoCommand> {
        Cli::parse_from(
            std::iter::once("vespeiro")
                .chain(line.split_whitespace())
                .map(OsString::from),
            language,
        )
    }

    fn plan_of(line: &str) -> vespeiro_plan::Plan {
        let settings = match parse(line).unwrap().command {
            Command::Run(command) => command.plan.0,
            other => panic!("{other:?} is no run"),
        };
        resolve(Sources {
            base: None,
            flags: settings,
            env: [],
        })
        .unwrap()
        .plan
    }

    #[test]
    fn clap_finds_no_fault_with_the_definition() {
        command().debug_assert();
    }

    #[test]
    fn the_version_names_what_it_was_built_from() {
        let said = |line: &str| parse(line).unwrap_err().error.render().to_string();
        assert_eq!(
            said("-V"),
            concat!("vespeiro ", env!("CARGO_PKG_VERSION"), "\n")
        );
        let whole = said("--version");
        let (build, engine) = whole.trim_end().split_once(", wasmtime ").unwrap();
        assert!(
            build.contains("(commit ") || build.contains("(debug build"),
            "{whole}"
        );
        let numbers = engine.strip_suffix(')').unwrap().split('.');
        assert_eq!(
            numbers.filter(|part| part.parse::<u32>().is_ok()).count(),
            3
        );
    }

    #[test]
    fn the_four_command_lines_of_the_specification_work() {
        let numbers = |line: &str| {
            let plan = plan_of(line);
            let load = plan.load;
            let duration = load.duration.map(|duration| duration.as_secs());
            (
                plan.preset,
                load.users,
                load.min_request_count,
                load.max_request_count,
                duration,
            )
        };
        assert_eq!(
            numbers("user:populate --users=100 --min-request-count=10 --max-request-count=1000"),
            ("mixed".to_owned(), 100, 10, 1000, None)
        );
        assert_eq!(
            numbers(
                "user:populate --users=10 --min-request-count=5 --max-request-count=50 \
                 --base-url=http://localhost:9501 --scenario=development"
            ),
            ("development".to_owned(), 10, 5, 50, None)
        );
        assert_eq!(
            numbers(
                "user:populate --users=500 --min-request-count=100 --max-request-count=5000 \
                 --duration=3600 --scenario=load_test"
            ),
            ("load_test".to_owned(), 500, 100, 5000, Some(3600))
        );
        assert_eq!(
            numbers(
                "user:populate --users=100 --min-request-count=50 --max-request-count=1000 \
                 --scenario=metrics_generation"
            ),
            ("metrics_generation".to_owned(), 100, 50, 1000, None)
        );
    }

    #[test]
    fn a_wrong_command_line_is_told_in_one_line() {
        for (line, parts) in [
            (
                "run --usres 5",
                ["unexpected argument '--usres'", "'--users'"],
            ),
            ("serv", ["unrecognized subcommand 'serv'", "'serve'"]),
            (
                "run --users",
                ["a value is required for '--users <N>'", "--help"],
            ),
            (
                "run --users 1 --users 2",
                ["'--users <N>' cannot be used multiple times", "--help"],
            ),
            (
                "serve --port http",
                ["invalid value 'http' for '--port <PORT>'", "--help"],
            ),
            (
                "serve --rate-limit 5/m",
                ["invalid value '5/m' for '--rate-limit <RATE>'", "100/s"],
            ),
            (
                "serve --latency soon",
                ["invalid value 'soon' for '--latency <TIME>'", "250ms"],
            ),
        ] {
            let no_command = parse(line).unwrap_err();
            let message = no_command.message();
            assert_eq!(message.lines().count(), 1, "{message}");
            assert!(
                parts.iter().all(|part| message.contains(part)),
                "{line}: {message}"
            );
            assert!(no_command.error.use_stderr());
        }
    }

    #[test]
    fn a_value_that_starts_with_a_minus_reaches_its_own_check() {
        let Command::Run(command) = parse("run --users -5 --delay-min=-1").unwrap().command else {
            panic!()
        };
        let errors = resolve(Sources {
            base: None,
            flags: command.plan.0,
            env: [],
        })
        .unwrap_err();
        assert_eq!(errors.0.len(), 2, "{errors}");
    }

    #[test]
    fn help_groups_the_settings_and_knows_the_defaults_of_each_command() {
        let help = |line: &str| parse(line).unwrap_err().error.render().to_string();
        let run = help("run --help-all");
        for heading in ["Plan:", "Load:", "Target:", "Behaviors:", "Output:"] {
            assert!(run.contains(heading), "{heading}");
        }
        let line_after = |help: &str, flag: &str| {
            let flat = help.split_whitespace().collect::<Vec<_>>().join(" ");
            flat[flat.find(flag).unwrap()..]
                .chars()
                .take(90)
                .collect::<String>()
        };
        assert!(
            line_after(&run, "--users <N>").contains("[default: 100]"),
            "{run}"
        );
        assert!(
            line_after(&run, "--no-cache").contains("Do not keep"),
            "{run}"
        );
        assert!(line_after(&help("demo --help-all"), "--users <N>").contains("[default: 20]"));
        assert!(!run.contains("Admin123!"));
        // What is used most, on a screen or so.
        let short = help("run --help");
        assert!(
            short.contains("--users <N>") && short.contains("--help-all"),
            "{short}"
        );
        assert!(!short.contains("--breaker-window"), "{short}");
        let lines = short.lines().count();
        assert!(lines < 70 && run.lines().count() > 3 * lines, "{short}");
    }

    #[test]
    fn the_demo_has_defaults_of_its_own_which_anything_overrides() {
        let plan = |flags| {
            resolve(Sources {
                base: Some(&demo::PRESET),
                flags,
                env: [],
            })
            .unwrap()
            .plan
        };
        let own = plan(Flags::default()).load;
        assert_eq!(
            (
                own.users,
                own.duration.map(|d| d.as_secs()),
                own.delay_max.as_millis()
            ),
            (20, Some(20), 400)
        );
        let mut flags = Flags::default();
        flags.set("preset", "load_test", "--preset");
        assert_eq!(plan(flags).load.users, 500);
    }
}
