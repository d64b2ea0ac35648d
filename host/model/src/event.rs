//! What can happen to a whole run while it goes on. Found by the timeline of `summary`, drawn by `output`.

crate::words! {
    /// What can happen to a whole run while it goes on.
    pub enum EventKind {
        Swapped => "swapped",
        SwapRefused => "swap-refused",
        SwapRolledBack => "swap-rolled-back",
        BreakerOpened => "breaker-opened",
        BreakerClosed => "breaker-closed",
        LoginsPaused => "logins-paused",
        LoginsResumed => "logins-resumed",
        Paused => "paused",
        Resumed => "resumed",
        /// The generator used more CPU than its bound allows.
        GeneratorLimit => "generator-limit",
        /// The generator's timers fired late.
        GeneratorLate => "generator-late",
        /// The run's own guard stopped it.
        Aborted => "aborted",
        /// The run was asked to end and finishes what is under way.
        Stopping => "stopping",
    }
}
