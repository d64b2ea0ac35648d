//! The answer of one call, as it comes: its status, and whether its bytes are one message. `outcome.rs` hands it the parts.

use vespeiro_model::GrpcCode;

use super::frame::{Broken, Frames, Part};
use super::status::{GrpcStatus, of_http, unescaped};
use super::{CONTENT_TYPE, MESSAGE, STATUS};
use crate::codec::Header;

/// What has come of an answer.
#[derive(Debug, Default)]
pub(crate) struct GrpcAnswer {
    http: u16,
    /// Its bytes are messages.
    is_grpc: bool,
    frames: Frames,
    broken: Option<Broken>,
    told: Option<GrpcStatus>,
}

impl GrpcAnswer {
    /// The status of an answer that has nothing else is here.
    pub(crate) fn head(&mut self, status: u16, headers: &[Header<'_>]) {
        self.http = status;
        let kind = headers.iter().find(|header| is(header, "content-type"));
        self.is_grpc = kind.is_some_and(|kind| {
            let rest = kind.value.strip_prefix(CONTENT_TYPE.as_bytes());
            matches!(rest, Some([] | [b'+' | b';' | b' ', ..]))
        });
        self.fields(headers);
    }

    pub(crate) fn fields(&mut self, fields: &[Header<'_>]) {
        let value = |name: &str| {
            let field = fields.iter().find(|field| is(field, name));
            field.map(|field| field.value)
        };
        if let Some(status) = value(STATUS) {
            self.told = Some(GrpcStatus {
                code: GrpcStatus::told(status),
                message: value(MESSAGE).map(unescaped).unwrap_or_default(),
            });
        }
    }

    /// The next part of the message; `None` once there is none in these bytes.
    pub(crate) fn next<'a>(&mut self, bytes: &mut &'a [u8]) -> Option<Part<'a>> {
        if !self.is_grpc || self.broken.is_some() {
            return None;
        }
        self.frames.next(bytes).unwrap_or_else(|broken| {
            self.broken = Some(broken);
            None
        })
    }

    /// It is complete. An error of the target's own stands, whatever came before it.
    pub(crate) fn finish(&mut self) -> GrpcStatus {
        let message = self.broken.map_or_else(|| self.frames.finish(), Err);
        match (self.told.take(), message) {
            (Some(told), _) if told.code != GrpcCode::Ok => told,
            (Some(told), Ok(())) => told,
            (Some(_), Err(_)) if !self.is_grpc && self.http != 200 => self.by_http(),
            (Some(_), Err(broken)) => GrpcStatus::new(GrpcCode::Internal, broken),
            (None, _) if self.http != 200 => self.by_http(),
            (None, Err(broken)) if self.is_grpc && broken != Broken::Missing => {
                GrpcStatus::new(GrpcCode::Internal, broken)
            }
            (None, _) => {
                GrpcStatus::new(GrpcCode::Unknown, "the answer ended without a grpc-status")
            }
        }
    }

    fn by_http(&self) -> GrpcStatus {
        GrpcStatus::new(of_http(self.http), format!("HTTP status {}", self.http))
    }
}

fn is(header: &Header<'_>, name: &str) -> bool {
    header.name.eq_ignore_ascii_case(name)
}

#[cfg(test)]
mod tests {
    use super::super::frame::framed;
    use super::*;

    fn header<'a>((name, value): &'a (&'a str, &'a str)) -> Header<'a> {
        let value = value.as_bytes();
        Header { name, value }
    }

    type Fields<'a> = &'a [(&'a str, &'a str)];

    fn ended(http: u16, headers: Fields<'_>, body: &[u8], trailers: Fields<'_>) -> GrpcStatus {
        let mut answer = GrpcAnswer::default();
        answer.head(http, &headers.iter().map(header).collect::<Vec<_>>());
        for mut piece in body.chunks(3) {
            while answer.next(&mut piece).is_some() {}
        }
        answer.fields(&trailers.iter().map(header).collect::<Vec<_>>());
        answer.finish()
    }

    #[test]
    fn every_answer_has_one_code() {
        use GrpcCode::{Internal, NotFound, Ok, Unimplemented, Unknown};
        let grpc = ("content-type", "application/grpc+proto");
        let (fine, none) = (("grpc-status", "0"), ("grpc-status", "5"));
        let one = framed(b"one").unwrap();
        let two = [&one[..], &one].concat();
        for (http, headers, body, trailers, code) in [
            (200, &[grpc][..], &one[..], &[fine][..], Ok),
            (200, &[grpc], &one, &[none], NotFound),
            // The head alone.
            (200, &[grpc, none], b"", &[], NotFound),
            (200, &[none], b"", &[], NotFound),
            (200, &[grpc, fine], b"", &[], Internal),
            // The trailers' word is the last.
            (200, &[grpc, fine], &one, &[none], NotFound),
            (200, &[grpc], &one, &[], Unknown),
            (200, &[grpc], b"", &[], Unknown),
            (200, &[grpc], &two, &[fine], Internal),
            (200, &[grpc], &two, &[], Internal),
            (200, &[grpc], &two, &[none], NotFound),
            (200, &[grpc], &one[..7], &[fine], Internal),
            (200, &[grpc], b"\x01\0\0\0\0", &[fine], Internal),
            (200, &[grpc], b"", &[fine], Internal),
            (
                200,
                &[("content-type", "text/html")],
                b"<html>",
                &[],
                Unknown,
            ),
            (
                200,
                &[("content-type", "application/grpcs")],
                &one,
                &[],
                Unknown,
            ),
            (
                404,
                &[("content-type", "text/html")],
                b"<html>",
                &[],
                Unimplemented,
            ),
            (404, &[grpc, none], b"", &[], NotFound),
            (404, &[fine], b"", &[], Unimplemented),
        ] {
            let ended = ended(http, headers, body, trailers);
            assert_eq!(ended.code, code, "{http} {headers:?} {body:?} {trailers:?}");
            assert_eq!(
                ended.message.is_empty(),
                trailers == [fine] && code == Ok || code == NotFound
            );
        }
        let told = ("grpc-message", "no%20such%20thing");
        let ended = ended(200, &[grpc, none, told], b"", &[]);
        assert_eq!(ended.message, "no such thing");
    }
}
