//! What a behavior may cost: in memory, in time, and in what it passes to the host. Held wherever a guest is called.

use std::time::Duration;

/// One tick of the clock that bounds guest calls. Finer ticks would cost a wake-up each and buy nothing.
pub(super) const TICK: Duration = Duration::from_millis(10);

/// By how much a call may be longer than allowed that was not interrupted: the clock's tick under way, and one more.
pub(super) const OVERRUN: Duration = TICK.saturating_mul(2);

/// Live sessions that one instance may hold; the engine's own default ends between 50,000 and 100,000.
pub(super) const MAX_SESSIONS: usize = 4_000_000;
/// Bytes that one call may pass to the host: a guest could pass the same megabyte a million times.
pub(super) const MAX_PASSED: usize = 64 << 20;
/// Elements of all tables of one instance.
pub(super) const MAX_TABLE_ELEMENTS: usize = 1 << 20;
/// Core instances, memories and tables of one component; one of a scripting language holds a few dozen.
pub(super) const MAX_PARTS: usize = 1000;
/// Largest program, in bytes: an instance has it in its memory, and reads it within one call.
pub const MAX_PROGRAM: usize = 16 << 20;

/// What a behavior may cost on one worker.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Linear memory of all its instances together, in bytes.
    pub memory: usize,
    /// Longest time of one call.
    pub call: Duration,
}

impl Limits {
    /// Ticks until a call is interrupted: the cap, rounded up, plus the tick that is already under way.
    pub(super) fn ticks(&self) -> u64 {
        self.call.as_micros().div_ceil(TICK.as_micros()) as u64 + 1
    }
}
