//! One response to one request, from bytes to events, framed as RFC 9112 says (section 6.3). A connection makes a decoder
//! for each request and feeds it what it reads.
//!
//! What must stay true: no byte is looked at without a bound, and what cannot be framed for certain is refused, never
//! guessed at. Where the RFC leaves a choice, it is hyper's; the table of differences stands in the tests.

use std::mem::MaybeUninit;

use httparse::{Header, ParserConfig, Response, Status};

use super::chunked::Chunked;
use super::receive::{Head, Receive, Refusal, cut, invalid, over};

/// Slots for headers on the stack; a head with more is parsed once again with enough of them.
const FEW: usize = 64;
/// A head of up to so many bytes is parsed with each piece that comes, so that what is no HTTP is refused at once; a
/// longer one when its end has come, or when it has doubled, so that the work stays in proportion to its length.
const SMALL: usize = 8 << 10;

#[derive(Debug)]
enum State {
    Head,
    Length(u64),
    Chunked(Chunked),
    /// The body ends where the connection does.
    Close,
    Done,
}

/// Reads one response.
#[derive(Debug)]
pub struct Decoder {
    state: State,
    /// The request was HEAD.
    to_head: bool,
    max_headers: usize,
    /// Empty lines before the head; they count as part of it.
    skipped: usize,
    /// Bytes of the head that are known not to hold its end.
    scanned: usize,
    /// The head is parsed once it is so long, or its end has come.
    next_attempt: usize,
    keeps_alive: bool,
    /// The request asks to switch protocols: with 101 the answer is complete.
    switches: bool,
}

impl Decoder {
    /// For the answer to a HEAD request, or to another. `max_headers` bounds a head, and trailers, in bytes.
    pub fn new(to_head: bool, max_headers: usize) -> Self {
        Self {
            state: State::Head,
            to_head,
            max_headers,
            skipped: 0,
            scanned: 0,
            next_attempt: 0,
            keeps_alive: false,
            switches: false,
        }
    }

    /// For a request that asks to switch protocols: an answer that does (101) is complete with its head, and what follows
    /// is of the other protocol.
    pub fn switching(mut self) -> Self {
        self.switches = true;
        self
    }

    /// The response is complete; bytes behind it belong to no request.
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// The connection may carry another request, as far as this response says.
    pub fn keeps_alive(&self) -> bool {
        self.is_done() && self.keeps_alive
    }

    /// Take what is new. What was not used (the returned count) is handed in again, with more behind it: that is never
    /// more than `max_headers`, and nothing once the head is complete.
    pub fn feed(&mut self, input: &[u8], to: &mut impl Receive) -> Result<usize, Refusal> {
        let mut used = 0;
        loop {
            let rest = &input[used..];
            if rest.is_empty() {
                return Ok(used);
            }
            match &mut self.state {
                State::Head => {
                    let here = self.head(rest, to)?;
                    used += here;
                    if here == 0 {
                        return Ok(used);
                    }
                }
                State::Length(left) => {
                    let here = rest.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    *left -= here as u64;
                    if *left == 0 {
                        self.state = State::Done;
                    }
                    to.data(&rest[..here])?;
                    used += here;
                }
                State::Chunked(chunked) => {
                    used += chunked.feed(rest, to)?;
                    if chunked.is_done() {
                        self.state = State::Done;
                    }
                }
                State::Close => {
                    to.data(rest)?;
                    used = input.len();
                }
                State::Done => return Ok(used),
            }
        }
    }

    /// The target closed the connection; `rest` is what the decoder has not used. Either that completes the response, or
    /// it is cut.
    pub fn end(&mut self, rest: &[u8]) -> Result<(), Refusal> {
        match self.state {
            State::Done => Ok(()),
            State::Close => {
                self.state = State::Done;
                Ok(())
            }
            State::Length(_) | State::Chunked(_) => {
                Err(cut("the connection was closed within a body"))
            }
            State::Head => {
                let mut slots = slots(rest);
                let mut response = Response::new(&mut []);
                let parsed = ParserConfig::default().parse_response_with_uninit_headers(
                    &mut response,
                    rest,
                    &mut slots,
                );
                match parsed {
                    Err(error) => Err(invalid(words(error))),
                    Ok(_) => Err(cut(
                        "the connection was closed before the headers were complete",
                    )),
                }
            }
        }
    }

