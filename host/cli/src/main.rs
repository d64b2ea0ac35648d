//! The `vespeiro` binary: parses, runs one command, maps an error to an exit code; nothing else.

mod address_space;
mod allocator;

use std::process::ExitCode;
use std::time::Duration;

use vespeiro::exit::Exit;
use vespeiro::{Cli, Console, language, secrecy};

/// How long the end of the process waits for whoever reads standard error.
const LAST_LINES: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    if !address_space::is_enough() {
        return Exit::Failed.into();
    }
    allocator::give_back();
    secrecy::begin();
    // Without a thread nothing can be printed, and no run can start.
    let Ok(console) = Console::start() else {
        return Exit::Failed.into();
    };
    let arguments = Vec::from_iter(std::env::args_os());
    console.speak(language(&arguments));
    let exit = match Cli::parse_from(arguments, console.language()) {
        Ok(cli) => cli.execute(&console).unwrap_or_else(|error| {
            // Each by itself: a context and its cause are texts of their own, unless the one quotes the other.
            let mut said = Vec::<String>::new();
            for cause in error.chain().map(ToString::to_string) {
                if !said.last().is_some_and(|before| before.contains(&cause)) {
                    said.push(cause);
                }
            }
            let said: Vec<String> = said.iter().map(|cause| console.translated(cause)).collect();
            for line in said.join(": ").lines() {
                console.error(line);
            }
            Exit::of(&error)
        }),
        Err(no_command) => no_command.report(&console),
    };
    console.flush(LAST_LINES);
    exit.into()
}
