//! Starts the workers, gathers what they record, tells watchers how the run stands, and ends it: when all budgets are
//! spent, when its duration is over, or when somebody asks.

mod figures;
mod run;
mod swapping;
mod together;

pub use run::{CommonStart, GivenUp, Run, RunEnd, undeclared_target, unmatched_condition};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::control::{Control, DesiredState};
use super::error::RunError;
use super::guard::Guard;
use super::lifecycle::{Command, Lifecycle, LifecycleLimits, Signal};
use super::signals::StopLevel;
use crate::rollout::labels::catalog;
use crate::rollout::rollouts::Rollouts;
use crate::rollout::steps::Steps;
use crate::sending_time::SendingTime;
use crate::shards::{Outbox, ShardEvent};
use crate::stage_clock::StageClock;
use crate::state_log::StateLog;
use crate::teardown::tokens::Tokens;
use crate::worker::quarantine::GivenUpCause;
use crate::worker::thread::{WorkerCommand, WorkerEvent, WorkerInit, spawn, until};
use crate::worker::workers::{CHANNEL, Workers};
use swapping::SwapUnderWay;
use vespeiro_behavior::Behavior;
use vespeiro_metrics::{Catalog, Snapshot, Totals, process};
use vespeiro_model::Clock;
use vespeiro_plan::{Deal, Plan, Workload};

/// How often watchers are told what is no figure of a second: who plays, how the run goes on.
const SAMPLE: Duration = Duration::from_millis(500);

/// Run a plan to its end. `watch` sees its state twice a second, and each second of its figures.
pub async fn execute(run: Run<'_>, watch: impl FnMut(&Arc<Snapshot>)) -> Result<RunEnd, RunError> {
    execute_on(spawn, run, watch).await
}

/// The same, with the workers where `spawn` has them play.
pub(crate) async fn execute_on(
    spawn: impl Fn(WorkerInit) -> std::io::Result<Option<JoinHandle<()>>>,
    run: Run<'_>,
    watch: impl FnMut(&Arc<Snapshot>),
) -> Result<RunEnd, RunError> {
    let Run {
        plan,
        behaviors,
        feeds,
        journal,
        stopper,
        control,
        clock,
        start,
        others,
    } = run;
    let catalog = catalog(&plan, &behaviors);
    let (events, mut inbox) = mpsc::channel(CHANNEL * plan.workers);
    let mut asked = stopper.watch();
    // While it waited for its start, or for its target.
    let stopped = *asked.borrow() != StopLevel::None;
    let at = start.as_ref().map(|start| start.at);
    let workers = Workers::start(plan.workers, clock, at, spawn, |worker_index, gate| {
        Ok(WorkerInit {
            plan: Arc::clone(&plan),
            behaviors: behaviors.clone(),
            catalog: Arc::clone(&catalog),
            journal: journal.writer(),
            worker_index,
            feeds: Arc::clone(feeds),
            clock,
            stopped,
            stands: gate.stands,
            begin: gate.begin,
            events: events.clone(),
            commands: gate.commands,
        })
    });
    let (workers, began) = workers.await?;
    drop(events);
    if let Some(start) = start {
        let _ = start.began.send(began);
    }
    let followers = others.followers().to_vec();
    let (mut others, outbox) = others.open();
    let mut run = Orchestrator::new(
        &plan,
        catalog,
        &behaviors,
        (clock, began),
        workers,
        (control, &followers, outbox),
        watch,
    );
    run.show();
    run.signal(Signal::Begin).await;
    let mut sample = tokio::time::interval_at(began + SAMPLE, SAMPLE);
    let mut control_requests = control.requests();
    let mut desired = control.watch();
    while !run.lifecycle.has_ended() {
        tokio::select! {
            event = inbox.recv(), if run.own_workers() > 0 => run.event(event.ok_or(RunError::Lost)?).await,
            _ = sample.tick() => {
                run.forget_swap();
                run.complete().await;
                run.show();
                if journal.failure().is_some() {
                    run.signal(Signal::JournalBroke).await;
                }
            }
            () = until(run.lifecycle.deadline()) => run.signal(Signal::Deadline).await,
            message = others.next() => run.hear(message).await,
            Some(request) = control_requests.recv() => run.request(request).await,
            Ok(()) = desired.changed() => {
                let next = *desired.borrow_and_update();
                run.desire(next).await;
            }
            Ok(()) = asked.changed() => {
                let level = *asked.borrow_and_update();
                run.signal(Signal::Asked(level)).await;
            }
        }
    }
    run.complete().await;
    let ended = run.close()?;
    Ok(RunEnd {
        journal_failure: journal.failure(),
        ..ended
    })
}

