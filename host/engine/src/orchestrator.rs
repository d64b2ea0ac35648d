//! Starts the workers, gathers what they record, tells watchers how the run stands, and ends it: when all budgets are
//! spent, when its duration is over, or when somebody asks.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::clock::Clock;
use super::control::{Call, Control, Wish};
use super::guard::{Guard, unmatched};
use super::signals::{StopLevel, Stopper};
use crate::feeds::cursor::Stock;
use crate::journal::{Journal, JournalError, ReadError};
use crate::rollout::labels::catalog;
use crate::rollout::rollouts::Stage;
use crate::state_log::Notices;
use crate::teardown::tokens::Tokens;
use crate::vu::identity::{Casting, budget, index};
use crate::worker::thread::{Order, Report, Share, spawn, until};
use crate::workload::arrivals::planned;
use vespeiro_behavior::Behavior;
use vespeiro_http::ClientError;
use vespeiro_metrics::{Aim, Interval, OwnAim, Snapshot, Totals, process};
use vespeiro_model::SwapResult;
use vespeiro_plan::{Arrivals, Lane, Plan, Profile};

/// How often watchers are told.
const BEAT: Duration = Duration::from_millis(500);
/// Room in the channels between the orchestrator and a worker.
const CHANNEL: usize = 8;

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Every user spent its budget, or gave up.
    Finished,
    /// The plan's duration is over.
    Duration,
    /// It was asked to.
    Stopped,
    /// Its own guard stopped it; [`Snapshot::watch`] tells why.
    Aborted,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    pub why: Why,
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
    let lanes = plan.lanes();
    let of = |(at, lane): (usize, &Lane)| match &lane.profile {
        Profile::UserBudget { users } => {
            let who = Casting::of(&plan.archetypes, &lane.archetypes);
            let budgets = (0..*users).zip(who).map(|(n, archetype)| {
                let index = index(lanes.len(), at, n);
                u64::from(budget(plan, &lane.profile, archetype, index))
            });
            Some(budgets.sum::<u64>())
        }
        Profile::SharedTotal { requests, .. } => Some(*requests),
        Profile::Rate { rate, pool } if pool.arrivals == Arrivals::Requests => {
            let lasts = lane.is_over_at(plan.load.duration);
            lasts.map(|lasts| planned(rate, lasts))
        }
        _ => None,
    };
    let each = lanes.iter().enumerate().map(of);
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
    stock: &Arc<Stock>,
    journal: &Journal,
    stopper: &Stopper,
    control: &Control,
    mut watch: impl FnMut(&Arc<Snapshot>),
) -> Result<Ended, RunError> {
    let catalog = catalog(&plan, &behaviors);
    let mut totals = Totals::new(Arc::clone(&catalog), plan.workers, process::sample())
        .keeping(plan.output.slowest);
    let (reports, mut inbox) = mpsc::channel(CHANNEL * plan.workers);
    let began = Instant::now();
    let mut asked = stopper.watch();
    // While it waited for its start, or for its target.
    let stopped = *asked.borrow() != StopLevel::None;
    let crew = Crew::start(plan.workers, |worker, orders| {
        Ok(Share {
            plan: Arc::clone(&plan),
            behaviors: behaviors.clone(),
            catalog: Arc::clone(&catalog),
            journal: journal.writer()?,
            worker,
            stock: Arc::clone(stock),
            began,
            stopped,
            reports: reports.clone(),
            orders,
        })
    })?;
    drop(reports);
    let clock = Clock::new(began);
    let lanes = plan.lanes();
    totals.aim(aim(&lanes, &clock, Wish::default()));
    let mut watch = |snapshot: Snapshot| {
        let snapshot = Arc::new(snapshot);
        control.show(&snapshot);
        watch(&snapshot);
    };
    watch(totals.snapshot(Duration::ZERO, process::sample()));

    let mut notices = Notices::default();
    let mut quarantined = Vec::new();
    let mut tokens = Tokens::default();
    let mut guard = Guard::new(&plan.guard, plan.load.ramp_up);
    let mut why = if stopped { Why::Stopped } else { Why::Finished };
    let mut ends = plan.load.duration.map(|duration| began + duration);
    let mut halts = None;
    let mut beat = tokio::time::interval_at(began + BEAT, BEAT);
    let mut calls = control.calls();
    let mut stage = Stage::new(catalog, &behaviors);
    let mut wishes = control.watch();
    let mut wish = Wish::default();
    // Workers that nobody plays on, since the last order that may have brought users back: that was the turn.
    let mut turn = 0;
    let mut idle = vec![false; plan.workers];
    let mut playing = plan.workers;
    while playing > 0 {
        tokio::select! {
            report = inbox.recv() => match report {
                Some(Report::Interval(mut interval)) => {
                    totals.absorb(&mut interval);
                    crew.recycle(interval);
                    if stage.watches() {
                        for back in stage.review(&mut totals, Instant::now()) {
                            tracing::error!("{}", back.why);
                            control.tell(began.elapsed(), back.why, true);
                            turn += 1;
                            idle.fill(false);
                            let lineup = back.lineup;
                            crew.order(|| Order::TakeOver { lineup: lineup.clone(), turn }).await;
                        }
                    }
                }
                Some(Report::Idle { worker, turn: of }) => {
                    idle[worker] |= of == turn;
                    if idle.iter().all(|idle| *idle) {
                        crew.order(|| Order::Stop).await;
                    }
                }
                Some(Report::Finished { quarantined: given_up, tokens: left }) => {
                    quarantined.extend(given_up);
                    tokens.join(left);
                    playing -= 1;
                }
                Some(Report::Failed(error)) => return Err(error.into()),
                None => return Err(RunError::Lost),
            },
            _ = beat.tick() => {
                totals.aim(aim(&lanes, &clock, wish));
                let mut snapshot = totals.snapshot(began.elapsed(), process::sample());
                // Once a run is ending, its figures are no longer those of its plan.
                let alarmed = why == Why::Finished && guard.look(&mut snapshot);
                guard.attend(&mut snapshot);
                if let (true, Some(alarm)) = (alarmed, &snapshot.watch.alarm) {
                    tracing::error!("stopped by its own guard: {alarm}");
                    why = Why::Aborted;
                    totals.stopping();
                    (ends, halts) = (None, Some(Instant::now() + plan.load.grace));
                    crew.order(|| Order::Stop).await;
                }
                notices.tell(&snapshot);
                watch(snapshot);
                if journal.failure().is_some() {
                    crew.order(|| Order::Halt).await;
                }
            }
            () = until(ends) => {
                (why, ends) = (Why::Duration, None);
                totals.stopping();
                halts.get_or_insert(Instant::now() + plan.load.grace);
                crew.order(|| Order::Stop).await;
            }
            () = until(halts) => {
                halts = None;
                crew.order(|| Order::Halt).await;
            }
            Some(call) = calls.recv() => match call {
                Call::Swap { archetype, behavior, share, mode, reply } => {
                    let (swapped, lineup) = stage.swap(&mut totals, archetype, behavior, share, mode);
                    if let Some(lineup) = lineup {
                        control.tell(began.elapsed(), swapped.to_string(), false);
                        turn += 1;
                        idle.fill(false);
                        crew.order(|| Order::TakeOver { lineup: lineup.clone(), turn }).await;
                    }
                    // Whoever asked may have gone.
                    let _ = reply.send(swapped);
                }
                Call::Refused { archetype, why } => {
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
                    crew.order(|| Order::Pause(wish.paused)).await;
                }
                if let (Some(users), true) = (wish.users, wish.turn != before.turn) {
                    turn += 1;
                    idle.fill(false);
                    crew.order(|| Order::Users { users, turn }).await;
                }
            }
            Ok(()) = asked.changed() => {
                let level = *asked.borrow_and_update();
                totals.stopping();
                if why == Why::Finished {
                    why = Why::Stopped;
                }
                (ends, halts) = (None, Some(Instant::now() + plan.load.grace));
                let halt = level == StopLevel::Halt;
                crew.order(|| if halt { Order::Halt } else { Order::Stop }).await;
            }
        }
    }
    crew.join()?;
    if let Some(why) = journal.failure() {
        return Err(RunError::JournalBroke(why));
    }
    let mut snapshot = totals.snapshot(began.elapsed(), process::sample());
    guard.close(&mut snapshot);
    notices.tell(&snapshot);
    quarantined.sort_unstable();
    quarantined.dedup();
    let name = |archetype: u16| plan.archetypes[usize::from(archetype)].name.clone();
    Ok(Ended {
        why,
        snapshot,
        quarantined: quarantined.into_iter().map(name).collect(),
        tokens,
    })
}

