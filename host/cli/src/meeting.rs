//! `--meet`: the shards of a run come together before it, and begin at the same moment. Used by `play.rs`.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::exit::Misuse;
use vespeiro_behavior::{Behavior, content_hash};
use vespeiro_engine::CommonStart;
use vespeiro_model::Clock;
use vespeiro_output::Console;
use vespeiro_plan::MeetingPlace;
use vespeiro_server::RunHandle;
use vespeiro_server::meet::{Guest, Hello, Host, MeetError, Start};

/// This shard among the others.
pub(super) struct Met {
    end: Arc<End>,
    start: Start,
}

enum End {
    Host(Host),
    Guest(Guest),
}

/// Wait until all shards are there. `None`: somebody stopped this one meanwhile.
pub(super) async fn meet(
    place: &MeetingPlace,
    run: &RunHandle,
    behaviors: &[Arc<Behavior>],
    clock: Clock,
    console: &Console,
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
            let start = host.gather(timeout, stopped).await.map_err(told)?;
            start.map(|start| (End::Host(host), start))
        }
        _ => {
            let guest = Guest::new(place, plan.control.token.as_deref(), own, clock);
            let guest = guest.map_err(told)?;
            console.line(format!("ready; {shards} shards meet at {place}"));
            let start = tokio::select! {
                start = guest.join(timeout) => Some(start.map_err(told)?),
                () = stopped => None,
            };
            start.map(|start| (End::Guest(guest), start))
        }
    };
    let Some((end, start)) = met else {
        return Ok(None);
    };
    console.line(format!("all {shards} shards are there"));
    let end = Arc::new(end);
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
        let (end, start) = (Arc::clone(&self.end), self.start);
        tokio::spawn(async move {
            let Ok(began) = began.await else { return };
            match &*end {
                End::Host(host) => host.began(began.saturating_duration_since(start.at)),
                End::Guest(guest) => guest.began(start, began).await,
            }
        });
        CommonStart {
            at: start.at,
            began: told,
        }
    }
}
