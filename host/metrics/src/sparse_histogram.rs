//! The counts behind a [`super::Timing`]: those of an HDR histogram with 3 or 2 significant digits, of which only the cells in
//! use are kept, in order.
//! What must stay true: a value far from all others costs one cell. There are hundreds of these in a run, each several times
//! over, and one slow second of the target must not show in the generator's memory. For the same reason a cell has a quarter of
//! the width of a count, and the few that outgrow it carry over elsewhere.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::merge::MOST;

/// How many significant digits values have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Digits {
    Two,
    #[default]
    Three,
}

impl Digits {
    /// Those that keep values of so many digits, three at most.
    pub(super) fn at_least(number: u8) -> Digits {
        if number <= 2 {
            Digits::Two
        } else {
            Digits::Three
        }
    }

    pub(super) fn number(self) -> u8 {
        match self {
            Digits::Two => 2,
            Digits::Three => 3,
        }
    }

    /// The lowest range has two to this power of cells, each of one value; every further range is twice as wide and has half as
    /// many.
    fn bits(self) -> u32 {
        match self {
            Digits::Two => 8,
            Digits::Three => 11,
        }
    }

    /// The number of the cell that a value falls into.
    fn number_of(self, value: u64) -> u16 {
        let bits = self.bits();
        let range = u64::BITS - bits - (value | ((1 << bits) - 1)).leading_zeros();
        ((range << (bits - 1)) + (value >> range) as u32) as u16
    }

    fn cell(self, number: u16, count: u64) -> Cell {
        let further = self.bits() - 1;
        let range = (number >> further).saturating_sub(1);
        let lowest = u64::from(number - (range << further)) << range;
        Cell {
            lowest,
            highest: lowest + ((1u64 << range) - 1),
            count,
        }
    }
}

/// Counts by value.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct SparseHistogram {
    digits: Digits,
    /// Numbers of the cells in use, ascending: the largest value of all lies in cell 56,319.
    numbers: Vec<u16>,
    /// The lower quarters of their counts.
    counts: Vec<u16>,
    /// The rest of counts that a cell is too narrow for, by its number.
    carried: BTreeMap<u16, u64>,
    count: u64,
}

/// A cell that is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    /// Smallest value that falls into it.
    pub lowest: u64,
    /// Largest value that falls into it.
    pub highest: u64,
    pub count: u64,
}

impl SparseHistogram {
    pub(super) fn new(digits: Digits) -> SparseHistogram {
        SparseHistogram {
            digits,
            ..SparseHistogram::default()
        }
    }

    pub(super) fn digits(&self) -> Digits {
        self.digits
    }

    pub(super) fn record(&mut self, value: u64) {
        self.record_n(value, 1);
    }

    pub(super) fn record_n(&mut self, value: u64, count: u64) {
        let number = self.digits.number_of(value);
        let at = match self.numbers.binary_search(&number) {
            Ok(at) => at,
            Err(at) => self.insert(at, number),
        };
        self.add(at, number, count);
    }

    /// Record so many of each value: fast where they ascend, and right where they do not.
    pub(super) fn record_ascending(&mut self, values: &[(u64, u64)]) {
        self.numbers.reserve_exact(values.len());
        self.counts.reserve_exact(values.len());
        for &(value, count) in values {
            let number = self.digits.number_of(value);
            if self.numbers.last().is_some_and(|last| *last >= number) {
                self.record_n(value, count);
                continue;
            }
            self.numbers.push(number);
            self.counts.push(0);
            self.add(self.numbers.len() - 1, number, count);
        }
    }

    fn add(&mut self, at: usize, number: u16, count: u64) {
        let sum = u64::from(self.counts[at]).saturating_add(count);
        self.counts[at] = sum as u16;
        if sum > u64::from(u16::MAX) {
            self.carry(number, sum >> u16::BITS);
        }
        self.count = self.count.saturating_add(count);
    }

    #[cold]
    fn insert(&mut self, at: usize, number: u16) -> usize {
        self.make_room(1);
        self.numbers.insert(at, number);
        self.counts.insert(at, 0);
        at
    }

    /// Not twice as much, as a vector grows by itself: most of these have nearly all they will ever need.
    fn make_room(&mut self, more: usize) {
        let len = self.numbers.len();
        if len + more > self.numbers.capacity() {
            self.numbers.reserve_exact(more + 8 + len / 8);
            self.counts.reserve_exact(more + 8 + len / 8);
        }
    }

    #[cold]
    fn carry(&mut self, number: u16, upper: u64) {
        let carried = self.carried.entry(number).or_default();
        *carried = carried.saturating_add(upper);
    }

    /// The count of the cell in this place.
    fn count_at(&self, at: usize) -> u64 {
        let upper = match self.carried.is_empty() {
            true => 0,
            false => self.carried.get(&self.numbers[at]).copied().unwrap_or(0),
        };
        u64::from(self.counts[at]) | upper << u16::BITS
    }

