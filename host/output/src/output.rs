//! The one way out for a run's results: an [`Output`] shows or writes them, and [`Outputs`] drives all that a plan asks
//! for from the run's snapshots. The command line makes the set; each output has a file of its own.
//!
//! What must stay true: no output holds up the run, and one that fails costs itself alone.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde::Serialize;
use tokio::sync::oneshot;

use crate::{Console, RunShape};
use vespeiro_metrics::Snapshot;
use vespeiro_model::Clock;
use vespeiro_plan::Plan;
use vespeiro_summary::{SampledInterval, Sampler, Summary, Timeline, TimelineRecorder};

/// The most time that any output gets. Each has a shorter limit of its own.
const LIMIT: Duration = Duration::from_secs(90);

/// What an output could not do, in one line that names it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OutputError(pub String);

impl OutputError {
    pub fn new(error: impl ToString) -> OutputError {
        OutputError(error.to_string())
    }
}

/// What every output is made from.
#[derive(Debug)]
pub struct OutputContext<'a> {
    pub plan: &'a Arc<Plan>,
    pub shape: RunShape,
    pub console: &'a Console,
    pub clock: Clock,
}

/// Something that shows or writes a run's results. The function that makes one also checks
/// what can be checked before the run.
pub trait Output: Send {
    /// As messages call it.
    fn name(&self) -> &'static str;

    /// The load begins.
    fn start(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    /// Take in the state of the run. Called about twice a second; must return at once.
    fn update(&mut self, _update: &Update<'_>) {}

    /// Whether it ends after all others, so that its text stands below their errors.
    fn is_last(&self) -> bool {
        false
    }

    /// The run is over. Must end by itself, whatever its peer does.
    fn finish(self: Box<Self>, result: Arc<RunResult>) -> Finish;
}

/// What [`Output::finish`] returns.
pub type Finish = Pin<Box<dyn Future<Output = Result<(), OutputError>> + Send>>;
/// An output, if the plan asks for it.
pub type MaybeOutput = Result<Option<Box<dyn Output>>, OutputError>;

/// The state of a run at one instant.
#[derive(Debug)]
pub struct Update<'a> {
    pub snapshot: &'a Arc<Snapshot>,
    /// The second that ended with this snapshot, if one did.
    pub interval: Option<&'a SampledInterval<'a>>,
    /// The latest swaps, oldest first.
    pub swaps: &'a [SwapEvent],
    pub phase: Phase,
}

/// A message about a swap.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SwapEvent {
    /// Since the start of the run.
    pub elapsed_seconds: f64,
    pub text: String,
    /// The swap failed, or was rolled back.
    #[serde(rename = "bad")]
    pub failed: bool,
}

/// Where a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Running,
    Paused,
    Stopping,
    Cleanup,
    Done(End),
}

impl Phase {
    /// As the snapshot of a run that goes on has it.
    pub fn of(snapshot: &Snapshot) -> Phase {
        match (snapshot.stopping, snapshot.desired.paused) {
            (true, _) => Phase::Stopping,
            (false, true) => Phase::Paused,
            (false, false) => Phase::Running,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Running => "running",
            Phase::Paused => "paused",
            Phase::Stopping => "stopping",
            Phase::Cleanup => "cleanup",
            Phase::Done(_) => "done",
        }
    }
}

/// Why a run is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// Every user is done.
    Finished,
    /// Its time is over.
    Duration,
    /// Somebody stopped it.
    Stopped,
    /// Its own guard stopped it.
    Aborted,
    /// It could not do its job.
    Failed,
}

/// How a run ended.
#[derive(Debug)]
pub struct RunResult {
    pub end: End,
    /// The last state; `None` of a run that broke.
    pub snapshot: Option<Arc<Snapshot>>,
    /// `None` of a run that broke.
    pub summary: Option<Summary>,
}

/// All outputs of a run.
pub struct Outputs {
    all: Vec<Box<dyn Output>>,
    sampler: Sampler,
    recording: TimelineRecorder,
    failures: Vec<OutputError>,
}

impl std::fmt::Debug for Outputs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.all.iter().map(|output| output.name());
        f.debug_list().entries(names).finish()
    }
}

impl Outputs {
    pub fn new(plan: &Plan, all: impl IntoIterator<Item = Option<Box<dyn Output>>>) -> Outputs {
        Outputs {
            all: all.into_iter().flatten().collect(),
            sampler: Sampler::default(),
            recording: TimelineRecorder::of(plan),
            failures: Vec::new(),
        }
    }

    /// The load begins.
    pub fn start(&mut self) {
        let failures = &mut self.failures;
        self.all.retain_mut(|output| match output.start() {
            Ok(()) => true,
            Err(error) => {
                failures.push(error);
                false
            }
        });
    }

    /// Show the state of the run. Call it a few times a second.
    pub fn update(&mut self, snapshot: &Arc<Snapshot>, swaps: &[SwapEvent]) {
        let interval = self.sampler.update(snapshot);
        self.show(snapshot, interval, swaps, Phase::of(snapshot));
    }

    /// The load is over and its cleanup begins. Returns the run over time.
    pub fn load_ended(&mut self, snapshot: &Arc<Snapshot>, swaps: &[SwapEvent]) -> Timeline {
        let interval = self.sampler.update(snapshot);
        self.show(snapshot, interval, swaps, Phase::Cleanup);
        std::mem::take(&mut self.recording).finish(snapshot)
    }

    fn show(
        &mut self,
        snapshot: &Arc<Snapshot>,
        interval: Option<SampledInterval<'_>>,
        swaps: &[SwapEvent],
        phase: Phase,
    ) {
        if phase != Phase::Cleanup {
            self.recording.watch(snapshot);
        }
        if let Some(interval) = &interval {
            self.recording.add(interval);
        }
        let update = Update {
            snapshot,
            interval: interval.as_ref(),
            swaps,
            phase,
        };
        for output in &mut self.all {
            output.update(&update);
        }
    }

    /// The run is over: finish all outputs at the same time. Returns what failed.
    pub async fn finish(self, result: RunResult) -> Vec<OutputError> {
        let result = Arc::new(result);
        let (last, first): (Vec<_>, Vec<_>) =
            self.all.into_iter().partition(|output| output.is_last());
        let mut failures = self.failures;
        for stage in [first, last] {
            let each = stage.into_iter().map(|output| {
                let name = output.name();
                let finished = tokio::time::timeout(LIMIT, output.finish(Arc::clone(&result)));
                async move {
                    let late = || OutputError(format!("the {name} did not end in {LIMIT:?}"));
                    finished.await.unwrap_or_else(|_| Err(late()))
                }
            });
            failures.extend(join_all(each).await.into_iter().filter_map(Result::err));
        }
        failures
    }
}

/// Run blocking work on its own thread. `None` when it has not ended within `limit`; the thread is then left alone.
pub async fn on_thread<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> std::io::Result<Option<T>> {
    let (done, result) = oneshot::channel();
    std::thread::Builder::new()
        .name("output".into())
        .spawn(move || {
            // Nobody waits for it any more.
            let _ = done.send(work());
        })?;
    Ok(tokio::time::timeout(limit, result)
        .await
        .ok()
        .and_then(Result::ok))
}
