//! Starts the workers, gathers what they record, tells watchers how the run stands, and ends it: when all budgets are
//! spent, when its duration is over, or when somebody asks.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::clock::Clock;
use super::control::{Control, ControlRequest, DesiredState};
use super::guard::{Guard, unmatched};
use super::signals::{StopLevel, Stopper};
use crate::feeds::cursor::FeedSet;
use crate::journal::{Journal, JournalError, ReadError};
use crate::rollout::labels::catalog;
use crate::rollout::rollouts::Rollouts;
use crate::state_log::StateLog;
use crate::teardown::tokens::Tokens;
use crate::vu::identity::{ArchetypePicker, budget, index};
use crate::worker::thread::{WorkerCommand, WorkerEvent, WorkerInit, spawn, until};
use crate::workload::arrivals::planned;
use vespeiro_behavior::Behavior;
use vespeiro_http::ClientError;
use vespeiro_metrics::{ArchetypeLoad, DesiredLoad, Interval, Snapshot, Totals, process};
use vespeiro_model::SwapResult;
use vespeiro_plan::{ArrivalKind, Plan, Profile, Workload};

/// How often watchers are told.
const BEAT: Duration = Duration::from_millis(500);
/// Room in the channels between the orchestrator and a worker.
const CHANNEL: usize = 8;

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// Every user spent its budget, or gave up.
    Finished,
    /// The plan's duration is over.
    Duration,
    /// It was asked to.
    Stopped,
    /// Its own guard stopped it; [`Snapshot::guard`] tells why.
    Aborted,
}

/// How a run ended.
#[derive(Debug)]
pub struct RunEnd {
    pub why: EndReason,
    pub snapshot: Snapshot,
    /// Archetypes that were given up because their behavior kept crashing.
    pub quarantined: Vec<String>,
    /// What cleanup has to log out.
    pub tokens: Tokens,
}

/// The run could not do its job.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("a worker cannot be started: {0}")]
    Worker(#[from] std::io::Error),
    #[error(
        "a worker ended without a report: this is a bug, please report it with the lines above"
    )]
    Lost,
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Unreadable(#[from] ReadError),
    /// The journal broke while the run went on.
    #[error("{0}: the run was ended, since what it creates could no longer be cleaned up")]
    JournalBroke(String),
}

/// Requests that a run of a plan makes altogether; `None` where its time alone bounds it.
pub fn requests_planned(plan: &Plan) -> Option<u64> {
    let workloads = plan.workloads();
    let of = |(at, workload): (usize, &Workload)| match &workload.profile {
        Profile::UserBudget { users } => {
            let who = ArchetypePicker::of(&plan.archetypes, &workload.archetypes);
            let budgets = (0..*users).zip(who).map(|(n, archetype)| {
                let index = index(workloads.len(), at, n);
                u64::from(budget(plan, &workload.profile, archetype, index))
            });
            Some(budgets.sum::<u64>())
        }
        Profile::SharedTotal { requests, .. } => Some(*requests),
        Profile::Rate { rate, pool } if pool.arrivals == ArrivalKind::Requests => {
            let lasts = workload.is_over_at(plan.load.duration);
            lasts.map(|lasts| planned(rate, lasts))
        }
        _ => None,
    };
    let each = workloads.iter().enumerate().map(of);
    each.sum()
}

/// What the plan's conditions ask for that these behaviors will never do, in one line.
pub fn unmatched_condition(plan: &Plan, behaviors: &[Arc<Behavior>]) -> Option<String> {
    unmatched(&plan.guard, &catalog(plan, behaviors))
}

