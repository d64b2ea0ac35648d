//! `vespeiro cleanup`: finishes what a run could not, after a crash or later. It may be repeated at any time.

use std::path::PathBuf;

use super::log;
use super::play::check_target;
use super::settings::PlanFlags;
use tokio::runtime::LocalOptions;

use crate::exit::{Exit, Misuse};
use crate::module_loader::ModuleLoader;
use crate::teardown;
use vespeiro_engine::journal::{Journal, read};
use vespeiro_engine::{Stopper, Tokens};
use vespeiro_model::Clock;
use vespeiro_output::{Console, stdout};
use vespeiro_plan::Plan;

/// Remove what a run has left behind, according to its journal
#[derive(Debug, clap::Args)]
pub(super) struct Cleanup {
    /// The journal that the run has kept
    #[arg(value_name = "JOURNAL")]
    file: PathBuf,
    #[command(flatten)]
    plan: PlanFlags,
}

impl Cleanup {
    pub(super) fn execute(mut self, console: &Console) -> anyhow::Result<Exit> {
        let contents = read(&self.file).map_err(|error| Misuse(error.to_string()))?;
        for warning in &contents.warnings {
            let file = self.file.display();
            console.line(format!("warning: the journal {file}: {warning}"));
        }
        let given = super::resolve_here(self.plan.0.clone(), None)?;
        // At another target everything would seem to be gone already: only a flag may override the journal's.
        if !given.origins.by_flag("base_url") {
            let target = contents.header.target;
            self.plan.0.set("base_url", target, "the journal");
        }
        let run = contents.header.run;
        self.plan.0.set("run_id", run, "the journal");
        let plan = super::resolve_here(self.plan.0, None)?.plan;
        log::start(&plan, console);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build_local(LocalOptions::default())?;
        runtime.block_on(clean(&plan, &self.file, console))
    }
}

async fn clean(plan: &Plan, file: &std::path::Path, console: &Console) -> anyhow::Result<Exit> {
    let clock = Clock::system();
    let journal = Journal::resume(file).map_err(|error| Misuse(error.to_string()))?;
    let loader = ModuleLoader::new(plan, clock)?;
    check_target(plan, clock).await?;
    let stopper = Stopper::new();
    // There is no run to end first: one signal is enough to leave the rest to a later cleanup.
    stopper.raise();
    let signals = stopper.on_signals()?;
    let cleaned = teardown::clean(
        plan,
        &loader,
        journal,
        Tokens::default(),
        &stopper,
        clock,
        console,
    )
    .await;
    signals.abort();
    let teardown::CleanupResult {
        figures,
        left,
        foreign,
        ..
    } = cleaned?;
    let mut told = vec![format!(
        "{} removed, {} left, {} requests",
        figures.removed, figures.left, figures.requests
    )];
    // Behaviors choose these names: escape control characters.
    let left_behind = left.iter().map(|thing| thing.escape_debug());
    told.extend(left_behind.map(|words| format!("left: {words}")));
    let told = told.iter().map(|line| console.translated(line) + "\n");
    stdout::print(&told.collect::<String>())?;
    Ok(if left.is_empty() && foreign == 0 {
        Exit::Fine
    } else {
        Exit::Failed
    })
}