/// A run that goes on: what has been measured, who plays, and where it is in its life.
struct Orchestrator<'a, W> {
    plan: &'a Plan,
    /// Each with which of its users play where.
    workloads: Vec<(Workload, Deal)>,
    clock: Clock,
    began: Instant,
    lifecycle: Lifecycle,
    sending: SendingTime,
    stages: StageClock,
    /// When it began to end, since its start.
    ending: Option<Duration>,
    workers: Workers,
    totals: Totals,
    guard: Guard,
    rollouts: Rollouts,
    control: &'a Control,
    desired: DesiredState,
    state_log: StateLog,
    given_up: BTreeMap<u16, GivenUpCause>,
    tokens: Tokens,
    /// Counts the commands that may have brought users back.
    generation: u64,
    /// Workers that nobody plays on since the last of them.
    idle: Vec<bool>,
    /// Workers that have not ended, and other shards.
    playing: usize,
    /// The way to the other shards.
    others: Outbox,
    /// The generation of the last orders from shard 0.
    ordered: u64,
    /// What they are to do to their behaviors, and the swap that waits for that.
    steps: Steps,
    swapping: Option<SwapUnderWay>,
    /// Shards that follow this one and have told all, or nothing for too long.
    ended_shards: BTreeSet<usize>,
    lost: Vec<usize>,
    watch: W,
}

