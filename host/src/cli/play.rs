//! Plays a resolved plan to its end: load the behaviors, check the target, run, report. Behind `run` and `demo`.

use std::sync::Arc;

use anyhow::Context;

use crate::behavior::{Behavior, Engine, Limits, LoadError};
use crate::exit::{Exit, Misuse};
use crate::http::{Client, preflight};
use crate::metrics::{Snapshot, serve};
use crate::plan::Plan;
use crate::report::{Display, RunShape, json, summary};
use crate::run::{Ended, Stopper, execute, requests_planned};

/// Play `plan` on the calling thread's runtime, which has to be a current-thread one.
pub(super) async fn play(plan: Plan) -> anyhow::Result<Exit> {
    let plan = Arc::new(plan);
    let behaviors = load(&plan)?;
    let client = Client::new(&plan)?;
    preflight(&client).await?;
    drop(client);

    let stopper = Stopper::new();
    let signals = tokio::spawn(stopper.clone().on_signals());
    let published = tokio::sync::watch::Sender::new(None);
    let metrics = match plan.output.metrics {
        Some(address) => Some(Exporter::start(address, &published).await?),
        None => None,
    };
    let shape = RunShape {
        users_total: plan.load.users,
        requests_planned: requests_planned(&plan),
        duration: plan.load.duration,
    };
    let mut display = Display::start(&plan, shape);
    let ended = execute(Arc::clone(&plan), behaviors, &stopper, |snapshot| {
        display.update(snapshot);
        published.send_replace(Some(Arc::clone(snapshot)));
    })
    .await;
    display.finish();
    let ended = ended?;
    signals.abort();
    if let Some(metrics) = metrics {
        metrics.stop().await;
    }
    report(&plan, &ended)
}

fn load(plan: &Plan) -> anyhow::Result<Vec<Arc<Behavior>>> {
    let cache = if plan.guest.cache { Engine::default_cache() } else { None };
    let engine = Engine::new(cache)?;
    let limits = Limits { memory: plan.guest.memory, call: plan.guest.call_timeout };
    let misuse = |error: LoadError| Misuse(error.to_string());
    plan.archetypes
        .iter()
        .map(|archetype| Ok(Behavior::of(&engine, &archetype.module, limits).map_err(misuse)?))
        .collect()
}

fn report(plan: &Plan, ended: &Ended) -> anyhow::Result<Exit> {
    print!("{}", summary::render(plan, &ended.snapshot));
    if let Some(path) = &plan.output.summary_json {
        json::write(path, plan, &ended.snapshot)
            .with_context(|| format!("the summary cannot be written to {}", path.display()))?;
    }
    if !ended.quarantined.is_empty() {
        anyhow::bail!(
            "quarantined, because their behavior kept crashing: {}",
            ended.quarantined.join(", ")
        );
    }
    Ok(Exit::Fine)
}
