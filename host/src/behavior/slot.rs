//! A worker's place for one archetype's behavior: the instance that new sessions begin in, and the sessions themselves.
//!
//! A session holds on to the instance it began in, so an instance lives until its last session ends, and a slot can
//! be given another one at any time. A trap costs the sessions of one instance; the slot builds the next on demand.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use wasmtime::component::ResourceAny;

use super::contract::types;
use super::guest::GuestEvent;
use super::instance::{Crash, Instance};
use super::load::Behavior;

/// The place of one archetype on one worker.
#[derive(Debug)]
pub struct Slot {
    behavior: Arc<Behavior>,
    current: Option<Rc<RefCell<Instance>>>,
}

/// A session that has begun.
#[derive(Debug)]
pub struct Begun {
    pub session: Session,
    /// An instance had to be built for it.
    pub built: bool,
}

impl Slot {
    /// A place for `behavior`, without an instance yet.
    pub fn new(behavior: Arc<Behavior>) -> Self {
        Self {
            behavior,
            current: None,
        }
    }

    /// The behavior that new sessions get.
    pub fn behavior(&self) -> &Arc<Behavior> {
        &self.behavior
    }

    /// Begin a session in the current instance, or in a new one when there is none or it was lost to a trap.
    pub fn begin(&mut self, setup: &types::Setup) -> Result<Begun, Crash> {
        let usable = self
            .current
            .take()
            .filter(|instance| !instance.borrow().poisoned());
        let built = usable.is_none();
        let instance = match usable {
            Some(instance) => instance,
            None => Rc::new(RefCell::new(Instance::new(Arc::clone(&self.behavior))?)),
        };
        let handle = instance.borrow_mut().begin(setup)?;
        self.current = Some(Rc::clone(&instance));
        Ok(Begun {
            session: Session {
                instance,
                handle: Some(handle),
            },
            built,
        })
    }
}

/// One journey of one user, alive in some instance. Dropping it ends it in the guest too.
#[derive(Debug)]
pub struct Session {
    instance: Rc<RefCell<Instance>>,
    handle: Option<ResourceAny>,
}

impl Session {
    /// Ask the behavior what comes next. `Err` means that the instance is lost.
    pub fn next(
        &mut self,
        context: &types::Context,
        outcomes: &[types::Outcome],
    ) -> Result<Result<types::Step, String>, Crash> {
        let mut instance = self.instance.borrow_mut();
        let Some(handle) = self.handle else {
            return Ok(Err("the session has ended".into()));
        };
        instance.next(handle, context, outcomes)
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
        Arc::clone(self.instance.borrow().behavior())
    }

    /// The instance was lost, by this session or by another one of it.
    pub fn lost(&self) -> bool {
        self.instance.borrow().poisoned()
    }

    /// End the session in the guest; its destructor may crash like any call.
    pub fn end(mut self) -> Result<(), Crash> {
        self.finish()
    }

    fn finish(&mut self) -> Result<(), Crash> {
        match self.handle.take() {
            Some(handle) if !self.lost() => self.instance.borrow_mut().end(handle),
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
