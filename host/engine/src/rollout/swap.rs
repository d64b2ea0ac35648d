//! Takes a new behavior into a run that goes on: reads it, compiles it off the workers' threads, has it rehearse a
//! session, and only then hands it over. Used by the control endpoint and by the watch over module files.
//!
//! What must stay true: a behavior that cannot play changes nothing but the count of refused swaps.

use std::sync::Arc;
use std::thread;

use tokio::sync::{Mutex, oneshot};

use crate::control::{Control, Elsewhere, Over, Ready};
use crate::driver::SessionEnd;
use crate::feeds::cursor::FeedSet;
use crate::rehearsal::{Bounds, Replies, play};
use crate::rollout::labels::undeclared;
use crate::rollout::rollouts::{Mode, Swapped};
use crate::rollout::steps::{Offer, Step, Task};
use crate::vu::identity;
use vespeiro_behavior::{
    Behavior, Cancel, Crash, Engine, Limits, LoadError, Slot, content_hash, yield_to_others,
};
use vespeiro_model::Clock;
use vespeiro_plan::{Module, Plan};

/// Requests of a rehearsal: what nearly every session does first.
const REQUESTS: u32 = 20;
/// Most sessions of a rehearsal, of which one that asks for something is enough.
const SESSIONS: u32 = 5;

/// A swap that came to nothing; the run goes on as before.
#[derive(Debug, thiserror::Error)]
pub enum SwapError {
    #[error("no archetype is called {name:?}: this run has {known}")]
    NoArchetype { name: String, known: String },
    #[error("a share has to be above 0% and at most 100%")]
    Share,
    /// The others do what that one does.
    #[error("shards that meet are swapped at shard 0")]
    Follows,
    #[error(transparent)]
    Elsewhere(#[from] Elsewhere),
    #[error("shard 0 offers a module that is not the one whose hash it says")]
    Hash,
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("behavior {module}: {crash}: in the rehearsal, before it got any user")]
    Rehearsal { module: String, crash: Crash },
    #[error("behavior {module}: it fails before its first request: {words}")]
    FirstStep { module: String, words: String },
    #[error("behavior {module}: it is ended before its first request: {why}")]
    Refused { module: String, why: String },
    #[error(
        "behavior {module}: it gives up before its first request, in each of {SESSIONS} sessions"
    )]
    GivesUp { module: String },
    /// It has a route at a target that the plan has not.
    #[error("{0}")]
    Undeclared(String),
    #[error("the compiler's thread cannot be started: {0}")]
    Thread(std::io::Error),
    #[error("the behavior was lost on its way: this is a bug, please report it with the log")]
    Lost,
    #[error(transparent)]
    Over(#[from] Over),
}

impl SwapError {
    /// The module is the reason, or what keeps it from being looked at: the run counts it and tells of it.
    fn is_refusal(&self) -> bool {
        !matches!(
            self,
            SwapError::NoArchetype { .. }
                | SwapError::Share
                | SwapError::Follows
                | SwapError::Over(_)
        )
    }

    /// Half of a file would be refused in this way too.
    pub(super) fn may_be_half(&self) -> bool {
        matches!(self, SwapError::Load(error) if error.kind.may_be_half())
    }
}

/// Where a new behavior comes from.
#[derive(Debug, Clone)]
pub enum Source {
    BuiltIn(String),
    /// Bytes that somebody has sent, and what they call them.
    Bytes {
        name: String,
        bytes: Arc<[u8]>,
    },
}

/// A swap that is asked for.
#[derive(Debug, Clone)]
pub struct Swap {
    pub archetype: String,
    pub source: Source,
    /// Part of the new sessions, above 0 and at most 1.
    pub share: f64,
    pub mode: Mode,
}

