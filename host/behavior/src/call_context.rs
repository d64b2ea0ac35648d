//! What one call into a guest is given beside its arguments. Made by `slot.rs` for each session, used by the instance and,
//! where a guest imports WASI, by that.

use crate::feeder::Feeder;

/// Time and randomness for where a call asks WASI for them, and where its rows come from.
#[derive(Debug, Clone)]
pub(super) struct CallContext {
    pub(super) seed: u64,
    pub(super) elapsed_ms: u64,
    pub(super) feeder: Feeder,
}
