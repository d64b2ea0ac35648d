//! The settings of what a behavior may cost. Read by `plan.rs`.

use std::path::PathBuf;
use std::time::Duration;

use crate::layers::section;
use crate::units::DefaultUnit::Milliseconds;
use crate::units::DefaultUnit::Seconds;
use crate::units::{GIB, LONGEST_PAUSE, MILLISECOND};
use crate::value_types::{duration, path, size, switch};

/// One page of linear memory.
const PAGE: u64 = 64 << 10;

section! {
    /// What a behavior module may cost.
    #[derive(Debug, Clone)]
    pub struct GuestSettings(r) {
        /// Linear memory of all instances of one behavior in one worker, in bytes; 32-bit memory cannot address more than 4 GiB.
        // One instruction may fill all of it, and nothing interrupts that: 256 MiB take less than a call may.
        memory: usize = ("guest_memory", "256MiB", size(PAGE..=4 * GIB),
            "Most memory of one behavior in one worker; bare numbers are bytes");
        /// Longest time of one call into the module.
        call_timeout: Duration = ("guest_timeout", "100ms", duration(Milliseconds, MILLISECOND..=LONGEST_PAUSE),
            "Longest time of one call into a behavior; bare numbers are milliseconds");
        /// Longest time on the processor that compiling one module may take, of all threads together.
        compile_timeout: Duration = ("compile_timeout", "120s", duration(Seconds, MILLISECOND * 1000..=LONGEST_PAUSE),
            "Longest processor time for compiling one module; bare numbers are seconds");
        /// Memory that compiling one module may take, in bytes.
        compile_memory: usize = ("compile_memory", "2GiB", size(128 << 20..=64 * GIB),
            "Most memory for compiling one module; bare numbers are bytes");
        /// Keep compiled code on disk.
        cache: bool = ("cache", "true", switch(), "Keep compiled behaviors on disk");
        /// Asked before the cache.
        precompiled: Option<PathBuf> = ("precompiled", "none", path().or_none(),
            "Take behaviors from this folder, where vespeiro precompile has put them; what it lacks is compiled");
    }
}
