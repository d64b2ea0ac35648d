//! A worker's place for one archetype's behavior: the instance that new sessions begin in, and the sessions themselves. Used
//! by the engine's workers and by rehearsals.
//!
//! What must stay true: a session keeps the instance in which it began, so that an instance lives until its last session
//! ends. A trap costs the sessions of one instance; the slot builds the next one on demand, also when an instance has grown.
//! All instances together stay within the memory of one.

use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::ResourceAny;

use super::call_context::CallContext;
use super::crash::{Crash, GuestCall, GuestFault};
use super::feeder::Feeder;
use super::guest::GuestEvent;
use super::instance::Instance;
use super::load::Behavior;
use super::memory_pool::MemoryPool;
use super::timed_by::TimedBy;
use super::types::{Context, Outcome, Setup, Step};

/// Sessions that an instance gets before it may be given up for its size: building a new one has to be worth it.
const SESSIONS_TO_RECYCLE: u32 = 32;
/// The part of the memory that stays free for the sessions under way while several instances hold some: one of so many.
const SPARE: usize = 8;

/// The place of one archetype on one worker.
#[derive(Debug)]
pub struct Slot {
    behavior: Arc<Behavior>,
    /// Seed of what instances draw before their first session.
    seed: u64,
    timed_by: TimedBy,
    current: Option<Rc<RefCell<Instance>>>,
    /// What all instances hold that still have sessions.
    memory: MemoryPool,
    /// What the current instance held when its second session began.
    taken_by_first: usize,
    /// Sessions that began in the current instance.
    begun: u32,
}

/// A session that has begun.
#[derive(Debug)]
pub struct StartedSession {
    pub session: Session,
    /// An instance had to be built for it.
    pub built: bool,
}

impl Slot {
    /// A place for `behavior`, without an instance yet. Calls are bounded by the clock.
    pub fn new(behavior: Arc<Behavior>, seed: u64) -> Self {
        Self::timed_by(TimedBy::Clock, behavior, seed)
    }

    /// A place off the workers, where nobody waits: calls are bounded by the processor time of the calling thread.
    pub fn rehearsing(behavior: Arc<Behavior>, seed: u64) -> Self {
        Self::timed_by(TimedBy::Processor, behavior, seed)
    }

    fn timed_by(timed_by: TimedBy, behavior: Arc<Behavior>, seed: u64) -> Self {
        Self {
            timed_by,
            memory: MemoryPool::new(behavior.memory_cap()),
            behavior,
            seed,
            current: None,
            taken_by_first: 0,
            begun: 0,
        }
    }

    /// The behavior that new sessions get.
    pub fn behavior(&self) -> &Arc<Behavior> {
        &self.behavior
    }

    /// Linear memory of the current instance, in bytes.
    pub fn memory(&self) -> usize {
        self.current
            .as_ref()
            .map_or(0, |instance| instance.borrow().memory())
    }

    /// Linear memory of all instances that are alive, in bytes.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.memory.held()
    }

    /// Whether there is memory for one more session, by what those before it have taken. If not, there is some again when
    /// sessions have ended: no further one begins in an instance that is full, and it goes with its last.
    pub fn has_room(&mut self) -> bool {
        let seen = self.current.as_ref().map(|current| current.borrow());
        let (poisoned, held) = seen.map_or((true, 0), |seen| (seen.poisoned(), seen.memory()));
        // What the first session has taken may be for all of them.
        if self.begun <= 1 {
            self.taken_by_first = held;
        }
        let others = self.begun.saturating_sub(1).max(1) as usize;
        let taken = held.saturating_sub(self.taken_by_first) / others;
        let has_grown = self.begun >= SESSIONS_TO_RECYCLE && held > self.behavior.memory_cap() / 2;
        let is_alone = self.memory.held() == held;
        let fits = is_alone || self.memory.free() >= self.memory.cap() / SPARE;
        let goes_on =
            !poisoned && (fits && self.memory.free() >= taken) && !(has_grown && self.fits_anew());
        if !goes_on {
            self.current = None;
        }
        goes_on || self.fits_anew()
    }

    /// Whether there is memory for another instance. Where there is none yet, it is the behavior's own matter what comes of it.
    fn fits_anew(&self) -> bool {
        let needed = self
            .behavior
            .fresh
            .saturating_add(self.memory.cap() / SPARE);
        self.memory.held() == 0 || self.memory.free() >= needed
    }

    /// Begin a session in the current instance, or in a new one when there is none, it was lost to a trap, or it has
    /// grown past half of its memory. Its rows come from `feeder`.
    pub fn begin(&mut self, setup: Setup, feeder: Feeder) -> Result<StartedSession, Crash> {
        let started = self.start(setup.seed, feeder, 0, |instance, context| {
            instance.begin(setup, context).map(Ok)
        })?;
        Ok(started.unwrap_or_else(|never: Infallible| match never {}))
    }

    /// Begin a session that goes on from what another one has saved. `Err` in it: this behavior cannot.
    pub fn restore(
        &mut self,
        setup: Setup,
        feeder: Feeder,
        elapsed_ms: u64,
        state: Vec<u8>,
    ) -> Result<Result<StartedSession, String>, Crash> {
        self.start(setup.seed, feeder, elapsed_ms, |instance, context| {
            instance.restore(setup, state, context)
        })
    }

    fn start<E>(
        &mut self,
        seed: u64,
        feeder: Feeder,
        elapsed_ms: u64,
        enter: impl FnOnce(&mut Instance, &CallContext) -> Result<Result<ResourceAny, E>, GuestFault>,
    ) -> Result<Result<StartedSession, E>, Crash> {
        let call_context = CallContext {
            seed,
            elapsed_ms,
            feeder,
        };
        let (instance, built) = self.usable()?;
        let mut entered = instance.borrow_mut();
        let handle =
            enter(&mut entered, &call_context).map_err(|fault| self.behavior.crash(fault))?;
        let complaint = entered.complaint();
        drop(entered);
        self.current = Some(Rc::clone(&instance));
        Ok(handle.map(|handle| {
            self.begun += 1;
            StartedSession {
                session: Session {
                    behavior: Arc::clone(&self.behavior),
                    instance,
                    handle: Some(handle),
                    call_context,
                    complaint,
                    took: Duration::ZERO,
                },
                built,
            }
        }))
    }

    /// The current instance if it will do, else a new one; and whether it is new.
    fn usable(&mut self) -> Result<(Rc<RefCell<Instance>>, bool), Crash> {
        self.has_room();
        if let Some(instance) = self.current.take() {
            return Ok((instance, false));
        }
        (self.begun, self.taken_by_first) = (0, 0);
        let behavior = &self.behavior;
        let instance = behavior.instantiate(self.seed, &self.memory, self.timed_by)?;
        Ok((Rc::new(RefCell::new(instance)), true))
    }
}

