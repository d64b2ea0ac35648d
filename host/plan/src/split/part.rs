//! Which part of a plan one worker of one shard has: of everything that is counted out, every `step`-th from `first` on. Whatever
//! is split over workers is split over shards by the same two numbers.
//!
//! What must stay true: the parts of all workers of all shards are the whole, each thing once, also where shards have different
//! numbers of workers.

use std::fmt;
use std::path::{Path, PathBuf};

/// One of the processes that play a plan together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// From 0.
    pub index: usize,
    /// How many there are, at least 1.
    pub shards: usize,
}

/// A worker of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub shard: Shard,
    /// From 0.
    pub worker: usize,
    /// How many its shard has, at least 1.
    pub workers: usize,
}

/// Every `step`-th thing, from `first` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    pub first: usize,
    pub step: usize,
}

impl Shard {
    /// A process that plays the whole plan.
    pub const ALONE: Shard = Shard {
        index: 0,
        shards: 1,
    };

    pub fn is_alone(self) -> bool {
        self.shards <= 1
    }

    /// One of its workers.
    pub fn place(self, worker: usize, workers: usize) -> Place {
        Place {
            shard: self,
            worker,
            workers,
        }
    }

    /// All of its workers, as if they were one.
    pub fn whole(self) -> Place {
        self.place(0, 1)
    }

    /// A word for it in names: `0-of-3`.
    pub fn word(self) -> String {
        format!("{}-of-{}", self.index, self.shards)
    }

    /// A file of its own beside those of the other shards: `summary.json` becomes `summary-0-of-3.json`.
    pub fn file(self, path: &Path) -> PathBuf {
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let (false, Some(stem)) = (self.is_alone(), stem) else {
            return path.to_owned();
        };
        let mut name = format!("{stem}-{}", self.word());
        if let Some(extension) = path.extension().and_then(|extension| extension.to_str()) {
            name = format!("{name}.{extension}");
        }
        path.with_file_name(name)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.shards)
    }
}

impl Place {
    /// Its part of what is counted out.
    pub fn part(self) -> Part {
        let shard = Part::new(self.shard.index, self.shard.shards);
        shard.part(Part::new(self.worker, self.workers))
    }
}

impl Part {
    pub const WHOLE: Part = Part { first: 0, step: 1 };

    /// Part number `first` of `step`.
    pub fn new(first: usize, step: usize) -> Part {
        let step = step.max(1);
        Part {
            first: first % step,
            step,
        }
    }

    /// A part of this part.
    pub fn part(self, inner: Part) -> Part {
        Part {
            first: self.first + self.step * inner.first,
            step: self.step * inner.step,
        }
    }

    /// Whether the thing of this number, from 0, is in it.
    pub fn has(self, number: usize) -> bool {
        number % self.step == self.first
    }

    /// How many of the first `count` things are in it.
    pub fn of(self, count: usize) -> usize {
        count / self.step + usize::from(self.first < count % self.step)
    }

    /// The same where the first thing has this number.
    pub fn of_those_from(self, first: usize, count: usize) -> usize {
        let first = (self.first + self.step - first % self.step) % self.step;
        Part { first, ..self }.of(count)
    }

    /// The number of its n-th thing, from 0.
    pub fn nth(self, n: u64) -> u64 {
        n * self.step as u64 + self.first as u64
    }

    /// A share of a bound, at least one: all of them are the bound, where there is one for each. 0 stays none.
    pub fn share(self, bound: usize) -> usize {
        self.of(bound).max(usize::from(bound > 0))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All places of shards with so many workers each.
    pub(in super::super) fn places(workers: &[usize]) -> Vec<Place> {
        let shards = workers.len();
        let of = |(index, workers): (usize, &usize)| {
            let (shard, workers) = (Shard { index, shards }, *workers);
            (0..workers).map(move |worker| shard.place(worker, workers))
        };
        workers.iter().enumerate().flat_map(of).collect()
    }

    #[test]
    fn a_shard_has_files_of_its_own_and_who_is_alone_has_them_as_they_were_named() {
        let shard = Shard {
            index: 1,
            shards: 3,
        };
        for (path, own) in [
            ("out/summary.json", "out/summary-1-of-3.json"),
            ("a1b2c3d4.journal", "a1b2c3d4-1-of-3.journal"),
            ("/tmp/x", "/tmp/x-1-of-3"),
        ] {
            assert_eq!(shard.file(Path::new(path)), Path::new(own));
            assert_eq!(Shard::ALONE.file(Path::new(path)), Path::new(path));
        }
    }

    proptest! {
        #[test]
        fn everything_is_in_one_part_and_every_bound_is_shared_out(
            workers in prop::collection::vec(1usize..7, 1..7), count in 0usize..500,
        ) {
            let parts: Vec<Part> = places(&workers).into_iter().map(Place::part).collect();
            for thing in 0..count {
                prop_assert_eq!(parts.iter().filter(|part| part.has(thing)).count(), 1);
            }
            for part in &parts {
                let own = (0..count).filter(|thing| part.has(*thing));
                prop_assert_eq!(part.of(count), own.clone().count());
                prop_assert!(own.enumerate().all(|(n, thing)| part.nth(n as u64) == thing as u64));
                for first in 0..9 {
                    let own = (first..first + count).filter(|thing| part.has(*thing));
                    prop_assert_eq!(part.of_those_from(first, count), own.count());
                }
            }
            prop_assert_eq!(parts.iter().map(|part| part.of(count)).sum::<usize>(), count);
            let shares = || parts.iter().map(|part| part.share(count));
            prop_assert!(count == 0 || shares().all(|share| share > 0));
            if parts.iter().all(|part| part.of(count) > 0) {
                prop_assert_eq!(shares().sum::<usize>(), count);
            }
        }
    }
}
