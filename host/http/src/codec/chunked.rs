//! A body in chunks (RFC 9112, section 7.1): sizes, extensions, data, trailers. Used by the decoder alone.
//!
//! What must stay true: a byte is looked at once, and what is kept between two pieces has a bound.

use super::receive::{Receive, Refusal, invalid, over};

/// Bytes of extensions in all of a body: nothing is done with them, so that a target could send them for ever.
const MAX_EXTENSIONS: u32 = 16 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// The first digit of a chunk's size.
    Start,
    Size,
    /// White space behind a size.
    Space,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    /// The first byte of a line behind the last chunk.
    Line,
    Trailer,
    TrailerLf,
    LastLf,
    Done,
}

#[derive(Debug)]
pub(super) struct Chunked {
    at: At,
    /// The size that is being read, then what is left of the chunk.
    left: u64,
    extensions: u32,
    /// Lines of trailers, with their ends. Hardly any answer has some.
    trailers: Vec<u8>,
    lines: usize,
    max_trailers: usize,
}

impl Chunked {
    pub(super) fn new(max_trailers: usize) -> Self {
        Self {
            at: At::Start,
            left: 0,
            extensions: 0,
            trailers: Vec::new(),
            lines: 0,
            max_trailers,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.at == At::Done
    }

    /// Take from `input` what belongs to this body. How many bytes that were: all, but at the end of the body.
    pub(super) fn feed(&mut self, input: &[u8], to: &mut impl Receive) -> Result<usize, Refusal> {
        let mut used = 0;
        while let Some(rest) = input.get(used..).filter(|rest| !rest.is_empty()) {
            if self.at == At::Data {
                let here = rest
                    .len()
                    .min(usize::try_from(self.left).unwrap_or(usize::MAX));
                to.data(&rest[..here])?;
                used += here;
                self.left -= here as u64;
                if self.left == 0 {
                    self.at = At::DataCr;
                }
                continue;
            }
            used += 1;
            self.step(rest[0])?;
            if self.at == At::Done {
                self.end(to)?;
                break;
            }
        }
        Ok(used)
    }

    fn step(&mut self, byte: u8) -> Result<(), Refusal> {
        self.at = match (self.at, byte) {
            (At::Start | At::Size, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                self.digit(byte)?;
                At::Size
            }
            (At::Start, _) => return Err(invalid("a chunk begins without a size")),
            (At::Size | At::Space, b' ' | b'\t') => At::Space,
            (At::Size | At::Space, b';') => At::Extension,
            (At::Size | At::Space | At::Extension, b'\r') => At::SizeLf,
            (At::Size | At::Space, _) => return Err(invalid("a chunk's size is no number")),
            (At::Extension, b'\n') => {
                return Err(invalid("a chunk's extension has a bare line feed"));
            }
            (At::Extension, _) => {
                self.extensions += 1;
                if self.extensions >= MAX_EXTENSIONS {
                    return Err(invalid("the extensions of chunks are over 16 KiB"));
                }
                At::Extension
            }
            (At::SizeLf, b'\n') if self.left == 0 => At::Line,
            (At::SizeLf, b'\n') => At::Data,
            (At::DataCr, b'\r') => At::DataLf,
            (At::DataLf, b'\n') => At::Start,
            (At::DataCr | At::DataLf, _) => {
                return Err(invalid("a chunk is longer than its size"));
            }
            (At::Line, b'\r') => {
                self.keep(byte)?;
                At::LastLf
            }
            (At::LastLf, b'\n') => {
                self.keep(byte)?;
                At::Done
            }
            (At::Trailer, b'\r') => {
                self.keep(byte)?;
                At::TrailerLf
            }
            (At::Line | At::Trailer, _) => {
                self.keep(byte)?;
                At::Trailer
            }
            (At::TrailerLf, b'\n') => {
                self.keep(byte)?;
                self.lines += 1;
                At::Line
            }
            (At::SizeLf | At::LastLf | At::TrailerLf, _) => {
                return Err(invalid(
                    "a carriage return without a line feed in a body of chunks",
                ));
            }
            // Data is taken in pieces, and nothing is asked for after the end.
            (At::Data | At::Done, _) => self.at,
        };
        Ok(())
    }

    fn digit(&mut self, byte: u8) -> Result<(), Refusal> {
        let digit = char::from(byte).to_digit(16).unwrap_or_default();
        let size = self.left.checked_mul(16);
        let size = size.and_then(|size| size.checked_add(u64::from(digit)));
        self.left = size.ok_or_else(|| invalid("a chunk's size is no number that fits"))?;
        Ok(())
    }

    fn keep(&mut self, byte: u8) -> Result<(), Refusal> {
        if self.trailers.len() >= self.max_trailers {
            return Err(over());
        }
        self.trailers.push(byte);
        Ok(())
    }

    fn end(&mut self, to: &mut impl Receive) -> Result<(), Refusal> {
        let section = std::mem::take(&mut self.trailers);
        if self.lines == 0 {
            return Ok(());
        }
        let mut fields = vec![httparse::EMPTY_HEADER; self.lines];
        match httparse::parse_headers(&section, &mut fields) {
            Ok(httparse::Status::Complete((_, fields))) => to.trailers(fields),
            _ => Err(invalid("a trailer is no header")),
        }
    }
}
