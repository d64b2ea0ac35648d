//! Metrics on their way to receivers: remote write and OTLP, pushed while the run goes on, or later from its summary. While
//! it goes on, each receiver has a thread of its own: however slow or gone, it holds up neither a worker nor the end of a
//! run. [`crate::dashboard`] shows the same metrics in Grafana.

mod ended;
mod otlp;
mod pusher;
mod remote_write;

use std::sync::Arc;
use std::thread;

use tokio::sync::{oneshot, watch};
use url::Url;

pub use self::ended::EndedError;
use self::otlp::Otlp;
use self::pusher::{Encoder, Pusher};
use self::remote_write::RemoteWrite;
use crate::output::{Finish, MaybeOutput, Output, OutputContext, OutputError, RunResult, Update};
use vespeiro_http::{ClientError, PostError, Poster};
use vespeiro_metrics::{RunInfo, Snapshot};
use vespeiro_plan::{Headers, Plan};
use vespeiro_resilience::Backoff;
use vespeiro_summary::Summary;

/// Posts of the same bytes to a receiver that does not take them: 250 ms to 4 s apart.
const TRIES: u32 = 6;

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
    let poster = poster(url, headers, &output.push_headers, plan.target.insecure);
    let poster = poster.map_err(OutputError::new)?;
    let about = RunInfo::of(plan);
    let encoder = encoder(&about.run, instance(plan), output.native_histograms);
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

/// Where and how a run that has ended is pushed to.
#[derive(Debug)]
pub struct Receiver<'a> {
    pub url: &'a Url,
    pub protocol: Protocol,
    pub headers: &'a Headers,
    /// Any certificate will do.
    pub insecure: bool,
    /// Exponential histograms instead of ones with fixed buckets.
    pub native: bool,
}

/// How metrics are pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    RemoteWrite,
    Otlp,
}

/// Why a run that has ended was not pushed.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    #[error("{0}")]
    Summary(#[from] EndedError),
    #[error("{0}")]
    Receiver(#[from] ClientError),
    /// After so many posts that were taken.
    #[error("{cause}; {taken} of {posts} posts were taken")]
    NotTaken {
        taken: usize,
        posts: usize,
        cause: PostError,
    },
}

/// Push the run of a summary, with its own time. A receiver that is busy or away is asked again for 8 s, or as often as it says.
pub async fn ended(summary: &Summary, receiver: &Receiver<'_>) -> Result<(), PushError> {
    // The file does not say where the run was made.
    let run = &summary.run;
    let shard = run
        .shard
        .map(|of| format!(":{}-of-{}", of.index, of.shards));
    let instance = run.id.clone() + &shard.unwrap_or_default();
    let (mut encoder, headers): (Box<dyn Encoder>, _) = match receiver.protocol {
        Protocol::RemoteWrite => {
            let encoder = RemoteWrite::new(instance, receiver.native);
            (Box::new(encoder), remote_write::HEADERS)
        }
        Protocol::Otlp => {
            let encoder = Otlp::new(&summary.run.id, instance, receiver.native);
            (Box::new(encoder), otlp::HEADERS)
        }
    };
    let poster = poster(receiver.url, headers, receiver.headers, receiver.insecure)?;
    let mut bodies = Vec::new();
    ended::frames(summary, |frame| bodies.extend(encoder.encode(frame)))?;
    bodies.extend(encoder.end_series());
    let posts = bodies.len();
    for (taken, body) in bodies.into_iter().enumerate() {
        let posted = post(&poster, body).await;
        posted.map_err(|cause| PushError::NotTaken {
            taken,
            posts,
            cause,
        })?;
    }
    Ok(())
}

/// Post until it is taken or refused, or was tried often enough.
async fn post(poster: &Poster, body: Vec<u8>) -> Result<(), PostError> {
    for failures in 1..TRIES {
        let wait = match poster.post(body.clone()).await {
            Err(PostError::Busy { wait, .. }) => wait,
            Err(PostError::Unreached(_)) => None,
            done => return done,
        };
        let wait = wait.unwrap_or_else(|| Backoff::RECEIVER.wait(failures, 1.0));
        tokio::time::sleep(wait.min(Backoff::RECEIVER.cap)).await;
    }
    poster.post(body).await
}

fn poster(
    url: &Url,
    own: &[(&str, &str)],
    given: &Headers,
    insecure: bool,
) -> Result<Poster, ClientError> {
    let own = own
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()));
    Poster::new(url.clone(), own.chain(given.0.iter().cloned()), insecure)
}

/// What tells this process's series from those of other generators and of other runs.
fn instance(plan: &Plan) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let shard = (!plan.shown.is_alone()).then(|| plan.shown.word());
    let parts = [host.trim(), &plan.run_id, shard.as_deref().unwrap_or("")];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(":")
}