/// Run a plan with one behavior per archetype, in the plan's order, and the rows of its feeds. What it creates is in
/// `journal`. `stopper` and `control` reach it while it goes on; `watch` sees its state twice a second.
pub async fn execute(
    plan: Arc<Plan>,
    behaviors: Vec<Arc<Behavior>>,
    stock: &Arc<FeedSet>,
    journal: &Journal,
    stopper: &Stopper,
    control: &Control,
    mut watch: impl FnMut(&Arc<Snapshot>),
) -> Result<RunEnd, RunError> {
    let catalog = catalog(&plan, &behaviors);
    let mut totals = Totals::new(Arc::clone(&catalog), plan.workers, process::sample())
        .keeping(plan.output.slowest);
    let (events, mut inbox) = mpsc::channel(CHANNEL * plan.workers);
    let began = Instant::now();
    let mut asked = stopper.watch();
    // While it waited for its start, or for its target.
    let stopped = *asked.borrow() != StopLevel::None;
    let workers = Workers::start(plan.workers, |worker_index, commands| {
        Ok(WorkerInit {
            plan: Arc::clone(&plan),
            behaviors: behaviors.clone(),
            catalog: Arc::clone(&catalog),
            journal: journal.writer()?,
            worker_index,
            stock: Arc::clone(stock),
            began,
            stopped,
            events: events.clone(),
            commands,
        })
    })?;
    drop(events);
    let clock = Clock::new(began);
    let workloads = plan.workloads();
    totals.desired(aim(&workloads, &clock, DesiredState::default()));
    let mut watch = |snapshot: Snapshot| {
        let snapshot = Arc::new(snapshot);
        control.show(&snapshot);
        watch(&snapshot);
    };
    watch(totals.snapshot(Duration::ZERO, process::sample()));

    let mut state_log = StateLog::default();
    let mut quarantined = Vec::new();
    let mut tokens = Tokens::default();
    let mut guard = Guard::new(&plan.guard, plan.load.ramp_up);
    let mut why = if stopped {
        EndReason::Stopped
    } else {
        EndReason::Finished
    };
    let mut ends = plan.load.duration.map(|duration| began + duration);
    let mut halts = None;
    let mut beat = tokio::time::interval_at(began + BEAT, BEAT);
    let mut control_requests = control.requests();
    let mut rollouts = Rollouts::new(catalog, &behaviors);
    let mut wishes = control.watch();
    let mut wish = DesiredState::default();
    // Workers that nobody plays on, since the last command that may have brought users back: that was the turn.
    let mut turn = 0;
    let mut idle = vec![false; plan.workers];
    let mut playing = plan.workers;
    while playing > 0 {
        tokio::select! {
            event = inbox.recv() => match event {
                Some(WorkerEvent::Interval(mut interval)) => {
                    totals.absorb(&mut interval);
                    workers.recycle(interval);
                    if rollouts.watches() {
                        for back in rollouts.review(&mut totals, Instant::now()) {
                            tracing::error!("{}", back.why);
                            control.tell(began.elapsed(), back.why, true);
                            turn += 1;
                            idle.fill(false);
                            let rollout = back.rollout;
                            workers.send(|| WorkerCommand::TakeOver { rollout: rollout.clone(), turn }).await;
                        }
                    }
                }
                Some(WorkerEvent::Idle { worker_index, turn: of }) => {
                    idle[worker_index] |= of == turn;
                    if idle.iter().all(|idle| *idle) {
                        workers.send(|| WorkerCommand::Stop).await;
                    }
                }
                Some(WorkerEvent::Finished { quarantined: given_up, tokens: left }) => {
                    quarantined.extend(given_up);
                    tokens.join(left);
                    playing -= 1;
                }
                Some(WorkerEvent::Failed(error)) => return Err(error.into()),
                None => return Err(RunError::Lost),
            },
            _ = beat.tick() => {
                totals.desired(aim(&workloads, &clock, wish));
                let mut snapshot = totals.snapshot(began.elapsed(), process::sample());
                // Once a run is ending, its figures are no longer those of its plan.
                let alarmed = why == EndReason::Finished && guard.look(&mut snapshot);
                guard.attend(&mut snapshot);
                if let (true, Some(alarm)) = (alarmed, &snapshot.guard.abort) {
                    tracing::error!("stopped by its own guard: {alarm}");
                    why = EndReason::Aborted;
                    totals.stopping();
                    (ends, halts) = (None, Some(Instant::now() + plan.load.grace));
                    workers.send(|| WorkerCommand::Stop).await;
                }
                state_log.tell(&snapshot);
                watch(snapshot);
                if journal.failure().is_some() {
                    workers.send(|| WorkerCommand::Halt).await;
                }
            }
            () = until(ends) => {
                (why, ends) = (EndReason::Duration, None);
                totals.stopping();
                halts.get_or_insert(Instant::now() + plan.load.grace);
                workers.send(|| WorkerCommand::Stop).await;
            }
            () = until(halts) => {
                halts = None;
                workers.send(|| WorkerCommand::Halt).await;
            }
            Some(request) = control_requests.recv() => match request {
                ControlRequest::Swap { archetype, behavior, share, mode, reply } => {
                    let (swapped, rollout) = rollouts.swap(&mut totals, archetype, behavior, share, mode);
                    if let Some(rollout) = rollout {
                        control.tell(began.elapsed(), swapped.to_string(), false);
                        turn += 1;
                        idle.fill(false);
                        workers.send(|| WorkerCommand::TakeOver { rollout: rollout.clone(), turn }).await;
                    }
                    // Whoever asked may have gone.
                    let _ = reply.send(swapped);
                }
                ControlRequest::Refused { archetype, why } => {
                    totals.swapped(archetype, SwapResult::Refused);
                    tracing::error!("{why}");
                    control.tell(began.elapsed(), why, true);
                }
            },
            Ok(()) = wishes.changed() => {
                let before = std::mem::replace(&mut wish, *wishes.borrow_and_update());
                if wish.paused != before.paused {
                    match wish.paused {
                        true => clock.pause(Instant::now()),
                        false => clock.resume(Instant::now()),
                    }
                    workers.send(|| WorkerCommand::Pause(wish.paused)).await;
                }
                if let (Some(users), true) = (wish.users, wish.turn != before.turn) {
                    turn += 1;
                    idle.fill(false);
                    workers.send(|| WorkerCommand::Users { users, turn }).await;
                }
            }
            Ok(()) = asked.changed() => {
                let level = *asked.borrow_and_update();
                totals.stopping();
                if why == EndReason::Finished {
                    why = EndReason::Stopped;
                }
                (ends, halts) = (None, Some(Instant::now() + plan.load.grace));
                let halt = level == StopLevel::Halt;
                workers.send(|| if halt { WorkerCommand::Halt } else { WorkerCommand::Stop }).await;
            }
        }
    }
    workers.join()?;
    if let Some(why) = journal.failure() {
        return Err(RunError::JournalBroke(why));
    }
    let mut snapshot = totals.snapshot(began.elapsed(), process::sample());
    guard.close(&mut snapshot);
    state_log.tell(&snapshot);
    quarantined.sort_unstable();
    quarantined.dedup();
    let name = |archetype: u16| plan.archetypes[usize::from(archetype)].name.clone();
    Ok(RunEnd {
        why,
        snapshot,
        quarantined: quarantined.into_iter().map(name).collect(),
        tokens,
    })
}

