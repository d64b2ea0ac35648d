//! The charts of a run's timeline, and the table of the figures behind them, which is also what the page's script reads.

use maud::{Markup, html};

use super::chart::{Chart, Series, clock};
use crate::Locale;
use crate::language::{Unit, harmless};
use crate::words::Words;
use vespeiro_model::EventKind;
use vespeiro_summary::json::{Event, Latency, Point, Summary, Timeline};

/// Colors of the theme, by the first digit of the status.
const STATUS_COLORS: [usize; 6] = [8, 6, 4, 1, 2, 3];

/// The section, with all that it needs.
pub(super) struct TimelineSection<'a> {
    summary: &'a Summary,
    timeline: &'a Timeline,
    locale: Locale,
    words: &'static Words,
    columns: Vec<Column>,
}

struct Column {
    name: String,
    values: Values,
    shown: Vec<String>,
}

type Values = Vec<Option<f64>>;

impl<'a> TimelineSection<'a> {
    pub(super) fn new(
        summary: &'a Summary,
        timeline: &'a Timeline,
        locale: Locale,
    ) -> TimelineSection<'a> {
        TimelineSection {
            summary,
            timeline,
            locale,
            words: locale.words(),
            columns: Vec::new(),
        }
    }

    pub(super) fn render(mut self) -> Markup {
        let (l, w) = (self.locale, self.words);
        let points = &self.timeline.points;
        let count = move |value: f64| match value < 10.0 && value.fract() != 0.0 {
            true => l.decimal(value, 1),
            false => l.integer(value.round() as u64),
        };
        let seconds = move |value: f64| l.time(value);
        let share = move |value: f64| l.percent(value);
        let per_second = |of: fn(&Point) -> u64| -> Values {
            let rate = |p: &Point| (p.over > 0.0).then(|| of(p) as f64 / p.over);
            points.iter().map(rate).collect()
        };
        let latency = |of: fn(&Latency) -> f64| -> Values {
            points.iter().map(|p| p.latency.as_ref().map(of)).collect()
        };
        let whole = |of: fn(&Point) -> u64| -> Values {
            points.iter().map(|p| Some(of(p) as f64)).collect()
        };

        let rate = vec![
            self.line(w.sent, 1, per_second(|p| p.sent), &count),
            self.line(w.answered, 2, per_second(|p| p.requests), &count),
            self.line(w.unplanned, 3, per_second(|p| p.errors), &count),
        ];
        let latencies = vec![
            self.line("p50", 1, latency(|l| l.p50), &seconds),
            self.line("p95", 2, latency(|l| l.p95), &seconds),
            self.line("p99", 3, latency(|l| l.p99), &seconds),
        ];
        let statuses = self.statuses(&count);
        let mix = self.mix(&share);
        let users = vec![
            self.line(w.users, 5, whole(|p| p.users), &count),
            self.line(w.sessions, 6, whole(|p| p.sessions), &count),
        ];
        let busy = points.iter().map(|p| Some(p.cpu_cores)).collect();
        let decimal = move |value: f64| l.decimal(value, 2);
        let cpu = vec![self.line(w.cores, 7, busy, &decimal)];

        let chart = |id, title, lines, unit, show| Chart {
            id,
            title,
            stacked: false,
            lines,
            top: None,
            unit,
            show,
            spread: w.spread,
            explore: w.explore,
        };
        let mix = Chart {
            stacked: true,
            top: Some(1.0),
            ..chart("mix", w.mix, mix, "share", &share)
        };
        let statuses = Chart {
            stacked: true,
            ..chart("status", w.chart_statuses, statuses, "count", &count)
        };
        html! {
            section aria-labelledby="over-time" {
                h2 id="over-time" { (w.over_time) }
                noscript { p .notice.warn { (w.no_script) } }
                div .charts {
                    (chart("rate", w.chart_rate, rate, "count", &count).render())
                    (chart("latency", w.latency, latencies, "time", &seconds).render())
                    (statuses.render())
                    (mix.render())
                    (chart("users", w.chart_users, users, "count", &count).render())
                    (chart("cpu", w.chart_cpu, cpu, "cores", &decimal).render())
                }
                (self.events())
                (self.figures())
            }
        }
    }

    fn line(
        &mut self,
        name: &str,
        color: usize,
        values: Values,
        show: &dyn Fn(f64) -> String,
    ) -> Series {
        let shown = values
            .iter()
            .map(|value| value.map_or_else(|| "–".into(), show));
        self.columns.push(Column {
            name: name.to_owned(),
            shown: shown.collect(),
            values: values.clone(),
        });
        Series {
            name: name.to_owned(),
            color,
            note: String::new(),
            // The first one is the time.
            column: self.columns.len(),
            values,
        }
    }

    fn statuses(&mut self, show: &dyn Fn(f64) -> String) -> Vec<Series> {
        let points = &self.timeline.points;
        // From the good ones at the bottom to those without a response.
        let used = [2, 3, 1, 4, 5, 0].into_iter();
        let used = used.filter(|class| points.iter().any(|p| p.classes[*class] > 0));
        let lines: Vec<(usize, Values)> = used
            .map(|class| {
                let rate = |p: &Point| (p.over > 0.0).then(|| p.classes[class] as f64 / p.over);
                (class, points.iter().map(rate).collect())
            })
            .collect();
        let lines = lines.into_iter().map(|(class, values)| {
            let name = match class {
                0 => self.words.no_response.to_owned(),
                class => format!("{class}xx"),
            };
            self.line(&name, STATUS_COLORS[class], values, show)
        });
        lines.collect()
    }

    fn mix(&mut self, show: &dyn Fn(f64) -> String) -> Vec<Series> {
        let (timeline, locale) = (self.timeline, self.locale);
        let names = timeline.categories.iter().enumerate();
        let lines = names.map(|(at, name)| {
            let values = timeline.points.iter().map(|p| {
                let count = p.mix.get(at).copied().unwrap_or(0);
                (p.requests > 0).then(|| count as f64 / p.requests as f64)
            });
            let values: Values = values.collect();
            let mut line = self.line(&harmless(name), at % 8 + 1, values, show);
            let share = self
                .summary
                .mix
                .iter()
                .find(|share| share.category == *name);
            line.note = share.map_or_else(String::new, |share| {
                let target = share.target.map_or_else(String::new, |target| {
                    format!(" ({} {})", locale.words().wanted, locale.percent(target))
                });
                format!("{}{target}", locale.percent(share.share))
            });
            line
        });
        lines.collect()
    }

    fn events(&self) -> Markup {
        let (w, timeline) = (self.words, self.timeline);
        if timeline.events.is_empty() {
            return html! {};
        }
        html! {
            div .card.scroll {
                table #events {
                    caption { (w.events) }
                    thead { tr {
                        th scope="col" { "#" }
                        th scope="col" { (w.time) }
                        th .text scope="col" { (w.event) }
                        th .text scope="col" { (w.about) }
                    } }
                    tbody {
                        @for (number, event) in timeline.events.iter().enumerate() {
                            tr data-at=(event.at) data-bad[is_bad(event.kind)] {
                                td { (number + 1) }
                                td { (clock(event.at)) }
                                th .text scope="row" {
                                    span .badge.bad[is_bad(event.kind)] { (w.event_kind(event.kind)) }
                                }
                                td .text { (about(event)) }
                            }
                        }
                    }
                }
                @if timeline.events_lost > 0 {
                    p .soft.small { (w.events_lost.replace("{}", &self.locale.integer(timeline.events_lost))) }
                }
            }
        }
    }

    fn figures(&self) -> Markup {
        let (w, points) = (self.words, &self.timeline.points);
        html! {
            details .card {
                summary { (w.figures) }
                div .scroll {
                    table #figures data-end=(points.last().map_or(0.0, |p| p.at)) {
                        caption .unseen { (w.figures) }
                        thead { tr {
                            th scope="col" { (w.time) }
                            @for column in &self.columns { th scope="col" { (column.name) } }
                        } }
                        tbody {
                            @for (at, point) in points.iter().enumerate() {
                                tr data-at=(point.at - point.over / 2.0) {
                                    th scope="row" { (clock(point.at)) }
                                    @for column in &self.columns {
                                        td data-v=[column.values[at]] { (column.shown[at]) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The archetype and the detail of an event.
fn about(event: &Event) -> String {
    let about = [event.archetype.as_deref(), event.detail.as_deref()];
    let about: Vec<String> = about.into_iter().flatten().map(harmless).collect();
    about.join(" ")
}

fn is_bad(kind: EventKind) -> bool {
    match kind {
        EventKind::SwapRefused
        | EventKind::SwapRolledBack
        | EventKind::BreakerOpened
        | EventKind::LoginsPaused
        | EventKind::GeneratorLimit
        | EventKind::GeneratorLate
        | EventKind::Aborted => true,
        EventKind::Swapped
        | EventKind::BreakerClosed
        | EventKind::LoginsResumed
        | EventKind::Paused
        | EventKind::Resumed
        | EventKind::Stopping => false,
    }
}

/// The unit of a column of latencies.
pub(super) fn unit(latencies: impl Iterator<Item = f64>) -> Unit {
    Unit::for_largest(latencies.fold(0.0, f64::max))
}
