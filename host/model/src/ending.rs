//! How a session came to its end. Decided by the engine's session driver, counted by `metrics`.

crate::words! {
    /// How a session came to its end.
    pub enum Ending {
        Completed => "completed",
        Abandoned => "abandoned",
        /// The behavior answered with an error.
        Failed => "failed",
        /// The behavior trapped.
        Crashed => "crashed",
        /// The host ended it: budget spent, duration over, run stopped.
        Cut => "cut",
    }
}
