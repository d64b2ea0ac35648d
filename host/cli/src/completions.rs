//! `vespeiro completions` and `vespeiro man`: what a shell and `man` want to know of the command line, made from its settings.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Command;
use clap_complete::Shell;

use super::exit::Exit;
use super::help::in_language;
use vespeiro_output::stdout;
use vespeiro_plan::Language;

/// Print completions of commands and options for a shell
///
/// For bash: source <(vespeiro completions bash)
#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// The shell that reads them
    shell: Shell,
}

/// Print the manual page, or write those of all commands
#[derive(Debug, clap::Args)]
pub(super) struct Man {
    /// A folder for the pages of all commands, `vespeiro.1`, `vespeiro-run.1` and so on
    folder: Option<PathBuf>,
}

impl Completions {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let mut script = Vec::new();
        clap_complete::generate(
            self.shell,
            &mut shown(super::command()),
            "vespeiro",
            &mut script,
        );
        stdout::print(&String::from_utf8(script)?)?;
        Ok(Exit::Fine)
    }
}

impl Man {
    pub(super) fn execute(self, language: Language) -> anyhow::Result<Exit> {
        let command = in_language(shown(super::command()), language);
        let command = command.disable_help_subcommand(true);
        let Some(folder) = self.folder else {
            stdout::print(&page(&command)?)?;
            return Ok(Exit::Fine);
        };
        let failed = || folder.display().to_string();
        std::fs::create_dir_all(&folder).with_context(failed)?;
        let mut pages = vec![(String::from("vespeiro"), command.clone())];
        pages.extend(command.get_subcommands().map(|one| {
            let name = format!("vespeiro-{}", one.get_name());
            (name.clone(), one.clone().name(name))
        }));
        for (name, command) in pages {
            let path = folder.join(format!("{name}.1"));
            std::fs::write(&path, page(&command)?).with_context(|| path.display().to_string())?;
        }
        Ok(Exit::Fine)
    }
}

/// Without what vespeiro starts for itself.
fn shown(command: Command) -> Command {
    let subcommands = command.get_subcommands();
    let subcommands = subcommands.filter(|one| !one.is_hide_set());
    let about = command.get_about().cloned().unwrap_or_default();
    let after = command.get_after_help().cloned().unwrap_or_default();
    Command::new("vespeiro")
        .version(env!("CARGO_PKG_VERSION"))
        .about(about)
        .after_help(after)
        .subcommands(subcommands.cloned())
}

fn page(command: &Command) -> anyhow::Result<String> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    Ok(String::from_utf8(page)?)
}
