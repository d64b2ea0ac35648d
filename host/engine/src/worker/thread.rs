//! One worker: an OS thread with its own runtime, pool, instances and recorder, which plays its share of the users.
//!
//! Users belong to one worker for life. The worker talks to the orchestrator a few times a second and never waits for it.

use std::rc::Rc;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::LocalOptions;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use crate::feeds::cursor::FeedSet;
use crate::journal::Writer;
use crate::rollout::rollouts::{Mode, Rollout};
use crate::teardown::tokens::Tokens;
use crate::vu::pool::VuPool;
use crate::worker::quarantine::GivenUpCause;
use crate::worker::state::{WorkerPart, WorkerState};
use vespeiro_behavior::Behavior;
use vespeiro_http::{ClientError, Targets};
use vespeiro_metrics::{Catalog, Interval, Recorder};
use vespeiro_model::Clock;
use vespeiro_plan::Plan;

/// How often a worker hands over what it recorded: so many times in each second of the run that its ends are among them.
const HAND_OVER: Duration = Duration::from_millis(250);
/// How often a worker looks whether its users are as many as the profile wants.
const TEND: Duration = Duration::from_millis(100);

/// After so many of the former a worker looks how long its users will take. The look at each of them is not to cost much, so
/// that many users are looked at less often.
const LOOK_AHEAD: u64 = 4;
const LOOKED_AT: u64 = 10_000;

/// What the orchestrator tells a worker.
#[derive(Debug)]
pub(crate) enum WorkerCommand {
    /// An emptied interval, to be filled again.
    Recycle(Interval),
    /// Let no request leave, or let them go again.
    Pause(bool),
    /// Have so many users play on all workers of all shards together. Reports count by `generation` from now on.
    Users { users: u32, generation: u64 },
    /// Have others play an archetype's new sessions. Reports count by `generation` from now on: users may come back by it.
    TakeOver { rollout: Rollout, generation: u64 },
    /// No new requests: users who think end now, the others when their requests have.
    Stop,
    /// End now, whatever is under way.
    Halt,
}

/// What a worker tells the orchestrator.
#[derive(Debug)]
pub(crate) enum WorkerEvent {
    Interval(Interval),
    /// All users of the worker have finished that the run waits for and that it has had since this generation.
    Idle {
        worker_index: usize,
        generation: u64,
    },
    /// The worker was told to end, and has; `given_up` are archetypes whose users had to stop before, `tokens` those of sessions
    /// that were cut.
    Finished {
        worker_index: usize,
        given_up: Vec<(u16, GivenUpCause)>,
        tokens: Tokens,
    },
}

/// All that a worker takes along.
pub(crate) struct WorkerInit {
    pub(crate) plan: Arc<Plan>,
    pub(crate) behaviors: Vec<Arc<Behavior>>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) journal: Writer,
    pub(crate) worker_index: usize,
    pub(crate) feeds: Arc<FeedSet>,
    pub(crate) clock: Clock,
    /// The run was asked to end before it began.
    pub(crate) stopped: bool,
    /// Told once the worker could begin, or why it cannot.
    pub(crate) stands: oneshot::Sender<Result<(), ClientError>>,
    /// When the run begins: once all workers stand. Nobody plays before.
    pub(crate) begin: oneshot::Receiver<Instant>,
    pub(crate) events: mpsc::Sender<WorkerEvent>,
    pub(crate) commands: mpsc::Receiver<WorkerCommand>,
}

/// Threads of a worker that wait for the disk, where files are sent, and for names to be looked up.
const BLOCKING: usize = 16;

/// Start the thread. Its runtime runs nothing but tasks of this thread, so there is one queue for users and connections.
pub(crate) fn spawn(init: WorkerInit) -> std::io::Result<Option<JoinHandle<()>>> {
    let (begun, has_begun) = std::sync::mpsc::sync_channel(1);
    let thread = thread::Builder::new()
        .name(format!("worker-{}", init.worker_index))
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .max_blocking_threads(BLOCKING)
                .build_local(LocalOptions::default());
            match runtime {
                Ok(runtime) => {
                    let _ = begun.send(Ok(()));
                    runtime.block_on(work(init));
                }
                Err(error) => {
                    let _ = begun.send(Err(error));
                }
            }
        })?;
    has_begun.recv().map_err(std::io::Error::other)??;
    Ok(Some(thread))
}

