//! Whose failure an HTTP/2 error is, by its type and code. Asked by the exchanges.
//!
//! What must stay true: `Unprocessed` is said only where the target has said so, or the request never left; an answer that
//! had begun is never told as if it had not.

use std::io;

use ::h2::{Error, Reason};

use super::tap::Heard;
use crate::Failure;
use crate::dial::broken;
use crate::outcome::Flaw;

/// Why a stream failed; `answered`: its answer had begun.
pub(super) fn of_stream(error: &Error, heard: &Heard, stream: u32, answered: bool) -> Flaw {
    let reason = error.reason().unwrap_or(Reason::INTERNAL_ERROR);
    if error.is_reset() {
        return match (error.is_remote(), reason) {
            (true, Reason::REFUSED_STREAM) if !answered => flaw(
                Failure::Unprocessed,
                "the target refused the stream (RST_STREAM with REFUSED_STREAM)",
            ),
            (true, Reason::HTTP_1_1_REQUIRED) => flaw(
                Failure::Reset,
                "the target demands HTTP/1.1 for this (RST_STREAM with HTTP_1_1_REQUIRED): ask for it with --http 1",
            ),
            (true, _) => flaw(
                Failure::Reset,
                format!(
                    "the target reset the stream{} (RST_STREAM with {})",
                    when(answered),
                    name(reason)
                ),
            ),
            (false, _) if heard.is_too_large(stream) => too_large(),
            (false, _) => flaw(
                Failure::Protocol,
                format!("the answer is no HTTP/2 ({})", name(reason)),
            ),
        };
    }
    if error.is_go_away() {
        return match error.is_remote() {
            true if !answered => flaw(
                Failure::Unprocessed,
                format!(
                    "the target left the connection before this stream (GOAWAY with {})",
                    name(reason)
                ),
            ),
            true => flaw(
                Failure::Reset,
                format!(
                    "the target left the connection within the answer (GOAWAY with {})",
                    name(reason)
                ),
            ),
            false if heard.is_too_large(stream) => too_large(),
            // What the library says of headers that are far over its own limit.
            false
                if matches!(
                    reason,
                    Reason::ENHANCE_YOUR_CALM | Reason::COMPRESSION_ERROR
                ) && !heard.too_large.borrow().is_empty() =>
            {
                flaw(
                    Failure::Reset,
                    "the connection was given up: another answer's headers are far too large",
                )
            }
            false => flaw(
                Failure::Protocol,
                format!("the target does not keep to HTTP/2 ({})", name(reason)),
            ),
        };
    }
    of_connection(error, heard)
}

/// Why a request could not even begin: its connection had ended, or was about to.
pub(super) fn unsent(error: &Error, heard: &Heard) -> Flaw {
    let why = of_connection(error, heard).cause;
    flaw(
        Failure::Unprocessed,
        format!("the connection took no more requests: {why}"),
    )
}

/// Why a connection failed.
pub(super) fn of_connection(error: &Error, heard: &Heard) -> Flaw {
    if let Some(error) = heard.broke.borrow().as_ref() {
        let (failure, cause) = broken(error);
        return flaw(failure, cause);
    }
    if heard.ended.get() {
        return flaw(Failure::Reset, "the target closed the connection");
    }
    match error.get_io().map(io::Error::kind) {
        // What the library makes of a connection that ended, whoever ended it.
        Some(io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof) => {
            flaw(Failure::Reset, "the connection was closed")
        }
        Some(_) => flaw(Failure::Reset, format!("the connection broke: {error}")),
        None => match error.reason() {
            Some(reason) if error.is_remote() => flaw(
                Failure::Reset,
                format!(
                    "the target left the connection (GOAWAY with {})",
                    name(reason)
                ),
            ),
            _ => flaw(
                Failure::Protocol,
                format!("the target does not keep to HTTP/2: {error}"),
            ),
        },
    }
}

pub(super) fn too_large() -> Flaw {
    flaw(
        Failure::Headers,
        "the answer's headers are larger than --max-headers allows",
    )
}

fn flaw(failure: Failure, cause: impl Into<Box<str>>) -> Flaw {
    Flaw {
        failure,
        cause: cause.into(),
    }
}

fn when(answered: bool) -> &'static str {
    if answered { " within the answer" } else { "" }
}

/// As the specification has it; a number where it has none.
fn name(reason: Reason) -> String {
    let known = [
        "NO_ERROR",
        "PROTOCOL_ERROR",
        "INTERNAL_ERROR",
        "FLOW_CONTROL_ERROR",
        "SETTINGS_TIMEOUT",
        "STREAM_CLOSED",
        "FRAME_SIZE_ERROR",
        "REFUSED_STREAM",
        "CANCEL",
        "COMPRESSION_ERROR",
        "CONNECT_ERROR",
        "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY",
        "HTTP_1_1_REQUIRED",
    ];
    let code = u32::from(reason);
    let word = usize::try_from(code).ok().and_then(|code| known.get(code));
    word.map_or_else(|| format!("code {code}"), |word| (*word).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_specifications_names() {
        for code in 0..14 {
            // The library's own names, but for that of no error.
            assert_eq!(name(code.into()), format!("{:?}", Reason::from(code)));
        }
        assert_eq!(name(99.into()), "code 99");
    }
}