/// Swaps behaviors of one run. Clones work one after the other.
#[derive(Debug, Clone)]
pub struct Swapper {
    plan: Arc<Plan>,
    feeds: Arc<FeedSet>,
    engine: Engine,
    limits: Limits,
    control: Control,
    clock: Clock,
    /// One compilation at a time: the machine belongs to the load.
    turn: Arc<Mutex<()>>,
}

impl Swapper {
    /// The engine should be one that compiles aside.
    pub fn new(
        plan: Arc<Plan>,
        feeds: Arc<FeedSet>,
        engine: Engine,
        limits: Limits,
        control: Control,
        clock: Clock,
    ) -> Self {
        Self {
            plan,
            feeds,
            engine,
            limits,
            control,
            clock,
            turn: Arc::default(),
        }
    }

    /// Carry it out. A module that cannot play is counted and told of, beside the error.
    pub async fn swap(&self, swap: Swap) -> Result<Swapped, SwapError> {
        let tried = self.attempt(&swap).await;
        if let Err(error) = &tried {
            self.refuse(&swap, error).await;
        }
        tried
    }

    /// Count and tell of a module that cannot play.
    pub(super) async fn refuse(&self, swap: &Swap, error: &SwapError) {
        if let Some(archetype) = self.archetype(swap).filter(|_| error.is_refusal()) {
            let why = format!("swap of {} refused: {error}", swap.archetype);
            self.control.refused(archetype, why).await;
        }
    }

    fn archetype(&self, swap: &Swap) -> Option<u16> {
        let mut archetypes = self.plan.archetypes.iter();
        let place = archetypes.position(|a| a.name == swap.archetype);
        place.map(|place| place as u16)
    }

    /// Carry it out, and leave what comes of an error to the caller.
    pub(super) async fn attempt(&self, swap: &Swap) -> Result<Swapped, SwapError> {
        if self.plan.follows() {
            return Err(SwapError::Follows);
        }
        let Some(archetype) = self.archetype(swap) else {
            let names: Vec<&str> = self.plan.archetypes.iter().map(|a| &*a.name).collect();
            return Err(SwapError::NoArchetype {
                name: swap.archetype.clone(),
                known: names.join(", "),
            });
        };
        if !(swap.share > 0.0 && swap.share <= 1.0) {
            return Err(SwapError::Share);
        }
        let _turn = self.turn.lock().await;
        let behavior = self.prepare(archetype, swap.source.clone()).await?;
        let ready = Ready {
            archetype,
            behavior,
            source: swap.source.clone(),
            share: swap.share,
            mode: swap.mode,
        };
        Ok(self.control.swap(ready).await??)
    }

    /// Compile and rehearse what shard 0 offers; `module` are the bytes that it has given, unless it is built in.
    pub async fn prepare_offered(
        &self,
        archetype: u16,
        offer: &Offer,
        module: Arc<[u8]>,
    ) -> Result<Prepared, SwapError> {
        if usize::from(archetype) >= self.plan.archetypes.len() {
            return Err(SwapError::Hash);
        }
        let name = offer.name.clone();
        let source = match offer.is_built_in {
            true => Source::BuiltIn(name),
            false if content_hash(&module) != offer.hash => return Err(SwapError::Hash),
            false => Source::Bytes {
                name,
                bytes: module,
            },
        };
        let behavior = self.prepare(archetype, source.clone()).await?;
        if behavior.hash != offer.hash {
            return Err(SwapError::Hash);
        }
        Ok(Prepared {
            archetype,
            behavior,
            source,
        })
    }

    /// Do what shard 0 wants next, if that is not to prepare something.
    pub async fn take_step(
        &self,
        step: &Step,
        prepared: Option<&Prepared>,
    ) -> Result<(), SwapError> {
        match (&step.task, prepared) {
            (Task::Publish { share, mode }, Some(prepared)) => {
                let ready = Ready {
                    archetype: prepared.archetype,
                    behavior: Arc::clone(&prepared.behavior),
                    source: prepared.source.clone(),
                    share: *share,
                    mode: *mode,
                };
                self.control.swap(ready).await??;
            }
            (Task::Settle, _) => self.control.judged(step.archetype, true).await?,
            (Task::TakeBack, _) => self.control.judged(step.archetype, false).await?,
            (Task::Publish { .. } | Task::Prepare(_), _) => {}
        }
        Ok(())
    }

