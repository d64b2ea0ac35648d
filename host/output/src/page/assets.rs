//! The files of the live page, embedded in the binary and filled with the words of the run's language. They name no other
//! host: the page works without the internet.

use crate::html::{CHART_SCRIPT, CHART_STYLE, NUMBERS, THEME};
use crate::words;
use vespeiro_plan::Language;

/// One file of the page.
#[derive(Debug, Clone)]
pub struct Asset {
    pub path: &'static str,
    pub content_type: &'static str,
    pub text: String,
}

/// All files of the page.
#[derive(Debug, Clone)]
pub struct Page(pub Vec<Asset>);

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

const FILES: [(&str, &str, &str); 11] = [
    ("/", HTML, include_str!("assets/index.html")),
    ("/theme.css", CSS, THEME),
    ("/chart.css", CSS, CHART_STYLE),
    ("/page.css", CSS, include_str!("assets/page.css")),
    ("/page.js", JS, include_str!("assets/page.js")),
    ("/render.js", JS, include_str!("assets/render.js")),
    ("/chart.js", JS, CHART_SCRIPT),
    ("/actions.js", JS, include_str!("assets/actions.js")),
    ("/numbers.js", JS, NUMBERS),
    ("/words.js", JS, include_str!("assets/words.js")),
    ("/icon.svg", SVG, include_str!("assets/icon.svg")),
];

impl Page {
    pub fn new(language: Language) -> Page {
        let asset = |(path, content_type, text)| Asset {
            path,
            content_type,
            text: words::fill(text, language),
        };
        Page(FILES.map(asset).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_page_is_there_in_both_languages() {
        for language in [Language::English, Language::Portuguese] {
            for asset in Page::new(language).0 {
                assert!(!asset.text.contains("{{"), "{}", asset.path);
            }
        }
    }

    #[test]
    fn the_page_names_no_other_host() {
        for asset in Page::new(Language::English).0 {
            // The names of XML's vocabularies look like addresses, and nobody fetches them.
            let text = asset.text.replace("http://www.w3.org/", "");
            assert!(!text.contains("http://"), "{}", asset.path);
            assert!(!text.contains("https://"), "{}", asset.path);
        }
    }
}
