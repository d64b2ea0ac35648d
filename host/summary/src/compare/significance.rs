//! How sure a run's figures are. Requests of a run are not independent: what slows one down slows its neighbors. The
//! timeline tells by how much: the run is cut into blocks of time, and where a share varies more from block to block than
//! chance would have it, the run counts as fewer requests than it has (Kish's design effect). Quantiles differ when the
//! shares of requests above a common value do, as in Mood's median test, so that no form of the distribution is assumed.
//! Few blocks tell little of how much they vary: what they say is weighed as Student's t.
//!
//! What must stay true: the evidence is never taken for stronger than that of independent requests.

use crate::json::Summary;
use vespeiro_metrics::{CompactHistogram, Timing};

/// Blocks that a run is cut into, at most.
const BLOCKS: usize = 30;
/// So many requests of both runs, at least, for a share of them to be compared.
const FEW: u64 = 5;
/// How close the blocks' quantiles are to the truth, at best.
const CELL: f64 = 0.01;

/// The blocks of one run.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    blocks: Vec<Block>,
    /// All blocks.
    whole: CompactHistogram,
}

#[derive(Debug, Default)]
struct Block {
    over: f64,
    requests: u64,
    errors: u64,
    histogram: CompactHistogram,
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
                let histogram = point.latency.as_ref().and_then(|l| l.histogram().ok());
                block.histogram.merge(&histogram.unwrap_or_default());
            }
            block
        });
        let blocks: Vec<Block> = blocks.collect();
        let mut whole = CompactHistogram::default();
        blocks
            .iter()
            .for_each(|block| whole.merge(&block.histogram));
        Evidence { blocks, whole }
    }

    /// By what factor a share, made of so many of each block, varies more than chance would have it; 1 at least.
    fn effect(&self, of: impl Fn(&Block) -> u64) -> f64 {
        let count = self.blocks.len() as f64;
        let all: f64 = self.blocks.iter().map(|b| b.requests as f64).sum();
        let hits: f64 = self.blocks.iter().map(|b| of(b) as f64).sum();
        if self.blocks.len() < 2 || all == 0.0 {
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

    /// The quantile of a block, on average over the run: its logarithm, the variance of that, and how sure the variance
    /// is. `None` where blocks have too few requests for it.
    fn typical(&self, quantile: f64) -> Option<(f64, f64, f64)> {
        let enough = |block: &&Block| block.requests as f64 * (1.0 - quantile) >= FEW as f64;
        let each = self.blocks.iter().filter(enough);
        let logs = each.filter_map(|b| Some(b.histogram.quantile(quantile)?.as_secs_f64().ln()));
        let logs: Vec<f64> = logs.filter(|log| log.is_finite()).collect();
        if logs.len() < 2 {
            return None;
        }
        let count = logs.len() as f64;
        let mean = logs.iter().sum::<f64>() / count;
        let squares: f64 = logs.iter().map(|log| (log - mean).powi(2)).sum();
        let variance = squares / (count - 1.0) / count + CELL * CELL / 12.0;
        Some((mean, variance, count - 1.0))
    }

    /// How much the blocks of a run so many times as long tell of how much they vary. Without a timeline requests are taken
    /// for independent.
    pub(super) fn freedom(&self, times: f64) -> f64 {
        match self.blocks.len() {
            0 => 1e6,
            count => ((count as f64 * times).min(BLOCKS.max(count) as f64) - 1.0).max(1.0),
        }
    }

    /// [`Evidence::effect`] for the number of requests in a time.
    fn dispersion(&self) -> f64 {
        let count = self.blocks.len() as f64;
        let all: f64 = self.blocks.iter().map(|b| b.requests as f64).sum();
        let time: f64 = self.blocks.iter().map(|b| b.over).sum();
        if self.blocks.len() < 2 || all == 0.0 || time == 0.0 {
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
pub(super) struct ComparedGroup<'a> {
    pub(super) evidence: &'a Evidence,
    /// It is of all requests, as the evidence is.
    pub(super) is_whole: bool,
    pub(super) latency: Timing,
    pub(super) requests: u64,
    pub(super) errors: u64,
    pub(super) sending: f64,
}

impl ComparedGroup<'_> {
    pub(super) fn rate(&self) -> f64 {
        match self.sending > 0.0 {
            true => self.requests as f64 / self.sending,
            false => 0.0,
        }
    }

    pub(super) fn error_share(&self) -> f64 {
        self.errors as f64 / self.requests.max(1) as f64
    }

    /// How far the rates are from each other: see [`deviates`].
    pub(super) fn rate_deviates(&self, other: &ComparedGroup<'_>) -> f64 {
        let variances = [self.rate_variance(), other.rate_variance()];
        deviates(self.rate() - other.rate(), variances, self.freedom(other))
    }

    pub(super) fn rate_variance(&self) -> f64 {
        let counted = self.requests.max(1) as f64 * self.evidence.dispersion();
        counted / (self.sending * self.sending).max(1e-9)
    }

    /// As how many independent requests it counts where a quantile is asked for.
    pub(super) fn counts_for_quantile(&self, quantile: f64) -> f64 {
        self.latency.count() as f64 / self.quantile_effect(quantile)
    }

    /// The same where the share of errors is asked for.
    pub(super) fn counts_for_errors(&self) -> f64 {
        self.requests as f64 / self.evidence.effect(|block| block.errors)
    }

    fn quantile_effect(&self, quantile: f64) -> f64 {
        let own = self.evidence.whole.quantile(quantile).unwrap_or_default();
        let above = |block: &Block| block.histogram.count_above(own);
        self.evidence.effect(above)
    }

    /// [`ComparedGroup::rate_deviates`] for the shares of requests above the quantile of both together: where they differ,
    /// the quantiles do.
    pub(super) fn quantile_deviates(&self, other: &ComparedGroup<'_>, quantile: f64) -> f64 {
        let mut both = self.latency.clone();
        both.merge(&other.latency);
        let value = both.quantile(quantile);
        let above = |side: &ComparedGroup<'_>| side.latency.count_above(value);
        let share = |side: &ComparedGroup<'_>| Proportion {
            hits: above(side),
            of: side.latency.count(),
            effect: side.quantile_effect(quantile),
        };
        let shares = share(self).deviates(&share(other), self.freedom(other));
        match self.is_whole && other.is_whole {
            true => shares.max(self.blocks_deviate(other, quantile)),
            false => shares,
        }
    }

    /// The same by the quantiles of blocks: where a run is short and moody, its shares tell little, but blocks that are
    /// all far from all of the other run's tell enough (the method of batch means).
    fn blocks_deviate(&self, other: &ComparedGroup<'_>, quantile: f64) -> f64 {
        let both = [self, other].map(|side| side.evidence.typical(quantile));
        let [Some((one, v, f)), Some((two, w, g))] = both else {
            return 0.0;
        };
        deviates(one - two, [v, w], [f, g])
    }

    pub(super) fn errors_deviate(&self, other: &ComparedGroup<'_>) -> f64 {
        let share = |side: &ComparedGroup<'_>| Proportion {
            hits: side.errors,
            of: side.requests,
            effect: side.evidence.effect(|block| block.errors),
        };
        share(self).deviates(&share(other), self.freedom(other))
    }

    fn freedom(&self, other: &ComparedGroup<'_>) -> [f64; 2] {
        [self, other].map(|side| side.evidence.freedom(1.0))
    }
}

