//! CSV as RFC 4180 has it: a header that names the fields, then rows of as many values, in quotes where they hold commas,
//! quotes or line breaks. Each row becomes a JSON object of texts.

use ::csv::{ErrorKind, ReaderBuilder, StringRecord};
use serde_json::Value;

use super::error::Wrong;
use super::error::line_of;
use super::rows::Rows;

pub(super) fn read(text: &str, rows: &mut Rows) -> Result<(), Wrong> {
    let mut reader = ReaderBuilder::new().from_reader(text.as_bytes());
    let header = reader.headers().cloned();
    let header = header.map_err(|error| of_record(text, &error, 0))?;
    let mut begin = reader.position().byte() as usize;
    let line = line_at(text, 0);
    quoted(text, 0, begin)?;
    separated(text, begin).map_err(|wrong| wrong.at(line))?;
    check(&header).map_err(|wrong| wrong.at(line))?;
    let names: Vec<String> = header
        .iter()
        .map(|name| format!("{}:", Value::from(name)))
        .collect();
    let mut record = StringRecord::new();
    let mut row = String::new();
    loop {
        let more = reader.read_record(&mut record);
        let end = reader.position().byte() as usize;
        // First, for a quote that is not closed takes the rows behind it along.
        quoted(text, begin, end)?;
        if !more.map_err(|error| of_record(text, &error, begin))? {
            return Ok(());
        }
        row.clear();
        for (name, value) in names.iter().zip(&record) {
            row.push(if row.is_empty() { '{' } else { ',' });
            row.push_str(name);
            row.push_str(&Value::from(value).to_string());
        }
        row.push('}');
        rows.push(&row)
            .map_err(|wrong| wrong.at(line_at(text, begin)))?;
        begin = end;
    }
}

/// The names of the fields: all there, each once.
fn check(header: &StringRecord) -> Result<(), Wrong> {
    if header.is_empty() {
        let mend = "name the fields in its first line, as in name,email";
        return Err(Wrong::new("it holds no header", mend));
    }
    for (at, name) in header.iter().enumerate() {
        if name.is_empty() {
            let problem = format!("its header has no name for field {}", at + 1);
            return Err(Wrong::new(problem, "name every field"));
        }
        if header.iter().take(at).any(|before| before == name) {
            let problem = format!("its header names {name:?} twice");
            return Err(Wrong::new(problem, "give each field its own name"));
        }
    }
    Ok(())
}

/// Refuse a header with another mark between its names than a comma: none at all, or some of them.
fn separated(text: &str, end: usize) -> Result<(), Wrong> {
    let mut within = false;
    let mark = text.get(..end).unwrap_or(text).chars().find(|c| {
        within ^= *c == '"';
        !within && matches!(c, ';' | '\t' | '|')
    });
    let Some(mark) = mark else { return Ok(()) };
    let problem = format!("its header has {mark:?} between names, not a comma");
    let mend = "separate fields by commas; a name with such a mark stands in quotes";
    Err(Wrong::new(problem, mend))
}

/// Refuse a record with quotes that the reader would understand in its own way: one that is not closed would take the rest
/// of the file for its value, and one within a value would be left out.
fn quoted(text: &str, begin: usize, end: usize) -> Result<(), Wrong> {
    let bytes = text.as_bytes().get(begin..end).unwrap_or_default();
    let wrong = |problem: &str, at: usize| {
        let mend = "close each, and double those within a value; a backslash does not escape one";
        Wrong::new(problem, mend).at(line_at(text, begin + at))
    };
    let quotes = bytes.iter().filter(|byte| **byte == b'"').count();
    if !quotes.is_multiple_of(2) {
        return Err(wrong("its quotes are not in pairs", 0));
    }
    let (mut at, mut fresh) = (0, true);
    while at < bytes.len() {
        if fresh && bytes[at] == b'"' {
            at = closing(bytes, at + 1);
            if !matches!(bytes.get(at), None | Some(b',' | b'\r' | b'\n')) {
                return Err(wrong(
                    "a quote within a value is neither its end nor doubled",
                    at,
                ));
            }
        }
        fresh = matches!(bytes.get(at), Some(b',' | b'\r' | b'\n'));
        at += 1;
    }
    Ok(())
}

/// What follows the quote that closes a value, which begins here.
fn closing(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1)) {
            (b'"', Some(b'"')) => at += 2,
            (b'"', _) => return at + 1,
            _ => at += 1,
        }
    }
    at
}

fn of_record(text: &str, error: &::csv::Error, begin: usize) -> Wrong {
    let wrong = match error.kind() {
        ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => Wrong::new(
            format!("it has {len} values, and the header {expected_len} names"),
            "give each field one; a value with a comma stands in quotes",
        ),
        _ => Wrong::new(error.to_string(), "mend this row"),
    };
    wrong.at(line_at(text, begin))
}

/// The line, from 1, in which a record begins: behind line breaks that the one before it has left.
fn line_at(text: &str, begin: usize) -> usize {
    let bytes = text.as_bytes();
    let rest = bytes.get(begin..).unwrap_or_default();
    let breaks = rest.iter().take_while(|b| matches!(b, b'\r' | b'\n'));
    let begin = begin + breaks.count();
    line_of(bytes.get(..begin).unwrap_or(bytes))
}