    /// Load and rehearse on a thread of its own, so that neither workers nor orchestrator wait for it.
    async fn prepare(&self, archetype: u16, source: Source) -> Result<Arc<Behavior>, SwapError> {
        let (done, ready) = oneshot::channel();
        let waiting = Waiting::default();
        let (plan, feeds) = (Arc::clone(&self.plan), Arc::clone(&self.feeds));
        let engine = self.engine.until(waiting.0.clone());
        let (limits, clock) = (self.limits, self.clock);
        thread::Builder::new()
            .name("swap".into())
            .spawn(move || {
                // Reading, hashing, componentizing and the rehearsal are in the load's way as compiling is.
                yield_to_others();
                let load = || match &source {
                    Source::BuiltIn(name) => {
                        Behavior::of(&engine, &Module::BuiltIn(name.clone()), limits)
                    }
                    Source::Bytes { name, bytes } => Behavior::load(&engine, name, bytes, limits),
                };
                let behavior = load().map_err(SwapError::from);
                let rehearsed = behavior.and_then(|behavior| {
                    if let Some(line) = undeclared(&plan, &behavior) {
                        return Err(SwapError::Undeclared(line));
                    }
                    rehearse(&plan, &feeds, archetype, &behavior, clock)?;
                    Ok(behavior)
                });
                // Whoever asked may have gone.
                let _ = done.send(rehearsed);
            })
            .map_err(SwapError::Thread)?;
        ready.await.map_err(|_| SwapError::Lost)?
    }
}

/// What shard 0 has offered, ready to play.
#[derive(Debug)]
pub struct Prepared {
    archetype: u16,
    behavior: Arc<Behavior>,
    source: Source,
}

/// Gives up the compilation when whoever waits for it is gone.
#[derive(Default)]
struct Waiting(Cancel);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Play the beginning of a session against made-up replies, with rows that are nobody's for that. What crashes in there would
/// crash for users too; but one that fails may only have wanted other replies, if it got as far as to ask for one.
fn rehearse(
    plan: &Plan,
    feeds: &Arc<FeedSet>,
    archetype: u16,
    behavior: &Arc<Behavior>,
    clock: Clock,
) -> Result<(), SwapError> {
    let config = plan.archetypes[usize::from(archetype)].config.to_string();
    let mut slot = Slot::rehearsing(Arc::clone(behavior), plan.seed);
    let mut replies = Replies::made_up();
    let bounds = Bounds {
        plan,
        budget: REQUESTS,
        clock,
    };
    let feeder = feeds.rehearsing(plan, archetype);
    let module = || behavior.source.clone();
    for ordinal in 0..SESSIONS {
        let setup = identity::journey(plan, 0, ordinal, &config);
        let played = play(&mut slot, &setup, &feeder, &mut replies, bounds, |_, _| {});
        match played.ended {
            SessionEnd::Crashed(crash) => {
                return Err(SwapError::Rehearsal {
                    module: module(),
                    crash,
                });
            }
            SessionEnd::Failed(words) if played.requests == 0 => {
                return Err(SwapError::FirstStep {
                    module: module(),
                    words: words.lines().next().unwrap_or_default().into(),
                });
            }
            SessionEnd::Refused(why) if played.requests == 0 => {
                return Err(SwapError::Refused {
                    module: module(),
                    why,
                });
            }
            // Somebody may have changed their mind; everybody has not.
            SessionEnd::Abandoned if played.requests == 0 => {}
            _ => return Ok(()),
        }
    }
    Err(SwapError::GivesUp { module: module() })
}
