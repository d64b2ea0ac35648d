//! What the load generator can run short of. Measured by `metrics`, reported by `summary` and `output`.

crate::words! {
    /// What the load generator can run short of.
    pub enum LimitKind {
        /// `cpu_share`.
        Cpu => "cpu",
        /// p99 of `scheduling_lag`, in seconds.
        SchedulingLag => "scheduling-lag",
    }
}
