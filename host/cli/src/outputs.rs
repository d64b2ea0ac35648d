//! The metrics of a command that plays a plan on their ways out: the endpoint, taken before the run and answering from
//! its first snapshot on, and the receivers that it pushes to.

use std::sync::Arc;

use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::exit::Misuse;
use vespeiro_metrics::{RunInfo, Snapshot};
use vespeiro_output::push::Exporters;
use vespeiro_plan::Plan;
use vespeiro_server::metrics as serve;

/// Serves and pushes the metrics where the plan asks for it, else does nothing.
pub(super) struct Exporter {
    about: Arc<RunInfo>,
    bound: Option<serve::Bound>,
    serving: Option<Serving>,
    pushing: Exporters,
}

struct Serving {
    snapshots: watch::Sender<Arc<Snapshot>>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Exporter {
    /// Take the address before the run, so that a taken port ends the command and not the run.
    pub(super) async fn bind(plan: &Plan) -> anyhow::Result<Self> {
        let bound = match plan.output.metrics {
            Some(address) => Some(
                serve::bind(address)
                    .await
                    .map_err(|e| Misuse(e.to_string()))?,
            ),
            None => None,
        };
        if let Some(bound) = &bound {
            tracing::info!("metrics at http://{}/metrics", bound.address());
        }
        let about = Arc::new(RunInfo::of(plan));
        Ok(Self {
            pushing: Exporters::start(plan, &about)?,
            about,
            bound,
            serving: None,
        })
    }

    /// Answer scrapes with this from now on, and push it.
    pub(super) fn publish(&mut self, snapshot: &Arc<Snapshot>) {
        self.pushing.publish(snapshot);
        if let Some(bound) = self.bound.take() {
            let (snapshots, latest) = watch::channel(Arc::clone(snapshot));
            let (stop, stopped) = oneshot::channel();
            let shutdown = async move {
                let _ = stopped.await;
            };
            let task = tokio::spawn(serve::serve(
                bound,
                Arc::clone(&self.about),
                latest,
                shutdown,
            ));
            self.serving = Some(Serving {
                snapshots,
                stop,
                task,
            });
        } else if let Some(serving) = &self.serving {
            serving.snapshots.send_replace(Arc::clone(snapshot));
        }
    }

    /// Push the rest and stop answering.
    pub(super) async fn stop(self) {
        self.pushing.finish().await;
        if let Some(serving) = self.serving {
            let _ = serving.stop.send(());
            let _ = serving.task.await;
        }
    }
}