/// What is wanted of the run at this moment.
fn aim(workloads: &[Workload], clock: &Clock, wish: DesiredState) -> DesiredLoad {
    let time = clock.time(Instant::now());
    let mut aim = DesiredLoad {
        paused: wish.paused,
        ..DesiredLoad::default()
    };
    for workload in workloads {
        let (mut users, mut rate) = (
            workload.profile.users_at(time),
            workload.profile.rate_at(time),
        );
        if workload.ends.is_some_and(|ends| time >= ends) {
            (users, rate) = (0, rate.map(|_| 0.0));
        }
        match wish.users.filter(|_| workload.is_shared) {
            Some(asked) => users = asked,
            None if workload.is_shared => {}
            None => aim.archetypes.push(ArchetypeLoad {
                archetype: workload.archetypes[0],
                users,
                rate,
            }),
        }
        aim.users = aim.users.saturating_add(users);
        aim.rate = aim.rate.into_iter().chain(rate).reduce(|a, b| a + b);
    }
    aim
}

/// The workers' threads and the way to them.
struct Workers {
    threads: Vec<JoinHandle<()>>,
    commands: Vec<mpsc::Sender<WorkerCommand>>,
}

impl Workers {
    fn start(
        count: usize,
        init: impl Fn(usize, mpsc::Receiver<WorkerCommand>) -> Result<WorkerInit, RunError>,
    ) -> Result<Self, RunError> {
        let mut workers = Self {
            threads: Vec::new(),
            commands: Vec::new(),
        };
        for worker_index in 0..count {
            let (commands, inbox) = mpsc::channel(CHANNEL);
            workers.commands.push(commands);
            workers.threads.push(spawn(init(worker_index, inbox)?)?);
        }
        Ok(workers)
    }

    /// Send an emptied interval back; a worker that is gone, or has enough of them, does not need it.
    fn recycle(&self, interval: Interval) {
        if let Some(commands) = self.commands.get(interval.worker()) {
            let _ = commands.try_send(WorkerCommand::Recycle(interval));
        }
    }

    async fn send(&self, command: impl Fn() -> WorkerCommand) {
        for commands in &self.commands {
            // A worker that is gone has finished: it needs no command.
            let _ = commands.send(command()).await;
        }
    }

    fn join(self) -> Result<(), RunError> {
        for thread in self.threads {
            thread.join().map_err(|_| RunError::Lost)?;
        }
        Ok(())
    }
}