    /// Parse a head, or wait for more of it (0). An interim one leaves the state as it is.
    fn head(&mut self, input: &[u8], to: &mut impl Receive) -> Result<usize, Refusal> {
        let empty = empty_lines(input);
        if empty > 0 {
            self.skipped += empty;
            return if self.skipped > self.max_headers {
                Err(over())
            } else {
                Ok(empty)
            };
        }
        let budget = self.max_headers - self.skipped;
        let window = &input[..input.len().min(budget)];
        let full = input.len() > budget;
        if !full && window.len() < self.next_attempt && !self.find_end(window) {
            return Ok(0);
        }
        let mut few = [const { MaybeUninit::uninit() }; FEW];
        let mut response = Response::new(&mut []);
        let config = ParserConfig::default();
        let parsed = config.parse_response_with_uninit_headers(&mut response, window, &mut few);
        let used = match parsed {
            Err(httparse::Error::TooManyHeaders) => {
                let mut many = slots(window);
                let mut response = Response::new(&mut []);
                let parsed =
                    config.parse_response_with_uninit_headers(&mut response, window, &mut many);
                self.parsed(parsed, &response, to)?
            }
            parsed => self.parsed(parsed, &response, to)?,
        };
        match used {
            Some(used) => Ok(used),
            None if full => Err(over()),
            None => {
                self.scanned = window.len();
                self.next_attempt = if window.len() < SMALL {
                    0
                } else {
                    window.len() * 2
                };
                Ok(0)
            }
        }
    }

    /// Whether bytes that are new hold a line that is empty.
    fn find_end(&mut self, window: &[u8]) -> bool {
        let from = self.scanned.saturating_sub(2);
        self.scanned = window.len();
        let new = window.get(from..).unwrap_or_default();
        new.windows(2).any(|two| two == b"\n\n") || new.windows(3).any(|three| three == b"\n\r\n")
    }

    fn parsed(
        &mut self,
        parsed: httparse::Result<usize>,
        response: &Response<'_, '_>,
        to: &mut impl Receive,
    ) -> Result<Option<usize>, Refusal> {
        let used = match parsed {
            Ok(Status::Complete(used)) => used,
            Ok(Status::Partial) => return Ok(None),
            Err(error) => return Err(invalid(words(error))),
        };
        let status = response.code.unwrap_or_default();
        let framing = framing(response)?;
        self.keeps_alive = framing.keeps_alive;
        match status {
            // It would turn the connection into something else, which nobody has asked for.
            101 if self.switches => {
                self.keeps_alive = false;
                self.state = State::Done;
                to.head(Head {
                    status,
                    headers: response.headers,
                    length: Some(0),
                    bodiless: true,
                })?;
                return Ok(Some(used));
            }
            101 => {
                return Err(invalid(
                    "the target switches protocols (101), which was not asked for",
                ));
            }
            100..=199 => {
                (self.skipped, self.scanned, self.next_attempt) = (0, 0, 0);
                return Ok(Some(used));
            }
            200.. => {}
            _ => return Err(invalid("a status below 100")),
        }
        let bodiless = self.to_head || status == 204 || status == 304;
        let length = if bodiless { Some(0) } else { framing.length()? };
        self.state = match length {
            Some(0) => State::Done,
            Some(length) => State::Length(length),
            None if framing.chunked => State::Chunked(Chunked::new(self.max_headers)),
            None => {
                self.keeps_alive = false;
                State::Close
            }
        };
        to.head(Head {
            status,
            headers: response.headers,
            length,
            bodiless,
        })?;
        Ok(Some(used))
    }
}

/// Empty lines that some servers send before a head.
fn empty_lines(input: &[u8]) -> usize {
    let mut used = 0;
    loop {
        used += match &input[used..] {
            [b'\n', ..] => 1,
            [b'\r', b'\n', ..] => 2,
            _ => return used,
        }
    }
}

