//! The status codes of gRPC, by their numbers and names (`doc/statuscodes.md` of gRPC). Read by `http`, counted by `metrics`.
//!
//! What must stay true: each stands for one status of HTTP, by which it is judged as any other answer is: the one that
//! `google/rpc/code.proto` maps it to.

crate::words! {
    /// How a gRPC call has ended; its number is its place.
    pub enum GrpcCode {
        Ok => "OK",
        Cancelled => "CANCELLED",
        Unknown => "UNKNOWN",
        InvalidArgument => "INVALID_ARGUMENT",
        DeadlineExceeded => "DEADLINE_EXCEEDED",
        NotFound => "NOT_FOUND",
        AlreadyExists => "ALREADY_EXISTS",
        PermissionDenied => "PERMISSION_DENIED",
        ResourceExhausted => "RESOURCE_EXHAUSTED",
        FailedPrecondition => "FAILED_PRECONDITION",
        Aborted => "ABORTED",
        OutOfRange => "OUT_OF_RANGE",
        Unimplemented => "UNIMPLEMENTED",
        Internal => "INTERNAL",
        Unavailable => "UNAVAILABLE",
        DataLoss => "DATA_LOSS",
        Unauthenticated => "UNAUTHENTICATED",
    }
}

impl GrpcCode {
    /// That with this number; one that is not there is `UNKNOWN`.
    pub fn of(number: u32) -> Self {
        let place = usize::try_from(number).ok();
        let known = place.and_then(|place| Self::ALL.get(place));
        known.copied().unwrap_or(Self::Unknown)
    }

    pub fn number(self) -> u8 {
        self as u8
    }

    /// The status of HTTP that says the same.
    pub fn http(self) -> u16 {
        match self {
            Self::Ok => 200,
            Self::InvalidArgument | Self::FailedPrecondition | Self::OutOfRange => 400,
            Self::Unauthenticated => 401,
            Self::PermissionDenied => 403,
            Self::NotFound => 404,
            Self::AlreadyExists | Self::Aborted => 409,
            Self::ResourceExhausted => 429,
            Self::Cancelled => 499,
            Self::Unknown | Self::Internal | Self::DataLoss => 500,
            Self::Unimplemented => 501,
            Self::Unavailable => 503,
            Self::DeadlineExceeded => 504,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_its_place_and_what_is_not_there_is_unknown() {
        for (number, code) in (0..).zip(GrpcCode::ALL) {
            assert_eq!(
                (GrpcCode::of(number), u32::from(code.number())),
                (code, number)
            );
        }
        assert_eq!(GrpcCode::of(5).as_str(), "NOT_FOUND");
        assert_eq!(GrpcCode::of(16).as_str(), "UNAUTHENTICATED");
        for number in [17, 99, u32::MAX] {
            assert_eq!(GrpcCode::of(number), GrpcCode::Unknown);
        }
    }
}
