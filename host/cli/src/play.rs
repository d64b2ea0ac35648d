//! Plays a resolved plan to its end: load the behaviors, check the target, run, report. Behind `run` and `demo`.

use std::io::Write as _;
use std::sync::Arc;
use std::time::SystemTime;

use super::log::{self, Log};
use super::open_files;
use super::results::{self, Results};
use crate::exit::{Exit, Misuse};
use crate::module_loader::ModuleLoader;
use crate::outputs::Exporter;
use crate::teardown::{self, Tidied};
use tokio::runtime::LocalOptions;
use vespeiro_engine::feeds::read_all;
use vespeiro_engine::rehearsal::Tape;
use vespeiro_engine::watch;
use vespeiro_engine::{
    Control, FeedSet, RunEnd, Stopper, Swapper, execute, requests_planned, unmatched_condition,
};
use vespeiro_http::{Target, check_reach, preflight};
use vespeiro_model::{Failure, Outcome};
use vespeiro_output::{Display, RunShape, summary};
use vespeiro_plan::Plan;
use vespeiro_server::Bound;
use vespeiro_server::Live;
use vespeiro_server::Reach;
use vespeiro_server::control;
use vespeiro_summary::Summary;

/// Play `plan` to its end on the calling thread.
pub(super) fn play(plan: Plan) -> anyhow::Result<Exit> {
    open_files::raise();
    let log = log::start(&plan);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())?;
    runtime.block_on(play_on(Arc::new(plan), log))
}

async fn play_on(plan: Arc<Plan>, log: Log) -> anyhow::Result<Exit> {
    let (stopper, control) = (Stopper::new(), Control::new());
    let signals = stopper.on_signals()?;
    let mut results = Results::begin(&plan)?;
    check_start(&plan)?;
    let rows = read_all(&plan.feeds).map_err(|errors| Misuse(errors.to_string()))?;
    let stock = FeedSet::new(&plan, rows);
    if let Some(path) = &plan.output.trace_record {
        let unwritable = |error| Misuse(format!("{}: cannot be written: {error}", path.display()));
        Tape::create(path).map_err(unwritable)?;
    }
    let loader = ModuleLoader::new(&plan)?;
    let archetypes = plan.archetypes.iter();
    let behaviors = archetypes
        .map(|archetype| loader.load(&archetype.module))
        .collect::<anyhow::Result<Vec<_>>>()?;
    if let Some(line) = unmatched_condition(&plan, &behaviors) {
        return Err(Misuse(line).into());
    }
    let mut exporter = Exporter::bind(&plan).await?;
    let control_listener = Bound::take(&plan, "control", plan.control.address).await?;
    let live = Bound::take(&plan, "ui", plan.control.page).await?;
    check_target(&plan).await?;
    let journal = teardown::journal(&plan)?;

    let shape = RunShape {
        users_total: plan.usual_users(),
        requests_planned: requests_planned(&plan).unwrap_or(0),
        duration: plan.load.duration,
    };
    let swapper = Swapper::new(
        Arc::clone(&plan),
        Arc::clone(&stock),
        loader.engine.aside()?,
        loader.limits,
        control.clone(),
    );
    let reach = Reach {
        plan: Arc::clone(&plan),
        stopper: stopper.clone(),
        control: control.clone(),
        swapper: swapper.clone(),
    };
    let control_listener = control_listener.map(|bound| control::open(bound, &reach));
    let mut live = live.map(|bound| Live::open(bound, reach, shape));
    wait_for_start(&plan, &stopper).await;
    let watched = Arc::clone(&plan);
    let watching = plan
        .control
        .watch
        .then(|| tokio::spawn(async move { watch(&watched, swapper).await }));
    let mut display = Display::start(&plan, shape);
    let mut heard = 0;
    let mut ended = execute(
        Arc::clone(&plan),
        behaviors,
        &stock,
        &journal,
        &stopper,
        &control,
        |snapshot| {
            log.lines().for_each(|line| display.note(&line));
            for news in control.news(heard) {
                heard = news.number;
                // What went wrong is in the log.
                if !news.is_bad {
                    display.note(&news.text);
                }
            }
            display.update(snapshot);
            exporter.publish(snapshot);
            results.update(snapshot);
            if let Some(live) = &mut live {
                live.update(snapshot);
            }
        },
    )
    .await;
    if let Ok(ended) = &ended {
        display.update(&ended.snapshot);
        exporter.publish(&Arc::new(ended.snapshot.clone()));
        if let Some(live) = &mut live {
            live.cleaning(&ended.snapshot);
        }
    }
    let timeline = results.close(ended.as_ref().ok().map(|ended| &ended.snapshot));
    if let Some(watching) = watching {
        watching.abort();
    }
    if let Some(control_listener) = control_listener {
        control_listener.close().await;
    }
    display.finish();
    log.release();
    let tidied = teardown::after_run(&plan, &loader, journal, &stopper, ended.as_mut().ok()).await;
    exporter.stop().await;
    if let Some(live) = live {
        live.close(ended.as_ref().ok()).await;
    }
    // No earlier: without it a signal does nothing at all, and a receiver that hangs would hold up a third one.
    signals.abort();
    let ended = ended?;
    let mut figures = Summary::new(&plan, &ended.snapshot);
    figures.timeline = timeline;
    report(&plan, figures, &ended, &results, tidied)
}

