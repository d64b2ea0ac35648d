//! How a threshold stands, and why a run's own guard stopped it. Decided by the engine's guard, carried by `metrics`, kept
//! by `summary`.

crate::words! {
    /// How a threshold stands.
    pub enum ThresholdState {
        Ok => "ok",
        Crossed => "crossed",
        /// There is no value yet to compare it with.
        NoData => "no-data",
    }

    /// Why the guard stopped the run.
    pub enum AbortReason {
        /// One of the plan's `abort_on` conditions came true.
        AbortOn => "abort-on",
        /// Latency or errors became several times those of the run's beginning.
        Degradation => "degradation",
        /// A threshold with the word `abort` was crossed.
        Threshold => "threshold",
    }
}
