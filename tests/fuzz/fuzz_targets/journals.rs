//! Journals, as a crash, a disk or a hand may have left them.
#![no_main]

use std::collections::HashSet;
use std::io::Write as _;

use libfuzzer_sys::fuzz_target;
use vespeiro_engine::journal::read;
use vespeiro_fuzz::{file, is_one_line};

fuzz_target!(|bytes: &[u8]| {
    let path = file("run.journal", bytes);
    let contents = match read(&path) {
        Ok(contents) => contents,
        Err(error) => return is_one_line(error),
    };
    contents.warnings.iter().for_each(is_one_line);
    let things: HashSet<&String> = contents.outstanding.iter().collect();
    assert_eq!(
        things.len(),
        contents.outstanding.len(),
        "a thing is named twice"
    );

    // What a crash tears off the next line changes nothing of the lines before it.
    if bytes.ends_with(b"\n") {
        let mut journal = std::fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .expect("a journal");
        journal.write_all(b"+ user:torn").expect("a line");
        let torn = read(&path).expect("it was a journal before");
        assert_eq!(torn.outstanding, contents.outstanding);
    }
});
