//! Removes what a run has left behind: sessions of one behavior with the purpose `cleanup`, fed with the journal's
//! outstanding marks, one after the other and no faster than the plan allows. After a run and by `vespeiro cleanup`.
//!
//! What must stay true: only what the behavior unmarks counts as removed; all else stays in the journal. It goes on where
//! that cannot be written any more, on a full disk for instance: what is removed is known here too.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::tokens::{Tokens, veil};
use crate::admission::wait_while_held;
use crate::driver::{SessionEnd, Transport, drive};
use crate::error::RunError;
use crate::journal::{Journal, read};
use crate::rollout::runtime::VersionRuntime;
use crate::seed::{Stream, derive};
use crate::signals::Stopper;
use crate::vu::channels::Channels;
use crate::vu::exchange::send;
use crate::vu::identity;
use crate::vu::operations::{self, Stage, carry_out, plan};
use crate::vu::prepare::{admitted, prepare};
use crate::vu::state::VuState;
use crate::worker::alone::LoneWorker;
use crate::worker::state::WorkerState;
use vespeiro_behavior::{Behavior, Feeder, GuestEvent, Session, TOKEN, types};
use vespeiro_metrics::Snapshot;
use vespeiro_model::Clock;
use vespeiro_plan::Plan;

/// Marks of one session: enough to be quick, few enough that a session that fails costs little.
const CHUNK: usize = 200;

/// How far a teardown has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub removed: usize,
    pub found: usize,
}

/// What a teardown did.
#[derive(Debug)]
pub struct TornDown {
    /// Its own requests, which are no part of the run's.
    pub snapshot: Snapshot,
    /// Things that were outstanding when it began.
    pub found: usize,
    /// Those that still are, oldest first.
    pub left: Vec<String>,
    /// Tokens that could not be logged out.
    pub tokens: Tokens,
    /// It was asked to stop before its end.
    pub skipped: bool,
    /// What stood in the way of the last session that could not do its work.
    pub problem: Option<String>,
}

/// Remove what is outstanding in `journal` and log `tokens` out, with `behavior` in the part of the plan's cleanup
/// archetype. A stopper that is asked to halt ends it where it is.
pub async fn teardown(
    plan: &Plan,
    behavior: Arc<Behavior>,
    journal: &Journal,
    tokens: Tokens,
    stopper: &Stopper,
    clock: Clock,
    mut progress: impl FnMut(Progress),
) -> Result<TornDown, RunError> {
    let mut plan = plan.clone();
    // What tidies up is no traffic: it holds no mix and commits no fault.
    plan.mix = None;
    plan.error_mix = None;
    // And it is over when the target is: there is nothing to spare it.
    plan.resilience.breaker = None;
    let archetype = plan.cleanup.archetype.clone();
    let alone = LoneWorker::new(
        plan,
        archetype,
        behavior,
        // What tidies up is nobody who plays: it gets no row.
        Arc::default(),
        journal.spare_writer(),
        None,
        clock,
    )?;
    let worker = Rc::clone(&alone.state);
    let held = tokens.things();
    worker.tokens.replace(tokens);
    let rate = worker.part.share(worker.plan.cleanup.rate as usize) as u32;
    let teardown = Teardown {
        worker,
        rate,
        next: Cell::new(alone.began),
        removed: RefCell::default(),
        vu: VuState::default(),
    };

    let outstanding = teardown.outstanding(journal)?;
    let found = outstanding.len();
    let (skipped, problem) = tokio::select! {
        biased;
        () = stopper.halted() => (true, None),
        done = teardown.work(journal, outstanding, held, &mut progress) => (false, done?),
    };
    Ok(TornDown {
        snapshot: alone.close(),
        found,
        left: teardown.outstanding(journal)?,
        tokens: teardown.worker.tokens.take(),
        skipped,
        problem,
    })
}

struct Teardown {
    worker: Rc<WorkerState>,
    /// Requests per second, at most.
    rate: u32,
    /// When the next request may leave.
    next: Cell<Instant>,
    /// Things that the behavior has unmarked so far.
    removed: RefCell<HashSet<String>>,
    /// Whoever removes is one user.
    vu: VuState,
}

impl Teardown {
    fn outstanding(&self, journal: &Journal) -> Result<Vec<String>, RunError> {
        let mut outstanding = read(journal.path())?.outstanding;
        let removed = self.removed.borrow();
        outstanding.retain(|thing| !removed.contains(thing));
        Ok(outstanding)
    }

    fn removed(&self) -> usize {
        self.removed.borrow().len()
    }

    /// Go over what is left for as long as that removes something: what one thing holds on to may go in the next
    /// round. Tells what stood in the way.
    async fn work(
        &self,
        journal: &Journal,
        mut left: Vec<String>,
        tokens: Vec<String>,
        progress: &mut impl FnMut(Progress),
    ) -> Result<Option<String>, RunError> {
        let found = left.len();
        let mut problem = None;
        let mut session = 0;
        while !left.is_empty() {
            let before = left.len();
            problem = None;
            for chunk in left.chunks(CHUNK) {
                let removed = self.removed();
                let ended = self.session(session, chunk).await;
                session += 1;
                progress(Progress {
                    removed: self.removed(),
                    found,
                });
                if let Err(why) = ended {
                    problem = Some(why);
                    // It cannot log in, for instance: the other chunks would fare no better.
                    if self.removed() == removed {
                        break;
                    }
                }
            }
            left = self.outstanding(journal)?;
            if left.len() >= before {
                break;
            }
        }
        for chunk in tokens.chunks(CHUNK) {
            let ended = self.session(session, chunk).await;
            session += 1;
            problem = ended.err().or(problem);
        }
        Ok(problem)
    }

