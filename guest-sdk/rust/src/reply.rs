//! What a request brought back, and the short ways to insist on what it should have been. Made by
//! [`Call::send`](crate::Call::send); journeys drop it as soon as they have read it, so that no session keeps a body.

use serde::Deserialize;

use crate::contract::Response;
use crate::{Code, Error, Result, Status};

/// A response.
#[derive(Debug, Clone)]
pub struct Reply {
    /// HTTP status code; 0 where the time of a gRPC call was over before there was one.
    pub status: u16,
    /// How a gRPC call has ended; `None` of any other request.
    pub grpc: Option<Box<Status>>,
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
            grpc: response.grpc.map(|grpc| {
                Box::new(Status {
                    code: grpc.code.into(),
                    message: grpc.message,
                    trailers: grpc.trailers,
                })
            }),
            latency_us: response.latency_us,
            headers: response.headers,
            body: response.body,
            route,
        }
    }

    /// Whether the status is 2xx; of a gRPC call, whether its code is OK.
    #[must_use]
    pub fn is_success(&self) -> bool {
        match &self.grpc {
            Some(grpc) => grpc.code == Code::Ok,
            None => (200..300).contains(&self.status),
        }
    }

    /// The code of a gRPC call; of any other request it is [`Code::Unknown`].
    #[must_use]
    pub fn code(&self) -> Code {
        self.grpc.as_ref().map_or(Code::Unknown, |grpc| grpc.code)
    }

    /// Go on only where a gRPC call has ended with this code.
    ///
    /// # Errors
    /// [`Error::UnexpectedCode`] with any other.
    pub fn expect_code(self, code: Code) -> Result<Reply> {
        if self.grpc.is_some() && self.code() == code {
            Ok(self)
        } else {
            Err(self.unexpected())
        }
    }

    /// The message of a gRPC call that went well.
    ///
    /// # Errors
    /// [`Error::UnexpectedCode`] where it did not, [`Error::Message`] where its bytes are another message.
    #[cfg(feature = "prost")]
    pub fn message<M: prost::Message + Default>(&self) -> Result<M> {
        if !self.is_success() {
            return Err(self.unexpected());
        }
        M::decode(&self.body[..]).map_err(|error| Error::Message {
            route: self.route,
            message: error.to_string().into(),
        })
    }

    /// Go on only with a 2xx status, or with OK.
    ///
    /// # Errors
    /// [`Error::UnexpectedStatus`] with any other, or [`Error::UnexpectedCode`].
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

    /// The error that says that this status, or this code, was not expected.
    #[must_use]
    pub fn unexpected(&self) -> Error {
        if let Some(grpc) = &self.grpc {
            return Error::UnexpectedCode {
                route: self.route,
                code: grpc.code,
            };
        }
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
