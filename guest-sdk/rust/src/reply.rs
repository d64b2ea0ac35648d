//! What a request brought back, and the short ways to insist on what it should have been. Made by
//! [`Call::send`](crate::Call::send); journeys drop it as soon as they have read it, so that no session keeps a body.

use serde::Deserialize;

use crate::contract::Response;
use crate::{Error, Result};

/// A response.
#[derive(Debug, Clone)]
pub struct Reply {
    /// HTTP status code.
    pub status: u16,
    /// From the send to the last byte of the body, in microseconds.
    pub latency_us: u64,
    /// Header names in lower case, and values; empty unless captured.
    pub headers: Vec<(String, String)>,
    /// The body's bytes; empty unless captured.
    pub body: Vec<u8>,
    route: &'static str,
}

impl Reply {
    pub(crate) fn new(route: &'static str, response: Response) -> Reply {
        Reply {
            status: response.status,
            latency_us: response.latency_us,
            headers: response.headers,
            body: response.body,
            route,
        }
    }

    /// Whether the status is 2xx.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Go on only with a 2xx status.
    ///
    /// # Errors
    /// [`Error::UnexpectedStatus`] with any other.
    pub fn expect_success(self) -> Result<Reply> {
        if self.is_success() {
            Ok(self)
        } else {
            Err(self.unexpected())
        }
    }

    /// Go on only with this status.
    ///
    /// # Errors
    /// [`Error::UnexpectedStatus`] with any other.
    pub fn expect_status(self, status: u16) -> Result<Reply> {
        if self.status == status {
            Ok(self)
        } else {
            Err(self.unexpected())
        }
    }

    /// The error that says that this status was not expected.
    #[must_use]
    pub fn unexpected(&self) -> Error {
        Error::UnexpectedStatus {
            route: self.route,
            status: self.status,
        }
    }

    /// The captured body as JSON; `T` may borrow from the reply.
    ///
    /// # Errors
    /// [`Error::Json`] when it is something else.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        // Checked as a whole: that is quicker than to check string by string.
        let parsed = match std::str::from_utf8(&self.body) {
            Ok(text) => serde_json::from_str(text).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        parsed.map_err(|message| Error::Json {
            route: self.route,
            message: message.into(),
        })
    }

    pub(crate) fn misses(&self, field: &str) -> Error {
        Error::Json {
            route: self.route,
            message: format!("no `{field}`").into(),
        }
    }

    /// The first value of a captured header; `name` in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}
