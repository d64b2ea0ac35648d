//! Reads a summary back from what `write.rs` wrote: `vespeiro report`.
//!
//! What must stay true: a file of another schema is refused, never half read.

use serde::Deserialize;
use serde_json::Value;

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

/// As much of a file as tells whether the rest can be read.
#[derive(Deserialize)]
struct SchemaProbe {
    schema: u32,
}

/// Read a whole file.
pub fn read(text: &[u8]) -> Result<Summary, ReadError> {
    // First, because a later layout may lack what this one needs.
    let SchemaProbe { schema } = serde_json::from_slice(text)?;
    if schema != SCHEMA {
        return Err(ReadError::Schema(schema));
    }
    let summary = serde_json::from_slice(text)?;
    match largest(&serde_json::from_slice(text)?) {
        count if count > MOST => Err(ReadError::Count(count)),
        _ => Ok(summary),
    }
}

/// The largest whole number in it that counts something.
fn largest(value: &Value) -> u64 {
    match value {
        Value::Number(number) => number.as_u64().unwrap_or(0),
        Value::Array(items) => items.iter().map(largest).max().unwrap_or(0),
        Value::Object(fields) => {
            let counts = fields.iter().filter(|(name, _)| *name != "seed");
            counts.map(|(_, value)| largest(value)).max().unwrap_or(0)
        }
        _ => 0,
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
