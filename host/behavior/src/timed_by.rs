//! By which time a guest call is bounded. Asked by `instance.rs` for each call, and by the engine when one takes long.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use wasmtime::{Store, Trap, UpdateDeadline};

use super::guest::GuestState;
use super::limits::Limits;

/// What the time of a call is measured by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimedBy {
    /// The clock: others wait for the call, whatever it is that takes so long.
    Clock,
    /// Processor time of its thread: nobody waits, and that the machine belongs to others says nothing of the behavior.
    Processor,
}

impl TimedBy {
    /// Processor time of this thread so far, where that is what counts.
    pub(super) fn spent(self) -> Option<Duration> {
        (self == TimedBy::Processor).then(|| {
            let spent = clock_gettime(ClockId::ThreadCPUTime);
            Duration::new(spent.tv_sec as u64, spent.tv_nsec as u32)
        })
    }

    /// Have calls interrupted by this time. The engine's ticks are the clock's: each is then only a moment to look.
    pub(super) fn bound(self, store: &mut Store<GuestState>, limits: Limits) {
        if self == TimedBy::Clock {
            return;
        }
        store.data_mut().call_began = self.spent();
        store.epoch_deadline_callback(move |store| {
            let began = store.data().call_began;
            let taken = self
                .spent()
                .zip(began)
                .map(|(now, began)| now.saturating_sub(began));
            match taken.is_some_and(|taken| taken > limits.call) {
                true => Err(Trap::Interrupt.into()),
                false => Ok(UpdateDeadline::Continue(1)),
            }
        });
    }
}
