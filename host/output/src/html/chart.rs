//! One chart over time as far as it is there without a script: its title, its legend, and what it shows in words. The shapes
//! are drawn by `chart.js`, from the table of figures. Knows nothing of what it shows.

use maud::{Markup, html};

/// One line, or one area.
pub(super) struct Series {
    pub(super) name: String,
    /// Number of the theme's color `--series-…`.
    pub(super) color: usize,
    /// Text beside the name.
    pub(super) note: String,
    /// Column of the table of figures.
    pub(super) column: usize,
    pub(super) values: Vec<Option<f64>>,
}

pub(super) struct Chart<'a> {
    pub(super) id: &'static str,
    pub(super) title: &'a str,
    pub(super) stacked: bool,
    pub(super) lines: Vec<Series>,
    /// The upper end of the axis, where it is known.
    pub(super) top: Option<f64>,
    /// What the script calls the unit of the values.
    pub(super) unit: &'static str,
    pub(super) show: &'a dyn Fn(f64) -> String,
    /// `{low}`, `{high}` and `{last}` are filled in.
    pub(super) spread: &'a str,
    /// Said where no moment is looked at.
    pub(super) explore: &'a str,
}

impl Chart<'_> {
    pub(super) fn render(&self) -> Markup {
        let heading = format!("{}-title", self.id);
        html! {
            figure .chart.card id=(self.id) aria-labelledby=(heading) data-unit=(self.unit)
                data-stacked[self.stacked] data-top=[self.top] {
                figcaption {
                    h3 id=(heading) { (self.title) }
                    ul .legend {
                        @for line in &self.lines {
                            li data-column=(line.column) data-color=(line.color) {
                                span .swatch.{ "s" (line.color) } aria-hidden="true" {}
                                span .name { (line.name) } " "
                                span .soft { (line.note) } " "
                                output {}
                            }
                        }
                    }
                }
                div .plot data-explore=(self.explore) {}
                p .unseen { (self.description()) }
            }
        }
    }

    /// The chart in words.
    fn description(&self) -> String {
        let sentences = self.lines.iter().filter_map(|line| {
            let known = || line.values.iter().flatten().copied();
            let spread = self
                .spread
                .replace("{low}", &(self.show)(known().reduce(f64::min)?))
                .replace("{high}", &(self.show)(known().reduce(f64::max)?))
                .replace("{last}", &(self.show)(known().last()?));
            Some(format!("{}: {spread}.", line.name))
        });
        sentences.collect::<Vec<_>>().join(" ")
    }
}

/// `0:07`, `12:30`, `2:05:00`.
pub(super) fn clock(seconds: f64) -> String {
    let seconds = seconds.round().max(0.0) as u64;
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_minutes_and_seconds() {
        assert_eq!(clock(7_500.4), "2:05:00");
        assert_eq!(clock(67.0), "1:07");
    }
}
