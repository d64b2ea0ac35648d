//! Documents that `vespeiro import` reads: OpenAPI as YAML or JSON, HAR, Postman collections, curl lines.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vespeiro_import::{ImportOptions, Language, import};

fuzz_target!(|text: &str| {
    let Ok(project) = import(text, ImportOptions::default()) else {
        return;
    };
    for (_, language) in Language::ALL {
        let files = project.files(language, "a document", "http://localhost");
        assert_eq!(files.len(), 1 + project.journeys.len());
    }
});
