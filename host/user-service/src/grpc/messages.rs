//! The messages of `proto/`, and what becomes of the views that handlers are shown. `tests/generated.rs` says how they are made.

#![allow(clippy::all)]

include!("generated/users.v1.rs");

/// What reflection tells of them.
pub const DESCRIPTORS: &[u8] = include_bytes!("generated/users.v1.bin");
