//! Summaries, as `vespeiro report` reads, merges, compares and shows them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vespeiro_fuzz::is_one_line;
use vespeiro_output::{comparison, html, summary};
use vespeiro_plan::Language;
use vespeiro_summary::compare::compare;
use vespeiro_summary::json;
use vespeiro_summary::merge::merge;

fuzz_target!(|text: &[u8]| {
    let one = match json::read(text) {
        Ok(one) => one,
        Err(error) => return is_one_line(error),
    };
    let written = serde_json::to_vec(&one).expect("a summary is JSON");
    assert_eq!(json::read(&written).ok().as_ref(), Some(&one));
    let mut other = one.clone();
    other.run.id.push('2');
    for parts in [vec![one.clone()], vec![one.clone(), other]] {
        let whole = match merge(&parts) {
            Ok(Some(whole)) => whole,
            Ok(None) => panic!("there are parts"),
            Err(error) => {
                is_one_line(error);
                continue;
            }
        };
        let compared = compare(&one, &whole, 0.1).map_err(is_one_line).ok();
        for language in [Language::English, Language::Portuguese] {
            let mut text = summary::text(&whole, language);
            html::page(&whole, compared.as_ref(), language);
            text.extend(
                compared
                    .as_ref()
                    .map(|compared| comparison::text(compared, language)),
            );
            assert!(
                text.chars().all(|c| c == '\n' || !c.is_control()),
                "{text:?}"
            );
        }
    }
});
