//! `vespeiro cleanup`: finishes what a run could not, after a crash or later. It may be repeated at any time.

use std::path::{Path, PathBuf};

use super::log;
use super::play::check_target;
use super::settings::PlanFlags;
use tokio::runtime::LocalOptions;

use crate::exit::{Exit, Misuse};
use crate::module_loader::ModuleLoader;
use crate::teardown;
use vespeiro_engine::journal::{Header, Journal, ReadError, read};
use vespeiro_engine::{Stopper, Tokens};
use vespeiro_model::Clock;
use vespeiro_output::{Console, stdout};
use vespeiro_plan::Plan;

/// Remove what a run has left behind, according to its journal
#[derive(Debug, clap::Args)]
pub(super) struct Cleanup {
    /// The journal that the run has kept, or a folder with those of all its shards
    #[arg(value_name = "JOURNAL")]
    file: PathBuf,
    #[command(flatten)]
    plan: PlanFlags,
}

/// What one journal came to.
struct Cleaned {
    left: Vec<String>,
    foreign: u64,
    figures: vespeiro_summary::Cleanup,
}

impl Cleanup {
    pub(super) fn execute(mut self, console: &Console) -> anyhow::Result<Exit> {
        // It tidies up after one shard or all of them, whichever this process is.
        if !self.plan.0.has("shard") {
            self.plan.0.set("shard", "none", "the journal");
        }
        let given = super::resolve_here(self.plan.0.clone(), None)?;
        let asked = given
            .origins
            .is_given("run_id")
            .then_some(&*given.plan.run_id);
        let (header, files) = journals(&self.file, asked, console)?;
        // At another target everything would seem to be gone already: only a flag may override the journal's.
        if !given.origins.by_flag("base_url") {
            self.plan.0.set("base_url", header.target, "the journal");
        }
        self.plan.0.set("run_id", header.run, "the journal");
        let plan = super::resolve_here(self.plan.0, None)?.plan;
        log::start(&plan, console);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build_local(LocalOptions::default())?;
        runtime.block_on(clean_all(&plan, &files, console))
    }
}

/// The journals of one run: the file, or all in the folder that are of the run that was asked for, or of the only one.
fn journals(
    path: &Path,
    asked: Option<&str>,
    console: &Console,
) -> Result<(Header, Vec<PathBuf>), Misuse> {
    let misuse = |error: ReadError| Misuse(error.to_string());
    if !path.is_dir() {
        let header = header(path, console).map_err(misuse)?;
        return Ok((header, vec![path.to_owned()]));
    }
    let unread = |error| Misuse(format!("{}: cannot be read: {error}", path.display()));
    let entries = std::fs::read_dir(path).map_err(unread)?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "journal"));
    files.sort();
    let mut runs: Vec<(Header, Vec<PathBuf>)> = Vec::new();
    for file in files {
        let header = header(&file, console).map_err(misuse)?;
        if asked.is_some_and(|run| run != header.run) {
            continue;
        }
        match runs.iter_mut().find(|(known, _)| *known == header) {
            Some((_, files)) => files.push(file),
            None => runs.push((header, vec![file])),
        }
    }
    if runs.len() > 1 {
        let names: Vec<&str> = runs.iter().map(|(header, _)| &*header.run).collect();
        let (folder, names) = (path.display(), names.join(", "));
        return Err(Misuse(format!(
            "{folder} has journals of several runs: say which one with --run-id: {names}"
        )));
    }
    runs.pop().ok_or_else(|| {
        Misuse(format!("{} has no journal of such a run: a cleanup that has removed everything removes its journal too", path.display()))
    })
}

fn header(file: &Path, console: &Console) -> Result<Header, ReadError> {
    let contents = read(file)?;
    for warning in &contents.warnings {
        let file = file.display();
        console.line(format!("warning: the journal {file}: {warning}"));
    }
    Ok(contents.header)
}

/// Clean up by each of these in turn; what one of them cannot is told, and the others are gone on with.
async fn clean_all(plan: &Plan, files: &[PathBuf], console: &Console) -> anyhow::Result<Exit> {
    let clock = Clock::system();
    let loader = ModuleLoader::new(plan, clock)?;
    let mut journals = Vec::new();
    let mut failure = None;
    for file in files {
        match Journal::resume(file) {
            Ok(journal) => journals.push(journal),
            Err(error) if files.len() == 1 => return Err(Misuse(error.to_string()).into()),
            Err(error) => {
                console.error(&console.translated(&error.to_string()));
                failure = Some(error);
            }
        }
    }
    check_target(plan, clock).await?;
    let stopper = Stopper::new();
    // There is no run to end first: one signal is enough to leave the rest to a later cleanup.
    stopper.raise();
    let signals = stopper.on_signals()?;
    let mut all = Cleaned {
        left: Vec::new(),
        foreign: 0,
        figures: vespeiro_summary::Cleanup::default(),
    };
    for journal in journals {
        let tokens = Tokens::default();
        let cleaned = teardown::clean(plan, &loader, journal, tokens, &stopper, clock, console);
        let cleaned = cleaned.await?;
        all.left.extend(cleaned.left);
        all.foreign += cleaned.foreign;
        all.figures.removed += cleaned.figures.removed;
        all.figures.left += cleaned.figures.left;
        all.figures.requests += cleaned.figures.requests;
    }
    signals.abort();
    let Cleaned {
        left,
        foreign,
        figures,
    } = all;
    let mut told = vec![format!(
        "{} removed, {} left, {} requests",
        figures.removed, figures.left, figures.requests
    )];
    // Behaviors choose these names: escape control characters.
    let left_behind = left.iter().map(|thing| thing.escape_debug());
    told.extend(left_behind.map(|words| format!("left: {words}")));
    let told = told.iter().map(|line| console.translated(line) + "\n");
    stdout::print(&told.collect::<String>())?;
    Ok(if left.is_empty() && foreign == 0 && failure.is_none() {
        Exit::Fine
    } else {
        Exit::Failed
    })
}