/// One journey of one user, alive in some instance. Dropping it ends it in the guest too.
#[derive(Debug)]
pub struct Session {
    behavior: Arc<Behavior>,
    instance: Rc<RefCell<Instance>>,
    handle: Option<ResourceAny>,
    call_context: CallContext,
    /// What the constructor did wrong; it could not be told so then.
    complaint: Option<String>,
    took: Duration,
}

impl Session {
    /// Ask the behavior what comes next. `Err` means that the instance is lost.
    pub fn next(
        &mut self,
        context: Context,
        outcomes: Vec<Outcome>,
    ) -> Result<Result<Step, String>, Crash> {
        self.took = Duration::ZERO;
        if let Some(complaint) = self.complaint.take() {
            return Ok(Err(complaint));
        }
        let Some(handle) = self.handle else {
            return Ok(Err("the session has ended".into()));
        };
        self.call_context.seed = self.call_context.seed.wrapping_add(1);
        self.call_context.elapsed_ms = context.elapsed_ms;
        let mut instance = self.instance.borrow_mut();
        let answer = instance.next(handle, context, outcomes, &self.call_context);
        self.took = instance.took();
        let answer = answer.map_err(|fault| self.behavior.crash(fault))?;
        Ok(match instance.complaint() {
            Some(complaint) => Err(complaint),
            None => answer,
        })
    }

    /// How long the last [`next`](Self::next) was in the guest.
    pub fn took(&self) -> Duration {
        self.took
    }

    /// Its state, for a session that goes on instead of it. `None` where it cannot move, or not now.
    pub fn save(&mut self) -> Result<Option<Vec<u8>>, Crash> {
        let Some(handle) = self.handle else {
            return Ok(None);
        };
        let mut instance = self.instance.borrow_mut();
        instance
            .save(handle, &self.call_context)
            .map_err(|fault| self.behavior.crash(fault))
    }

    /// Hand what the last call told the host to `take`.
    pub fn events(&mut self, take: impl FnMut(GuestEvent)) {
        let mut instance = self.instance.borrow_mut();
        if instance.has_events() {
            instance.events().for_each(take);
        }
    }

    /// The behavior that this session plays, which may not be the slot's any more.
    pub fn behavior(&self) -> Arc<Behavior> {
        Arc::clone(&self.behavior)
    }

    /// What there is to say when another session of the instance has crashed; `None` while it lives.
    pub fn lost(&self) -> Option<Crash> {
        self.instance.borrow().poisoned().then(|| Crash {
            behavior: self.behavior.name.clone(),
            version: self.behavior.version.clone(),
            call: GuestCall::Next,
            reason: "another session of its instance crashed".into(),
            machine: false,
            took: Duration::ZERO,
        })
    }

    /// End the session in the guest; its destructor may crash like any call.
    pub fn end(mut self) -> Result<(), Crash> {
        self.finish()
    }

    fn finish(&mut self) -> Result<(), Crash> {
        match self.handle.take() {
            Some(handle) if !self.instance.borrow().poisoned() => self
                .instance
                .borrow_mut()
                .end(handle, &self.call_context)
                .map_err(|fault| self.behavior.crash(fault)),
            _ => Ok(()),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Err(crash) = self.finish() {
            tracing::warn!("{crash}");
        }
    }
}