/// Refuse a start that is over.
fn check_start(plan: &Plan) -> Result<(), Misuse> {
    match plan.load.start_at {
        Some(at) if at.from(SystemTime::now()).is_none() => Err(Misuse(format!(
            "start_at {at} is over: name a later moment, or leave it out"
        ))),
        _ => Ok(()),
    }
}

/// Wait for the moment that the plan names, or until somebody stops the run.
async fn wait_for_start(plan: &Plan, stopper: &Stopper) {
    let Some(at) = plan.load.start_at else {
        return;
    };
    let Some(wait) = at.from(SystemTime::now()) else {
        tracing::warn!("the run starts late: {at} was over before its behaviors were ready");
        return;
    };
    eprintln!("ready; the run starts at {at}");
    tokio::select! {
        () = tokio::time::sleep(wait) => {}
        () = stopper.asked() => {}
    }
}

/// Refuse a target that is a stranger's, and files or addresses that do not work; then see that it answers.
pub(super) async fn check_target(plan: &Plan) -> anyhow::Result<()> {
    check_reach(plan)
        .await
        .map_err(|far| Misuse(far.to_string()))?;
    let target = Target::new(plan, 0).map_err(|error| Misuse(error.to_string()))?;
    Ok(preflight(&target).await?)
}

/// The summary in text and in the files that were asked for; then the exit code.
fn report(
    plan: &Plan,
    mut figures: Summary,
    ended: &RunEnd,
    results: &Results<'_>,
    tidied: anyhow::Result<Tidied>,
) -> anyhow::Result<Exit> {
    figures.cleanup = tidied.as_ref().ok().map(|tidied| tidied.figures.clone());
    // A reader that has seen enough may close the pipe.
    let _ = std::io::stdout().write_all(summary::text(&figures, plan.output.language).as_bytes());
    results.write(&figures)?;
    if !ended.quarantined.is_empty() {
        anyhow::bail!(
            "quarantined, because the behavior kept crashing: {}: see the log above, and mend or remove it",
            ended.quarantined.join(", ")
        );
    }
    let tidied = tidied?;
    let results = ended.snapshot.total().results().into_iter();
    let unsent: u64 = results
        .filter(|result| result.outcome == Outcome::Failed(Failure::Generator))
        .map(|result| result.count)
        .sum();
    if unsent > 0 {
        anyhow::bail!(
            "{unsent} requests failed at this machine's limits and not at the target (failures of the kind generator): the log above names limit and mend; open files: {} (ulimit -n)",
            open_files::limit()
        );
    }
    if tidied.failed {
        anyhow::bail!(
            "the cleanup could not remove {} of the things that the run has created: see above, then finish with: vespeiro cleanup {}",
            tidied.left.len(),
            tidied.figures.journal.as_deref().unwrap_or("JOURNAL"),
        );
    }
    Ok(results::exit(&figures))
}