/// A worker from its start to its end, on the thread that this is called on.
pub(crate) async fn work(init: WorkerInit) {
    let WorkerInit {
        plan,
        behaviors,
        catalog,
        journal,
        worker_index,
        feeds,
        clock,
        stopped,
        stands,
        begin,
        events,
        mut commands,
    } = init;
    let targets = match Targets::new(&plan, worker_index, clock) {
        Ok(targets) => targets,
        Err(error) => {
            let _ = stands.send(Err(error));
            return;
        }
    };
    let _ = stands.send(Ok(()));
    // Another worker may not stand: then there is no run.
    let Ok(began) = begin.await else { return };
    let recorder =
        Recorder::new(Arc::clone(&catalog), worker_index, clock).keeping(plan.output.slowest);
    let worker = WorkerState::new(
        plan,
        targets,
        recorder,
        journal,
        &behaviors,
        &catalog,
        WorkerPart {
            worker_index,
            feeds,
            began,
            clock,
            witness: None,
        },
    );
    let worker = Rc::new(worker);
    let mut pools: Vec<VuPool> = (0..worker.workloads.len())
        .map(|workload| VuPool::new(&worker, workload, began))
        .collect();
    if stopped {
        worker.stop();
    } else {
        pools.iter_mut().for_each(|pool| pool.begin(&worker));
    }
    let mut generation = 0;
    // Whether the orchestrator knows that there is nobody to wait for, and whether it wants nobody to play again.
    let (mut told, mut over) = (false, stopped);
    let mut beat = interval_at(began + HAND_OVER, HAND_OVER);
    beat.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut beats: u64 = 0;
    let mut tend = interval_at(clock.now() + TEND, TEND);
    tend.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !over || worker.playing.get() > 0 {
        if !told && worker.awaited.get() == 0 && !pools.iter().any(|pool| pool.awaits(&worker)) {
            told = events
                .try_send(WorkerEvent::Idle {
                    worker_index,
                    generation,
                })
                .is_ok();
        }
        tokio::select! {
            due = beat.tick() => {
                worker.recorder.borrow_mut().lag(clock.since(due));
                if beats.is_multiple_of(LOOK_AHEAD * (1 + worker.playing.get() as u64 / LOOKED_AT)) {
                    let remaining = pools.iter().filter_map(|pool| pool.remaining(&worker));
                    worker.remaining.set(remaining.max());
                }
                beats += 1;
                for _ in 0..worker.prepare_hand_over() {
                    // A busy orchestrator gets more the next time: the recorder keeps what it has.
                    let Ok(permit) = events.try_reserve() else { break };
                    permit.send(WorkerEvent::Interval(worker.hand_over()));
                }
            }
            _ = tend.tick(), if !over => {
                pools.iter_mut().for_each(|pool| pool.follow_profile(&worker));
                worker.expire(false);
            }
            () = until(worker.next_arrival()) => {
                pools.iter_mut().for_each(|pool| pool.release_arrivals(&worker));
            }
            command = commands.recv() => match command {
                Some(WorkerCommand::Recycle(interval)) => worker.recorder.borrow_mut().recycle(interval),
                Some(WorkerCommand::Pause(paused)) => worker.pause(paused),
                Some(WorkerCommand::TakeOver { rollout, generation: next }) => {
                    worker.take_over(&rollout);
                    (generation, told) = (next, false);
                    if rollout.mode == Mode::Now {
                        pools.iter().for_each(|pool| pool.wake(rollout.archetype));
                    }
                    if !over {
                        pools.iter_mut().for_each(|pool| pool.readmit(&worker));
                    }
                }
                Some(WorkerCommand::Users { .. }) if over => {}
                Some(WorkerCommand::Users { users, generation: next }) => {
                    (generation, told) = (next, false);
                    pools.iter_mut().for_each(|pool| pool.set_users(&worker, users));
                }
                Some(WorkerCommand::Stop) => {
                    over = true;
                    worker.stop();
                    pools.iter().for_each(VuPool::stop);
                }
                // Without an orchestrator there is nobody to play for.
                Some(WorkerCommand::Halt) | None => {
                    over = true;
                    worker.stop();
                    pools.iter().for_each(VuPool::halt);
                }
            },
            () = worker.news.notified() => {
                for (pool, workload) in pools.iter_mut().zip(&worker.workloads) {
                    pool.dismiss(&worker);
                    if workload.is_spent() {
                        pool.follow_profile(&worker);
                    }
                }
            }
        }
    }
    worker.expire(true);
    // The seconds that are over, and what there is of the last one.
    for _ in 0..=worker.prepare_hand_over() {
        let interval = WorkerEvent::Interval(worker.hand_over());
        let _ = events.send(interval).await;
    }
    let given_up = (0..worker.archetypes.len() as u16)
        .filter_map(|archetype| Some((archetype, worker.given_up(archetype)?)))
        .collect();
    let tokens = worker.tokens.take();
    let finished = WorkerEvent::Finished {
        worker_index,
        given_up,
        tokens,
    };
    let _ = events.send(finished).await;
}

/// Wait until `deadline`, or for ever when there is none.
pub(crate) async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