impl<'a, W: FnMut(&Arc<Snapshot>)> Orchestrator<'a, W> {
    fn new(
        plan: &'a Plan,
        catalog: Arc<Catalog>,
        behaviors: &[Arc<Behavior>],
        (clock, began): (Clock, Instant),
        workers: Workers,
        (control, followers, others): (&'a Control, &[usize], Outbox),
        watch: W,
    ) -> Self {
        let limits = LifecycleLimits {
            duration: plan.load.limit,
            profile: plan.profiles_end(),
            grace: plan.load.grace,
        };
        let totals = Totals::new(
            Arc::clone(&catalog),
            plan.workers,
            process::sample(Duration::ZERO),
            clock,
        );
        let totals = match others.is_to_leader() {
            true => totals.telling(),
            false => totals.with_shards(followers),
        };
        let hands = plan.workers + followers.len();
        let workloads = plan.workloads().into_iter().map(|workload| {
            let deal = Deal::new(&plan.archetypes, &workload.archetypes);
            (workload, deal)
        });
        Self {
            plan,
            workloads: workloads.collect(),
            clock,
            began,
            lifecycle: Lifecycle::new(began, limits),
            sending: SendingTime::new(),
            stages: StageClock::default(),
            ending: None,
            workers,
            totals: totals.keeping(plan.output.slowest),
            guard: Guard::new(&plan.guard, plan.load.ramp_up),
            rollouts: Rollouts::new(catalog, behaviors),
            control,
            desired: DesiredState::default(),
            state_log: StateLog::default(),
            given_up: BTreeMap::new(),
            tokens: Tokens::default(),
            generation: 0,
            idle: vec![false; hands],
            playing: hands,
            others,
            ordered: 0,
            steps: Steps::of(followers.len()),
            swapping: None,
            ended_shards: BTreeSet::new(),
            lost: Vec::new(),
            watch,
        }
    }

    /// Tell the lifecycle, and the workers what follows from it.
    async fn signal(&mut self, signal: Signal) {
        let now = self.clock.now();
        let command = self.lifecycle.on(now, signal);
        let at = now.saturating_duration_since(self.began);
        self.sending.set(at, self.lifecycle.is_sending());
        if !self.lifecycle.is_live() {
            self.ending.get_or_insert(at);
        }
        if self.lifecycle.is_stopping() {
            self.totals.stopping();
        }
        if let Some(command) = command {
            let why = self.lifecycle.reason();
            self.others.order(|orders| match command {
                Command::Pause => orders.paused = true,
                Command::Resume => orders.paused = false,
                Command::Stop => orders.end = Some(why),
                Command::Halt => {
                    orders.end.get_or_insert(why);
                    orders.halt = true;
                }
            });
        }
        match command {
            Some(Command::Pause) => self.workers.send(|| WorkerCommand::Pause(true)).await,
            Some(Command::Resume) => self.workers.send(|| WorkerCommand::Pause(false)).await,
            Some(Command::Stop) => self.workers.send(|| WorkerCommand::Stop).await,
            Some(Command::Halt) => self.workers.send(|| WorkerCommand::Halt).await,
            None => {}
        }
    }

    async fn event(&mut self, event: WorkerEvent) {
        match event {
            WorkerEvent::Interval(mut interval) => {
                self.totals.take_in(&mut interval);
                self.workers.recycle(interval);
                self.review_swaps().await;
                self.complete().await;
            }
            WorkerEvent::Idle {
                worker_index,
                generation,
            } => {
                self.idle[worker_index] |= generation == self.generation;
                if self.idle.iter().all(|idle| *idle) {
                    match self.others.is_to_leader() {
                        // It may want more users here still.
                        true => self.others.tell(ShardEvent::Idle {
                            generation: self.ordered,
                        }),
                        false => self.signal(Signal::Idle).await,
                    }
                }
            }
            WorkerEvent::Finished {
                worker_index,
                given_up,
                tokens,
            } => {
                self.totals.worker_ended(worker_index);
                self.given_up.extend(given_up);
                self.tokens.join(tokens);
                self.playing -= 1;
                if self.playing == 0 {
                    self.signal(Signal::Finished).await;
                }
            }
        }
    }

    /// Users may come back by the next command: whoever was idle before may not be any more.
    fn next_generation(&mut self) -> u64 {
        self.generation += 1;
        self.idle.fill(false);
        self.generation
    }

    /// Somebody steers the run.
    async fn desire(&mut self, next: DesiredState) {
        let before = std::mem::replace(&mut self.desired, next);
        match (before.paused, next.paused) {
            (false, true) => self.signal(Signal::Pause).await,
            (true, false) => self.signal(Signal::Resume).await,
            _ => {}
        }
        if let (Some(users), true) = (next.users, next.turn != before.turn) {
            let generation = self.next_generation();
            self.others.order(|orders| {
                orders.users = Some(users);
                orders.generation = generation;
            });
            self.workers
                .send(|| WorkerCommand::Users { users, generation })
                .await;
        }
    }

    /// Time since the start of the run.
    fn elapsed(&self) -> Duration {
        self.clock.since(self.began)
    }

    fn close(mut self) -> Result<RunEnd, RunError> {
        self.workers.join()?;
        self.totals.close();
        self.tell();
        self.others.tell(ShardEvent::Finished {
            why: self.lifecycle.reason(),
            given_up: self
                .given_up
                .iter()
                .map(|(who, why)| (*who, *why))
                .collect(),
        });
        let mut snapshot = self.snapshot(self.elapsed());
        self.guard.close(&mut snapshot);
        self.state_log.log_changes(&snapshot);
        let given_up = self.given_up.into_iter().map(|(archetype, cause)| GivenUp {
            archetype: self.plan.archetypes[usize::from(archetype)].name.clone(),
            cause,
        });
        Ok(RunEnd {
            why: self.lifecycle.reason(),
            snapshot,
            given_up: given_up.collect(),
            tokens: self.tokens,
            journal_failure: None,
            lost: self.lost,
        })
    }
}
