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
    if is_plain(text) {
        // Whatever is wrong is told below.
        if let Ok(summary) = serde_json::from_slice(text) {
            return Ok(summary);
        }
    }
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

/// Whether it is of this schema, and no count in it can be too large: without parsing it, as that takes as long as reading it.
fn is_plain(text: &[u8]) -> bool {
    let rest = text.strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    let rest = rest.and_then(|rest| rest.strip_prefix(b"\"schema\":"));
    let Some(rest) = rest.map(<[u8]>::trim_ascii_start) else {
        return false;
    };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    // A number alone, and no part of one, as `2.5` or `2e9` would be.
    let whole = matches!(rest.get(digits), Some(b',' | b'}'));
    whole && rest[..digits] == *SCHEMA.to_string().as_bytes() && !has_long_number(&rest[digits..])
}

/// Whether as many digits as `MOST` has follow each other anywhere but in a seed or behind a decimal point.
fn has_long_number(text: &[u8]) -> bool {
    let length = MOST.ilog10() as usize + 1;
    // No run of that many digits lies between two places that are as far apart, and have none.
    let mut at = length - 1;
    while at < text.len() {
        if !text[at].is_ascii_digit() {
            at += length;
            continue;
        }
        let before = |byte: &&u8| byte.is_ascii_digit();
        let first = at - text[..at].iter().rev().take_while(before).count();
        let last = at + text[at..].iter().take_while(before).count();
        let (head, run) = (&text[..first], &text[first..last]);
        let excused = head.ends_with(b".") || head.trim_ascii_end().ends_with(b"\"seed\":");
        if run.len() >= length && !excused {
            return true;
        }
        at = last + length;
    }
    false
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
    use proptest::prelude::*;

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

    proptest! {
        /// The short way never lets pass what the long way refuses.
        #[test]
        fn what_is_plain_is_of_this_schema_and_counts_nothing_too_large(
            schema in prop::sample::select(vec!["2", "1", "22", "2.5", "2e1", "\"2\""]),
            name in prop::sample::select(vec!["seed", "count", "seeds"]),
            numbers in prop::collection::vec(any::<u64>().prop_map(|n| n >> (n % 64)), 1..9),
            point: bool,
            space in prop::sample::select(vec!["", " ", "\n  "]),
        ) {
            let number = |n: &u64| match point {
                true => format!("0.{n}"),
                false => n.to_string(),
            };
            let numbers: Vec<String> = numbers.iter().map(number).collect();
            let numbers = numbers.join(&format!(",{space}"));
            let text = format!("{{{space}\"schema\":{space}{schema},\"a\":[{numbers}],\"run\":{{\"{name}\":{space}{}}}}}", u64::MAX);
            if is_plain(text.as_bytes()) {
                let Probe { schema, largest } = serde_json::from_str(&text).unwrap();
                prop_assert_eq!(schema, Some(SCHEMA));
                prop_assert!(largest <= MOST, "{}", text);
            }
        }
    }

    #[test]
    fn what_a_run_writes_is_read_the_short_way() {
        let mut summary = Summary::new(&plan(Language::English), &snapshot());
        summary.run.seed = u64::MAX;
        assert!(is_plain(&serde_json::to_vec(&summary).unwrap()));
        assert!(is_plain(&serde_json::to_vec_pretty(&summary).unwrap()));
        summary.series[0].bytes_sent = MOST + 1;
        assert!(!is_plain(&serde_json::to_vec(&summary).unwrap()));
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
