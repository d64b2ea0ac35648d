//! The allocator of behaviors: free lists by size. A call of `next` allocates and frees dozens of small things, and all
//! sessions of an instance alike, so that what one has freed fits the next one. Larger things are the standard
//! library's allocator's.
//!
//! What must stay true: a block belongs to the list of its class for good, so that its size follows from its layout.

#![allow(unsafe_code)] // The measured need: 3,600 of the 22,700 instructions of a `next` of the example `bench` were the
// standard library's allocator's, 480 are this one's.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::ptr::{self, NonNull};

/// Classes are this far apart up to [`LINEAR`]: all that is aligned like a `u64` fits any of them.
const GRAIN: usize = 16;
const LINEAR: usize = 128;
/// Beyond it, eight classes for each doubling: at most an eighth of a block is never used.
const PER_DOUBLING: usize = 8;
/// Larger things are rare.
const LARGEST: usize = 2048;
const CLASSES: usize = LINEAR / GRAIN + PER_DOUBLING * 4;
/// What blocks are cut from.
const CHUNK: usize = 16 << 10;

/// Memory of an instance, which has one thread.
pub(crate) struct Blocks(UnsafeCell<Lists>);

struct Lists {
    free: [Option<NonNull<Free>>; CLASSES],
    /// What is left of the chunk, in whole grains.
    chunk: *mut u8,
    left: usize,
}

/// A block that nobody uses.
struct Free {
    next: Option<NonNull<Free>>,
}

// SAFETY: a module for `wasm32-unknown-unknown` has no threads, and no allocation happens within another.
unsafe impl Sync for Blocks {}

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static BLOCKS: Blocks = Blocks::new();

impl Blocks {
    pub(crate) const fn new() -> Self {
        Self(UnsafeCell::new(Lists {
            free: [None; CLASSES],
            chunk: ptr::null_mut(),
            left: 0,
        }))
    }
}

/// The class that such a thing belongs to; `None` for one that is not for the lists.
fn class(layout: Layout) -> Option<usize> {
    let size = layout.size();
    if layout.align() > GRAIN || size > LARGEST {
        None
    } else if size <= LINEAR {
        Some(size.saturating_sub(1) / GRAIN)
    } else {
        let last = size - 1;
        let doubling = last.ilog2() as usize;
        let part = (last >> (doubling - 3)) & (PER_DOUBLING - 1);
        Some(LINEAR / GRAIN + (doubling - LINEAR.ilog2() as usize) * PER_DOUBLING + part)
    }
}

/// How long the blocks of a class are: whole grains.
fn length(class: usize) -> usize {
    let Some(beyond) = class.checked_sub(LINEAR / GRAIN) else {
        return (class + 1) * GRAIN;
    };
    let doubling = LINEAR.ilog2() as usize + beyond / PER_DOUBLING;
    (PER_DOUBLING + beyond % PER_DOUBLING + 1) << (doubling - 3)
}

impl Lists {
    unsafe fn put(&mut self, class: usize, block: *mut u8) {
        if let Some(block) = NonNull::new(block.cast::<Free>()) {
            let next = self.free[class];
            // SAFETY: the caller gives a block of this class, which is large enough and aligned for it.
            unsafe { block.write(Free { next }) };
            self.free[class] = Some(block);
        }
    }

    #[cold]
    fn cut(&mut self, class: usize) -> *mut u8 {
        let length = length(class);
        if self.left < length {
            self.share_out();
            let Ok(whole) = Layout::from_size_align(CHUNK, GRAIN) else {
                return ptr::null_mut();
            };
            // SAFETY: the layout is not empty.
            self.chunk = unsafe { System.alloc(whole) };
            if self.chunk.is_null() {
                return ptr::null_mut();
            }
            self.left = CHUNK;
        }
        let block = self.chunk;
        // SAFETY: the chunk has at least `length` bytes left.
        self.chunk = unsafe { block.add(length) };
        self.left -= length;
        block
    }

    /// What is left of the chunk becomes free blocks.
    fn share_out(&mut self) {
        while self.left >= GRAIN {
            let mut fits = 0;
            while fits + 1 < CLASSES && length(fits + 1) <= self.left {
                fits += 1;
            }
            let block = self.chunk;
            // SAFETY: the chunk has at least that much left, and nobody else has it.
            unsafe {
                self.chunk = block.add(length(fits));
                self.put(fits, block);
            }
            self.left -= length(fits);
        }
    }
}

