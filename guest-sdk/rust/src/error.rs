//! What can go wrong in a journey, and what it means for the session: a target that misbehaves makes the person
//! give up, a mistake in the behavior or its configuration fails the session with a message in the host's log.

use std::panic::Location;

use crate::Code;
use crate::contract::{Ending, Failure};

/// The result of most of what a journey does.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a journey cannot go on. Given to `?`, it ends the session.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A request got no response. The session ends as abandoned.
    #[error("{route}: no response: {}", .kind.name())]
    Failed {
        /// Path template of the request.
        route: &'static str,
        /// Why there was none.
        kind: Failure,
    },
    /// A response had another status than the journey needs. The session ends as abandoned.
    #[error("{route}: unexpected status {status}")]
    UnexpectedStatus {
        /// Path template of the request.
        route: &'static str,
        /// The status that came.
        status: u16,
    },
    /// A gRPC call has ended with another code than the journey needs. The session ends as abandoned.
    #[error("{route}: unexpected code {code}")]
    UnexpectedCode {
        /// The method.
        route: &'static str,
        /// The code that came.
        code: Code,
    },
    /// A gRPC call was not answered with the message that the journey needs. The session ends as abandoned, with a line in the log.
    #[error("{route}: unexpected message: {message}")]
    Message {
        /// The method.
        route: &'static str,
        /// What the decoder met.
        message: Box<str>,
    },
    /// A response was not the JSON that the journey needs. The session ends as abandoned, with a line in the log.
    #[error("{route}: unexpected body: {message}")]
    Json {
        /// Path template of the request.
        route: &'static str,
        /// What the parser met.
        message: Box<str>,
    },
    /// The person gives up; nothing is wrong. The session ends as abandoned.
    #[error("gave up")]
    GaveUp,
    /// The same, for a reason of the behavior's own: see [`Error::gave_up`].
    #[error("{reason}")]
    Abandoned {
        /// In words that are the same each time, since it is counted by them.
        reason: Box<str>,
        /// Where in the behavior.
        place: &'static Location<'static>,
    },
    /// The archetype's configuration cannot be used. The session ends as failed.
    #[error("config: {0}")]
    Config(Box<str>),
    /// The behavior itself is wrong: a path without its arguments, a body that is no JSON. The session ends as failed.
    #[error("behavior: {0}")]
    Usage(Box<str>),
}

impl Error {
    /// A mistake of the behavior, in words.
    pub fn usage(message: impl Into<String>) -> Error {
        Error::Usage(message.into().into_boxed_str())
    }

    /// A mistake in the configuration, in words: what, where, what to do instead.
    pub fn config(message: impl Into<String>) -> Error {
        Error::Config(message.into().into_boxed_str())
    }

    /// The person gives up for this reason, by which the run counts it, and in this line of the behavior.
    #[track_caller]
    pub fn gave_up(reason: impl Into<String>) -> Error {
        Error::Abandoned {
            reason: reason.into().into_boxed_str(),
            place: Location::caller(),
        }
    }

    /// Where in the behavior the person gives up, where that is known.
    pub(crate) fn place(&self) -> Option<String> {
        match self {
            Error::Abandoned { place, .. } => Some(format!("{}:{}", place.file(), place.line())),
            _ => None,
        }
    }

    /// The status of an [`Error::UnexpectedStatus`].
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Error::UnexpectedStatus { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// How a session ends whose journey returned this; `None` means that it failed.
    #[must_use]
    pub fn ending(&self) -> Option<Ending> {
        match self {
            Error::Config(_) | Error::Usage(_) => None,
            _ => Some(Ending::Abandoned),
        }
    }
}
