//! Rows in memory: one text, and where in it each of them ends.

use super::error::Wrong;

/// Most bytes of a feed: of its file, and of its rows as JSON.
pub const MAX_BYTES: usize = 64 << 20;
/// Most rows of a feed.
pub const MAX_ROWS: usize = 4_000_000;
/// Most bytes of one row as JSON.
pub const MAX_ROW: usize = 1 << 20;

/// The rows of a feed, each a JSON value without white space around its parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    text: String,
    ends: Vec<u32>,
}

impl Rows {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Bytes of all rows.
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// The row of this number, from 0.
    pub fn get(&self, row: usize) -> Option<&str> {
        let end = *self.ends.get(row)? as usize;
        let begin = match row.checked_sub(1) {
            Some(before) => *self.ends.get(before)? as usize,
            None => 0,
        };
        self.text.get(begin..end)
    }

    /// One more row, if it is within the bounds.
    pub(super) fn push(&mut self, row: &str) -> Result<(), Wrong> {
        if row.len() > MAX_ROW {
            let problem = format!("a row of {} bytes is over the {MAX_ROW} of one", row.len());
            return Err(Wrong::new(problem, "leave out what no behavior reads"));
        }
        if self.ends.len() == MAX_ROWS {
            let problem = format!("it has more than {MAX_ROWS} rows");
            return Err(Wrong::new(problem, "give it fewer"));
        }
        if self.text.len() + row.len() > MAX_BYTES {
            return Err(too_large());
        }
        self.text.push_str(row);
        self.ends.push(self.text.len() as u32);
        Ok(())
    }

    pub(super) fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.ends.shrink_to_fit();
    }
}

pub(super) fn too_large() -> Wrong {
    let problem = format!(
        "its rows are over the {} MiB of a feed, as a file or as JSON",
        MAX_BYTES >> 20
    );
    Wrong::new(
        problem,
        "give it fewer rows, or leave out fields that no behavior reads",
    )
}
