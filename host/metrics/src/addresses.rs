//! How requests spread over the addresses of a target: which of the machines behind one name are slow, fail, or get nothing.
//! The recorder counts, the totals add up; read through [`super::Snapshot`].
//!
//! What must stay true: no more than [`MAX_ADDRESSES`] are told apart, and what the others did is counted together.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::merge::{Merge, counts};

/// Addresses that are told apart.
pub const MAX_ADDRESSES: usize = 32;

counts! {
    /// What went to one address.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct AddressCounts {
        pub requests: u64,
        /// Failures that nobody asked for.
        pub errors: u64,
        /// Connections whose first request it was.
        pub connections: u64,
        /// Of all requests together, from the send to the outcome.
        pub time: Duration,
    }
}

/// Counts by address, in the order in which addresses were met.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Addresses {
    each: Vec<(SocketAddr, AddressCounts)>,
    others: AddressCounts,
}

impl Addresses {
    /// What is counted for one. Mostly there are few, and the first is asked for.
    pub(super) fn of(&mut self, address: SocketAddr) -> &mut AddressCounts {
        match self.each.iter().position(|(known, _)| *known == address) {
            Some(at) => &mut self.each[at].1,
            None if self.each.len() < MAX_ADDRESSES => {
                self.each.push((address, AddressCounts::default()));
                let last = self.each.len() - 1;
                &mut self.each[last].1
            }
            None => &mut self.others,
        }
    }

    /// Those that have anything, in order, and what went to all others (`None`).
    pub fn sorted(&self) -> Vec<(Option<SocketAddr>, AddressCounts)> {
        let each = self
            .each
            .iter()
            .map(|(address, counts)| (Some(*address), *counts));
        let mut all: Vec<_> = each.collect();
        all.sort_unstable_by_key(|(address, _)| *address);
        all.push((None, self.others));
        all.retain(|(_, counts)| !counts.is_empty());
        all
    }
}

impl Merge for Addresses {
    fn merge(&mut self, other: &Addresses) {
        for (address, counts) in &other.each {
            self.of(*address).merge(counts);
        }
        self.others.merge(&other.others);
    }

    fn reset(&mut self) {
        self.each.iter_mut().for_each(|(_, counts)| counts.reset());
        self.others.reset();
    }

    fn is_empty(&self) -> bool {
        self.others.is_empty() && self.each.iter().all(|(_, counts)| counts.is_empty())
    }

    fn fits(&self, like: &Addresses) -> bool {
        let mut all = self
            .each
            .iter()
            .map(|(_, counts)| counts)
            .chain([&self.others]);
        self.each.len() <= MAX_ADDRESSES && all.all(|counts| counts.fits(&like.others))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn beyond_so_many_they_are_counted_together() {
        let mut one = Addresses::default();
        let mut sum = Addresses::default();
        for port in 1..=40 {
            one.of(address(port)).requests += u64::from(port);
        }
        sum.merge(&one);
        sum.merge(&one);
        let all = sum.sorted();
        assert_eq!(all.len(), MAX_ADDRESSES + 1);
        assert_eq!((all[0].0, all[0].1.requests), (Some(address(1)), 2));
        let (others, counts) = all[MAX_ADDRESSES];
        assert_eq!(
            (others, counts.requests),
            (None, 2 * (33..=40).sum::<u64>())
        );
        one.reset();
        assert!(one.is_empty() && one.sorted().is_empty());
    }
}
