//! The rows of data feeds: read whole before a run begins, checked, and kept as compact JSON. `run` deals them out, the
//! command line reads them; what a plan says of feeds is in `plan`.
//!
//! What must stay true: no byte of a file makes this panic or take more than its bounds, and whatever is wrong with a
//! file is told in one line with its place.

mod assignment;
mod csv;
pub(crate) mod cursor;
mod error;
mod json;
mod read;
mod rows;
#[cfg(test)]
mod tests;

pub use cursor::FeedSet;
pub use error::{FeedError, FeedErrors};
pub use read::{read, read_all};
pub use rows::{MAX_BYTES, MAX_ROW, MAX_ROWS, Rows};
