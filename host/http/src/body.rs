//! What becomes of an answer's body: decoded, counted, and kept or thrown away. Connections of both protocols push what
//! comes off the wire.
//!
//! What must stay true: memory is bounded by `max_body` and by what a decoder needs for itself, whatever is sent.

use std::io::{self, Write};

use brotli_decompressor::DecompressorWriter;
use flate2::write::MultiGzDecoder;
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

use crate::Failure;
use crate::codec::{Codings, Refusal};

/// Decoded at a time.
const PIECE: usize = 16 << 10;
/// Largest window of zstd, as a power of two: 8 MiB is what a coding of HTTP may ask for (RFC 9659).
const ZSTD_WINDOW: u32 = 23;
/// Room that is made at once for a body whose length is known; a longer one grows as it comes.
const AT_ONCE: u64 = 64 << 10;

/// A coding that is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    Gzip,
    Br,
    Zstd,
}

impl Coding {
    /// What a `Content-Encoding` says, if `allowed` has it. Several codings in a row are left as they are.
    pub fn of(value: &[u8], allowed: Codings) -> Option<Self> {
        let is = |name: &str| value.trim_ascii().eq_ignore_ascii_case(name.as_bytes());
        if allowed.gzip && (is("gzip") || is("x-gzip")) {
            return Some(Self::Gzip);
        }
        if allowed.br && is("br") {
            return Some(Self::Br);
        }
        (allowed.zstd && is("zstd")).then_some(Self::Zstd)
    }
}

/// Takes one body.
#[derive(Debug)]
pub struct Body {
    kept: Kept,
    coded: Coded,
}

enum Coded {
    /// As it comes.
    No,
    /// Nothing has come yet: an empty body is no flaw, whatever its coding.
    Not(Coding),
    /// Boxed: few bodies are coded, and a decoder is large.
    Gzip(Box<MultiGzDecoder<Kept>>),
    Br(Box<DecompressorWriter<Kept>>),
    Zstd {
        decoder: Box<Decoder<'static>>,
        /// Between two frames.
        complete: bool,
    },
}

impl std::fmt::Debug for Coded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Coded::No => "No",
            Coded::Not(_) => "Not",
            Coded::Gzip(_) => "Gzip",
            Coded::Br(_) => "Br",
            Coded::Zstd { .. } => "Zstd",
        })
    }
}

/// The decoded bytes: their count, and themselves where they are asked for.
#[derive(Debug, Default)]
struct Kept {
    capture: bool,
    /// Kept as far as `max` goes.
    beginning: bool,
    max: u64,
    bytes: Vec<u8>,
    received: u64,
    over: bool,
}

