//! What another shard of a run tells shard 0: any bytes are refused, or counted without harm to what is told of the whole.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use vespeiro_metrics::testing::catalog;
use vespeiro_metrics::{Process, ShardSecond, ShardState, Totals};
use vespeiro_model::Clock;

fuzz_target!(|bytes: &[u8]| {
    let totals = Totals::new(catalog(), 1, Process::default(), Clock::system());
    let mut totals = totals.with_shards(&[1]);
    if let Ok(second) = postcard::from_bytes::<ShardSecond>(bytes) {
        totals.take_in_of_shard(0, &second);
        totals.take_in_of_shard(0, &second);
    }
    if let Ok(state) = postcard::from_bytes::<ShardState>(bytes) {
        totals.shard_stands(0, state);
    }
    totals.close();
    let snapshot = totals.snapshot(Duration::from_secs(1), Process::default());
    let total = snapshot.total();
    assert!(total.latency().quantile(0.99) <= total.latency().max());
    assert!(total.requests() < 1 << 52);
    for counts in &snapshot.archetypes {
        for (_, seen) in counts.observed.sorted() {
            assert!(seen.quantile(0.5).is_finite() && seen.mean().is_finite());
        }
    }
});
