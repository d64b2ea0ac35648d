//! The counts behind a [`super::Timing`]: those of an HDR histogram with 3 or 2 significant digits, kept in short pieces, each
//! of which is made for the first value that falls into it.
//!
//! What must stay true: a value far from all others costs one piece, not all cells up to it. There are hundreds of these
//! in a run, and one slow second of the target must not show in the generator's memory. For the same reason a cell has
//! half the width of a count, and the few that outgrow it carry over elsewhere.

use std::collections::BTreeMap;

/// Cells of a piece: few, for the values far from most come one by one.
const PIECE: usize = 8;

type Piece = [u32; PIECE];

/// How many significant digits values have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Digits {
    Two,
    #[default]
    Three,
}

impl Digits {
    /// The lowest range has two to this power of cells, each of one value; every further range is twice as wide and has half as
    /// many.
    fn bits(self) -> u32 {
        match self {
            Digits::Two => 8,
            Digits::Three => 11,
        }
    }

    /// The number of the cell that a value falls into.
    fn cell_of(self, value: u64) -> usize {
        let bits = self.bits();
        let range = u64::BITS - bits - (value | ((1 << bits) - 1)).leading_zeros();
        ((range as usize) << (bits - 1)) + (value >> range) as usize
    }

    fn cell(self, number: usize, count: u64) -> Cell {
        let further = self.bits() - 1;
        let range = (number >> further).saturating_sub(1);
        let lowest = ((number - (range << further)) as u64) << range;
        Cell {
            lowest,
            highest: lowest + ((1u64 << range) - 1),
            count,
        }
    }
}

/// Counts by value.
#[derive(Debug, Clone, Default)]
pub(super) struct SparseHistogram {
    digits: Digits,
    /// Where the counts of each run of cells are: one more than an index into `pieces`, or 0 for none.
    places: Vec<u16>,
    pieces: Vec<Piece>,
    /// The upper halves of counts that a cell is too narrow for, by its number.
    carried: BTreeMap<usize, u32>,
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

    pub(super) fn record(&mut self, value: u64) {
        self.record_n(value, 1);
    }

    pub(super) fn record_n(&mut self, value: u64, count: u64) {
        self.add(self.digits.cell_of(value), count);
        self.count = self.count.saturating_add(count);
    }

    fn add(&mut self, cell: usize, count: u64) {
        let counted = &mut self.piece_at(cell / PIECE)[cell % PIECE];
        let sum = u64::from(*counted).saturating_add(count);
        *counted = sum as u32;
        if sum > u64::from(u32::MAX) {
            self.carry(cell, (sum >> 32) as u32);
        }
    }

    #[cold]
    fn carry(&mut self, cell: usize, upper: u32) {
        let carried = self.carried.entry(cell).or_default();
        *carried = carried.saturating_add(upper);
    }

    /// Make this the count of a cell that is in use.
    fn put(&mut self, cell: usize, index: usize, count: u64) {
        self.pieces[index][cell % PIECE] = count as u32;
        match (count >> 32) as u32 {
            0 => self.carried.remove(&cell),
            upper => self.carried.insert(cell, upper),
        };
    }

    /// The piece of this run of cells, a new one if need be.
    fn piece_at(&mut self, at: usize) -> &mut Piece {
        match self.index(at) {
            Some(index) => &mut self.pieces[index],
            None => self.new_piece(at),
        }
    }

    /// Where the counts of this run of cells are.
    fn index(&self, at: usize) -> Option<usize> {
        let place = self.places.get(at).copied().unwrap_or(0);
        usize::from(place).checked_sub(1)
    }

    #[cold]
    fn new_piece(&mut self, at: usize) -> &mut Piece {
        if at >= self.places.len() {
            self.places.resize(at + 1, 0);
        }
        if self.pieces.len() == self.pieces.capacity() {
            // Not twice as much, as a vector grows by itself: most of these have nearly all they will ever need.
            self.pieces.reserve_exact(8 + self.pieces.len() / 8);
        }
        self.pieces.push([0; PIECE]);
        let last = self.pieces.len() - 1;
        // Fits: the largest value of all lies in piece 7039.
        self.places[at] = last as u16 + 1;
        &mut self.pieces[last]
    }

    /// Add what another one counts. Where its digits are others, each of its cells is one value, the largest that falls into it.
    pub(super) fn merge(&mut self, other: &SparseHistogram) {
        if self.digits != other.digits {
            for cell in other.cells() {
                self.record_n(cell.highest, cell.count);
            }
            return;
        }
        for (at, theirs) in other.used() {
            for (within, count) in theirs
                .into_iter()
                .enumerate()
                .filter(|(_, count)| *count > 0)
            {
                self.add(at * PIECE + within, count);
            }
        }
        self.count = self.count.saturating_add(other.count);
    }

