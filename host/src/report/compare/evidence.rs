//! How sure a run's figures are. Requests of a run are not independent: what slows one down slows its neighbors. The
//! timeline tells by how much: the run is cut into blocks of time, and where a share varies more from block to block than
//! chance would have it, the run counts as fewer requests than it has (Kish's design effect). Quantiles differ when the
//! shares of requests above a common value do, as in Mood's median test, so that no form of the distribution is assumed.
//!
//! What must stay true: the evidence is never taken for stronger than that of independent requests.

use crate::metrics::{Outline, Timing};
use crate::report::json::Summary;

/// Blocks that a run is cut into, at most; fewer than the least tell nothing.
const BLOCKS: usize = 30;
const LEAST: usize = 5;
/// Normal quantile of a two-sided 1 %.
const Z: f64 = 2.576;
/// So many requests of both runs, at least, for a share of them to be compared.
const FEW: u64 = 5;

/// The blocks of one run.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    blocks: Vec<Block>,
    /// All blocks.
    whole: Outline,
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
        let blocks: Vec<Block> = blocks.collect();
        let mut whole = Outline::default();
        blocks.iter().for_each(|block| whole.merge(&block.outline));
        Evidence { blocks, whole }
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

    /// Whether the shares of requests above the quantile of both together differ: then the quantiles do.
    pub(super) fn quantile_differs(&self, other: &Known<'_>, quantile: f64) -> bool {
        let mut both = self.latency.clone();
        both.merge(&other.latency);
        let value = both.quantile(quantile);
        let above = |side: &Known<'_>| side.latency.count_above(value);
        let share = |side: &Known<'_>| {
            let own = side.evidence.whole.quantile(quantile).unwrap_or_default();
            Share {
                hits: above(side),
                of: side.latency.count(),
                effect: side.evidence.effect(|block| block.outline.count_above(own)),
            }
        };
        share(self).differs(&share(other))
    }

    pub(super) fn errors_differ(&self, other: &Known<'_>) -> bool {
        let share = |side: &Known<'_>| Share {
            hits: side.errors,
            of: side.requests,
            effect: side.evidence.effect(|block| block.errors),
        };
        share(self).differs(&share(other))
    }
}

/// Some of a run's requests.
struct Share {
    hits: u64,
    of: u64,
    /// See [`Evidence::effect`].
    effect: f64,
}

impl Share {
    /// The test of two proportions.
    fn differs(&self, other: &Share) -> bool {
        let (hits, all) = (self.hits + other.hits, self.of + other.of);
        // Too few of them, or all: nothing to tell apart.
        if hits < FEW || hits == all {
            return false;
        }
        let pooled = hits as f64 / all as f64;
        let share = |side: &Share| side.hits as f64 / side.of.max(1) as f64;
        let part = |side: &Share| side.effect / side.of.max(1) as f64;
        let deviation = (pooled * (1.0 - pooled) * (part(self) + part(other))).sqrt();
        (share(self) - share(other)).abs() > Z * deviation
    }
}