impl Kept {
    /// `false` once there is more than may be.
    fn take(&mut self, bytes: &[u8]) -> bool {
        self.received += bytes.len() as u64;
        self.over = self.received > self.max;
        if self.capture || self.beginning {
            let room = self.max.saturating_sub(self.bytes.len() as u64);
            let within = bytes.len().min(room as usize);
            self.bytes.extend_from_slice(&bytes[..within]);
        }
        !self.over
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Which stops a decoder: its body may be without end.
        if self.take(bytes) {
            Ok(bytes.len())
        } else {
            Err(io::Error::other("over max_body"))
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Body {
    /// `capture` keeps the body, which may then have at most `max` bytes; one that is not kept may have any number.
    /// `length` is what the wire is known to carry.
    pub fn new(
        capture: bool,
        max: u64,
        coding: Option<Coding>,
        length: Option<u64>,
    ) -> Result<Self, Refusal> {
        let mut bytes = Vec::new();
        if capture && coding.is_none() {
            let length = length.unwrap_or_default();
            if length > max {
                return Err(too_large());
            }
            bytes.reserve_exact(length.min(AT_ONCE) as usize);
        }
        Ok(Self {
            kept: Kept {
                capture,
                beginning: false,
                max,
                bytes,
                received: 0,
                over: false,
            },
            coded: coding.map_or(Coded::No, Coded::Not),
        })
    }

    /// Keep the beginning of a body that is not captured: at most `max` bytes.
    pub fn with_beginning(mut self) -> Self {
        self.kept.beginning = true;
        self
    }

    /// Take the next bytes off the wire.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        if let Coded::Not(coding) = self.coded {
            self.begin(coding)?;
        }
        let decoded = match &mut self.coded {
            Coded::No | Coded::Not(_) => {
                self.kept.take(bytes);
                Ok(())
            }
            Coded::Gzip(decoder) => decoder.write_all(bytes).map_err(|_| decoder.get_ref().over),
            Coded::Br(decoder) => decoder.write_all(bytes).map_err(|_| decoder.get_ref().over),
            Coded::Zstd { decoder, complete } => zstd(decoder, bytes, complete, &mut self.kept),
        };
        match decoded {
            Err(false) => Err(malformed()),
            Err(true) => {
                self.unwrap_decoder();
                self.bound()
            }
            Ok(()) => self.bound(),
        }
    }

    /// The body is complete. What was kept of it.
    pub fn finish(&mut self) -> Result<Vec<u8>, Refusal> {
        let whole = match &mut self.coded {
            Coded::No | Coded::Not(_) => true,
            Coded::Gzip(decoder) => decoder.try_finish().is_ok(),
            Coded::Br(decoder) => decoder.close().is_ok(),
            Coded::Zstd { complete, .. } => *complete,
        };
        let over = self.kept().over;
        self.unwrap_decoder();
        self.bound()?;
        if !whole && !over {
            return Err(malformed());
        }
        Ok(std::mem::take(&mut self.kept.bytes))
    }

    /// Bytes of the body, decoded. Of one that is coded and not kept, those beyond `max` are counted as they come.
    pub fn received(&self) -> u64 {
        self.kept().received
    }

    fn kept(&self) -> &Kept {
        match &self.coded {
            Coded::Gzip(decoder) => decoder.get_ref(),
            Coded::Br(decoder) => decoder.get_ref(),
            _ => &self.kept,
        }
    }

    fn bound(&self) -> Result<(), Refusal> {
        let kept = self.kept();
        if kept.over && kept.capture {
            Err(too_large())
        } else {
            Ok(())
        }
    }

    fn begin(&mut self, coding: Coding) -> Result<(), Refusal> {
        let mut kept = || std::mem::take(&mut self.kept);
        self.coded = match coding {
            Coding::Gzip => Coded::Gzip(Box::new(MultiGzDecoder::new(kept()))),
            Coding::Br => Coded::Br(Box::new(DecompressorWriter::new(kept(), PIECE))),
            Coding::Zstd => {
                let mut decoder = Decoder::new().map_err(|_| malformed())?;
                let window = DParameter::WindowLogMax(ZSTD_WINDOW);
                decoder.set_parameter(window).map_err(|_| malformed())?;
                Coded::Zstd {
                    decoder: Box::new(decoder),
                    complete: true,
                }
            }
        };
        Ok(())
    }

    /// Have what was decoded back, and decode no more.
    fn unwrap_decoder(&mut self) {
        match &mut self.coded {
            Coded::Gzip(decoder) => self.kept = std::mem::take(decoder.get_mut()),
            Coded::Br(decoder) => self.kept = std::mem::take(decoder.get_mut()),
            _ => {}
        }
        self.coded = Coded::No;
    }
}

/// The error says whether it is the bound that stopped it.
fn zstd(
    decoder: &mut Decoder<'static>,
    bytes: &[u8],
    complete: &mut bool,
    kept: &mut Kept,
) -> Result<(), bool> {
    let mut piece = [0; PIECE];
    let mut input = InBuffer::around(bytes);
    loop {
        let mut output = OutBuffer::around(&mut piece[..]);
        let left = decoder.run(&mut input, &mut output).map_err(|_| false)?;
        let written = output.pos();
        *complete = left == 0;
        if !kept.take(&piece[..written]) {
            return Err(true);
        }
        // A full piece may not have been all.
        if input.pos() == bytes.len() && written < PIECE {
            return Ok(());
        }
    }
}

fn too_large() -> Refusal {
    Refusal {
        failure: Failure::TooLarge,
        cause: "the answer's body is larger than --max-body allows, and it was to be kept",
    }
}

fn malformed() -> Refusal {
    Refusal {
        failure: Failure::Protocol,
        cause: "the answer's body is not coded as its Content-Encoding says",
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn coded(coding: Option<Coding>, bytes: &[u8]) -> Vec<u8> {
        match coding {
            None => bytes.to_vec(),
            Some(Coding::Gzip) => gzip(bytes),
            Some(Coding::Zstd) => zstd::encode_all(bytes, 1).unwrap(),
            Some(Coding::Br) => {
                let mut out = Vec::new();
                brotli::BrotliCompress(
                    &mut &bytes[..],
                    &mut out,
                    &brotli::enc::BrotliEncoderParams::default(),
                )
                .unwrap();
                out
            }
        }
    }

    const ALL: [Option<Coding>; 4] = [
        None,
        Some(Coding::Gzip),
        Some(Coding::Br),
        Some(Coding::Zstd),
    ];

    fn pushed(
        capture: bool,
        max: u64,
        coding: Option<Coding>,
        wire: &[u8],
        piece: usize,
    ) -> Result<(Vec<u8>, u64), Failure> {
        let mut body = Body::new(capture, max, coding, None).map_err(|refusal| refusal.failure)?;
        for piece in wire.chunks(piece) {
            body.push(piece).map_err(|refusal| refusal.failure)?;
        }
        let bytes = body.finish().map_err(|refusal| refusal.failure)?;
        Ok((bytes, body.received()))
    }

    #[test]
    fn bounds() {
        let bytes = vec![b'a'; 100_000];
        for coding in ALL {
            let wire = coded(coding, &bytes);
            assert_eq!(
                pushed(true, 100_000, coding, &wire, 1000),
                Ok((bytes.clone(), 100_000)),
                "{coding:?}"
            );
            assert_eq!(
                pushed(true, 99_999, coding, &wire, 1000),
                Err(Failure::TooLarge),
                "{coding:?}"
            );
            assert_eq!(
                pushed(false, 100_000, coding, &wire, 1000),
                Ok((Vec::new(), 100_000)),
                "{coding:?}"
            );
            let (kept, received) = pushed(false, 5000, coding, &wire, 1000).unwrap();
            assert!(kept.is_empty() && received > 5000, "{coding:?}");
        }
        assert_eq!(
            Body::new(true, 10, None, Some(11)).unwrap_err().failure,
            Failure::TooLarge
        );
        assert!(Body::new(false, 10, None, Some(11)).is_ok());
    }

    #[test]
    fn the_beginning_of_what_is_only_watched_is_kept() {
        let bytes = vec![b'a'; 100_000];
        for coding in ALL {
            let wire = coded(coding, &bytes);
            let mut body = Body::new(false, 5000, coding, None)
                .unwrap()
                .with_beginning();
            for piece in wire.chunks(1000) {
                body.push(piece).unwrap();
            }
            assert_eq!(body.finish().unwrap(), bytes[..5000], "{coding:?}");
        }
    }

    #[test]
    fn what_is_cut_or_no_coding_at_all_is_told() {
        let bytes: Vec<u8> = (0..20_000u32)
            .flat_map(|n| (n * 7919).to_le_bytes())
            .collect();
        for coding in ALL.into_iter().flatten() {
            let wire = coded(Some(coding), &bytes);
            assert_eq!(
                pushed(true, 1 << 20, Some(coding), &wire[..wire.len() / 2], 999),
                Err(Failure::Protocol),
                "{coding:?}"
            );
            assert_eq!(
                pushed(true, 1 << 20, Some(coding), &wire[..wire.len() - 1], 999),
                Err(Failure::Protocol),
                "{coding:?}"
            );
            assert_eq!(
                pushed(true, 1 << 20, Some(coding), b"not coded at all", 999),
                Err(Failure::Protocol),
                "{coding:?}"
            );
            assert_eq!(
                pushed(true, 1 << 20, Some(coding), b"", 999),
                Ok((Vec::new(), 0)),
                "{coding:?}"
            );
        }
    }

    #[test]
    fn several_members_and_frames_are_one_body() {
        for coding in [Coding::Gzip, Coding::Zstd] {
            let wire = [coded(Some(coding), b"one "), coded(Some(coding), b"two")].concat();
            assert_eq!(
                pushed(true, 100, Some(coding), &wire, 3),
                Ok((b"one two".to_vec(), 7))
            );
        }
    }

    #[test]
    fn what_was_not_asked_for_is_not_decoded() {
        let gzip = Codings {
            gzip: true,
            ..Codings::default()
        };
        assert_eq!(Coding::of(b" GZip", gzip), Some(Coding::Gzip));
        assert_eq!(Coding::of(b"x-gzip", gzip), Some(Coding::Gzip));
        for other in [&b"br"[..], b"zstd", b"gzip, gzip", b"identity", b""] {
            assert_eq!(Coding::of(other, gzip), None);
        }
        assert_eq!(Coding::of(b"gzip", Codings::default()), None);
    }

    proptest! {
        #[test]
        fn any_body_in_any_pieces(bytes: Vec<u8>, piece in 1..200usize) {
            for coding in ALL {
                let wire = coded(coding, &bytes);
                let came = pushed(true, 1 << 20, coding, &wire, piece);
                prop_assert_eq!(came, Ok((bytes.clone(), bytes.len() as u64)));
            }
        }

        #[test]
        fn any_damage_is_a_failure_or_a_body(wire: Vec<u8>, max in 0..300u64, capture: bool) {
            for coding in ALL {
                if let Ok((bytes, _)) = pushed(capture, max, coding, &wire, 7) {
                    prop_assert!(bytes.len() as u64 <= max && (capture || bytes.is_empty()));
                }
            }
        }
    }
}
