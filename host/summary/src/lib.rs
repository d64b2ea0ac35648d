//! A run's result: built from the plan and a snapshot, merged with others, compared, written to a file and read again.
//! `output` shows it, `cli` writes it; it changes neither plan nor snapshot.

pub mod build;
pub mod compare;
pub mod files;
pub mod json;
pub mod merge;
mod on_cores;
mod rows;
mod sampler;
pub mod thresholds;
pub mod timeline;

pub use build::target;
pub use json::{Cleanup, Summary, Timeline};
pub use sampler::{SampledInterval, Sampler};
pub use timeline::TimelineRecorder;
