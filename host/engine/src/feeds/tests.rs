//! Files of rows as people write them, and as nobody would.

use std::path::Path;

use proptest::prelude::*;

use super::read::parse;
use super::*;
use vespeiro_plan::{Feed, FeedFormat, FeedOrder};

fn rows(text: &str, format: FeedFormat) -> Vec<String> {
    let rows = parse(text.as_bytes(), format).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    let all: Vec<String> = (0..rows.len())
        .map(|row| rows.get(row).unwrap().to_owned())
        .collect();
    assert_eq!(rows.get(rows.len()), None);
    assert_eq!(rows.bytes(), all.iter().map(String::len).sum::<usize>());
    all
}

/// The line of a mistake, and what is said of it.
fn wrong(bytes: &[u8], format: FeedFormat) -> (Option<usize>, String) {
    let wrong = parse(bytes, format).unwrap_err();
    assert_eq!(wrong.problem.lines().count(), 1, "{wrong:?}");
    assert!(!wrong.mend.is_empty());
    (wrong.line, wrong.problem)
}

fn wrong_csv(text: &str) -> (Option<usize>, String) {
    wrong(text.as_bytes(), FeedFormat::Csv)
}

#[test]
fn csv_rows_are_objects_of_texts_in_the_order_of_the_header() {
    assert_eq!(
        rows("name,age\nAna,7\nRui,08\n", FeedFormat::Csv),
        [
            r#"{"name":"Ana","age":"7"}"#,
            r#"{"name":"Rui","age":"08"}"#
        ]
    );
    // No line break at the end, Windows' ones, a mark before the text, one field.
    assert_eq!(
        rows("\u{feff}name\r\nAna\r\n\r\nRui", FeedFormat::Csv),
        [r#"{"name":"Ana"}"#, r#"{"name":"Rui"}"#]
    );
}

#[test]
fn quotes_hold_commas_quotes_and_line_breaks() {
    assert_eq!(
        rows(
            "\"a \"\"b\"\"\",c\n\"x, y\",\"one\r\ntwo\"\n \" q\"\"\" ,\"\"\n",
            FeedFormat::Csv
        ),
        [
            r#"{"a \"b\"":"x, y","c":"one\r\ntwo"}"#,
            r#"{"a \"b\"":" \" q\"\"\" ","c":""}"#
        ]
    );
}

#[test]
fn mistakes_in_csv_are_told_with_their_line() {
    let (line, said) = wrong_csv("a,b\n1,2\n\n1,2,3\n");
    assert_eq!(
        (line, said.as_str()),
        (Some(4), "it has 3 values, and the header 2 names")
    );
    let (line, _) = wrong_csv("a,b\r\n1,2\r\n1\r\n");
    assert_eq!(line, Some(3));
    let (line, _) = wrong_csv("a,b\n\"one\ntwo\",2\n1\n");
    assert_eq!(line, Some(4));
    let (line, said) = wrong_csv("a,b\n1,\"2\n3,4\n5,6\n");
    assert_eq!(
        (line, said.as_str()),
        (Some(2), "its quotes are not in pairs")
    );
    let (line, _) = wrong_csv("a,b\n1,2\n3,4\"\n");
    assert_eq!(line, Some(3));
    assert_eq!(wrong_csv("\"a,b\n1,2\n").0, Some(1));
    for (text, says) in [
        ("", "no header"),
        ("a,b\n", "no row"),
        ("\n\n", "no header"),
        ("a,,c\n1,2,3\n", "no name for field 2"),
        ("a,b,a\n1,2,3\n", "names \"a\" twice"),
        ("a;b\n1;2\n", "';' between names"),
        ("a\tb\n1\t2\n", "'\\t' between names"),
        ("a|b\n1|2\n", "'|' between names"),
        ("a;b,c\n1;2,3\n", "';' between names"),
        ("a,b|c\n1,2|3\n", "'|' between names"),
    ] {
        let (_, said) = wrong_csv(text);
        assert!(said.contains(says), "{text:?}: {said}");
    }
}

#[test]
fn a_quote_that_would_change_a_value_is_told_with_its_line() {
    for text in [
        "a,b\n1,\"x\"y\"\"\n",
        "a,b\n1,\"x\" \n\"\",2\n",
        "a,b\n1,\"say \\\"hi\\\" now\"\n",
        "a,b\r1,\"x\"y\r",
    ] {
        let (line, said) = wrong_csv(text);
        assert_eq!(line, Some(2), "{text:?}: {said}");
        assert!(
            said.contains("neither its end nor doubled"),
            "{text:?}: {said}"
        );
    }
    let (line, _) = wrong_csv("a,b\n1,\"one\ntwo\"x\n");
    assert_eq!(line, Some(3), "the line of the quote");
    // All of these are as they are meant.
    assert_eq!(
        rows(
            "a,\"b|c\"\n\"C:\\\",\"say \"\"hi\"\"\"\nit\"s 5\",6\n",
            FeedFormat::Csv
        ),
        [
            r#"{"a":"C:\\","b|c":"say \"hi\""}"#,
            r#"{"a":"it\"s 5\"","b|c":"6"}"#
        ]
    );
}

#[test]
fn lines_that_end_as_on_old_systems_count() {
    assert_eq!(wrong_csv("a,b\r1,2\r1,2,3\r").0, Some(3));
    assert_eq!(wrong_csv("a,b\r\n1,2\r\r1\n").0, Some(4));
    assert_eq!(
        rows("a\r1\r2\r", FeedFormat::Csv),
        [r#"{"a":"1"}"#, r#"{"a":"2"}"#]
    );
    assert_eq!(rows("1\r\r2\r", FeedFormat::JsonLines), ["1", "2"]);
    assert_eq!(wrong(b"1\r\r{]\r", FeedFormat::JsonLines).0, Some(3));
    assert_eq!(wrong(b"[1,\r2,\r}", FeedFormat::Json).0, Some(3));
    assert_eq!(wrong(b"[1,\r\n2,\r\n}", FeedFormat::Json).0, Some(3));
}

#[test]
fn json_keeps_numbers_and_the_order_of_fields_as_they_are_written() {
    let value = r#"{ "z" : 1.50, "a" : [ 12345678901234567890123, "s p \" \\" ], "z2" : null }"#;
    let compact = r#"{"z":1.50,"a":[12345678901234567890123,"s p \" \\"],"z2":null}"#;
    assert_eq!(
        rows(&format!("{value}\r\n\n  \n7\n\"x\""), FeedFormat::JsonLines),
        [compact, "7", "\"x\""]
    );
    let pretty = value.replace(',', ",\n");
    assert_eq!(
        rows(&format!("\n[\n{pretty}, 7 ,\"x\"]\n"), FeedFormat::Json),
        [compact, "7", "\"x\""]
    );
}

#[test]
fn mistakes_in_json_are_told_with_their_line() {
    let lines = |text: &str| wrong(text.as_bytes(), FeedFormat::JsonLines);
    let array = |text: &str| wrong(text.as_bytes(), FeedFormat::Json);
    for (found, line, says) in [
        (lines("{}\n\n{\"a\":}\n"), Some(3), "expected value"),
        (lines("{} {}\n"), Some(1), "trailing characters"),
        (lines("1\n1e999\n"), Some(2), "out of range"),
        (lines("\"\\ud800\"\n"), Some(1), "no JSON"),
        (lines("\n \n"), None, "no row"),
        (array("[1,\n2,\n}"), Some(3), "no JSON"),
        (array("[1,\n\n{\"a\":\n1e999}]"), Some(3), "out of range"),
        (array("[1]\n[2]"), Some(2), "trailing characters"),
        (array("{\"a\": []}"), Some(1), "no array"),
        (array("7"), Some(1), "no array"),
        (array("[]"), None, "no row"),
        (array(""), None, "no row"),
        (array("[1"), Some(1), "no JSON"),
    ] {
        assert_eq!(found.0, line, "{found:?}");
        assert!(found.1.contains(says), "{found:?}");
    }
}

#[test]
fn what_is_no_utf8_is_told_with_its_line() {
    for format in [FeedFormat::Csv, FeedFormat::JsonLines, FeedFormat::Json] {
        let (line, said) = wrong(b"a,b\n1,\xe9\n", format);
        assert_eq!((line, said.as_str()), (Some(2), "this is no UTF-8"));
    }
}

#[test]
fn rows_and_files_have_bounds() {
    let long = format!("1\n\"{}\"\n", "x".repeat(MAX_ROW));
    let (line, said) = wrong(long.as_bytes(), FeedFormat::JsonLines);
    assert_eq!(line, Some(2));
    assert!(said.contains("over the 1048576 of one"), "{said}");
    let long = format!("a\n{}\n", "x".repeat(MAX_ROW));
    assert_eq!(wrong_csv(&long).0, Some(2));
    // Names that are repeated in each row: small as a file, large as JSON.
    let wide = format!("{}\n{}", "n".repeat(1 << 19), "\"\"\n".repeat(200));
    let (line, said) = wrong_csv(&wide);
    assert!(said.contains("over the 64 MiB of a feed"), "{said}");
    assert_eq!(line, Some(129));
    let many = "1\n".repeat(MAX_ROWS + 1);
    let (line, said) = wrong(many.as_bytes(), FeedFormat::JsonLines);
    assert_eq!(line, Some(MAX_ROWS + 1));
    assert!(said.contains("more than 4000000 rows"), "{said}");
}

#[test]
fn every_file_that_cannot_be_used_is_told_in_a_line_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let feed = |name: &str, text: &[u8]| {
        let file = folder.path().join(format!("{name}.csv"));
        std::fs::write(&file, text).unwrap();
        Feed {
            name: name.into(),
            file,
            format: FeedFormat::Csv,
            order: FeedOrder::InTurn,
            per_user: None,
            archetypes: vec![0],
        }
    };
    let large = feed("large", b"");
    let file = std::fs::File::options()
        .write(true)
        .open(&large.file)
        .unwrap();
    file.set_len(MAX_BYTES as u64 + 1).unwrap();
    let gone = Feed {
        file: Path::new("/nowhere/gone.csv").into(),
        ..feed("gone", b"")
    };
    let feeds = [
        feed("good", b"a\n1\n"),
        feed("bad", b"a\n1,2\n"),
        gone,
        large,
    ];
    let said = read_all(&feeds).unwrap_err().to_string();
    let said: Vec<&str> = said.lines().collect();
    assert_eq!(said.len(), 3, "{said:?}");
    let bad = feeds[1].file.display();
    assert_eq!(
        said[0],
        format!(
            "feed bad: {bad}:2: it has 2 values, and the header 1 names; give each field one; a value with a comma stands in quotes"
        )
    );
    assert!(said[1].starts_with("feed gone: /nowhere/gone.csv: it cannot be read: "));
    assert!(said[2].contains("over the 64 MiB of a feed"));
    assert_eq!(read_all(&feeds[..1]).unwrap().len(), 1);
}

/// Text that is nearly a file of rows.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    const PARTS: [&[u8]; 13] = [
        b"a,b\n",
        b"\"",
        b",",
        b"\n",
        b"\r\n",
        b"[",
        b"]",
        b"{\"a\":1}",
        b"\\",
        b" 1",
        "é".as_bytes(),
        b"\xff",
        "\u{feff}".as_bytes(),
    ];
    let part = prop::sample::select(&PARTS[..]);
    prop::collection::vec(part, 0..20).prop_map(|parts| parts.concat())
}

