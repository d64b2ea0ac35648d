//! The metrics endpoint of a command that plays a plan: taken before the run, answering from its first snapshot on.

use std::sync::Arc;

use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::exit::Misuse;
use crate::metrics::{About, Snapshot, serve};
use crate::plan::Plan;

/// Serves the metrics when the plan asks for it, else does nothing.
pub(super) struct Exporter {
    about: Arc<About>,
    bound: Option<serve::Bound>,
    serving: Option<Serving>,
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
        Ok(Self {
            about: Arc::new(About::of(plan)),
            bound,
            serving: None,
        })
    }

    /// Answer scrapes with this from now on.
    pub(super) fn publish(&mut self, snapshot: &Arc<Snapshot>) {
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

    /// Stop answering.
    pub(super) async fn stop(self) {
        if let Some(serving) = self.serving {
            let _ = serving.stop.send(());
            let _ = serving.task.await;
        }
    }
}
