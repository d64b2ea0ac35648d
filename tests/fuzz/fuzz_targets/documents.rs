//! Documents that `vespeiro import` reads: OpenAPI as YAML or JSON, HAR, curl lines.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vespeiro_import::{ImportOptions, import};

fuzz_target!(|text: &str| {
    let Ok(project) = import(text, ImportOptions::default()) else {
        return;
    };
    let _ = project.plan("a document", "http://localhost");
    for journey in &project.journeys {
        assert!(journey.text().starts_with("name = "));
    }
});
