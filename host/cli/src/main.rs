//! The `vespeiro` binary: parses, runs one command, maps an error to an exit code; nothing else.

use std::process::ExitCode;

use vespeiro::Cli;
use vespeiro::exit::Exit;

/// A request allocates dozens of times on its way through the HTTP library.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::parse_from(std::env::args_os()) {
        Ok(cli) => cli,
        Err(no_command) => return no_command.report().into(),
    };
    let exit = cli.execute().unwrap_or_else(|error| {
        for line in format!("{error:#}").lines() {
            eprintln!("error: {line}");
        }
        Exit::of(&error)
    });
    exit.into()
}
