//! The summary as a page for people: one file that asks the network for nothing. Rendered from a [`Summary`] alone, by a
//! run that was given `--html` and by `vespeiro report`. The style that all pages share is here too.

mod chart;
mod charts;
mod page;
mod phases;

use std::io::Write as _;
use std::path::Path;

use self::page::Document;
use super::Locale;
use crate::file::ResultFile;
use crate::language::harmless_lines;
use crate::output::{MaybeOutput, OutputContext};
use vespeiro_plan::Language;
use vespeiro_summary::compare::Comparison;
use vespeiro_summary::files::{WriteError, write_whole};
use vespeiro_summary::json::Summary;

/// The style sheet of all pages: colors, sizes and plain elements, light and dark.
pub const THEME: &str = include_str!("theme.css");
const STYLE: &str = include_str!("report.css");
const NAME: &str = "page";
const SCRIPT: &str = include_str!("report.js");
/// What draws charts on all pages, its style, and the numbers as a reader writes them.
pub const CHART_SCRIPT: &str = include_str!("../chart.js");
pub const CHART_STYLE: &str = include_str!("../chart.css");
pub const NUMBERS: &str = include_str!("../numbers.js");

/// The whole page.
pub fn page(summary: &Summary, compared: Option<&Comparison>, language: Language) -> String {
    let document = Document {
        summary,
        compared,
        locale: Locale::new(language),
    };
    // Plan, behaviors and target have named what stands in it, and its scripts hide nothing.
    harmless_lines(&document.render().into_string())
}

/// The page, if the plan asks for it.
pub fn output(context: &OutputContext<'_>) -> MaybeOutput {
    let output = &context.plan.output;
    let language = output.language;
    ResultFile::wanted(NAME, output.html.as_deref(), move |summary, path| {
        write(summary, None, language, path)
    })
}

/// Write the page. Readers see the old file or the whole new one, never a part.
pub fn write(
    summary: &Summary,
    compared: Option<&Comparison>,
    language: Language,
    path: &Path,
) -> Result<(), WriteError> {
    write_whole(NAME, path, |file| {
        file.write_all(page(summary, compared, language).as_bytes())
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The variables of each block that sets colors, in the order of the file: light, dark, print.
    fn schemes() -> Vec<BTreeMap<&'static str, [f64; 3]>> {
        let blocks = THEME.split(":root {").skip(1);
        let color = |text: &str| -> Option<[f64; 3]> {
            let digits = text.strip_prefix('#')?;
            let part = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
            Some([part(0), part(2), part(4)].map(f64::from))
        };
        let variables = blocks.map(|block| {
            let lines = block.split('}').next().unwrap().lines();
            let pairs = lines.filter_map(|line| line.trim().trim_end_matches(';').split_once(": "));
            pairs
                .filter_map(|(name, value)| Some((name, color(value)?)))
                .collect()
        });
        variables.collect()
    }

    /// WCAG 2.2, "contrast ratio".
    fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
        let luminance = |color: [f64; 3]| {
            let [r, g, b] = color.map(|part| {
                let part = part / 255.0;
                match part <= 0.04045 {
                    true => part / 12.92,
                    false => ((part + 0.055) / 1.055).powf(2.4),
                }
            });
            0.2126 * r + 0.7152 * g + 0.0722 * b
        };
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn every_color_is_seen_on_every_ground_it_lies_on() {
        let schemes = schemes();
        assert_eq!(schemes.len(), 3);
        let texts = ["--ink", "--soft", "--accent", "--good", "--warn", "--bad"];
        let lines = (1..=8).map(|at| format!("--series-{at}"));
        let mut wanted: Vec<(String, &str, f64)> = Vec::new();
        for ground in ["--ground", "--surface", "--sunken"] {
            wanted.extend(texts.map(|text| (text.to_owned(), ground, 4.5)));
        }
        for ground in ["--ground", "--surface"] {
            wanted.extend(lines.clone().map(|line| (line, ground, 3.0)));
            wanted.push(("--edge".into(), ground, 3.0));
        }
        for (text, wash) in [
            ("--accent", "--accent-wash"),
            ("--good", "--good-wash"),
            ("--warn", "--warn-wash"),
            ("--bad", "--bad-wash"),
        ] {
            wanted.push((text.into(), wash, 4.5));
            wanted.push(("--ink".into(), wash, 4.5));
        }
        for (scheme, colors) in schemes.iter().enumerate() {
            for (color, ground, least) in &wanted {
                let ratio = contrast(colors[color.as_str()], colors[ground]);
                assert!(
                    ratio >= *least,
                    "scheme {scheme}: {color} on {ground}: {ratio:.2}"
                );
            }
        }
    }
}
