//! What the run cost the machine that made it, and where that machine was the limit. Used by `build.rs`, by the panel
//! and by the warnings.

use super::Detail;
use super::requests::distribution;
use crate::json::{Generator, Limit};
use vespeiro_metrics::Snapshot;

pub fn generator(snapshot: &Snapshot) -> Generator {
    Generator {
        cores: snapshot.cpu.cores,
        cpu_seconds: snapshot.cpu.used.as_secs_f64(),
        cpu_share: snapshot.cpu_share(),
        rss_bytes: snapshot.process.rss,
        open_files: snapshot.process.open_files,
        open_sockets: snapshot.process.open_sockets,
        threads: snapshot.process.threads,
        scheduling_lag: distribution(&snapshot.run.lag, Detail::Histogram),
        guest_calls: distribution(&snapshot.guest_calls(), Detail::Quantiles),
        guest_share: snapshot.guest_share(),
        limits: limits(snapshot),
    }
}

/// Where the generator itself was the limit.
pub fn limits(snapshot: &Snapshot) -> Vec<Limit> {
    snapshot
        .generator_limits()
        .iter()
        .filter(|limit| limit.is_over())
        .map(|limit| Limit {
            kind: limit.kind,
            value: limit.value,
            bound: limit.bound,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::json::LimitKind;
    use vespeiro_metrics::testing::snapshot;
    use vespeiro_metrics::{Scale, Timing};

    #[test]
    fn a_generator_at_its_limit_is_told() {
        let mut snapshot = snapshot();
        assert_eq!(limits(&snapshot), []);
        snapshot.cpu.cores = 1;
        let mut lag = Timing::new(Scale::Micros);
        lag.record(Duration::from_millis(50));
        Arc::make_mut(&mut snapshot.run).lag = lag;
        let kinds: Vec<LimitKind> = limits(&snapshot).iter().map(|l| l.kind).collect();
        assert_eq!(kinds, [LimitKind::Cpu, LimitKind::SchedulingLag]);
    }
}
