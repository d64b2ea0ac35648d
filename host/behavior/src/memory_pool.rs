//! What the instances of one behavior on one worker may hold together, in bytes of linear memory. Made by `slot.rs`; each
//! instance has a share of it in its store.
//!
//! What must stay true: what a share holds is given back with it, so that a pool is empty when its last instance is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Clones are the same pool. One thread uses it at a time; a store has to be able to move between threads, hence the atomic.
#[derive(Debug, Clone)]
pub(super) struct MemoryPool(Arc<Pool>);

#[derive(Debug)]
struct Pool {
    cap: usize,
    held: AtomicUsize,
}

impl MemoryPool {
    pub(super) fn new(cap: usize) -> Self {
        let held = AtomicUsize::new(0);
        Self(Arc::new(Pool { cap, held }))
    }

    pub(super) fn cap(&self) -> usize {
        self.0.cap
    }

    /// Bytes that all instances hold.
    pub(super) fn held(&self) -> usize {
        self.0.held.load(Ordering::Relaxed)
    }

    pub(super) fn free(&self) -> usize {
        self.cap().saturating_sub(self.held())
    }

    /// A part of it for one instance, still empty.
    pub(super) fn share(&self) -> MemoryShare {
        MemoryShare {
            pool: self.clone(),
            held: 0,
            grown_by: 0,
            refused: None,
        }
    }
}

/// Why an instance got no more memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// The pool has none left; other instances hold so many bytes of it.
    Pool { others: usize },
    /// The machine has none.
    Machine,
}

/// One instance's part of a pool, all of its memories together.
#[derive(Debug)]
pub(super) struct MemoryShare {
    pool: MemoryPool,
    held: usize,
    /// Bytes of the last growth.
    grown_by: usize,
    refused: Option<Refused>,
}

impl MemoryShare {
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Why it did not get what it asked for last.
    pub(super) fn refused(&self) -> Option<Refused> {
        self.refused
    }

    /// A memory wants to grow by so many bytes.
    pub(super) fn grow(&mut self, by: usize) -> bool {
        if by > self.pool.free() {
            let others = self.pool.held() - self.held;
            self.refused = Some(Refused::Pool { others });
            return false;
        }
        self.change(self.held + by);
        self.grown_by = by;
        true
    }

    /// The machine had no memory for what it grew by last.
    pub(super) fn failed_to_grow(&mut self) {
        self.change(self.held - self.grown_by);
        self.grown_by = 0;
        self.refused = Some(Refused::Machine);
    }

    fn change(&mut self, held: usize) {
        let others = self.pool.held() - self.held;
        self.pool.0.held.store(others + held, Ordering::Relaxed);
        self.held = held;
    }
}

impl Drop for MemoryShare {
    fn drop(&mut self) {
        self.change(0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_pool_holds_what_its_shares_hold_and_never_more_than_its_cap(
            acts in prop::collection::vec((0..4usize, 0..5u8, 0..200usize), 0..200),
        ) {
            let pool = MemoryPool::new(1000);
            let mut shares: Vec<MemoryShare> = (0..4).map(|_| pool.share()).collect();
            for (which, act, by) in acts {
                let free = pool.free();
                match act {
                    0 => shares[which] = pool.share(),
                    1 => shares[which].failed_to_grow(),
                    _ => prop_assert_eq!(shares[which].grow(by), by <= free),
                }
                let held: usize = shares.iter().map(MemoryShare::held).sum();
                prop_assert_eq!(pool.held(), held);
                prop_assert!(held <= 1000);
            }
            drop(shares);
            prop_assert_eq!(pool.held(), 0);
        }
    }
}