    /// Make this the cell in this place, and its count.
    fn put(&mut self, at: usize, number: u16, count: u64) {
        self.numbers[at] = number;
        self.counts[at] = count as u16;
        match count >> u16::BITS {
            0 if self.carried.is_empty() => None,
            0 => self.carried.remove(&number),
            upper => self.carried.insert(number, upper),
        };
    }

    /// Add what another one counts. Where its digits are others, each of its cells is one value, the largest that falls into it.
    pub(super) fn merge(&mut self, other: &SparseHistogram) {
        if self.digits != other.digits {
            for cell in other.cells() {
                self.record_n(cell.highest, cell.count);
            }
            return;
        }
        // From the last cell down, so that nothing is written over before it was moved.
        let (mut mine, mut theirs) = (self.numbers.len(), other.numbers.len());
        let new = self.lacks(other);
        self.make_room(new);
        let mut to = mine + new;
        self.numbers.resize(to, 0);
        self.counts.resize(to, 0);
        while theirs > 0 {
            to -= 1;
            let their = other.numbers[theirs - 1];
            let order = match mine {
                0 => Ordering::Less,
                _ => self.numbers[mine - 1].cmp(&their),
            };
            if order.is_ge() {
                mine -= 1;
                (self.numbers[to], self.counts[to]) = (self.numbers[mine], self.counts[mine]);
            }
            if order.is_le() {
                theirs -= 1;
                let before = if order.is_eq() { self.count_at(to) } else { 0 };
                self.put(to, their, before.saturating_add(other.count_at(theirs)));
            }
        }
        self.count = self.count.saturating_add(other.count);
    }

    /// How many cells of another one are not in use here.
    fn lacks(&self, other: &SparseHistogram) -> usize {
        let mut mine = self.numbers.iter().peekable();
        let theirs = other.numbers.iter();
        let is_new = |their: &&u16| {
            while mine.next_if(|number| number < their).is_some() {}
            mine.next_if(|number| number == their).is_none()
        };
        theirs.filter(is_new).count()
    }

    /// Take an earlier state of this one away. `false`: it was none, and the result is not exact.
    pub(super) fn subtract(&mut self, earlier: &SparseHistogram) -> bool {
        let mut exact = self.digits == earlier.digits;
        for (at, number) in earlier.numbers.iter().enumerate() {
            let theirs = earlier.count_at(at);
            match self.numbers.binary_search(number) {
                Ok(at) => {
                    let mine = self.count_at(at);
                    exact &= mine >= theirs;
                    self.put(at, *number, mine.saturating_sub(theirs));
                }
                Err(_) => exact &= theirs == 0,
            }
        }
        self.count = self.count.saturating_sub(earlier.count);
        exact
    }

    /// Forget the values, keep the memory.
    pub(super) fn reset(&mut self) {
        self.numbers.clear();
        self.counts.clear();
        self.carried.clear();
        self.count = 0;
    }

    /// Whether recording could have made it: it may come from elsewhere.
    pub(super) fn is_sound(&self) -> bool {
        let last = self.digits.number_of(u64::MAX);
        let numbers = &self.numbers;
        numbers.len() == self.counts.len()
            && numbers.is_sorted_by(|a, b| a < b)
            && numbers.last().is_none_or(|number| *number <= last)
            && self
                .carried
                .keys()
                .all(|number| numbers.binary_search(number).is_ok())
            && self.count <= MOST
            && (0..numbers.len())
                .map(|at| u128::from(self.count_at(at)))
                .sum::<u128>()
                == self.count.into()
    }

    /// Values in it.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The cells in use, ascending.
    pub(super) fn cells(&self) -> impl DoubleEndedIterator<Item = Cell> {
        let all = (0..self.numbers.len()).map(|at| (self.numbers[at], self.count_at(at)));
        let used = all.filter(|(_, count)| *count > 0);
        used.map(|(number, count)| self.digits.cell(number, count))
    }

    /// The cell in which the value of this rank lies: 1 is the smallest.
    pub(super) fn ranked(&self, rank: u64) -> Option<Cell> {
        let mut seen = 0u64;
        let found = self.cells().find(|cell| {
            seen = seen.saturating_add(cell.count);
            seen >= rank
        });
        found.or_else(|| self.last())
    }

    /// The lowest cell in use.
    pub(super) fn first(&self) -> Option<Cell> {
        self.cells().next()
    }

    /// The highest cell in use.
    pub(super) fn last(&self) -> Option<Cell> {
        self.cells().next_back()
    }
}

#[cfg(test)]
mod tests {
    use hdrhistogram::Histogram;
    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = u64> {
        prop_oneof![0..5_000u64, 0..60_000_000u64, 0..100_000_000_000u64]
    }

