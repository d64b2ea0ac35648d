//! Metrics on their way to receivers: remote write and OTLP, pushed while the run goes on. Each receiver has a thread of
//! its own: however slow or gone, it holds up neither a worker nor the end of a run. [`crate::dashboard`] shows the same
//! metrics in Grafana.

mod otlp;
mod pusher;
mod remote_write;

use std::sync::Arc;
use std::thread;

use tokio::sync::{oneshot, watch};
use url::Url;

use self::otlp::Otlp;
use self::pusher::{Encoder, Pusher};
use self::remote_write::RemoteWrite;
use crate::output::{Finish, MaybeOutput, Output, OutputContext, OutputError, RunResult, Update};
use vespeiro_http::Poster;
use vespeiro_metrics::{RunInfo, Snapshot};

/// A receiver, and the thread that pushes to it once the load begins.
struct Push {
    name: &'static str,
    waiting: Option<Pusher>,
    thread: Option<Thread>,
}

struct Thread {
    /// Holds one snapshot: a receiver that is slow gets fewer of them.
    latest: watch::Sender<Option<Arc<Snapshot>>>,
    over: oneshot::Receiver<()>,
}

/// Prometheus remote write, if the plan asks for it.
pub fn remote_write(context: &OutputContext<'_>) -> MaybeOutput {
    let url = context.plan.output.remote_write.as_ref();
    push(
        context,
        "remote write",
        url,
        remote_write::HEADERS,
        |_, instance, native| Box::new(RemoteWrite::new(instance, native)),
    )
}

/// OTLP over HTTP, if the plan asks for it.
pub fn otlp(context: &OutputContext<'_>) -> MaybeOutput {
    let url = context.plan.output.otlp.as_ref();
    push(
        context,
        "OTLP",
        url,
        otlp::HEADERS,
        |run, instance, native| Box::new(Otlp::new(run, instance, native)),
    )
}

fn push(
    context: &OutputContext<'_>,
    name: &'static str,
    url: Option<&Url>,
    headers: &[(&str, &str)],
    encoder: fn(&str, String, bool) -> Box<dyn Encoder>,
) -> MaybeOutput {
    let Some(url) = url else { return Ok(None) };
    let (plan, output) = (context.plan, &context.plan.output);
    let own = headers
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()));
    let given = output.push_headers.0.iter().cloned();
    let poster = Poster::new(url.clone(), own.chain(given), plan.target.insecure);
    let poster = poster.map_err(OutputError::new)?;
    let about = RunInfo::of(plan);
    let encoder = encoder(&about.run, instance(&about), output.native_histograms);
    Ok(Some(Box::new(Push {
        name,
        waiting: Some(Pusher::new(
            encoder,
            about,
            poster,
            output.push_interval,
            context.clock,
        )),
        thread: None,
    })))
}

impl Output for Push {
    fn name(&self) -> &'static str {
        self.name
    }

    fn start(&mut self) -> Result<(), OutputError> {
        let Some(pusher) = self.waiting.take() else {
            return Ok(());
        };
        let failed = |error| OutputError(format!("{}: {error}", self.name));
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().map_err(failed)?;
        let (latest, snapshots) = watch::channel(None);
        let (done, over) = oneshot::channel();
        let work = move || {
            runtime.block_on(pusher.push(snapshots));
            let _ = done.send(());
        };
        thread::Builder::new()
            .name("push".into())
            .spawn(work)
            .map_err(failed)?;
        self.thread = Some(Thread { latest, over });
        Ok(())
    }

    /// Push this with the next tick.
    fn update(&mut self, update: &Update<'_>) {
        if let Some(thread) = &self.thread {
            thread
                .latest
                .send_replace(Some(Arc::clone(update.snapshot)));
        }
    }

    /// Push the last snapshot and the end of every series, as far as the receiver takes them within a few seconds.
    fn finish(self: Box<Self>, _result: Arc<RunResult>) -> Finish {
        Box::pin(async {
            if let Some(Thread { latest, over }) = self.thread {
                drop(latest);
                // A thread that is gone has nothing more to push.
                let _ = over.await;
            }
            Ok(())
        })
    }
}

/// What tells this process's series from those of other generators and of other runs.
fn instance(about: &RunInfo) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match host.trim() {
        "" => about.run.clone(),
        host => format!("{host}:{}", about.run),
    }
}
