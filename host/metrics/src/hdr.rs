//! HDR histograms as text, in the V2 deflate form and base64: how distributions are written down, so that they can be
//! added up elsewhere. Used by [`super::Timing`] and [`super::CompactHistogram`], which write no values as the empty text.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::ZlibDecoder;
use flate2::{Decompress, FlushDecompress, Status};
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer as _, V2DeflateSerializer};

/// Cookie and length of the packed form, which are before what is packed.
const PACKED_HEAD: usize = 8;
/// What is before a histogram's counts, once unpacked; the length of these is at 4.
const HEAD: usize = 40;
/// What a histogram in the V2 form begins with.
const V2: u32 = 0x1c84_9303 | 0x10;
/// Many times what one has that is written here, unpacked: bytes.
const LARGEST: usize = 4 << 20;
/// What most have, unpacked: bytes.
const SMALL: usize = 4 << 10;

/// Why text is no histogram.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("histogram is not base64: {0}")]
    Base64(#[from] base64::DecodeError),
    #[error("histogram is not in the HDR V2 deflate form: {0:?}")]
    Histogram(hdrhistogram::serialization::DeserializeError),
    #[error("histogram is not in the HDR V2 deflate form: {0}")]
    Packed(&'static str),
}

/// So many of each value, with 1 to 5 significant digits.
pub(super) fn histogram(digits: u8, values: impl Iterator<Item = (u64, u64)>) -> Histogram<u64> {
    let mut histogram = Histogram::new(digits).expect("1 to 5 significant digits are in range");
    for (value, count) in values {
        // It grows by itself; only a 16-bit address space could refuse.
        let _ = histogram.record_n(value, count);
    }
    histogram
}

/// The largest value of each cell in use and its count, ascending.
pub(super) fn cells(histogram: &Histogram<u64>) -> Vec<(u64, u64)> {
    let used = histogram.iter_recorded();
    used.map(|step| (step.value_iterated_to(), step.count_at_value()))
        .collect()
}

pub(super) fn encode(histogram: &Histogram<u64>) -> String {
    if histogram.is_empty() {
        return String::new();
    }
    let mut bytes = Vec::new();
    // Writing to a vector cannot fail.
    let _ = V2DeflateSerializer::new().serialize(histogram, &mut bytes);
    STANDARD.encode(bytes)
}

/// The significant digits and the [`cells`] of what [`encode`] wrote of some values.
pub(super) fn decode(text: &str) -> Result<(u8, Vec<(u64, u64)>), DecodeError> {
    let bytes = STANDARD.decode(text)?;
    let (_, packed) = bytes
        .split_at_checked(PACKED_HEAD)
        .ok_or(DecodeError::Packed("it is cut short"))?;
    let plain = unpacked(packed)?;
    // The library takes the length on trust, and as much memory.
    let length = plain.get(4..8).and_then(|four| four.try_into().ok());
    let length = length.map(u32::from_be_bytes);
    if length.is_none_or(|length| length as usize > plain.len().saturating_sub(HEAD)) {
        return Err(DecodeError::Packed("its length is not that of its counts"));
    }
    if let Some(read) = plainly(&plain) {
        return Ok(read);
    }
    let histogram = Deserializer::new().deserialize(&mut plain.as_slice());
    let histogram = histogram.map_err(DecodeError::Histogram)?;
    Ok((histogram.sigfig(), cells(&histogram)))
}

/// In one step where it is as small as most are, which takes half as long as piece by piece.
fn unpacked(packed: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut plain = Vec::with_capacity(LARGEST.min(SMALL + 8 * packed.len()));
    let status = Decompress::new(true).decompress_vec(packed, &mut plain, FlushDecompress::Finish);
    if matches!(status, Ok(Status::StreamEnd)) {
        return Ok(plain);
    }
    plain.clear();
    let all = ZlibDecoder::new(packed)
        .take(LARGEST as u64)
        .read_to_end(&mut plain);
    all.map_err(|_| DecodeError::Packed("it cannot be unpacked"))?;
    Ok(plain)
}

/// The cells of what is written here, unpacked: one by one, where the library makes all that there could be, which takes many times
/// as long. `None` for any other form, and for what is wrong: the library knows it, or knows what to say of it.
fn plainly(plain: &[u8]) -> Option<(u8, Vec<(u64, u64)>)> {
    let (head, counts) = plain.split_at_checked(HEAD)?;
    let four = |at: usize| Some(u32::from_be_bytes(head.get(at..at + 4)?.try_into().ok()?));
    let eight = |at: usize| Some(u64::from_be_bytes(head.get(at..at + 8)?.try_into().ok()?));
    let (cookie, length, offset, digits) = (four(0)?, four(4)? as usize, four(8)?, four(12)?);
    let (lowest, ratio) = (eight(16)?, f64::from_bits(eight(32)?));
    // Cells of the lowest range, as the library has them: twice the resolution, up to a power of two.
    let single = 2 * 10u64
        .checked_pow(digits)
        .filter(|_| (1..=5).contains(&digits))?;
    let half = single.next_power_of_two() / 2;
    if (cookie, offset, lowest, ratio) != (V2, 0, 1, 1.0) {
        return None;
    }
    let (mut cells, mut index) = (Vec::new(), 0u64);
    let mut rest = counts.get(..length)?;
    while !rest.is_empty() {
        let number = varint(&mut rest)?;
        // Zigzag: a negative number is so many cells without a count.
        let count = (number >> 1) as i64 ^ -((number & 1) as i64);
        if count > 0 {
            let range = (index / half).saturating_sub(1);
            let first = index - range * half;
            let width = 1u64.checked_shl(u32::try_from(range).ok()?)?;
            let largest = (first + 1).checked_mul(width)? - 1;
            cells.push((largest, count as u64));
        }
        index = index.checked_add(u64::try_from(count.checked_neg()?.max(1)).ok()?)?;
    }
    Some((digits as u8, cells))
}

/// Seven bits to a byte, the lowest first; the ninth byte has eight.
fn varint(from: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for at in 0..9 {
        let (byte, rest) = from.split_first()?;
        *from = rest;
        if at == 8 || *byte < 0x80 {
            return Some(number | (u64::from(*byte) << (7 * at)));
        }
        number |= u64::from(byte & 0x7f) << (7 * at);
    }
    None
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::write::ZlibEncoder;
    use proptest::prelude::*;

    use super::*;

    /// A histogram of one value, with so much said of the length of its counts.
    fn lying(length: u32) -> String {
        let whole = STANDARD.decode(encode(&histogram(3, [(7, 1)].into_iter())));
        let whole = whole.unwrap();
        let mut plain = Vec::new();
        ZlibDecoder::new(&whole[PACKED_HEAD..])
            .read_to_end(&mut plain)
            .unwrap();
        plain[4..8].copy_from_slice(&length.to_be_bytes());
        let mut packed = ZlibEncoder::new(whole[..PACKED_HEAD].to_vec(), Default::default());
        packed.write_all(&plain).unwrap();
        STANDARD.encode(packed.finish().unwrap())
    }

    /// What the library makes of a text.
    fn by_library(text: &str) -> Vec<(u64, u64)> {
        let packed = STANDARD.decode(text).unwrap();
        let read: Histogram<u64> = Deserializer::new()
            .deserialize(&mut packed.as_slice())
            .unwrap();
        cells(&read)
    }

    proptest! {
        #[test]
        fn values_are_read_as_the_library_reads_them(
            digits in 1u8..=5,
            values in prop::collection::vec((1u64..60_000_000_000, 1u64..1 << 40), 1..40),
            small in prop::collection::vec((1u64..5_000, 1u64..9), 0..40),
        ) {
            let text = encode(&histogram(digits, values.into_iter().chain(small)));
            let whole = STANDARD.decode(&text).unwrap();
            let mut plain = Vec::new();
            ZlibDecoder::new(&whole[PACKED_HEAD..]).read_to_end(&mut plain).unwrap();
            prop_assert_eq!(plainly(&plain), Some((digits, by_library(&text))));
        }

        #[test]
        fn no_bytes_panic(head in prop::collection::vec(any::<u8>(), 0..80), digits in 0u32..7) {
            let _ = plainly(&head);
            let mut plain = V2.to_be_bytes().to_vec();
            plain.extend((head.len() as u32).to_be_bytes());
            plain.extend([0; 4]);
            plain.extend(digits.to_be_bytes());
            plain.extend(1u64.to_be_bytes());
            plain.extend(u64::MAX.to_be_bytes());
            plain.extend(1f64.to_be_bytes());
            plain.extend(&head);
            let _ = plainly(&plain);
        }
    }

    #[test]
    fn what_packs_well_is_read_too() {
        let alike: Vec<(u64, u64)> = (1..2_000)
            .map(|value| (value, 1))
            .chain((1_000..30_000).map(|at| (2_000 * at, 1)))
            .collect();
        let text = encode(&histogram(3, alike.into_iter()));
        let packed = STANDARD.decode(&text).unwrap();
        let plain = unpacked(&packed[PACKED_HEAD..]).unwrap();
        assert!(
            plain.len() > SMALL + 8 * packed.len(),
            "{} of {}",
            plain.len(),
            packed.len()
        );
        assert_eq!(decode(&text).unwrap().1, by_library(&text));
    }

    #[test]
    fn a_length_that_is_not_true_is_refused_before_memory_is_taken_for_it() {
        assert_eq!(decode(&lying(2)).unwrap(), (3, vec![(7, 1)]));
        let refused = decode(&lying(u32::MAX)).unwrap_err().to_string();
        assert!(refused.contains("its length"), "{refused}");
        for text in ["", "AAAA", "AAAAAAAAAAAAAAAA"] {
            assert!(decode(text).is_err(), "{text}");
        }
    }
}
