//! Why a request has no response, told by the errors' types and kinds, never by their words.

use std::error::Error;
use std::io;

use vespeiro_model::Failure;

/// The kind of failure behind an error of the HTTP library.
pub(super) fn classify(error: &reqwest::Error) -> Failure {
    if source::<rustls::Error>(error).is_some() {
        return Failure::Tls;
    }
    if error.is_connect() {
        return Failure::Connect;
    }
    if error.is_timeout() {
        return Failure::Timeout;
    }
    if let Some(hyper) = source::<hyper::Error>(error) {
        if hyper.is_parse() || hyper.is_parse_status() || hyper.is_parse_too_large() {
            return Failure::Protocol;
        }
        if hyper.is_incomplete_message() || hyper.is_closed() || hyper.is_canceled() {
            return Failure::Reset;
        }
    }
    if let Some(io) = source::<io::Error>(error) {
        return match io.kind() {
            io::ErrorKind::TimedOut => Failure::Timeout,
            io::ErrorKind::InvalidData => Failure::Protocol,
            _ => Failure::Reset,
        };
    }
    Failure::Protocol
}

fn source<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        // An io::Error may carry the error that we look for as its payload and not as its source.
        if let Some(inner) = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
            && let Some(found) = source::<T>(inner)
        {
            return Some(found);
        }
        next = error.source();
    }
    None
}
