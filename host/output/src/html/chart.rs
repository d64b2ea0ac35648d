//! One chart over time: lines, or areas on top of each other, with the run's events as marks. SVG for the shapes, plain
//! elements for the labels, so that both keep their size whatever the width. Knows nothing of what it shows.

use maud::{Markup, html};

/// Size of the drawing in its own units. The browser stretches it to the available space.
const WIDE: f64 = 1000.0;
const HIGH: f64 = 200.0;
/// The most marks that get a number.
const NUMBERED: usize = 20;

/// The time axis, which all charts of a page share.
pub(super) struct TimeAxis {
    /// The time of each value, in seconds.
    pub(super) at: Vec<f64>,
    pub(super) end: f64,
    pub(super) marks: Vec<EventMark>,
}

/// An event.
pub(super) struct EventMark {
    pub(super) at: f64,
    pub(super) title: String,
    pub(super) bad: bool,
}

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
    pub(super) show: &'a dyn Fn(f64) -> String,
    /// `{low}`, `{high}` and `{last}` are filled in.
    pub(super) spread: &'a str,
    pub(super) explore: &'a str,
}

impl Chart<'_> {
    pub(super) fn render(&self, time: &TimeAxis) -> Markup {
        let most = self.highest();
        let step = nice(self.top.unwrap_or(most) / 4.0);
        let top = self.top.unwrap_or((most / step).ceil().max(1.0) * step);
        let ticks = (0..)
            .map(|at| f64::from(at) * step)
            .take_while(|y| *y <= top * 1.001);
        let y = |value: f64| HIGH - value / top * HIGH;
        let percent = |part: f64| format!("{:.3}%", part * 100.0);
        let seconds = time_step(time.end);
        let moments = (0..)
            .map(|at| f64::from(at) * seconds)
            .take_while(|x| *x <= time.end);
        let ticks: Vec<f64> = ticks.collect();
        let heading = format!("{}-title", self.id);
        let text = format!("{}-text", self.id);
        html! {
            figure .chart.card id=(self.id) aria-labelledby=(heading) {
                figcaption {
                    h3 id=(heading) { (self.title) }
                    ul .legend {
                        @for line in &self.lines {
                            li data-column=(line.column) {
                                span .swatch.{ "s" (line.color) } aria-hidden="true" {}
                                span .name { (line.name) } " "
                                span .soft { (line.note) } " "
                                output {}
                            }
                        }
                    }
                }
                div .plot {
                    div .ticks aria-hidden="true" {
                        @for tick in &ticks {
                            span style={ "bottom:" (percent(tick / top)) } { ((self.show)(*tick)) }
                        }
                    }
                    div .field tabindex="0" role="slider" aria-labelledby=(heading) aria-describedby=(text)
                        aria-orientation="horizontal" aria-valuemin="0" aria-valuemax=(time.at.len().saturating_sub(1))
                        aria-valuenow="0" aria-valuetext=(self.explore) {
                        svg viewBox={ "0 0 " (WIDE) " " (HIGH) } preserveAspectRatio="none" role="img"
                            aria-labelledby=(heading) aria-describedby=(text) {
                            @for tick in &ticks {
                                line .grid x1="0" x2=(WIDE) y1=(round(y(*tick))) y2=(round(y(*tick))) {}
                            }
                            (self.shapes(time, &y))
                            @for mark in &time.marks {
                                @let x = round(mark.at / time.end.max(1e-9) * WIDE);
                                line .mark.bad[mark.bad] x1=(x) x2=(x) y1="0" y2=(HIGH) {
                                    title { (clock(mark.at)) " " (mark.title) }
                                }
                            }
                        }
                        @for (number, mark) in time.marks.iter().enumerate().take(NUMBERED) {
                            span .flag.bad[mark.bad] title=(mark.title) aria-hidden="true"
                                style={ "left:" (percent(mark.at / time.end.max(1e-9))) } { (number + 1) }
                        }
                        div .cursor hidden { span {} }
                    }
                    div .moments aria-hidden="true" {
                        @for moment in moments {
                            span style={ "left:" (percent(moment / time.end.max(1e-9))) } { (clock(moment)) }
                        }
                    }
                }
                p .unseen id=(text) { (self.description()) }
            }
        }
    }

    fn shapes(&self, time: &TimeAxis, y: &dyn Fn(f64) -> f64) -> Markup {
        let x = |at: usize| time.at[at] / time.end.max(1e-9) * WIDE;
        let mut floor = vec![0.0; time.at.len()];
        let shapes = self.lines.iter().map(|line| {
            if !self.stacked {
                return (line, false, path(&line.values, &x, y));
            }
            let below: Vec<(f64, f64)> = floor
                .iter()
                .enumerate()
                .map(|(at, f)| (x(at), y(*f)))
                .collect();
            for (floor, value) in floor.iter_mut().zip(&line.values) {
                *floor += value.unwrap_or(0.0);
            }
            let above = floor.iter().enumerate().map(|(at, f)| (x(at), y(*f)));
            let outline = above.chain(below.into_iter().rev());
            (line, true, polygon(outline))
        });
        let shapes: Vec<_> = shapes.collect();
        html! {
            @for (line, area, d) in shapes {
                path class={ (if area { "area" } else { "line" }) " s" (line.color) } d=(d) {}
            }
        }
    }

    fn highest(&self) -> f64 {
        let at = |at: usize| -> f64 {
            let values = self.lines.iter().filter_map(|line| *line.values.get(at)?);
            match self.stacked {
                true => values.sum(),
                false => values.fold(0.0, f64::max),
            }
        };
        let count = self.lines.iter().map(|line| line.values.len()).max();
        (0..count.unwrap_or(0)).map(at).fold(0.0, f64::max)
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

/// A line through the values, broken where there is none; a value alone is a short dash.
fn path(values: &[Option<f64>], x: &dyn Fn(usize) -> f64, y: &dyn Fn(f64) -> f64) -> String {
    let mut d = String::new();
    let mut pen_down = false;
    for (at, value) in values.iter().enumerate() {
        let Some(value) = value else {
            pen_down = false;
            continue;
        };
        let (x, y) = (round(x(at)), round(y(*value)));
        d += &match pen_down {
            true => format!("L{x} {y}"),
            false => format!("M{x} {y}h.01"),
        };
        pen_down = true;
    }
    d
}

fn polygon(points: impl Iterator<Item = (f64, f64)>) -> String {
    let mut d = String::new();
    for (at, (x, y)) in points.enumerate() {
        d += &format!(
            "{}{} {}",
            if at == 0 { 'M' } else { 'L' },
            round(x),
            round(y)
        );
    }
    d + "Z"
}

fn round(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

/// The next step of 1, 2 or 5 times a power of ten.
fn nice(step: f64) -> f64 {
    if !step.is_finite() || step <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf(step.log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0].map(|factor| factor * power);
    steps
        .into_iter()
        .find(|nice| *nice >= step * 0.999)
        .unwrap_or(10.0 * power)
}

/// Seconds between two labels of the time axis: at most seven of them.
fn time_step(end: f64) -> f64 {
    const STEPS: [f64; 17] = [
        1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0,
        7_200.0, 14_400.0, 28_800.0, 86_400.0,
    ];
    let fits = STEPS.into_iter().find(|step| end / step <= 7.0);
    fits.unwrap_or((end / 7.0 / 86_400.0).ceil() * 86_400.0)
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
    fn axes_have_few_round_labels() {
        for most in [0.0, 0.0004, 0.7, 1.0, 3.0, 9.99, 184.0, 25_000.0] {
            let step = nice(most / 4.0);
            assert!(most / step <= 4.01, "{most}");
        }
        for end in [0.5, 9.0, 61.0, 300.0, 86_000.0, 9e6] {
            assert!(end / time_step(end) <= 7.0, "{end}");
        }
        assert_eq!(clock(7_500.4), "2:05:00");
        assert_eq!(clock(67.0), "1:07");
    }

    #[test]
    fn a_line_breaks_where_there_is_nothing() {
        let values = [Some(1.0), None, Some(2.0), Some(3.0)];
        let d = path(&values, &|at| at as f64, &|value| value);
        assert_eq!(d, "M0 1h.01M2 2h.01L3 3");
    }
}
