//! Compiled functions, kept for the next module that contains the same: an edited behavior shares nearly all of its code
//! with the version before it. Used by `engine.rs`, read and written by the compiler's threads.
//!
//! What must stay true: it is bounded, whatever is swapped in; what was not used lately is dropped first.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use vespeiro_model::{Clock, Instant};
use wasmtime::CacheStore;

/// Bytes that one generation may hold: the functions of some ten behaviors in Rust, or of one that carries a whole engine.
const GENERATION: usize = 12 << 20;

/// How long a thread compiles before it yields its core. The scheduler alone would let it go on for a few milliseconds, and a
/// worker on the same core would stand still for that long.
const SLICE: Duration = Duration::from_micros(250);

/// Compiled functions by the hash of their code.
pub(super) struct Functions {
    clock: Clock,
    generations: Mutex<Generations>,
}

/// The functions used since the young ones were last full, and those from before.
#[derive(Default)]
struct Generations {
    young: HashMap<Box<[u8]>, Box<[u8]>>,
    old: HashMap<Box<[u8]>, Box<[u8]>>,
    /// Bytes in the young ones.
    bytes: usize,
    /// When a thread last yielded its core.
    yielded: Option<Instant>,
}

impl Functions {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            generations: Mutex::default(),
        }
    }

    fn locked(&self) -> MutexGuard<'_, Generations> {
        // A panic cannot leave this inconsistent in a way that matters: a missing function is compiled again.
        self.generations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generations {
    fn must_yield(&mut self, now: Instant) -> bool {
        let due = self.yielded.is_none_or(|at| now - at >= SLICE);
        if due {
            self.yielded = Some(now);
        }
        due
    }

    fn get(&mut self, key: &[u8]) -> Option<Box<[u8]>> {
        if let Some(code) = self.young.get(key) {
            return Some(code.clone());
        }
        let (key, code) = self.old.remove_entry(key)?;
        let found = code.clone();
        self.insert(key, code);
        Some(found)
    }

    fn insert(&mut self, key: Box<[u8]>, code: Box<[u8]>) {
        let size = key.len() + code.len();
        if self.bytes + size > GENERATION {
            self.old = mem::take(&mut self.young);
            self.bytes = 0;
        }
        if size <= GENERATION && self.young.insert(key, code).is_none() {
            self.bytes += size;
        }
    }
}

impl CacheStore for Functions {
    fn get(&self, key: &[u8]) -> Option<Cow<'_, [u8]>> {
        // The only point between two functions at which the compiler calls us.
        if self.locked().must_yield(self.clock.now()) {
            thread::yield_now();
        }
        let code = self.locked().get(key)?;
        Some(Cow::Owned(code.into_vec()))
    }

    fn insert(&self, key: &[u8], value: Vec<u8>) -> bool {
        self.locked().insert(key.into(), value.into_boxed_slice());
        true
    }
}

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Functions")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(functions: &Functions) -> usize {
        let generations = functions.locked();
        let both = generations.young.iter().chain(&generations.old);
        both.map(|(key, code)| key.len() + code.len()).sum()
    }

    #[test]
    fn what_was_asked_for_lately_stays_and_the_rest_goes() {
        let functions = Functions::new(Clock::system());
        let size = GENERATION / 10;
        functions.insert(b"used", vec![7; size]);
        functions.insert(b"forgotten", vec![8; size]);
        for number in 0..50u32 {
            functions.insert(&number.to_le_bytes(), vec![0; size]);
            assert_eq!(functions.get(b"used").unwrap()[..], vec![7; size]);
            assert!(held(&functions) <= 2 * GENERATION);
        }
        assert_eq!(functions.get(b"forgotten"), None);
        assert_eq!(
            functions.get(&49u32.to_le_bytes()).unwrap()[..],
            vec![0; size]
        );
    }

    #[test]
    fn one_that_is_too_large_is_not_kept() {
        let functions = Functions::new(Clock::system());
        functions.insert(b"key", vec![0; GENERATION]);
        assert_eq!((functions.get(b"key"), held(&functions)), (None, 0));
    }
}
