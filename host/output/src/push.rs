//! Metrics on their way to receivers: remote write and OTLP, pushed while the run goes on. `cli` starts an [`Exporters`]
//! before the run, publishes each snapshot to it and finishes it after the run. All of it happens on one thread of its
//! own: no receiver, however slow or gone, holds up a worker or ends a run. [`dashboard`] shows the same metrics in Grafana.

mod otlp;
mod pusher;
mod remote_write;

use std::sync::Arc;
use std::thread;
use std::time::SystemTime;

use futures_util::future::join_all;
use tokio::sync::{oneshot, watch};

use self::otlp::Otlp;
use self::pusher::Pusher;
use self::remote_write::RemoteWrite;
use vespeiro_http::{ClientError, Poster};
use vespeiro_metrics::{RunInfo, Snapshot};
use vespeiro_plan::Plan;

/// The pushing could not begin.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("the thread that pushes metrics cannot be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// Pushes what is published to the plan's receivers; does nothing when it has none.
#[derive(Debug)]
pub struct Exporters(Option<Thread>);

#[derive(Debug)]
struct Thread {
    latest: watch::Sender<Option<Arc<Snapshot>>>,
    over: oneshot::Receiver<()>,
}

impl Exporters {
    pub fn start(plan: &Plan, about: &Arc<RunInfo>) -> Result<Self, ExportError> {
        let pushers = pushers(plan, about)?;
        if pushers.is_empty() {
            return Ok(Self(None));
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        // Holds one snapshot: a receiver that is slow gets fewer of them.
        let (latest, snapshots) = watch::channel(None);
        let (done, over) = oneshot::channel();
        thread::Builder::new()
            .name("export".into())
            .spawn(move || {
                let all = pushers.into_iter().map(|p| p.push(snapshots.clone()));
                runtime.block_on(join_all(all));
                let _ = done.send(());
            })?;
        Ok(Self(Some(Thread { latest, over })))
    }

    /// Push this with the next beat.
    pub fn publish(&self, snapshot: &Arc<Snapshot>) {
        if let Some(thread) = &self.0 {
            thread.latest.send_replace(Some(Arc::clone(snapshot)));
        }
    }

    /// Push the last snapshot and the end of every series, as far as the receivers take them within a few seconds.
    pub async fn finish(self) {
        if let Some(Thread { latest, over }) = self.0 {
            drop(latest);
            // A thread that is gone has nothing more to push.
            let _ = over.await;
        }
    }
}

fn pushers(plan: &Plan, about: &Arc<RunInfo>) -> Result<Vec<Pusher>, ExportError> {
    let output = &plan.output;
    let poster = |url: &url::Url, headers: &[(&str, &str)]| {
        let own = headers.iter().map(|(n, v)| ((*n).into(), (*v).into()));
        let given = output.push_headers.0.iter().cloned();
        Poster::new(url.clone(), own.chain(given), plan.target.insecure)
    };
    let (instance, native) = (instance(about), output.native_histograms);
    let mut pushers = Vec::new();
    if let Some(url) = &output.remote_write {
        let wire = RemoteWrite::new(Arc::clone(about), instance.clone(), native);
        let poster = poster(url, remote_write::HEADERS)?;
        pushers.push(Pusher::new(Box::new(wire), poster, output.push_interval));
    }
    if let Some(url) = &output.otlp {
        let wire = Otlp::new(Arc::clone(about), instance, native);
        let poster = poster(url, otlp::HEADERS)?;
        pushers.push(Pusher::new(Box::new(wire), poster, output.push_interval));
    }
    Ok(pushers)
}

/// What tells this process's series from those of other generators and of other runs.
fn instance(about: &RunInfo) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match host.trim() {
        "" => about.run.clone(),
        host => format!("{host}:{}", about.run),
    }
}

/// The wall clock at the instant of a snapshot.
fn wall(snapshot: &Snapshot) -> std::time::Duration {
    let at = snapshot.started + snapshot.elapsed;
    at.duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
}
