//! What the run measures: each worker records into its own [`Recorder`], the orchestrator merges the intervals into
//! [`Totals`], and panel, summary and Prometheus read a [`Snapshot`]. Used by `run` (writes) and `report` (reads).
//! One writer per recorder: nothing on a request's path locks, hashes a string or allocates in steady state.

mod about;
mod arrivals;
mod catalog;
mod counts;
pub mod families;
mod grid;
mod hdr;
mod holds;
mod interval;
mod limits;
mod names;
mod outline;
pub mod process;
mod rates;
mod recorder;
mod sample;
mod sketch;
mod slowest;
mod snapshot;
mod tally;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod timing;
mod totals;
mod verdict;
mod version;

pub use about::About;
pub use arrivals::{Aim, ArrivalCount, OwnAim};
pub use catalog::{
    ArchetypeLabels, Catalog, MAX_VERSIONS, OLDER, OTHER_ROUTE, RouteLabel, UNKNOWN, VersionLabels,
};
pub use counts::{
    ArchetypeCounts, CheckCount, FaultCount, Observed, ResultCount, Series, Sessions,
};
pub use hdr::DecodeError;
pub use holds::{HoldCount, Holds, Standing, Standings};
pub use interval::{Activity, Interval};
pub use limits::{Gauge, LimitKind};
pub use names::{MAX_NAMES, Names};
pub use outline::Outline;
pub use process::Process;
pub use rates::{Rate, Rates};
pub use recorder::Recorder;
pub use sample::{RequestSample, Role};
pub use sketch::Sketch;
pub use slowest::{SLOWEST, Slow, Slowest, TraceId};
pub use snapshot::{CpuUse, Group, RouteGroup, Snapshot};
pub use tally::{Tally, Window};
pub use timing::{NATIVE_SCHEMA, Scale, Timing};
pub use totals::Totals;
pub use verdict::{Alarm, Cause, State, Verdict, Watch};
pub use version::{VersionCounts, VersionTotal};