/// What is wanted of the run at this moment.
fn aim(lanes: &[Lane], clock: &Clock, wish: Wish) -> Aim {
    let time = clock.time(Instant::now());
    let mut aim = Aim {
        paused: wish.paused,
        ..Aim::default()
    };
    for lane in lanes {
        let (mut users, mut rate) = (lane.profile.users_at(time), lane.profile.rate_at(time));
        if lane.ends.is_some_and(|ends| time >= ends) {
            (users, rate) = (0, rate.map(|_| 0.0));
        }
        match wish.users.filter(|_| lane.is_shared) {
            Some(asked) => users = asked,
            None if lane.is_shared => {}
            None => aim.own.push(OwnAim {
                archetype: lane.archetypes[0],
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
struct Crew {
    threads: Vec<JoinHandle<()>>,
    orders: Vec<mpsc::Sender<Order>>,
}

impl Crew {
    fn start(
        workers: usize,
        share: impl Fn(usize, mpsc::Receiver<Order>) -> Result<Share, RunError>,
    ) -> Result<Self, RunError> {
        let mut crew = Self {
            threads: Vec::new(),
            orders: Vec::new(),
        };
        for worker in 0..workers {
            let (orders, inbox) = mpsc::channel(CHANNEL);
            crew.orders.push(orders);
            crew.threads.push(spawn(share(worker, inbox)?)?);
        }
        Ok(crew)
    }

    /// Send an emptied interval back; a worker that is gone, or has enough of them, does not need it.
    fn recycle(&self, interval: Interval) {
        if let Some(orders) = self.orders.get(interval.worker()) {
            let _ = orders.try_send(Order::Recycle(interval));
        }
    }

    async fn order(&self, order: impl Fn() -> Order) {
        for orders in &self.orders {
            // A worker that is gone has finished: it needs no order.
            let _ = orders.send(order()).await;
        }
    }

    fn join(self) -> Result<(), RunError> {
        for thread in self.threads {
            thread.join().map_err(|_| RunError::Lost)?;
        }
        Ok(())
    }
}
