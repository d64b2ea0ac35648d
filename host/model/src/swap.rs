//! What came of a swap. Decided by the engine's rollout, counted by `metrics`.

crate::words! {
    /// What came of a swap.
    pub enum SwapResult {
        /// New sessions get the new behavior, or a part of them does.
        Published => "published",
        /// The new behavior cannot play: nothing has changed.
        Refused => "refused",
        /// The new behavior crashed too often, and the one before it is back.
        RolledBack => "rolled-back",
    }
}
