//! From a file to rows, by the form that its ending tells.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::error::{FeedError, FeedErrors, Wrong, line_of};
use super::rows::{MAX_BYTES, Rows, too_large};
use super::{csv, json};
use vespeiro_plan::{Feed, FeedFormat};

/// The rows of each feed, in their order.
///
/// # Errors
/// What is wrong with each of the files that cannot be used.
pub fn read_all(feeds: &[Feed]) -> Result<Vec<Rows>, FeedErrors> {
    let (mut all, mut errors) = (Vec::new(), Vec::new());
    for feed in feeds {
        match read(feed) {
            Ok(rows) => all.push(rows),
            Err(error) => errors.push(error),
        }
    }
    match errors.is_empty() {
        true => Ok(all),
        false => Err(FeedErrors(errors)),
    }
}

/// The rows of a feed: at least one.
///
/// # Errors
/// The file cannot be read, holds no row or a wrong one, or is over the bounds.
pub fn read(feed: &Feed) -> Result<Rows, FeedError> {
    let read = load(&feed.file).and_then(|bytes| parse(&bytes, feed.format));
    read.map_err(|wrong| FeedError {
        feed: feed.name.clone(),
        file: feed.file.clone(),
        wrong,
    })
}

fn load(path: &Path) -> Result<Vec<u8>, Wrong> {
    let unreadable = |error: std::io::Error| {
        let problem = format!("it cannot be read: {error}");
        Wrong::new(problem, "give the path of a file that you may read")
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    // One more than it may have, so that the rest of a larger one is left alone.
    let mut file = file.take(MAX_BYTES as u64 + 1);
    file.read_to_end(&mut bytes).map_err(unreadable)?;
    match bytes.len() > MAX_BYTES {
        true => Err(too_large()),
        false => Ok(bytes),
    }
}

pub(super) fn parse(bytes: &[u8], format: FeedFormat) -> Result<Rows, Wrong> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        Wrong::new("this is no UTF-8", "save it as UTF-8").at(line_of(before))
    })?;
    // What some programs put before UTF-8.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut rows = Rows::default();
    match format {
        FeedFormat::Csv => csv::read(text, &mut rows)?,
        FeedFormat::JsonLines => json::lines(text, &mut rows)?,
        FeedFormat::Json => json::array(text, &mut rows)?,
    }
    if rows.is_empty() {
        let mend = match format {
            FeedFormat::Csv => "write one below the header",
            FeedFormat::JsonLines => "write one JSON value a line",
            FeedFormat::Json => "write them between [ and ], separated by commas",
        };
        return Err(Wrong::new("it holds no row", mend));
    }
    rows.shrink();
    Ok(rows)
}