    async fn session(&self, ordinal: u32, marks: &[String]) -> Result<(), String> {
        let played = Box::pin(self.play(ordinal, marks)).await;
        played.map_err(|mut why| {
            veil(marks, &mut why);
            why
        })
    }

    async fn play(&self, ordinal: u32, marks: &[String]) -> Result<(), String> {
        let worker = &self.worker;
        self.vu.cookies.begin_session(&worker.plan);
        let archetype = worker.archetype_state(0);
        let user = identity::user(&worker.plan, 0);
        let setup = types::Setup {
            seed: derive(user.seed, Stream::Session, u64::from(ordinal)),
            user,
            ordinal,
            purpose: types::Purpose::Cleanup(marks.to_vec()),
            pace: types::Pace {
                delay_min_ms: 0,
                delay_max_ms: 0,
            },
            run: worker.plan.run_id.clone(),
            config: archetype.config.to_string(),
        };
        let runtime = archetype.versions.draw(0.0);
        let begun = runtime.slot.borrow_mut().begin(setup, Feeder::default());
        let mut removal = Removal {
            teardown: self,
            marks,
            session: begun.map_err(|crash| crash.to_string())?.session,
            runtime: &runtime,
            channels: Channels::default(),
            began: worker.clock.now(),
        };
        match drive(&mut removal).await {
            SessionEnd::Completed | SessionEnd::Abandoned | SessionEnd::Cut => Ok(()),
            SessionEnd::Failed(why) | SessionEnd::Refused(why) => Err(why),
            SessionEnd::Crashed(crash) => Err(crash.to_string()),
        }
    }

    /// Wait until `requests` more may leave.
    async fn pace(&self, requests: usize) {
        let at = self.next.get().max(self.worker.clock.now());
        let each = Duration::from_secs(1) / self.rate;
        self.next.set(at + each * requests as u32);
        sleep_until(at).await;
    }
}

/// A session that removes things, over the target that has them.
struct Removal<'a> {
    teardown: &'a Teardown,
    marks: &'a [String],
    session: Session,
    runtime: &'a VersionRuntime,
    channels: Channels,
    began: Instant,
}

impl Transport for Removal<'_> {
    fn next(&mut self, outcomes: Vec<types::Outcome>) -> Result<types::Step, SessionEnd> {
        let context = types::Context {
            elapsed_ms: self.teardown.worker.clock.since(self.began).as_millis() as u64,
            requests_left: u32::MAX,
            mix: Vec::new(),
            fault: None,
        };
        let answer = self.session.next(context, outcomes);
        let Teardown {
            worker, removed, ..
        } = self.teardown;
        let marks = self.marks;
        self.session.events(|mut event| {
            match &mut event {
                GuestEvent::Unmark(thing) if !thing.starts_with(TOKEN) => {
                    removed.borrow_mut().insert(thing.clone());
                }
                GuestEvent::Mark(thing) => {
                    removed.borrow_mut().remove(thing);
                }
                // There are none here, whatever the plan has.
                GuestEvent::NoRow { .. } => return,
                // It may know less of tokens than whoever has marked them.
                GuestEvent::Log { message, .. } => veil(marks, message),
                _ => {}
            }
            worker.event(0, event);
        });
        worker.keep_journal();
        match answer {
            Ok(Ok(step)) => Ok(step),
            Ok(Err(why)) => Err(SessionEnd::Failed(why)),
            Err(crash) => Err(SessionEnd::Crashed(crash)),
        }
    }

    async fn wait(&mut self, step: &types::Step) {
        if step.delay_ms > 0 {
            sleep(Duration::from_millis(u64::from(step.delay_ms))).await;
        }
    }

    fn may_send(&mut self, _: bool) -> Result<bool, SessionEnd> {
        match self.teardown.worker.stopping.get() {
            true => Err(SessionEnd::Refused("the journal cannot be written".into())),
            false => Ok(true),
        }
    }

    async fn send(
        &mut self,
        requests: Vec<types::Request>,
    ) -> Result<Vec<types::Outcome>, SessionEnd> {
        let Teardown { worker, vu, .. } = self.teardown;
        let batch = prepare(worker, self.runtime, requests)
            .map_err(|refused| SessionEnd::Refused(refused.to_string()))?;
        self.teardown.pace(batch.len()).await;
        wait_while_held(worker, vu, admitted(&batch, u32::MAX)).await;
        let sent = send(worker, vu, self.runtime, batch, u32::MAX);
        Ok(Box::pin(sent).await.outcomes)
    }

    async fn carry_out(
        &mut self,
        operations: Vec<types::Operation>,
    ) -> Result<Vec<types::Outcome>, SessionEnd> {
        let Teardown { worker, vu, .. } = self.teardown;
        let requests = operations.iter().filter_map(types::Operation::request);
        let requests = requests.count();
        let planned = plan(worker, self.runtime, &mut self.channels, operations)
            .map_err(|refused| SessionEnd::Refused(refused.to_string()))?;
        self.teardown.pace(requests).await;
        wait_while_held(worker, vu, operations::admitted(&planned, u32::MAX)).await;
        let stage = Stage {
            worker,
            vu,
            runtime: self.runtime,
            began: self.began,
        };
        let sent = carry_out(&stage, &mut self.channels, planned, u32::MAX);
        Ok(sent.await.outcomes)
    }
}
