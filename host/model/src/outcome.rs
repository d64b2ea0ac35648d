//! What became of one request. Made by `http`, judged by `resilience`, counted by `metrics`.

use serde::{Deserialize, Serialize};

use crate::{Failure, GrpcCode};

crate::words! {
    /// What the error mix tells apart.
    pub enum OutcomeClass {
        /// A status below 400, or one that is no error.
        Success => "success",
        /// Any other from 400 to 499.
        Client => "client",
        /// Any other of 500 and above, or no response.
        Server => "server",
    }
}

crate::words! {
    /// Whether a request did what it was for, whoever is to blame.
    pub enum OutcomeKind {
        /// A status below 400, or one that is no error.
        Success => "success",
        /// Any other status, or no response.
        Failure => "failure",
    }
}

impl OutcomeClass {
    pub fn of(outcome: Outcome) -> OutcomeClass {
        match outcome.as_http() {
            _ if outcome.is_good() => OutcomeClass::Success,
            Outcome::Status(400..500) => OutcomeClass::Client,
            _ => OutcomeClass::Server,
        }
    }
}

/// What became of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Outcome {
    /// The target answered with this status code.
    Status(u16),
    /// The same, with one from 400 on that the behavior has said to be no error of this request.
    Accepted(u16),
    Failed(Failure),
    /// A gRPC call has ended with this status code.
    Grpc(GrpcCode),
    /// The same, with one beside `OK` that the behavior has said to be no error of this call.
    AcceptedGrpc(GrpcCode),
}

impl Outcome {
    /// A status below 400, `OK`, or one that is no error.
    pub fn is_good(self) -> bool {
        match self {
            Outcome::Status(status) => status < 400,
            Outcome::Grpc(code) => code == GrpcCode::Ok,
            Outcome::Accepted(_) | Outcome::AcceptedGrpc(_) => true,
            Outcome::Failed(_) => false,
        }
    }

    /// The behavior has said that it is no error.
    pub fn is_accepted(self) -> bool {
        matches!(self, Outcome::Accepted(_) | Outcome::AcceptedGrpc(_))
    }

    /// The same with a status of HTTP in the place of a gRPC code: who judges a target asks for no protocol.
    pub fn as_http(self) -> Outcome {
        match self {
            Outcome::Grpc(code) => Outcome::Status(code.http()),
            Outcome::AcceptedGrpc(code) => Outcome::Accepted(code.http()),
            other => other,
        }
    }

    /// What the target answered with, or what its gRPC code stands for; `None` where it did not answer.
    pub fn status(self) -> Option<u16> {
        match self.as_http() {
            Outcome::Status(status) | Outcome::Accepted(status) => Some(status),
            _ => None,
        }
    }

    /// The code of a gRPC call.
    pub fn grpc(self) -> Option<GrpcCode> {
        match self {
            Outcome::Grpc(code) | Outcome::AcceptedGrpc(code) => Some(code),
            _ => None,
        }
    }

    /// The status as people read it, `404` or `NOT_FOUND`; `Err`: why there is none.
    pub fn shown(self) -> Result<String, Failure> {
        match self {
            Outcome::Status(status) | Outcome::Accepted(status) => Ok(status.to_string()),
            Outcome::Grpc(code) | Outcome::AcceptedGrpc(code) => Ok(code.as_str().to_owned()),
            Outcome::Failed(failure) => Err(failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grpc_code_is_judged_as_what_it_stands_for() {
        for (code, class) in [
            (GrpcCode::Ok, OutcomeClass::Success),
            (GrpcCode::NotFound, OutcomeClass::Client),
            (GrpcCode::Cancelled, OutcomeClass::Client),
            (GrpcCode::DeadlineExceeded, OutcomeClass::Server),
            (GrpcCode::Unknown, OutcomeClass::Server),
        ] {
            let outcome = Outcome::Grpc(code);
            assert_eq!(OutcomeClass::of(outcome), class, "{code:?}");
            assert_eq!(outcome.is_good(), class == OutcomeClass::Success);
        }
        let expected = Outcome::AcceptedGrpc(GrpcCode::NotFound);
        assert_eq!(OutcomeClass::of(expected), OutcomeClass::Success);
        assert_eq!(expected.as_http(), Outcome::Accepted(404));
        assert_eq!(expected.shown(), Ok("NOT_FOUND".to_owned()));
    }
}
