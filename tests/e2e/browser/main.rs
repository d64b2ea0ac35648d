//! Our pages in a real browser: Debian's Chromium, driven by Playwright through the scripts in `tests/browser`. A target
//! of its own, for it needs those tools: where one is missing its tests say so and pass, unless
//! `VESPEIRO_REQUIRE_TOOLS` is 1.

// Tests measure by the machine's clock.
#![allow(clippy::disallowed_methods)]
#![allow(clippy::unwrap_used)]

mod chromium;
mod live;
mod report;
#[path = "../support/mod.rs"]
#[allow(dead_code, unused_imports)]
mod support;

use chromium::Chromium;

/// The colors and sizes that all our pages share.
const THEME: &str = include_str!("../../../host/output/src/html/theme.css");

#[test]
fn the_harness_notices_a_page_that_misbehaves() {
    let Some(chromium) = Chromium::ready() else {
        return;
    };
    let folder = tempfile::TempDir::new().unwrap();
    let page = folder.path().join("page.html");
    let text = format!(
        "<!doctype html><meta charset=utf-8><title>A page</title><style>{THEME}</style><h1>A page</h1>"
    );
    std::fs::write(&page, text).unwrap();
    let url = url::Url::from_file_path(&page).unwrap();
    chromium.run("harness.check.mjs", &[("VESPEIRO_PAGE", url.as_str())]);
}
