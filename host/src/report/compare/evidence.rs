//! How sure a run's figures are. Requests of a run are not independent: what slows one down slows its neighbors. The
//! timeline tells by how much: the run is cut into blocks of time, and where a share varies more from block to block than
//! chance would have it, the run counts as fewer requests than it has (Kish's design effect). A quantile's interval is
//! that of the share of requests below it, read back from the histogram (Woodruff 1952).
//!
//! What must stay true: the evidence is never taken for stronger than that of independent requests.

use std::time::Duration;

use crate::metrics::{Outline, Timing};
use crate::report::json::Summary;

/// Blocks that a run is cut into, at most; fewer than the least tell nothing.
const BLOCKS: usize = 30;
const LEAST: usize = 5;
/// Normal quantile of a two-sided 1 %.
const Z: f64 = 2.576;
/// So many errors, at least, for a share of them to be compared.
const ERRORS: u64 = 5;

/// The blocks of one run.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    blocks: Vec<Block>,
}

#[derive(Debug, Default)]
struct Block {
    over: f64,
    requests: u64,
    errors: u64,
    outline: Outline,
}

impl Evidence {
    pub(super) fn of(summary: &Summary) -> Evidence {
        let points = summary.timeline.as_ref().map_or(&[][..], |t| &t.points);
        let each = points.len().div_ceil(BLOCKS).max(1);
        // Of equal length: what is left over is less than a block.
        let blocks = points.chunks_exact(each).map(|points| {
            let mut block = Block::default();
            for point in points {
                block.over += point.over;
                block.requests += point.requests;
                block.errors += point.errors;
                let outline = point.latency.as_ref().and_then(|l| l.outline().ok());
                block.outline.merge(&outline.unwrap_or_default());
            }
            block
        });
        Evidence {
            blocks: blocks.collect(),
        }
    }

    /// By what factor a share, made of so many of each block, varies more than chance would have it; 1 at least.
    fn effect(&self, of: impl Fn(&Block) -> u64) -> f64 {
        let count = self.blocks.len() as f64;
        let all: f64 = self.blocks.iter().map(|b| b.requests as f64).sum();
        let hits: f64 = self.blocks.iter().map(|b| of(b) as f64).sum();
        if self.blocks.len() < LEAST || all == 0.0 {
            return 1.0;
        }
        let share = hits / all;
        let by_chance = share * (1.0 - share) / all;
        let squares = self.blocks.iter().map(|b| {
            let off = of(b) as f64 - share * b.requests as f64;
            off * off
        });
        let variance = count / (count - 1.0) * squares.sum::<f64>() / (all * all);
        match by_chance > 0.0 {
            true => (variance / by_chance).max(1.0),
            false => 1.0,
        }
    }

    /// The same for the number of requests in a time.
    fn dispersion(&self) -> f64 {
        let count = self.blocks.len() as f64;
        let all: f64 = self.blocks.iter().map(|b| b.requests as f64).sum();
        let time: f64 = self.blocks.iter().map(|b| b.over).sum();
        if self.blocks.len() < LEAST || all == 0.0 || time == 0.0 {
            return 1.0;
        }
        let squares = self.blocks.iter().map(|b| {
            let off = b.requests as f64 - all * b.over / time;
            off * off
        });
        (count / (count - 1.0) * squares.sum::<f64>() / all).max(1.0)
    }
}

/// What is known of a group of requests, and how sure.
pub(super) struct Known<'a> {
    pub(super) evidence: &'a Evidence,
    pub(super) latency: Timing,
    pub(super) requests: u64,
    pub(super) errors: u64,
    pub(super) elapsed: f64,
}

impl Known<'_> {
    pub(super) fn rate(&self) -> f64 {
        match self.elapsed > 0.0 {
            true => self.requests as f64 / self.elapsed,
            false => 0.0,
        }
    }

    pub(super) fn error_share(&self) -> f64 {
        self.errors as f64 / self.requests.max(1) as f64
    }

    pub(super) fn rate_differs(&self, other: &Known<'_>) -> bool {
        let variance = |side: &Known<'_>| {
            let counted = side.requests.max(1) as f64 * side.evidence.dispersion();
            counted / (side.elapsed * side.elapsed).max(1e-9)
        };
        (self.rate() - other.rate()).abs() > Z * (variance(self) + variance(other)).sqrt()
    }

    pub(super) fn quantile_differs(&self, other: &Known<'_>, quantile: f64) -> bool {
        let ((low, high), (other_low, other_high)) =
            (self.interval(quantile), other.interval(quantile));
        high < other_low || other_high < low
    }

    /// Where the quantile lies, but for one case in a hundred.
    fn interval(&self, quantile: f64) -> (Duration, Duration) {
        // The timeline counts in cells of 1 %: the share above a value of the same grid is the same in every block.
        let all = self.evidence.blocks.iter().map(|b| &b.outline);
        let whole = all.fold(Outline::default(), |mut sum, outline| {
            sum.merge(outline);
            sum
        });
        let value = whole.quantile(quantile).unwrap_or_default();
        let effect = self
            .evidence
            .effect(|block| block.outline.count_above(value));
        let count = self.latency.count() as f64 / effect;
        let off = Z * (quantile * (1.0 - quantile) / count.max(1e-9)).sqrt();
        // One rank further out at both ends: ranks are whole.
        let rank = 1.0 / count.max(1.0);
        let low = match quantile - off - rank {
            share if share <= 0.0 => Duration::ZERO,
            share => self.latency.quantile(share),
        };
        let high = match quantile + off + rank {
            share if share >= 1.0 => Duration::MAX,
            share => self.latency.quantile(share),
        };
        (low, high)
    }

    pub(super) fn errors_differ(&self, other: &Known<'_>) -> bool {
        let (errors, requests) = (self.errors + other.errors, self.requests + other.requests);
        if errors < ERRORS || errors == requests {
            return false;
        }
        let pooled = errors as f64 / requests as f64;
        let part = |side: &Known<'_>| {
            side.evidence.effect(|block| block.errors) / side.requests.max(1) as f64
        };
        let deviation = (pooled * (1.0 - pooled) * (part(self) + part(other))).sqrt();
        (self.error_share() - other.error_share()).abs() > Z * deviation
    }
}
