//! The tool's own requests, which nobody measures: pushes to receivers of metrics, commands to a run's control endpoint, and
//! what a recording hands on. Over reqwest, which is not the target's way.

mod control_client;
mod forward;
mod post;

pub use control_client::{NoAnswer, ask};
pub use forward::{Forwarded, Forwarder, NotForwarded};
pub use post::{PostError, Poster};

/// An error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        line.push_str(": ");
        line.push_str(&cause.to_string());
        next = cause.source();
    }
    line
}
