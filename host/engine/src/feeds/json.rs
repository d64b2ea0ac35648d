//! JSON, one value a line or in one array. Rows keep their numbers and the order of their fields as they were written.

use std::fmt;

use serde::Deserializer as _;
use serde::de::{Error as _, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::error::Wrong;
use super::error::line_of;
use super::rows::Rows;

const ONE_A_LINE: &str = "write one JSON value a line";

pub(super) fn lines(text: &str, rows: &mut Rows) -> Result<(), Wrong> {
    let mut begin = 0;
    for line in text.split_inclusive(['\n', '\r']) {
        let before = begin;
        begin += line.len();
        if !line.trim().is_empty() {
            let read = check(line, ONE_A_LINE).and_then(|()| rows.push(&compact(line)));
            read.map_err(|wrong| wrong.at(line_of(&text.as_bytes()[..before])))?;
        }
    }
    Ok(())
}

pub(super) fn array(text: &str, rows: &mut Rows) -> Result<(), Wrong> {
    if text.trim().is_empty() {
        return Ok(());
    }
    let mut wrong = None;
    let mut reader = serde_json::Deserializer::from_str(text);
    let items = Items {
        text,
        rows,
        wrong: &mut wrong,
    };
    let read = reader.deserialize_seq(items).and_then(|()| reader.end());
    read.map_err(|error| {
        let problem = match error.is_data() {
            true => "it is no array".to_owned(),
            false => what(&error),
        };
        let other = Wrong::new(problem, "write [, the rows with commas between them, and ]");
        wrong.unwrap_or_else(|| other.at(line_of(before(text, &error))))
    })
}

/// What stands before the place of an error, which counts lines by `\n` alone.
fn before<'a>(text: &'a str, error: &serde_json::Error) -> &'a [u8] {
    let mut lines = text.split_inclusive('\n');
    let earlier = lines.by_ref().take(error.line().saturating_sub(1));
    let begin: usize = earlier.map(str::len).sum();
    let end = begin + error.column().saturating_sub(1);
    let bytes = text.as_bytes();
    bytes.get(..end).unwrap_or(bytes)
}

/// Takes the items of an array one by one, so that one that is too long costs no memory.
struct Items<'a> {
    text: &'a str,
    rows: &'a mut Rows,
    wrong: &'a mut Option<Wrong>,
}

impl<'de> Visitor<'de> for Items<'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(item) = items.next_element::<&RawValue>()? {
            let item = item.get();
            let kept = check(item, "mend this row").and_then(|()| self.rows.push(&compact(item)));
            if let Err(wrong) = kept {
                // It is a part of the text.
                let begin = item.as_ptr() as usize - self.text.as_ptr() as usize;
                let before = self.text.as_bytes().get(..begin).unwrap_or_default();
                *self.wrong = Some(wrong.at(line_of(before)));
                return Err(A::Error::custom("a wrong row"));
            }
        }
        Ok(())
    }
}

/// Refuse what some behavior's language could not read: numbers out of all range, half of a character.
fn check(text: &str, mend: &str) -> Result<(), Wrong> {
    let value = serde_json::from_str::<Value>(text);
    value.map_err(|error| Wrong::new(what(&error), mend))?;
    Ok(())
}

/// Without the place, which is told in the file's own lines.
fn what(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let (what, _) = said.rsplit_once(" at line ").unwrap_or((&said, ""));
    format!("this is no JSON: {what}")
}

/// The same JSON without white space between its parts.
fn compact(text: &str) -> String {
    let mut compact = String::with_capacity(text.len());
    let (mut quoted, mut escaped) = (false, false);
    for c in text.chars() {
        if !quoted && c.is_ascii_whitespace() {
            continue;
        }
        quoted ^= c == '"' && !escaped;
        escaped = quoted && c == '\\' && !escaped;
        compact.push(c);
    }
    compact
}
