//! A module whose `describe` traps: what a host's tests load to see it refused.

use vespeiro_guest::Behavior;

fn broken() -> &'static Behavior {
    panic!("this behavior does not know who it is")
}

vespeiro_guest::export_behavior!(broken());

/// Only the exports call it.
pub const BROKEN: fn() -> &'static Behavior = broken;