// SAFETY: blocks do not overlap, are as long as their class says and aligned to `GRAIN`; all else is the system's.
unsafe impl GlobalAlloc for Blocks {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(class) = class(layout) else {
            // SAFETY: the caller's promise.
            return unsafe { System.alloc(layout) };
        };
        // SAFETY: one thread, and no call within a call.
        let lists = unsafe { &mut *self.0.get() };
        match lists.free[class] {
            Some(block) => {
                // SAFETY: it was written when it was put there.
                lists.free[class] = unsafe { block.read() }.next;
                block.as_ptr().cast()
            }
            None => lists.cut(class),
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match class(layout) {
            // SAFETY: one thread; the layout is the one it was allocated with.
            Some(class) => unsafe { (*self.0.get()).put(class, block) },
            // SAFETY: as above.
            None => unsafe { System.dealloc(block, layout) },
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise: the new size is sound for this alignment.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        match (class(layout), class(wanted)) {
            (None, None) => {
                // SAFETY: as for `dealloc`.
                unsafe { System.realloc(block, layout, size) }
            }
            (Some(old), Some(new)) if old == new => block,
            _ => {
                // SAFETY: both blocks are at least as long as what is copied, and are different ones.
                unsafe {
                    let moved = self.alloc(wanted);
                    if !moved.is_null() {
                        ptr::copy_nonoverlapping(block, moved, layout.size().min(size));
                        self.dealloc(block, layout);
                    }
                    moved
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_long_enough_and_hardly_longer() {
        for size in 1..=LARGEST {
            let layout = Layout::from_size_align(size, 8).unwrap();
            let class = class(layout).unwrap();
            let length = length(class);
            assert!(length >= size && length.is_multiple_of(GRAIN), "{size}");
            assert!(length - size < GRAIN.max(size.div_ceil(8)), "{size}");
        }
        for (size, align) in [(LARGEST + 1, 8), (64, 32)] {
            assert_eq!(class(Layout::from_size_align(size, align).unwrap()), None);
        }
    }

    #[test]
    fn what_is_written_stays_whatever_else_comes_and_goes() {
        let blocks = Blocks::new();
        let mut rng = fastrand::Rng::with_seed(7);
        let mut kept: Vec<(*mut u8, Layout, u8)> = Vec::new();
        // Miri takes a thousand times as long for each.
        for turn in 0..if cfg!(miri) { 300 } else { 20_000 } {
            let at = (!kept.is_empty()).then(|| rng.usize(..kept.len()));
            match (rng.u8(..3), at) {
                (0, Some(at)) => {
                    let (block, layout, fill) = kept.swap_remove(at);
                    // SAFETY: `block` is the allocator's, with this layout.
                    unsafe {
                        assert!((0..layout.size()).all(|n| *block.add(n) == fill));
                        blocks.dealloc(block, layout);
                    }
                }
                (1, Some(at)) => {
                    let (block, layout, fill) = kept[at];
                    let size = rng.usize(1..3000);
                    // SAFETY: as above.
                    unsafe {
                        let moved = blocks.realloc(block, layout, size);
                        assert!((0..layout.size().min(size)).all(|n| *moved.add(n) == fill));
                        moved.write_bytes(fill, size);
                        let layout = Layout::from_size_align(size, layout.align()).unwrap();
                        kept[at] = (moved, layout, fill);
                    }
                }
                _ if kept.len() < 300 => {
                    let align = 1 << rng.u32(..7);
                    let layout = Layout::from_size_align(rng.usize(1..3000), align).unwrap();
                    let fill = turn as u8;
                    // SAFETY: the layout is not empty.
                    unsafe {
                        let block = blocks.alloc(layout);
                        assert!(block.addr().is_multiple_of(align));
                        block.write_bytes(fill, layout.size());
                        kept.push((block, layout, fill));
                    }
                }
                _ => {}
            }
        }
    }

    #[test]
    fn what_was_freed_is_used_again() {
        let blocks = Blocks::new();
        let layout = Layout::from_size_align(200, 8).unwrap();
        // SAFETY: the layout is not empty, and each block is freed once.
        unsafe {
            let first = blocks.alloc(layout);
            blocks.dealloc(first, layout);
            assert_eq!(
                blocks.alloc(Layout::from_size_align(194, 4).unwrap()),
                first
            );
        }
    }
}