    /// Take an earlier state of this one away. `false`: it was none, and the result is not exact.
    pub(super) fn subtract(&mut self, earlier: &SparseHistogram) -> bool {
        let mut exact = self.digits == earlier.digits;
        for (at, theirs) in earlier.used() {
            match self.index(at) {
                Some(index) => {
                    let mine = self.counts(at, index);
                    for (within, (mine, theirs)) in mine.into_iter().zip(theirs).enumerate() {
                        exact &= mine >= theirs;
                        self.put(at * PIECE + within, index, mine.saturating_sub(theirs));
                    }
                }
                None => exact &= theirs.iter().all(|count| *count == 0),
            }
        }
        self.count = self.count.saturating_sub(earlier.count);
        exact
    }

    /// Forget the values, keep the memory.
    pub(super) fn reset(&mut self) {
        self.places.clear();
        self.pieces.clear();
        self.carried.clear();
        self.count = 0;
    }

    /// Values in it.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The cells in use, ascending.
    pub(super) fn cells(&self) -> impl Iterator<Item = Cell> {
        self.used().flat_map(move |(at, piece)| {
            let counted = piece
                .into_iter()
                .enumerate()
                .filter(|(_, count)| *count > 0);
            counted.map(move |(within, count)| self.digits.cell(at * PIECE + within, count))
        })
    }

    /// The cell in which the value of this rank lies: 1 is the smallest.
    pub(super) fn ranked(&self, rank: u64) -> Option<Cell> {
        let mut seen = 0u64;
        for (at, piece) in self.used() {
            let here = piece.iter().copied().fold(0, u64::saturating_add);
            if seen.saturating_add(here) < rank {
                seen = seen.saturating_add(here);
                continue;
            }
            for (within, count) in piece.iter().enumerate() {
                seen = seen.saturating_add(*count);
                if *count > 0 && seen >= rank {
                    return Some(self.digits.cell(at * PIECE + within, *count));
                }
            }
        }
        self.last()
    }

    /// The lowest cell in use.
    pub(super) fn first(&self) -> Option<Cell> {
        self.cells().next()
    }

    /// The highest cell in use.
    pub(super) fn last(&self) -> Option<Cell> {
        self.used().rev().find_map(|(at, piece)| {
            let within = piece.iter().rposition(|count| *count > 0)?;
            Some(self.digits.cell(at * PIECE + within, piece[within]))
        })
    }

    fn used(&self) -> impl DoubleEndedIterator<Item = (usize, [u64; PIECE])> {
        let runs = 0..self.places.len();
        runs.filter_map(|at| Some((at, self.counts(at, self.index(at)?))))
    }

    /// A piece's counts, whole.
    fn counts(&self, at: usize, index: usize) -> [u64; PIECE] {
        let mut counts = self.pieces[index].map(u64::from);
        if !self.carried.is_empty() {
            for (within, count) in counts.iter_mut().enumerate() {
                let upper = self.carried.get(&(at * PIECE + within)).copied();
                *count |= u64::from(upper.unwrap_or(0)) << 32;
            }
        }
        counts
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
            let number = digits.cell_of(value);
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
            let of = if digits == Digits::Two { 2 } else { 3 };
            let mut whole = Histogram::<u64>::new(of).unwrap();
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
        let (mut few, mut many) = (
            SparseHistogram::new(Digits::Two),
            SparseHistogram::default(),
        );
        for value in 0..1 << 20 {
            few.record(value);
            many.record(value);
        }
        assert_eq!((few.pieces.len(), many.pieces.len()), (224, 1408));
        let mut sum = SparseHistogram::default();
        sum.merge(&few);
        assert_eq!(sum.count(), few.count());
        let ends = |grid: &SparseHistogram| {
            grid.cells()
                .map(|c| (c.highest, c.count))
                .collect::<Vec<_>>()
        };
        let mut back = SparseHistogram::new(Digits::Two);
        back.merge(&sum);
        assert_eq!(ends(&back), ends(&few));
    }

    #[test]
    fn a_value_far_away_costs_one_piece() {
        let mut grid = SparseHistogram::default();
        grid.record(1);
        grid.record(60_000_000_000);
        assert_eq!(grid.pieces.len(), 2);
        grid.record(u64::MAX);
        assert_eq!(grid.places.len(), 7040);
        grid.reset();
        assert_eq!((grid.count(), grid.last()), (0, None));
    }
}
