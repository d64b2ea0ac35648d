//! The settings of what a behavior may cost. Read by `settings.rs`.

use super::{A_MOMENT, ALL_PAGES, LONGEST_PAUSE};
use crate::GuestSettings;
use crate::layers::Reader;
use crate::units::DefaultUnit::Milliseconds;
use crate::value_types::{duration, size, switch};

const A_PAGE: usize = 64 << 10;

pub(super) fn read(r: &mut Reader<'_>) -> GuestSettings {
    GuestSettings {
        memory: r.read(
            "guest_memory",
            "1GiB",
            size(A_PAGE..=ALL_PAGES),
            "Most memory of one behavior in one worker; bare numbers are bytes",
        ),
        call_timeout: r.read(
            "guest_timeout",
            "100ms",
            duration(Milliseconds, A_MOMENT..=LONGEST_PAUSE),
            "Longest time of one call into a behavior; bare numbers are milliseconds",
        ),
        cache: r.read("cache", "true", switch(), "Keep compiled behaviors on disk"),
    }
}