fn holds(bytes: &[u8], format: FeedFormat) -> Result<(), TestCaseError> {
    match parse(bytes, format) {
        Ok(rows) => {
            prop_assert!(!rows.is_empty());
            for row in 0..rows.len() {
                let row = rows.get(row).unwrap();
                let value: serde_json::Value = serde_json::from_str(row).unwrap();
                prop_assert!(format != FeedFormat::Csv || value.is_object());
                prop_assert!(!row.contains('\n'));
            }
        }
        Err(wrong) => {
            let ends = bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r'));
            let pairs = bytes.windows(2).filter(|pair| pair == b"\r\n");
            let lines = ends.count() - pairs.count() + 1;
            prop_assert!(
                wrong.line.is_none_or(|line| (1..=lines).contains(&line)),
                "{:?}",
                wrong
            );
            prop_assert_eq!(wrong.problem.lines().count(), 1);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_bytes_panic(random in prop::collection::vec(any::<u8>(), 0..200), nearly in nearly()) {
        for format in [FeedFormat::Csv, FeedFormat::JsonLines, FeedFormat::Json] {
            holds(&random, format)?;
            holds(&nearly, format)?;
        }
    }

    #[test]
    fn csv_that_is_written_by_the_rules_is_read_back(
        table in prop::collection::vec(prop::collection::vec("[a-z\",\n\r é]{0,6}", 3), 1..8)
    ) {
        let quote = |value: &String| format!("\"{}\"", value.replace('"', "\"\""));
        let mut text = "x,y,z\r\n".to_owned();
        for row in &table {
            text.push_str(&row.iter().map(quote).collect::<Vec<_>>().join(","));
            text.push_str("\r\n");
        }
        let read = rows(&text, FeedFormat::Csv);
        prop_assert_eq!(read.len(), table.len());
        for (read, row) in read.iter().zip(&table) {
            let value: serde_json::Value = serde_json::from_str(read).unwrap();
            for (name, expected) in ["x", "y", "z"].iter().zip(row) {
                prop_assert_eq!(value[*name].as_str(), Some(expected.as_str()));
            }
        }
    }
}
