//! `--meet`: the shards of a run come together before it, begin at the same moment, and end as one: shard 0 has the figures of
//! all, and judges them. Used by `play.rs`.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::exit::{Exit, Misuse};
use vespeiro_behavior::{Behavior, content_hash};
use vespeiro_engine::{CommonStart, FeedSet, Others, Swapper};
use vespeiro_model::Clock;
use vespeiro_output::Console;
use vespeiro_plan::MeetingPlace;
use vespeiro_server::RunHandle;
use vespeiro_server::meet::{Guest, Hello, Host, MeetError, Start};
use vespeiro_summary::merge::add_cleanups;
use vespeiro_summary::{Cleanup, Summary};

/// This shard among the others.
pub(super) struct Met {
    end: End,
    start: Start,
}

#[derive(Clone)]
enum End {
    Host(Arc<Host>),
    Guest(Arc<Guest>),
}

/// How a shard ended, for shard 0.
#[derive(Debug, Serialize, Deserialize)]
struct Ended {
    /// What kept it from doing its job.
    failed: Option<String>,
    cleanup: Option<Cleanup>,
}

/// Wait until all shards are there, and shard 0 has played `prepare`, whose share all of them have. `None`: somebody stopped this
/// one meanwhile.
pub(super) async fn meet(
    place: &MeetingPlace,
    run: &RunHandle,
    (behaviors, feeds): (&[Arc<Behavior>], &FeedSet),
    clock: Clock,
    console: &Console,
    prepare: impl AsyncFnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<Option<Met>> {
    let plan = &run.plan;
    let modules = behaviors.iter().map(|behavior| behavior.hash.as_str());
    let own = Hello::new(plan, modules, |text| content_hash(text.as_bytes()));
    let timeout = plan.meet.timeout;
    let stopped = run.stopper.stop_requested();
    let shards = plan.shard.shards;
    let met = match plan.shard.index {
        0 => {
            let host = Host::open(place, run, own, clock).map_err(told)?;
            console.line(format!("ready; {shards} shards meet at {place}"));
            let are_there = host.gather(timeout, stopped).await.map_err(told)?;
            if are_there.is_none() {
                return Ok(None);
            }
            if let Err(error) = prepare().await {
                let why = format!("shard 0 could not prepare the run: {error:#}");
                host.call_off(why).await;
                return Err(error);
            }
            let stopped = run.stopper.stop_requested();
            let start = host.start(feeds.all_shared(), timeout, stopped).await;
            let start = start.map_err(told)?;
            start.map(|start| (End::Host(Arc::new(host)), start))
        }
        _ => {
            let guest = Guest::new(place, plan.control.token.as_deref(), own, clock);
            let guest = guest.map_err(told)?;
            console.line(format!("ready; {shards} shards meet at {place}"));
            let start = tokio::select! {
                start = guest.join(timeout) => Some(start.map_err(told)?),
                () = stopped => None,
            };
            let start = start.map(|(start, shared)| {
                for (archetype, value) in shared {
                    feeds.share(archetype, value);
                }
                start
            });
            start.map(|start| (End::Guest(Arc::new(guest)), start))
        }
    };
    let Some((end, start)) = met else {
        return Ok(None);
    };
    console.line(format!("all {shards} shards are there"));
    Ok(Some(Met { end, start }))
}

/// What is wrong with this shard's plan or place is its user's mistake; that others do not come is not.
fn told(error: MeetError) -> anyhow::Error {
    match error {
        MeetError::Bind(_) | MeetError::Refused(_) => Misuse(error.to_string()).into(),
        _ => error.into(),
    }
}

impl Met {
    /// When the run begins; shard 0 hears when it did.
    pub(super) fn start(&self) -> CommonStart {
        let (told, began) = oneshot::channel::<Instant>();
        let (end, start) = (self.end.clone(), self.start);
        tokio::spawn(async move {
            let Ok(began) = began.await else { return };
            match end {
                End::Host(host) => host.began(began.saturating_duration_since(start.at)),
                End::Guest(guest) => guest.began(start, began).await,
            }
        });
        CommonStart {
            at: start.at,
            began: told,
        }
    }

    /// The others, for the run. Those that follow shard 0 swap behaviors when it says so.
    pub(super) fn others(&self, swapper: &Swapper) -> (Others, Option<JoinHandle<()>>) {
        match &self.end {
            End::Host(host) => (host.others(), None),
            End::Guest(guest) => {
                let (others, between) = guest.others(swapper.clone());
                (others, Some(between))
            }
        }
    }

    /// Where this is shard 0: wait for how the others ended. The first that failed has failed the run.
    pub(super) async fn whole(
        &self,
        concluded: anyhow::Result<Exit>,
        summary: &mut Summary,
    ) -> anyhow::Result<Exit> {
        let End::Host(host) = &self.end else {
            return concluded;
        };
        let ends = host.ends().await;
        let (mut cleanups, mut failed) = (Vec::new(), None);
        for (index, said) in &ends.said {
            let ended: Ended = serde_json::from_str(said)
                .with_context(|| format!("shard {index} does not say how it ended"))?;
            cleanups.extend(ended.cleanup);
            failed = failed.or(ended.failed.map(|why| (*index, why)));
        }
        add_cleanups(summary, &cleanups)?;
        if let Some((index, why)) = failed {
            let shards = ends.said.len() + ends.lost.len() + 1;
            bail!("shard {index} of {shards} failed: {why}");
        }
        let exit = concluded?;
        match ends.lost.is_empty() {
            true => Ok(exit),
            false => bail!("{}", lost(&ends.lost)),
        }
    }

    /// Where this is another shard, and has written all that it writes: tell shard 0, which then answers for this one too.
    pub(super) async fn done(
        &self,
        concluded: anyhow::Result<Exit>,
        cleanup: Option<Cleanup>,
        console: &Console,
    ) -> anyhow::Result<Exit> {
        let End::Guest(guest) = &self.end else {
            return concluded;
        };
        let failed = concluded.as_ref().err().map(|error| format!("{error:#}"));
        let text = serde_json::to_string(&Ended { failed, cleanup })?;
        match (guest.done(text).await, concluded) {
            (Ok(()), Ok(exit)) => Ok(exit),
            // The exit code of the run is that of shard 0, and what watches all shards need not end them before it.
            (Ok(()), Err(error)) => {
                console.error(&console.translated(&format!("{error:#}")));
                Ok(Exit::Fine)
            }
            (Err(_), Err(error)) => Err(error),
            (Err(gone), Ok(_)) => Err(gone.into()),
        }
    }
}

/// What is to be done after shards that have not told how they ended.
pub(super) fn lost(shards: &[usize]) -> String {
    let names: Vec<String> = shards.iter().map(usize::to_string).collect();
    format!(
        "lost: shards {}: the run was ended; finish what they have left by vespeiro cleanup with their journals",
        names.join(", ")
    )
}