    /// Some that a cell is too narrow for.
    fn count() -> impl Strategy<Value = u64> {
        prop_oneof![
            1..4u64,
            1..4u64,
            u64::from(u16::MAX) - 1..u64::from(u16::MAX) * 3,
            u64::from(u32::MAX) - 1..u64::from(u32::MAX) * 3
        ]
    }

    fn digits() -> impl Strategy<Value = Digits> {
        prop_oneof![Just(Digits::Two), Just(Digits::Three)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn every_value_is_in_its_cell_and_cells_follow_each_other(
            value in prop_oneof![value(), any::<u64>()], digits in digits(),
        ) {
            let number = digits.number_of(value);
            let this = digits.cell(number, 1);
            prop_assert!(this.lowest <= value && value <= this.highest);
            if let Some(next) = this.highest.checked_add(1) {
                prop_assert_eq!(digits.cell(number + 1, 1).lowest, next);
            }
        }

        #[test]
        fn it_says_what_a_histogram_says(
            values in prop::collection::vec((value(), count()), 1..40), digits in digits(),
        ) {
            let mut grid = SparseHistogram::new(digits);
            let mut whole = Histogram::<u64>::new(digits.number()).unwrap();
            for (value, count) in &values {
                grid.record_n(*value, *count);
                whole.record_n(*value, *count).unwrap();
            }
            prop_assert_eq!(grid.count(), whole.len());
            let cells: Vec<_> = grid.cells().map(|cell| (cell.highest, cell.count)).collect();
            let theirs: Vec<_> = whole
                .iter_recorded()
                .map(|step| (whole.highest_equivalent(step.value_iterated_to()), step.count_at_value()))
                .collect();
            prop_assert_eq!(cells, theirs);
            prop_assert_eq!(grid.first().unwrap().lowest, whole.lowest_equivalent(whole.min()));
            prop_assert_eq!(grid.last().unwrap().highest, whole.max());
            for rank in (1..=whole.len().min(20)).chain(whole.len().saturating_sub(20).max(1)..=whole.len()) {
                let quantile = (rank as f64 - 0.5) / whole.len() as f64;
                prop_assert_eq!(grid.ranked(rank).unwrap().highest, whole.value_at_quantile(quantile));
            }
        }

        #[test]
        fn in_any_order_all_at_once_is_one_by_one(
            mut values in prop::collection::vec((value(), count()), 0..50), digits in digits(), ascending in any::<bool>(),
        ) {
            if ascending {
                values.sort_unstable();
            }
            let (mut at_once, mut one_by_one) = (SparseHistogram::new(digits), SparseHistogram::new(digits));
            at_once.record_ascending(&values);
            values.iter().for_each(|(value, count)| one_by_one.record_n(*value, *count));
            prop_assert_eq!(at_once, one_by_one);
        }

        #[test]
        fn subtracting_undoes_merging(
            one in prop::collection::vec((value(), count()), 0..50), other in prop::collection::vec((value(), count()), 0..50),
        ) {
            let grid = |values: &[(u64, u64)]| {
                let mut grid = SparseHistogram::default();
                values.iter().for_each(|(value, count)| grid.record_n(*value, *count));
                grid
            };
            let (one, other) = (grid(&one), grid(&other));
            let mut both = one.clone();
            both.merge(&other);
            prop_assert_eq!(both.count(), one.count() + other.count());
            prop_assert!(both.subtract(&one));
            prop_assert_eq!(both.count(), other.count());
            prop_assert_eq!(both.cells().collect::<Vec<_>>(), other.cells().collect::<Vec<_>>());
            if other.count() > 0 {
                prop_assert!(!SparseHistogram::default().subtract(&other));
            }
        }
    }

    #[test]
    fn two_digits_take_little_and_are_told_to_three() {
        let mut few = SparseHistogram::new(Digits::Two);
        let mut many = SparseHistogram::default();
        for value in 0..1 << 20 {
            few.record(value);
            many.record(value);
        }
        assert_eq!((few.numbers.len(), many.numbers.len()), (1792, 11264));
        let mut sum = SparseHistogram::default();
        sum.merge(&few);
        assert_eq!(sum.count(), few.count());
        let mut back = SparseHistogram::new(Digits::Two);
        back.merge(&sum);
        assert!(back.cells().eq(few.cells()));
    }

    #[test]
    fn a_value_far_away_costs_one_cell() {
        let mut grid = SparseHistogram::default();
        grid.record(1);
        grid.record(60_000_000_000);
        grid.record(u64::MAX);
        assert_eq!(grid.numbers.len(), 3);
        assert_eq!(grid.numbers.last(), Some(&56_319));
        grid.reset();
        assert_eq!((grid.count(), grid.last()), (0, None));
    }
}
