//! HDR histograms as text, in the V2 deflate form and base64: how distributions are written down, so that they can be
//! added up elsewhere. Used by [`super::Timing`] and [`super::CompactHistogram`], which write no values as the empty text.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::ZlibDecoder;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer as _, V2DeflateSerializer};

/// Cookie and length of the packed form, which are before what is packed.
const PACKED_HEAD: usize = 8;
/// What is before a histogram's counts, once unpacked; the length of these is at 4.
const HEAD: usize = 40;
/// Many times what one has that is written here, unpacked: bytes.
const LARGEST: u64 = 4 << 20;

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
    let mut plain = Vec::new();
    let unpacked = ZlibDecoder::new(packed)
        .take(LARGEST)
        .read_to_end(&mut plain);
    unpacked.map_err(|_| DecodeError::Packed("it cannot be unpacked"))?;
    // The library takes the length on trust, and as much memory.
    let length = plain.get(4..8).and_then(|four| four.try_into().ok());
    let length = length.map(u32::from_be_bytes);
    if length.is_none_or(|length| length as usize > plain.len().saturating_sub(HEAD)) {
        return Err(DecodeError::Packed("its length is not that of its counts"));
    }
    let histogram = Deserializer::new().deserialize(&mut plain.as_slice());
    let histogram = histogram.map_err(DecodeError::Histogram)?;
    Ok((histogram.sigfig(), cells(&histogram)))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::write::ZlibEncoder;

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
