//! Work that falls into pieces which know nothing of each other, on all cores. Used where summaries are merged.
//!
//! What must stay true: the results are in the order of the pieces, whoever was done first.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What `work` makes of each piece.
pub(crate) fn on_cores<T: Sync, R: Send>(pieces: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let threads = cores.min(pieces.len());
    if threads < 2 {
        return pieces.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    // One piece after the other, as they are not equally large.
    let some = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(piece) = pieces.get(at) else {
                return done;
            };
            done.push((at, work(piece)));
        }
    };
    let mut all = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(some)).collect();
        let mut all = some();
        for other in others {
            all.append(&mut other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        all
    });
    all.sort_unstable_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_pieces() {
        for pieces in [0u32, 1, 2, 1_000] {
            let pieces: Vec<u32> = (0..pieces).collect();
            let doubled: Vec<u32> = pieces.iter().map(|piece| 2 * piece).collect();
            assert_eq!(on_cores(&pieces, |piece| 2 * piece), doubled);
        }
    }
}
