//! Files of data feeds, in each of their forms: the first byte says in which.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vespeiro_engine::feeds::{MAX_ROW, read};
use vespeiro_fuzz::{file, is_one_line};
use vespeiro_plan::{Feed, FeedFormat, FeedOrder};

fuzz_target!(|bytes: &[u8]| {
    let Some((form, bytes)) = bytes.split_first() else {
        return;
    };
    let (format, name) = match form {
        b'c' => (FeedFormat::Csv, "rows.csv"),
        b'l' => (FeedFormat::JsonLines, "rows.jsonl"),
        _ => (FeedFormat::Json, "rows.json"),
    };
    let feed = Feed {
        name: "people".into(),
        file: file(name, bytes),
        format,
        order: FeedOrder::InTurn,
        per_user: None,
        archetypes: vec![0],
    };
    let rows = match read(&feed) {
        Ok(rows) => rows,
        Err(error) => return is_one_line(error),
    };
    assert!(!rows.is_empty() && rows.get(rows.len()).is_none());
    for row in (0..rows.len()).filter_map(|row| rows.get(row)) {
        assert!(row.len() <= MAX_ROW && !row.contains('\n'));
        assert!(
            serde_json::from_str::<serde_json::Value>(row).is_ok(),
            "{row}"
        );
    }
});
