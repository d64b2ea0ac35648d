//! What the process itself takes of the addresses that the machine allows it (`ulimit -v`). Asked by `main` before anything else:
//! with less, the first allocation ends the process without a word that helps.

use rustix::process::{Resource, getrlimit};

/// The binary, the allocator's first pieces and the stacks of a few threads, in bytes. A behavior takes far more.
const LEAST: u64 = 256 << 20;

/// Whether there are enough of them; says so where not, in English, for a translation takes memory too.
pub(super) fn is_enough() -> bool {
    match getrlimit(Resource::As).current {
        Some(limit) if limit < LEAST => {
            eprintln!(
                "error: vespeiro takes {} MiB of addresses to begin with, and {} MiB are allowed (ulimit -v): allow more",
                LEAST >> 20,
                limit >> 20
            );
            false
        }
        _ => true,
    }
}