/// Some of a run's requests.
struct Proportion {
    hits: u64,
    of: u64,
    /// See [`Evidence::effect`].
    effect: f64,
}

impl Proportion {
    /// The test of two proportions.
    fn deviates(&self, other: &Proportion, freedom: [f64; 2]) -> f64 {
        let (hits, all) = (self.hits + other.hits, self.of + other.of);
        // Too few of them, or all: nothing to tell apart.
        if hits < FEW || hits == all {
            return 0.0;
        }
        let pooled = hits as f64 / all as f64;
        let share = |side: &Proportion| side.hits as f64 / side.of.max(1) as f64;
        let variance =
            |side: &Proportion| pooled * (1.0 - pooled) * side.effect / side.of.max(1) as f64;
        let variances = [variance(self), variance(other)];
        deviates(share(self) - share(other), variances, freedom)
    }
}

/// A difference of two figures in standard deviations, so many as would be as rare of a normal distribution. Each
/// figure's variance is as sure as its run has blocks: Welch's test, and Wallace's approximation of Student's t, which
/// errs on the careful side.
fn deviates(difference: f64, variances: [f64; 2], freedom: [f64; 2]) -> f64 {
    let [one, other] = variances;
    if one + other <= 0.0 {
        return 0.0;
    }
    let free = welch(variances, freedom);
    let squared = difference.powi(2) / (one + other);
    (8.0 * free + 1.0) / (8.0 * free + 3.0) * (free * (squared / free).ln_1p()).sqrt()
}

/// How sure the sum of two variances is.
pub(super) fn welch([one, other]: [f64; 2], freedom: [f64; 2]) -> f64 {
    (one + other).powi(2) / (one.powi(2) / freedom[0] + other.powi(2) / freedom[1])
}

/// How far a figure has to deviate where so many are looked at, for one of them in a hundred looks to do so by chance
/// (Bonferroni; the normal quantile by Hastings' approximation).
pub(super) fn rare(looks: usize) -> f64 {
    const EACH_SIDE: f64 = 0.005;
    let t = (-2.0 * (EACH_SIDE / looks.max(1) as f64).ln()).sqrt();
    let above = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let below = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    t - above / below
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_as_rare_as_tables_say() {
        for (looks, normal) in [(1, 2.576), (5, 3.090), (100, 3.891)] {
            assert!((rare(looks) - normal).abs() < 0.001, "{looks}");
        }
        // Student's t of a two-sided 1 %, with as many degrees of freedom on both sides.
        for (free, student) in [(2.0, 4.604), (5.0, 3.169), (29.0, 2.663)] {
            let got = deviates(student, [0.5, 0.5], [free, free]);
            assert!((2.54..2.577).contains(&got), "{free}: {got}");
        }
        // Hardly anything is known, and it is not taken for much.
        assert!(deviates(9.0, [1.0, 0.0], [1.0, 1.0]) < 2.576);
    }
}