/// Enough slots for whatever headers these bytes can hold.
fn slots<'a>(window: &[u8]) -> Vec<MaybeUninit<Header<'a>>> {
    let lines = window.iter().filter(|byte| **byte == b'\n').count();
    let mut slots = Vec::new();
    slots.resize_with(lines + 1, MaybeUninit::uninit);
    slots
}

fn words(error: httparse::Error) -> &'static str {
    match error {
        httparse::Error::Version => "the answer does not begin as HTTP/1.0 or HTTP/1.1 does",
        httparse::Error::Status => "the answer's status line is malformed",
        httparse::Error::HeaderName => "the name of a header of the answer is malformed",
        httparse::Error::HeaderValue => "the value of a header of the answer is malformed",
        httparse::Error::NewLine => "the answer's head has a carriage return without a line feed",
        _ => "the answer's head is malformed",
    }
}

/// What a head says of the body behind it.
struct Framing {
    keeps_alive: bool,
    /// There is a `Transfer-Encoding`, and `chunked` is the last of it.
    chunked: bool,
    coded: bool,
    old: bool,
    content_length: ContentLength,
}

#[derive(Clone, Copy)]
enum ContentLength {
    None,
    Is(u64),
    Wrong,
}

fn framing(response: &Response<'_, '_>) -> Result<Framing, Refusal> {
    let old = response.version == Some(0);
    let mut framing = Framing {
        keeps_alive: !old,
        chunked: false,
        coded: false,
        old,
        content_length: ContentLength::None,
    };
    let mut close = false;
    for header in &*response.headers {
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        match header.name.len() {
            10 if is("connection") => {
                let said =
                    |word: &str| tokens(header.value).any(|token| token.eq_ignore_ascii_case(word));
                close = close || said("close");
                // What asked to close once is not undone by another line.
                framing.keeps_alive = !close && (framing.keeps_alive || said("keep-alive"));
            }
            14 if is("content-length") => {
                framing.content_length = framing.content_length.and(header.value);
            }
            17 if is("transfer-encoding") => {
                framing.coded = true;
                let last = ascii(header.value).and_then(|text| text.rsplit(',').next());
                framing.chunked =
                    last.is_some_and(|last| last.trim().eq_ignore_ascii_case("chunked"));
            }
            _ => {}
        }
    }
    // Two framings are how answers are smuggled past somebody: the second is used for nothing, and neither is the
    // connection.
    if framing.coded && !matches!(framing.content_length, ContentLength::None) {
        framing.keeps_alive = false;
    }
    Ok(framing)
}

impl Framing {
    /// `None`: in chunks, or to the end of the connection.
    fn length(&self) -> Result<Option<u64>, Refusal> {
        match self.content_length {
            _ if self.coded && self.old => Err(invalid("HTTP/1.0 has no Transfer-Encoding")),
            _ if self.coded => Ok(None),
            ContentLength::Is(length) => Ok(Some(length)),
            ContentLength::None => Ok(None),
            ContentLength::Wrong => Err(invalid(
                "the Content-Length is no number, or two that differ",
            )),
        }
    }
}

impl ContentLength {
    /// One more line of it. The same length may be said several times.
    fn and(self, value: &[u8]) -> Self {
        let Some(text) = ascii(value) else {
            return Self::Wrong;
        };
        text.split(',')
            .fold(self, |known, part| match (known, digits(part.trim())) {
                (Self::None, Some(length)) => Self::Is(length),
                (Self::Is(known), Some(length)) if known == length => Self::Is(known),
                _ => Self::Wrong,
            })
    }
}

/// A number without a sign. The last two are beyond what hyper takes for one.
fn digits(text: &str) -> Option<u64> {
    let all = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = all.then(|| text.parse().ok()).flatten();
    number.filter(|number| *number < u64::MAX - 1)
}

/// Visible ASCII, spaces and tabs.
fn ascii(value: &[u8]) -> Option<&str> {
    let plain = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t');
    let all = value.iter().all(plain);
    all.then(|| std::str::from_utf8(value).ok()).flatten()
}

fn tokens(value: &[u8]) -> impl Iterator<Item = &str> {
    ascii(value)
        .into_iter()
        .flat_map(|text| text.split(','))
        .map(str::trim)
}
