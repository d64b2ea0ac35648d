//! One worker: an OS thread with its own runtime, pool, instances and recorder, which plays its share of the users.
//!
//! Users belong to one worker for life. The worker talks to the orchestrator a few times a second and never waits for it.

use std::rc::Rc;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::LocalOptions;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use crate::feeds::cursor::Stock;
use crate::journal::Writer;
use crate::rollout::rollouts::{Lineup, Mode};
use crate::teardown::tokens::Tokens;
use crate::vu::pool::Crew;
use crate::worker::state::{Floor, Part};
use vespeiro_behavior::Behavior;
use vespeiro_http::{Client, ClientError};
use vespeiro_metrics::{Catalog, Interval, Recorder};
use vespeiro_plan::Plan;

/// How often a worker hands over what it recorded.
const HAND_OVER: Duration = Duration::from_millis(250);
/// How often a worker looks whether its users are as many as the profile wants.
const TEND: Duration = Duration::from_millis(100);

/// What the orchestrator tells a worker.
#[derive(Debug)]
pub(crate) enum Order {
    /// An emptied interval, to be filled again.
    Recycle(Interval),
    /// Let no request leave, or let them go again.
    Pause(bool),
    /// Have so many users play on all workers together. Reports count by `turn` from now on.
    Users { users: u32, turn: u64 },
    /// Have others play an archetype's new sessions. Reports count by `turn` from now on: users may come back by it.
    TakeOver { lineup: Lineup, turn: u64 },
    /// No new requests: users who think end now, the others when their requests have.
    Stop,
    /// End now, whatever is under way.
    Halt,
}

/// What a worker tells the orchestrator.
#[derive(Debug)]
pub(crate) enum Report {
    Interval(Interval),
    /// All users of the worker have finished that it has had since this turn.
    Idle {
        worker: usize,
        turn: u64,
    },
    /// The worker was told to end, and has; `quarantined` are archetypes that were given up, `tokens` those of sessions
    /// that were cut.
    Finished {
        quarantined: Vec<u16>,
        tokens: Tokens,
    },
    /// The worker could not begin.
    Failed(ClientError),
}

/// All that a worker takes along.
pub(crate) struct Share {
    pub(crate) plan: Arc<Plan>,
    pub(crate) behaviors: Vec<Arc<Behavior>>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) journal: Writer,
    pub(crate) worker: usize,
    pub(crate) stock: Arc<Stock>,
    pub(crate) began: Instant,
    /// The run was asked to end before it began.
    pub(crate) stopped: bool,
    pub(crate) reports: mpsc::Sender<Report>,
    pub(crate) orders: mpsc::Receiver<Order>,
}

/// Start the thread. Its runtime runs nothing but tasks of this thread, so there is one queue for users and connections.
pub(crate) fn spawn(share: Share) -> std::io::Result<JoinHandle<()>> {
    let (begun, has_begun) = std::sync::mpsc::sync_channel(1);
    let thread = thread::Builder::new()
        .name(format!("worker-{}", share.worker))
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build_local(LocalOptions::default());
            match runtime {
                Ok(runtime) => {
                    let _ = begun.send(Ok(()));
                    runtime.block_on(work(share));
                }
                Err(error) => {
                    let _ = begun.send(Err(error));
                }
            }
        })?;
    has_begun.recv().map_err(std::io::Error::other)??;
    Ok(thread)
}

async fn work(share: Share) {
    let Share {
        plan,
        behaviors,
        catalog,
        journal,
        worker,
        stock,
        began,
        stopped,
        reports,
        mut orders,
    } = share;
    let client = match Client::new(&plan) {
        Ok(client) => client,
        Err(error) => {
            let _ = reports.send(Report::Failed(error)).await;
            return;
        }
    };
    let recorder = Recorder::new(Arc::clone(&catalog), worker).keeping(plan.output.slowest);
    let floor = Floor::new(
        plan,
        client,
        recorder,
        journal,
        &behaviors,
        &catalog,
        Part {
            worker,
            stock,
            began,
        },
    );
    let floor = Rc::new(floor);
    let mut crews: Vec<Crew> = (0..floor.lanes.len())
        .map(|lane| Crew::new(&floor, lane, worker, began))
        .collect();
    if stopped {
        floor.stop();
    } else {
        crews.iter_mut().for_each(|crew| crew.begin(&floor));
    }
    let mut turn = 0;
    // Whether the orchestrator knows that nobody plays, and whether it wants nobody to play again.
    let (mut told, mut over) = (false, stopped);
    // Two travel back and forth; a third is made only if the orchestrator falls behind.
    let mut spare = vec![Interval::new(&catalog)];
    let mut beat = interval_at(Instant::now() + HAND_OVER, HAND_OVER);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut tend = interval_at(Instant::now() + TEND, TEND);
    tend.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !over || floor.playing.get() > 0 {
        if !told && floor.playing.get() == 0 && !crews.iter().any(|crew| crew.awaits(&floor)) {
            told = reports.try_send(Report::Idle { worker, turn }).is_ok();
        }
        tokio::select! {
            due = beat.tick() => {
                floor.recorder.borrow_mut().lag(due.elapsed());
                // A busy orchestrator gets more the next time: the recorder goes on with what it has.
                if let Ok(permit) = reports.try_reserve() {
                    let empty = spare.pop().unwrap_or_else(|| Interval::new(&catalog));
                    permit.send(Report::Interval(floor.hand_over(empty)));
                }
            }
            _ = tend.tick(), if !over => {
                crews.iter_mut().for_each(|crew| crew.tend(&floor));
                floor.expire(false);
            }
            () = until(floor.next_arrival()) => {
                crews.iter_mut().for_each(|crew| crew.receive(&floor));
            }
            order = orders.recv() => match order {
                Some(Order::Recycle(interval)) => spare.push(interval),
                Some(Order::Pause(paused)) => floor.pause(paused),
                Some(Order::TakeOver { lineup, turn: next }) => {
                    floor.take_over(&lineup);
                    (turn, told) = (next, false);
                    if lineup.mode == Mode::Now {
                        crews.iter().for_each(|crew| crew.wake(lineup.archetype));
                    }
                    if !over {
                        crews.iter_mut().for_each(|crew| crew.readmit(&floor));
                    }
                }
                Some(Order::Users { .. }) if over => {}
                Some(Order::Users { users, turn: next }) => {
                    (turn, told) = (next, false);
                    crews.iter_mut().for_each(|crew| crew.ask(&floor, users));
                }
                Some(Order::Stop) => {
                    over = true;
                    floor.stop();
                    crews.iter().for_each(Crew::stop);
                }
                // Without an orchestrator there is nobody to play for.
                Some(Order::Halt) | None => {
                    over = true;
                    floor.stop();
                    crews.iter().for_each(Crew::halt);
                }
            },
            () = floor.news.notified() => {
                for (crew, lane) in crews.iter_mut().zip(&floor.lanes) {
                    crew.dismiss(&floor);
                    if lane.is_spent() {
                        crew.tend(&floor);
                    }
                }
            }
        }
    }
    floor.expire(true);
    let last = floor.hand_over(Interval::new(&catalog));
    let _ = reports.send(Report::Interval(last)).await;
    let quarantined = (0..floor.rooms.len() as u16)
        .filter(|a| floor.quarantined(*a))
        .collect();
    let tokens = floor.tokens.take();
    let finished = Report::Finished {
        quarantined,
        tokens,
    };
    let _ = reports.send(finished).await;
}

/// Wait until `deadline`, or for ever when there is none.
pub(crate) async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
