//! The settings of what a behavior may cost. Read by `plan.rs`.

use std::time::Duration;

use crate::layers::section;
use crate::units::DefaultUnit::Milliseconds;
use crate::units::{GIB, LONGEST_PAUSE, MILLISECOND};
use crate::value_types::{duration, size, switch};

/// One page of linear memory.
const PAGE: u64 = 64 << 10;

section! {
    /// What a behavior module may cost.
    #[derive(Debug, Clone)]
    pub struct GuestSettings(r) {
        /// Linear memory of one instance, in bytes; 32-bit memory cannot address more than 4 GiB.
        memory: usize = ("guest_memory", "1GiB", size(PAGE..=4 * GIB),
            "Most memory of one behavior in one worker; bare numbers are bytes");
        /// Longest time of one call into the module.
        call_timeout: Duration = ("guest_timeout", "100ms", duration(Milliseconds, MILLISECOND..=LONGEST_PAUSE),
            "Longest time of one call into a behavior; bare numbers are milliseconds");
        /// Keep compiled code on disk.
        cache: bool = ("cache", "true", switch(), "Keep compiled behaviors on disk");
    }
}
