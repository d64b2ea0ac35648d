//! Finds where requests end in a stream of bytes, and nothing else. Called by the server for all that a connection
//! receives. However the stream is cut into pieces, the same requests are counted.

use std::fmt;

/// Longest head of a request, in bytes.
const MAX_HEAD: usize = 64 << 10;

/// What came in is no request that this server can find the end of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    HeadTooLong,
    ContentLength,
    /// Bodies in chunks are not read.
    Chunked,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HeadTooLong => "a request's head is over 64 KiB",
            Self::ContentLength => "a Content-Length is no number",
            Self::Chunked => "a body comes in chunks: send it with Content-Length",
        })
    }
}

impl std::error::Error for Malformed {}

/// Where one connection stands in its stream of requests.
#[derive(Debug, Default)]
pub struct Requests {
    /// The beginning of a head whose end has not come yet.
    head: Vec<u8>,
    /// Bytes of the current request's body that are still to come.
    body_left: usize,
    /// Whether a request asked for the end of its connection.
    pub last: bool,
    /// Whether a request had a body.
    pub body: bool,
}

struct Head {
    length: usize,
    body: usize,
    last: bool,
}

impl Requests {
    /// Take in what was received; says how many requests it completed.
    pub fn feed(&mut self, received: &[u8]) -> Result<usize, Malformed> {
        if self.head.is_empty() {
            return self.count(received);
        }
        let mut joined = std::mem::take(&mut self.head);
        joined.extend_from_slice(received);
        self.count(&joined)
    }

    fn count(&mut self, mut bytes: &[u8]) -> Result<usize, Malformed> {
        let mut complete = 0;
        loop {
            if self.body_left > 0 {
                let here = self.body_left.min(bytes.len());
                self.body_left -= here;
                bytes = &bytes[here..];
                if self.body_left > 0 {
                    return Ok(complete);
                }
                complete += 1;
            }
            let Some(head) = read_head(bytes)? else {
                self.head.extend_from_slice(bytes);
                return Ok(complete);
            };
            bytes = &bytes[head.length..];
            self.body_left = head.body;
            self.last |= head.last;
            self.body |= head.body > 0;
            complete += usize::from(head.body == 0);
        }
    }
}

/// `None` while the end of the head has not come.
fn read_head(bytes: &[u8]) -> Result<Option<Head>, Malformed> {
    let mut body = 0;
    let mut last = false;
    let mut start = 0;
    while let Some(length) = bytes[start..].iter().position(|&byte| byte == b'\n') {
        let line = &bytes[start..start + length];
        start += length + 1;
        if line == b"\r" {
            return Ok(Some(Head {
                length: start,
                body,
                last,
            }));
        }
        if let Some(value) = field(line, b"content-length:") {
            body = number(value).ok_or(Malformed::ContentLength)?;
        } else if field(line, b"transfer-encoding:").is_some() {
            return Err(Malformed::Chunked);
        } else if let Some(value) = field(line, b"connection:") {
            last |= value.trim_ascii().eq_ignore_ascii_case(b"close");
        }
    }
    if bytes.len() > MAX_HEAD {
        Err(Malformed::HeadTooLong)
    } else {
        Ok(None)
    }
}

fn field<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (start, value) = line.split_at_checked(name.len())?;
    start.eq_ignore_ascii_case(name).then_some(value)
}

fn number(text: &[u8]) -> Option<usize> {
    str::from_utf8(text).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn post(body: &str) -> String {
        format!(
            "POST /x HTTP/1.1\r\nHost: a\r\ncontent-LENGTH: {}\r\n\r\n{body}",
            body.len()
        )
    }

    const GET: &str = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";

    #[test]
    fn a_body_that_looks_like_a_request_is_not_one() {
        assert_eq!(Requests::default().feed(post(GET).as_bytes()), Ok(1));
    }

    #[test]
    fn a_request_counts_when_its_last_byte_has_come() {
        let request = post("{}");
        let (most, last) = request.as_bytes().split_at(request.len() - 1);
        let mut requests = Requests::default();
        assert_eq!((requests.feed(most), requests.feed(last)), (Ok(0), Ok(1)));
    }

    #[test]
    fn a_body_is_seen_and_its_absence_too() {
        let body = |request: &str| {
            let mut requests = Requests::default();
            (requests.feed(request.as_bytes()), requests.body)
        };
        assert_eq!(body(GET), (Ok(1), false));
        assert_eq!(body(&post("{}")), (Ok(1), true));
    }

    #[test]
    fn a_request_can_be_the_last_of_its_connection() {
        let last = |head: &str| {
            let mut requests = Requests::default();
            let stream = format!("{GET}GET /x HTTP/1.1\r\n{head}\r\n\r\n");
            (requests.feed(stream.as_bytes()), requests.last)
        };
        assert_eq!(last("Connection: close"), (Ok(2), true));
        assert_eq!(last("connection:Close "), (Ok(2), true));
        assert_eq!(last("Connection: keep-alive"), (Ok(2), false));
    }

    #[test]
    fn a_stream_without_a_findable_end_is_refused() {
        let feed = |text: &str| Requests::default().feed(text.as_bytes());
        assert_eq!(
            feed("POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n"),
            Err(Malformed::ContentLength)
        );
        assert_eq!(
            feed("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"),
            Err(Malformed::Chunked)
        );
        assert_eq!(feed(&"a".repeat(MAX_HEAD + 1)), Err(Malformed::HeadTooLong));
    }

    proptest! {
        #[test]
        fn pipelined_requests_count_the_same_however_they_are_cut(
            bodies in prop::collection::vec(prop::option::of("[a-z\r\n]{0,40}"), 0..12), pieces in 1usize..64,
        ) {
            let stream: String = bodies.iter().map(|body| body.as_deref().map_or(GET.to_owned(), post)).collect();
            let mut requests = Requests::default();
            let counted: usize = stream.as_bytes().chunks(pieces).map(|piece| requests.feed(piece).unwrap()).sum();
            prop_assert_eq!(counted, bodies.len());
        }
    }
}
