//! Starts the workers, gathers what they record, tells watchers how the run stands, and ends it: when all budgets are
//! spent, when its duration is over, or when somebody asks.

mod together;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::control::{Control, ControlRequest, DesiredState};
use super::error::RunError;
use super::guard::{Guard, unmatched};
use super::lifecycle::{Command, EndReason, Lifecycle, LifecycleLimits, Signal};
use super::signals::{StopLevel, Stopper};
use crate::feeds::cursor::FeedSet;
use crate::journal::Journal;
use crate::rollout::labels::{catalog, undeclared};
use crate::rollout::rollouts::{Rollout, Rollouts};
use crate::sending_time::SendingTime;
use crate::shards::{Others, Outbox, ShardEvent};
use crate::stage_clock::StageClock;
use crate::state_log::StateLog;
use crate::teardown::tokens::Tokens;
use crate::worker::quarantine::GivenUpCause;
use crate::worker::thread::{WorkerCommand, WorkerEvent, WorkerInit, spawn, until};
use crate::worker::workers::{CHANNEL, Workers};
use vespeiro_behavior::Behavior;
use vespeiro_metrics::{ArchetypeLoad, Catalog, DesiredLoad, Snapshot, Totals, process};
use vespeiro_model::{Clock, SwapResult};
use vespeiro_plan::{Deal, Plan, Workload};

/// How often watchers are told what is no figure of a second: who plays, how the run goes on.
const SAMPLE: Duration = Duration::from_millis(500);

/// An archetype whose users stopped before the others, on one worker at least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenUp {
    pub archetype: String,
    pub cause: GivenUpCause,
}

/// How a run ended.
#[derive(Debug)]
pub struct RunEnd {
    pub why: EndReason,
    pub snapshot: Snapshot,
    /// Archetypes whose users stopped before the others.
    pub given_up: Vec<GivenUp>,
    /// What cleanup has to log out.
    pub tokens: Tokens,
    /// Why the journal could not be written any more, which ended the run.
    pub journal_failure: Option<String>,
    /// Shards that were lost, which ended the run; of shard 0, that one alone.
    pub lost: Vec<usize>,
}

/// What the plan's conditions ask for that these behaviors will never do, in one line.
pub fn unmatched_condition(plan: &Plan, behaviors: &[Arc<Behavior>]) -> Option<String> {
    let catalog = catalog(plan, behaviors);
    unmatched(&plan.guard, &catalog, plan.shared_profile())
}

/// The line for the first of the behaviors that has a route at a target which the plan does not declare.
pub fn undeclared_target(plan: &Plan, behaviors: &[Arc<Behavior>]) -> Option<String> {
    let mut all = behaviors.iter();
    all.find_map(|behavior| undeclared(plan, behavior))
}

/// What a run is made from.
#[derive(Debug)]
pub struct Run<'a> {
    pub plan: Arc<Plan>,
    /// One per archetype, in the plan's order.
    pub behaviors: Vec<Arc<Behavior>>,
    /// The rows of the plan's feeds.
    pub feeds: &'a Arc<FeedSet>,
    /// Where the run notes what it creates.
    pub journal: &'a Journal,
    /// These two reach the run while it goes on.
    pub stopper: &'a Stopper,
    pub control: &'a Control,
    pub clock: Clock,
    pub start: Option<CommonStart>,
    pub others: Others,
}

