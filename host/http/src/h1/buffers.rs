//! A worker's buffers. Exchanges take turns with them, within one poll; only what cannot be written at once, or decoded
//! yet, moves into memory of its own.
//!
//! What must stay true: nothing is kept borrowed while somebody waits.

use std::cell::RefCell;

/// Read at a time.
const READ: usize = 64 << 10;
/// A buffer that one large request has grown is not kept.
const WRITE: usize = 64 << 10;

#[derive(Debug)]
pub(crate) struct Buffers {
    read: RefCell<Box<[u8]>>,
    write: RefCell<Vec<u8>>,
}

impl Default for Buffers {
    fn default() -> Self {
        Self {
            read: RefCell::new(vec![0; READ].into()),
            write: RefCell::default(),
        }
    }
}

impl Buffers {
    /// Room to read into. What it holds is old.
    pub(crate) fn reading<T>(&self, with: impl FnOnce(&mut [u8]) -> T) -> T {
        with(&mut self.read.borrow_mut())
    }

    /// An empty buffer to write into.
    pub(super) fn writing<T>(&self, with: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        let mut buffer = self.write.borrow_mut();
        buffer.clear();
        let done = with(&mut buffer);
        if buffer.capacity() > WRITE {
            *buffer = Vec::new();
        }
        done
    }
}
