//! How a call has ended: by the target's word, or by what HTTP says where it has none.

use vespeiro_model::GrpcCode;

/// How a call has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrpcStatus {
    pub code: GrpcCode,
    /// The target's words, or why this code stands where it gave none.
    pub message: String,
}

impl GrpcStatus {
    pub(super) fn new(code: GrpcCode, why: impl ToString) -> Self {
        Self {
            code,
            message: why.to_string(),
        }
    }

    /// By the value of `grpc-status`; what is no number is `UNKNOWN`.
    pub(super) fn told(value: &[u8]) -> GrpcCode {
        let number = std::str::from_utf8(value).ok().map(str::trim);
        let number = number.and_then(|number| number.parse().ok());
        number.map_or(GrpcCode::Unknown, GrpcCode::of)
    }
}

/// What a status of HTTP means where there is no `grpc-status` (`http-grpc-status-mapping.md`). 200 is none of its own: the
/// answer has ended too early.
pub fn of_http(status: u16) -> GrpcCode {
    match status {
        400 => GrpcCode::Internal,
        401 => GrpcCode::Unauthenticated,
        403 => GrpcCode::PermissionDenied,
        404 => GrpcCode::Unimplemented,
        429 | 502 | 503 | 504 => GrpcCode::Unavailable,
        _ => GrpcCode::Unknown,
    }
}

/// The value of `grpc-message` without its percent-encoding. What is not encoded well stays as it is.
pub fn unescaped(value: &[u8]) -> String {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value;
    while let [first, after @ ..] = rest {
        let escaped = match (first, after) {
            (b'%', [high, low, after @ ..]) => digit(*high)
                .zip(digit(*low))
                .map(|(high, low)| (high << 4 | low, after)),
            _ => None,
        };
        let (byte, after) = escaped.unwrap_or((*first, after));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn http_stands_in_where_there_is_no_status() {
        use GrpcCode::{
            Internal, PermissionDenied, Unauthenticated, Unavailable, Unimplemented, Unknown,
        };
        for (http, code) in [
            (200, Unknown),
            (302, Unknown),
            (400, Internal),
            (401, Unauthenticated),
            (403, PermissionDenied),
            (404, Unimplemented),
            (418, Unknown),
            (429, Unavailable),
            (500, Unknown),
            (502, Unavailable),
            (503, Unavailable),
            (504, Unavailable),
        ] {
            assert_eq!(of_http(http), code, "{http}");
        }
    }

    #[test]
    fn a_status_is_a_number() {
        for (value, code) in [
            (&b"0"[..], GrpcCode::Ok),
            (b"5", GrpcCode::NotFound),
            (b"16", GrpcCode::Unauthenticated),
            (b"17", GrpcCode::Unknown),
            (b"-1", GrpcCode::Unknown),
            (b"", GrpcCode::Unknown),
            (b"OK", GrpcCode::Unknown),
            (b"\xff", GrpcCode::Unknown),
            (b"99999999999999999999", GrpcCode::Unknown),
        ] {
            assert_eq!(GrpcStatus::told(value), code, "{value:?}");
        }
    }

    #[test]
    fn what_is_not_encoded_well_stays() {
        for (value, message) in [
            (&b"no such user"[..], "no such user"),
            (b"100%25 \xc3\xa9 %C3%a9", "100% \u{e9} \u{e9}"),
            (b"%", "%"),
            (b"%4", "%4"),
            (b"%zz%41", "%zzA"),
            (b"%FF", "\u{fffd}"),
        ] {
            assert_eq!(unescaped(value), message);
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_comes_back(message in "\\PC{0,40}") {
            let mut value = String::new();
            for byte in message.bytes() {
                match byte {
                    b' '..=b'~' if byte != b'%' => value.push(char::from(byte)),
                    _ => write!(value, "%{byte:02X}").unwrap(),
                }
            }
            prop_assert_eq!(unescaped(value.as_bytes()), message);
        }
    }
}
