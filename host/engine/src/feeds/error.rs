//! What is wrong with a feed's file, and where.

use std::path::PathBuf;

use vespeiro_plan::one_line;

/// A file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "feed {feed}: {}{}: {}; {}",
    one_line(&file.display()),
    wrong.line.map_or_else(String::new, |line| format!(":{line}")),
    wrong.problem,
    wrong.mend
)]
pub struct FeedError {
    pub feed: String,
    pub file: PathBuf,
    pub(super) wrong: Wrong,
}

/// The files of a plan that cannot be used, a line for each; at least one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(FeedError::to_string).collect::<Vec<_>>().join("\n"))]
pub struct FeedErrors(pub Vec<FeedError>);

/// A mistake in some file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    /// From 1; `None`: the file as a whole.
    pub(super) line: Option<usize>,
    pub(super) problem: String,
    /// What to do instead.
    pub(super) mend: String,
}

impl Wrong {
    pub(super) fn new(problem: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            line: None,
            problem: problem.into(),
            mend: mend.into(),
        }
    }

    pub(super) fn at(self, line: usize) -> Self {
        Self {
            line: Some(line),
            ..self
        }
    }
}

/// The line, from 1, that follows what stands before it. Lines end with `\n`, `\r\n` or, on old systems, `\r`.
pub(super) fn line_of(before: &[u8]) -> usize {
    let ends = |(at, byte): (usize, &u8)| match byte {
        b'\n' => true,
        b'\r' => before.get(at + 1) != Some(&b'\n'),
        _ => false,
    };
    1 + before.iter().enumerate().filter(|it| ends(*it)).count()
}
