//! HDR histograms as text, in the V2 deflate form and base64: how distributions are written down, so that they can be
//! added up elsewhere. Used by [`super::Timing`] and [`super::Outline`], for whom no values are the empty text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer as _, V2DeflateSerializer};

/// Why text is no histogram.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("histogram is not base64: {0}")]
    Base64(#[from] base64::DecodeError),
    #[error("histogram is not in the HDR V2 deflate form: {0:?}")]
    Histogram(hdrhistogram::serialization::DeserializeError),
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

/// The [`cells`] of what [`encode`] wrote of some values.
pub(super) fn decode(text: &str) -> Result<Vec<(u64, u64)>, DecodeError> {
    let bytes = STANDARD.decode(text)?;
    let histogram = Deserializer::new().deserialize(&mut bytes.as_slice());
    Ok(cells(&histogram.map_err(DecodeError::Histogram)?))
}
