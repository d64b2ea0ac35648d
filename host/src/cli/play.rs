//! Plays a resolved plan to its end: load the behaviors, check the target, run, report. Behind `run` and `demo`.

use std::io::Write as _;
use std::sync::Arc;

use super::exporter::Exporter;
use super::log::{self, Log};
use crate::behavior::{Behavior, Engine, Limits, LoadError};
use crate::exit::{Exit, Misuse};
use crate::http::{Client, preflight};
use crate::plan::Plan;
use crate::report::{Display, RunShape, Summary, json, summary};
use crate::run::{Ended, Stopper, execute, requests_planned};

/// Play `plan` to its end on the calling thread.
pub(super) fn play(plan: Plan) -> anyhow::Result<Exit> {
    let log = log::start(&plan);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(play_on(Arc::new(plan), log))
}

async fn play_on(plan: Arc<Plan>, log: Log) -> anyhow::Result<Exit> {
    let stopper = Stopper::new();
    let signals = stopper.on_signals()?;
    if let Some(path) = &plan.output.summary_json {
        json::writable(path).map_err(|error| Misuse(error.to_string()))?;
    }
    let behaviors = load(&plan)?;
    let mut exporter = Exporter::bind(&plan).await?;
    preflight(&Client::new(&plan)?).await?;

    let shape = RunShape {
        users_total: plan.load.users,
        requests_planned: requests_planned(&plan),
        duration: plan.load.duration,
    };
    let mut display = Display::start(&plan, shape);
    let ended = execute(Arc::clone(&plan), behaviors, &stopper, |snapshot| {
        log.lines().for_each(|line| display.note(&line));
        display.update(snapshot);
        exporter.publish(snapshot);
    })
    .await;
    if let Ok(ended) = &ended {
        display.update(&ended.snapshot);
    }
    display.finish();
    log.release();
    signals.abort();
    exporter.stop().await;
    report(&plan, &ended?)
}

fn load(plan: &Plan) -> anyhow::Result<Vec<Arc<Behavior>>> {
    let cache = if plan.guest.cache {
        Engine::default_cache()
    } else {
        None
    };
    let engine = Engine::new(cache)?;
    let limits = Limits {
        memory: plan.guest.memory,
        call: plan.guest.call_timeout,
    };
    let misuse = |error: LoadError| Misuse(error.to_string());
    plan.archetypes
        .iter()
        .map(|archetype| Ok(Behavior::of(&engine, &archetype.module, limits).map_err(misuse)?))
        .collect()
}

/// The summary in text and, when asked for, as JSON; then the exit code.
fn report(plan: &Plan, ended: &Ended) -> anyhow::Result<Exit> {
    let figures = Summary::new(plan, &ended.snapshot);
    // A reader that has seen enough may close the pipe.
    let _ = std::io::stdout().write_all(summary::text(&figures, plan.output.language).as_bytes());
    if let Some(path) = &plan.output.summary_json {
        json::write(&figures, path)?;
    }
    if !ended.quarantined.is_empty() {
        anyhow::bail!(
            "quarantined, because the behavior kept crashing: {}: see the log above, and mend or remove it",
            ended.quarantined.join(", ")
        );
    }
    Ok(Exit::Fine)
}
