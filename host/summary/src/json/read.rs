//! Reads a summary back from what `write.rs` wrote: `vespeiro report`.
//!
//! What must stay true: a file of another schema is refused, never half read.

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{SCHEMA, Summary};
use vespeiro_plan::one_line;

/// Counts of several runs, and of all that one file may list, are added up: they have to stay within 64 bits.
const MOST: u64 = 1 << 48;

/// Why a file is no summary that can be read here.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("not a summary ({}); give a file that --summary-json wrote", one_line(.0))]
    Alien(#[from] serde_json::Error),
    #[error(
        "a summary of schema {0}, this version reads schema {SCHEMA}; use the version that wrote it"
    )]
    Schema(u32),
    #[error(
        "not a summary (no run counts up to {0}, as it does); give a file that --summary-json wrote"
    )]
    Count(u64),
}

/// What has to be known of a file before it is read.
#[derive(Default)]
struct Probe {
    schema: Option<u32>,
    /// The largest whole number in it that counts something.
    largest: u64,
}

/// Read a whole file.
pub fn read(text: &[u8]) -> Result<Summary, ReadError> {
    // First, because a later layout may lack what this one needs.
    let Probe { schema, largest } = serde_json::from_slice(text)?;
    let schema = schema.ok_or_else(|| serde::de::Error::missing_field("schema"));
    match schema.map_err(ReadError::Alien)? {
        SCHEMA => {}
        other => return Err(ReadError::Schema(other)),
    }
    let summary = serde_json::from_slice(text)?;
    match largest {
        count if count > MOST => Err(ReadError::Count(count)),
        _ => Ok(summary),
    }
}

impl<'de> Deserialize<'de> for Probe {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Probe, D::Error> {
        from.deserialize_map(Probe::default())
    }
}

impl<'de> Visitor<'de> for Probe {
    type Value = Probe;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a summary")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<Probe, A::Error> {
        while let Some(name) = fields.next_key::<Cow<'_, str>>()? {
            if name == "schema" {
                self.schema = Some(fields.next_value()?);
            } else {
                self.largest = self.largest.max(fields.next_value::<Largest>()?.0);
            }
        }
        Ok(self)
    }
}

/// The largest whole number of a value, which is looked through and not kept.
struct Largest(u64);

impl<'de> Deserialize<'de> for Largest {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Largest, D::Error> {
        from.deserialize_any(Largest(0))
    }
}

impl<'de> Visitor<'de> for Largest {
    type Value = Largest;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a summary")
    }

    fn visit_u64<E>(self, number: u64) -> Result<Largest, E> {
        Ok(Largest(number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Largest, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Largest, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Largest, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Largest, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Largest, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Largest, A::Error> {
        while let Some(Largest(number)) = items.next_element()? {
            self.0 = self.0.max(number);
        }
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<Largest, A::Error> {
        while let Some(name) = fields.next_key::<Cow<'_, str>>()? {
            let Largest(number) = fields.next_value()?;
            if name != "seed" {
                self.0 = self.0.max(number);
            }
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vespeiro_metrics::testing::snapshot;
    use vespeiro_plan::Language;
    use vespeiro_plan::testing::plan;

    #[test]
    fn a_count_that_no_run_comes_to_is_refused_and_a_seed_is_none() {
        let mut summary = Summary::new(&plan(Language::English), &snapshot());
        summary.run.seed = u64::MAX;
        let text = |summary: &Summary| serde_json::to_vec(summary).unwrap();
        assert_eq!(read(&text(&summary)).unwrap(), summary);
        summary.series[0].bytes_sent = u64::MAX;
        let refused = read(&text(&summary)).unwrap_err().to_string();
        assert!(refused.contains("18446744073709551615"), "{refused}");
    }

    #[test]
    fn what_is_wrong_is_told_in_one_line_whatever_the_file_holds() {
        let odd = br#"{"schema":2,"not_sent":[{"failure":"\u001b[2J\n","count":1}]}"#;
        let refused = read(odd).unwrap_err().to_string();
        assert!(refused.contains("[2J"), "{refused}");
        assert!(!refused.contains(char::is_control), "{refused}");
        let told = read(b"{\"schema\":1}").unwrap_err().to_string();
        assert!(told.contains("schema 1,"), "{told}");
    }
}