/// When a run begins that others begin with it.
#[derive(Debug)]
pub struct CommonStart {
    pub at: Instant,
    /// Told when it has begun.
    pub began: oneshot::Sender<Instant>,
}

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
                if self.rollouts.watches() {
                    for back in self.rollouts.review(&mut self.totals, self.clock.now()) {
                        tracing::error!("{}", back.why);
                        self.control.add_news(self.elapsed(), back.why, true);
                        self.publish(back.rollout).await;
                    }
                }
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

    /// Have the workers play an archetype's new sessions with these versions.
    async fn publish(&mut self, rollout: Rollout) {
        let generation = self.next_generation();
        let command = || WorkerCommand::TakeOver {
            rollout: rollout.clone(),
            generation,
        };
        self.workers.send(command).await;
    }

    async fn request(&mut self, request: ControlRequest) {
        match request {
            ControlRequest::Swap {
                archetype,
                behavior,
                share,
                mode,
                reply,
            } => {
                let swap = self.rollouts.swap(
                    &mut self.totals,
                    archetype,
                    behavior,
                    share,
                    mode,
                    self.clock.now(),
                );
                let (swapped, rollout) = swap;
                if let Some(rollout) = rollout {
                    self.control
                        .add_news(self.elapsed(), swapped.to_string(), false);
                    self.publish(rollout).await;
                }
                // Whoever asked may have gone.
                let _ = reply.send(swapped);
            }
            ControlRequest::Refused { archetype, why } => {
                self.totals.swapped(archetype, SwapResult::Refused);
                tracing::error!("{why}");
                self.control.add_news(self.elapsed(), why, true);
            }
        }
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

    /// Take in the seconds that all workers have handed in: judge each and show it.
    async fn complete(&mut self) {
        while let Some((second, snapshot)) = self.next_second() {
            // Shard 0 judges the figures of all.
            let judges = self.lifecycle.is_live() && !self.others.is_to_leader();
            // Once a run is ending, its figures are no longer those of its plan.
            if self.ending.is_none_or(|ending| second <= ending)
                && let Some(alarm) = self.guard.evaluate(&snapshot, judges)
            {
                tracing::error!("stopped by its own guard: {alarm}");
                self.signal(Signal::GuardTripped).await;
            }
            self.state_log.log_changes(&snapshot);
            self.broadcast(snapshot);
        }
        self.tell();
    }

    /// Add the next second to the totals. Nobody holds a snapshot of before, unless it is being looked at: else each second
    /// would copy all that the run has counted.
    fn next_second(&mut self) -> Option<(Duration, Snapshot)> {
        let control = self.control.clone();
        control.advance(|latest| {
            let now = self.elapsed();
            let second = self.totals.next_second(now, || drop(latest.take()))?;
            let snapshot = self.snapshot(second);
            let mut shown = snapshot.clone();
            self.guard.write_status(&mut shown);
            *latest = Some(Arc::new(shown));
            Some((second, snapshot))
        })
    }

    /// Show the state of the run to everybody who watches; its figures are those of the last second, but for a first glance.
    fn show(&mut self) {
        let mut snapshot = self.snapshot(self.totals.counted_until());
        let early = self.totals.early(self.elapsed(), snapshot.process);
        snapshot.early = early.map(Arc::new);
        self.broadcast(snapshot);
    }

    fn broadcast(&mut self, mut snapshot: Snapshot) {
        self.guard.write_status(&mut snapshot);
        let snapshot = Arc::new(snapshot);
        self.control.show(&snapshot);
        (self.watch)(&snapshot);
    }

    /// The state of the run, with what was counted up to `counted`.
    fn snapshot(&mut self, counted: Duration) -> Snapshot {
        self.totals.desired(self.aim());
        let process = process::sample(self.elapsed());
        let mut snapshot = self.totals.snapshot(counted, process);
        snapshot.sending = self.sending.until(counted);
        snapshot.stage = self.stages.at(
            self.plan.shared_profile(),
            counted,
            snapshot.sending,
            self.lifecycle.is_live(),
        );
        snapshot
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

    /// What is wanted of this shard's part of the run at this moment.
    fn aim(&self) -> DesiredLoad {
        let time = self.lifecycle.clock().time(self.clock.now());
        let mut aim = DesiredLoad {
            paused: self.desired.paused,
            ..DesiredLoad::default()
        };
        let own = self.plan.shown.whole();
        for (workload, deal) in &self.workloads {
            let is_over = workload.ends.is_some_and(|ends| time >= ends);
            let asked = self.desired.users.filter(|_| workload.is_shared);
            let users = match asked {
                None if is_over => 0,
                None => workload.profile.users_at(time),
                Some(asked) => asked,
            };
            let users = deal.share(users, own.part()) as u32;
            let rate = workload.profile.rate_at(time).map(|rate| {
                let most = workload.profile.most_users();
                let part = deal.share_of_arrivals(most, own).filter(|_| !is_over);
                part.map_or(0.0, |part| rate / part.step as f64)
            });
            if !workload.is_shared {
                aim.archetypes.push(ArchetypeLoad {
                    archetype: workload.archetypes[0],
                    users,
                    rate,
                });
            }
            aim.users = aim.users.saturating_add(users);
            aim.rate = aim.rate.into_iter().chain(rate).reduce(|a, b| a + b);
        }
        aim
    }
}
