//! What the run measures: each worker of `engine` records into its own [`Recorder`], the orchestrator merges the intervals
//! into [`Totals`], and guard, `summary`, `output` and `server` read a [`Snapshot`].
//!
//! What must stay true: a recorder has one writer; nothing on a request's path locks, hashes a string or allocates in steady
//! state.

// Tests measure by the machine's clock.
#![cfg_attr(test, allow(clippy::disallowed_methods))]

mod addresses;
mod aggregate;
mod arrivals;
mod catalog;
mod causes;
mod channels;
mod compact_histogram;
mod connections;
mod counts;
pub mod families;
mod hdr;
mod interval;
mod limits;
mod merge;
mod names;
mod phases;
pub mod process;
mod rates;
mod recorder;
mod resilience;
mod run_info;
mod sample;
mod seconds;
mod series;
mod shards;
mod sketch;
mod slowest;
mod snapshot;
mod sparse_histogram;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod thresholds;
mod timing;
mod totals;
mod transactions;
mod version;

pub use addresses::{AddressCounts, Addresses, MAX_ADDRESSES};
pub use aggregate::{Aggregate, SlidingWindow};
pub use arrivals::{ArchetypeLoad, ArrivalCount, DesiredLoad};
pub use catalog::{
    ArchetypeLabels, Catalog, MAX_VERSIONS, OLDER, OTHER_ROUTE, RouteLabel, UNKNOWN, VersionLabels,
};
pub use causes::{FailureCauses, MAX_CAUSES};
pub use channels::ChannelCounts;
pub use compact_histogram::CompactHistogram;
pub use connections::{ConnectionCounts, WireBytes};
pub use counts::{
    ArchetypeCounts, BehaviorCounts, CheckCount, FaultCount, RunCounts, Sessions, VersionCounts,
};
pub use hdr::DecodeError;
pub use interval::{Interval, RecordedRequest, ShortPath};
pub use limits::GeneratorLimit;
pub use names::{MAX_NAMES, NOWHERE, NamedCounts};
pub use phases::PhaseTimes;
pub use process::Process;
pub use rates::{Rate, Rates};
pub use recorder::Recorder;
pub use resilience::{HoldCount, RefusedLogins, ResilienceCounts, WorkerStatus, WorkerStatuses};
pub use run_info::RunInfo;
pub use sample::{RequestSample, Role};
pub use series::{ResultCount, Series};
pub use shards::{ShardSecond, ShardState};
pub use sketch::Sketch;
pub use slowest::{SLOWEST, SlowRequest, Slowest, TraceId};
pub use snapshot::{CpuUse, RouteGroup, Snapshot};
pub use thresholds::{Abort, Degraded, GuardStatus, Standing, ThresholdResult};
pub use timing::{NATIVE_SCHEMA, Scale, Timing};
pub use totals::Totals;
pub use transactions::{Span, TransactionCounts};
pub use version::VersionTotal;
pub use vespeiro_model::{AbortReason, LimitKind, ThresholdState};
