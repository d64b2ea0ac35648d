//! The page as a whole: what the text tells, in the same words and the same order, with charts and tables that sort.
//! Everything that comes from outside goes through maud, which escapes it.

use std::time::Duration;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::charts::{TimelineSection, unit};
use super::{CHART_SCRIPT, CHART_STYLE, NUMBERS, SCRIPT, STYLE, THEME, phases};
use crate::language::harmless;
use crate::summary::{Entry, Page};
use crate::table::Table;
use crate::{Locale, comparison};
use vespeiro_metrics::ThresholdState;
use vespeiro_summary::compare::{Comparison, Verdict};
use vespeiro_summary::json::{Requests, Summary};
use vespeiro_summary::thresholds::ThresholdReport;

pub(super) struct Document<'a> {
    pub(super) summary: &'a Summary,
    pub(super) compared: Option<&'a Comparison>,
    pub(super) locale: Locale,
}

impl Document<'_> {
    pub(super) fn render(&self) -> Markup {
        let (summary, w) = (self.summary, self.locale.words());
        let text = Page::new(summary, self.locale);
        let title = format!(
            "Vespeiro: {} → {}",
            harmless(&summary.run.scenario),
            harmless(&summary.run.target)
        );
        html! {
            (DOCTYPE)
            html lang=(w.lang) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    link rel="icon" href="data:,";
                    title { (title) }
                    style { (PreEscaped(THEME)) (PreEscaped(CHART_STYLE)) (PreEscaped(STYLE)) }
                }
                body {
                    header { (self.header()) }
                    main {
                        (self.warnings(&text))
                        (self.cards())
                        (self.comparison())
                        @match &summary.timeline {
                            Some(timeline) if !timeline.points.is_empty() =>
                                (TimelineSection::new(summary, timeline, self.locale).render()),
                            _ => p .soft { (w.no_time) },
                        }
                        (table(&text.thresholds()))
                        (table(&text.stages()))
                        @if !summary.causes.is_empty() { (facts(w.causes, &text.causes())) }
                        (table(&text.phases()))
                        (phases::bars(summary, self.locale))
                        (self.routes())
                        (table(&text.targets()))
                        (self.archetypes())
                        (table(&text.slowest()))
                        (with_note(&text.versions(), &text.swaps()))
                        (facts(w.totals, &text.totals()))
                        (with_note(&text.sessions(), &text.begun()))
                        (table(&text.abandoned()))
                        (table(&text.transactions()))
                        (table(&text.checks()))
                        (table(&text.observed()))
                        (facts(w.generator, &[text.generator(), text.cleanup(), vec![text.repeat()]].concat()))
                    }
                    footer .soft.small { "Vespeiro " (summary.version) }
                    script type="module" { (PreEscaped(NUMBERS)) (PreEscaped(CHART_SCRIPT)) (PreEscaped(SCRIPT)) }
                }
            }
        }
    }

    fn header(&self) -> Markup {
        let (run, l, w) = (&self.summary.run, self.locale, self.locale.words());
        let elapsed = Duration::try_from_secs_f64(run.elapsed_seconds).unwrap_or_default();
        html! {
            p .brand { (logo()) "Vespeiro " span .soft { (w.report) } }
            h1 { (harmless(&run.scenario)) " → " (harmless(&run.target)) }
            dl .run {
                div { dt { (w.run) } dd { code { (harmless(&run.id)) } } }
                div { dt { (w.started) } dd { (harmless(&run.started_at)) } }
                div { dt { (w.elapsed) } dd { (l.span(elapsed)) } }
                div { dt { (w.profile) } dd { (harmless(&run.profile)) } }
                div { dt { (w.users) } dd { (l.integer(u64::from(run.users))) } }
                div { dt { (w.workers) } dd { (l.integer(run.workers as u64)) } }
            }
        }
    }

    /// What a reader has to know before the figures.
    fn warnings(&self, text: &Page<'_>) -> Markup {
        let (summary, w) = (self.summary, self.locale.words());
        let crossed = summary.thresholds.iter().filter(|t| t.is_failed()).count();
        let is_held = |t: &ThresholdReport| t.state == ThresholdState::Ok;
        let held = !summary.thresholds.is_empty() && summary.thresholds.iter().all(is_held);
        let of_all = w
            .crossed_of
            .replace("{crossed}", &crossed.to_string())
            .replace("{all}", &summary.thresholds.len().to_string());
        html! {
            @for (label, facts) in text.aborted() {
                p .notice.bad role="note" { strong { (label) } " " (facts.join(", ")) }
            }
            @if crossed > 0 {
                p .notice.bad role="note" { strong { (of_all) } }
            } @else if held {
                p .notice.good role="note" { (w.all_held) }
            }
            @for line in text.warnings() {
                p .notice.warn role="note" { (line.trim_end()) }
            }
        }
    }

    fn cards(&self) -> Markup {
        let (total, l, w) = (&self.summary.total, self.locale, self.locale.words());
        let card = |name: &str, figure: String, note: String, bad: bool| {
            html! {
                div .card.figure {
                    dt { (name) }
                    dd .value.bad[bad] { (figure) }
                    dd .soft.small { (note) }
                }
            }
        };
        let latency = &total.latency;
        let unplanned = format!("{} {}", l.integer(total.errors), w.unplanned);
        let failures = format!(
            "{} {}, {unplanned}",
            l.integer(total.failures),
            w.failed_requests
        );
        let time = |seconds| l.measured(latency.count, seconds);
        let mean = format!("{} {}", w.mean, time(latency.mean));
        let max = format!("{} {}", w.max, time(latency.max));
        html! {
            dl .cards {
                (card(w.requests, l.integer(total.requests), l.rate(total.per_second), false))
                (card(w.success, l.share(total.success_share), failures, false))
                (card(w.median, time(latency.p50), mean, false))
                (card("p95", time(latency.p95), format!("p90 {}", time(latency.p90)), false))
                (card("p99", time(latency.p99), max, false))
            }
        }
    }

    fn comparison(&self) -> Markup {
        let Some(compared) = self.compared else {
            return html! {};
        };
        let table = comparison::table(compared, self.locale);
        let heads = table.heading();
        let rows: Vec<_> = compared.shown().zip(table.rows()).collect();
        html! {
            div .card.scroll {
                table #comparison {
                    caption { (heads[0]) }
                    thead { tr {
                        th scope="col" { span .unseen { (heads[1]) } }
                        @for (at, head) in heads.iter().enumerate().skip(1) {
                            th .text[at == 1 || at == 5] scope="col" { (head) }
                        }
                    } }
                    tbody {
                        @for (row, cells) in rows {
                            @let bad = row.verdict == Verdict::Worse;
                            @let good = row.verdict == Verdict::Better;
                            tr {
                                th scope="row" { (cells[0]) }
                                td .text { (cells[1]) }
                                @for cell in &cells[2..5] { td { (cell) } }
                                td .text { @match row.verdict.is_change() {
                                    false => span .soft { (cells[5]) },
                                    true => span .badge.bad[bad].good[good] { (cells[5]) },
                                } }
                            }
                        }
                    }
                }
                @if let Some(line) = comparison::not_shown(compared, self.locale) {
                    p .soft.small { (line) }
                }
            }
        }
    }

    fn routes(&self) -> Markup {
        let rows = self.summary.routes.iter().map(|route| {
            let name = html! {
                code .method { (harmless(&route.method)) } " " (harmless(&route.path))
            };
            (
                format!("{} {}", route.path, route.method),
                name,
                &route.requests,
            )
        });
        self.sortable("routes", self.locale.words().routes, rows.collect())
    }

    fn archetypes(&self) -> Markup {
        let rows = self.summary.archetypes.iter().map(|archetype| {
            let behavior = format!("{} {}", archetype.behavior, archetype.version);
            let name = html! {
                (harmless(&archetype.name)) " " span .soft { (harmless(&behavior)) }
            };
            (archetype.name.clone(), name, &archetype.figures.requests)
        });
        self.sortable("archetypes", self.locale.words().archetypes, rows.collect())
    }

    /// Each row: the sort key of its first column, what that column shows, and the figures.
    fn sortable(&self, id: &str, caption: &str, rows: Vec<(String, Markup, &Requests)>) -> Markup {
        let (l, w) = (self.locale, self.locale.words());
        let unit = unit(rows.iter().map(|(_, _, r)| r.latency.max));
        let heads = [
            caption.to_owned(),
            w.requests.to_owned(),
            w.rate.to_owned(),
            w.unplanned.to_owned(),
            w.error_rate.to_owned(),
            "p50".into(),
            "p90".into(),
            "p95".into(),
            "p99".into(),
            w.max.to_owned(),
        ];
        html! {
            div .card.scroll {
                table .sortable id=(id) {
                    caption { (caption) " (" (unit.as_str()) ")" }
                    thead { tr {
                        @for head in &heads {
                            th scope="col" aria-sort="none" {
                                button type="button" { span .unseen { (w.sort) " " } (head) }
                            }
                        }
                    } }
                    tbody {
                        @for (key, name, r) in &rows {
                            @let share = r.errors as f64 / r.requests.max(1) as f64;
                            @let q = &r.latency;
                            tr {
                                th scope="row" data-v=(key) { (name) }
                                td data-v=(r.requests) { (l.integer(r.requests)) }
                                td data-v=(r.per_second) { (l.decimal(r.per_second, 1)) }
                                td data-v=(r.errors) { (l.integer(r.errors)) }
                                td .bad[r.errors > 0] data-v=(share) { (l.percent(share)) }
                                @for time in [q.p50, q.p90, q.p95, q.p99, q.max] {
                                    td data-v=(time) { (l.time_in(unit, time)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A table of the text.
fn table(table: &Table) -> Markup {
    with_note(table, "")
}

fn with_note(table: &Table, note: &str) -> Markup {
    if table.is_empty() {
        return html! {};
    }
    let heading = table.heading();
    html! {
        div .card.scroll {
            table {
                caption { (heading[0]) }
                thead { tr {
                    // The caption shows the same text.
                    th scope="col" { span .unseen { (heading[0]) } }
                    @for head in &heading[1..] { th scope="col" { (head) } }
                } }
                tbody {
                    @for row in table.rows() {
                        tr {
                            th scope="row" { (row[0]) }
                            @for cell in &row[1..] { td { (cell) } }
                        }
                    }
                }
            }
            @for line in note.lines() { p .soft.small { (line) } }
        }
    }
}

fn facts(title: &str, facts: &[Entry]) -> Markup {
    html! {
        section .card {
            h2 { (title) }
            dl .facts {
                @for (label, facts) in facts {
                    @if !facts.is_empty() {
                        dt { (label) }
                        dd { @for fact in facts { span { (fact) } " " } }
                    }
                }
            }
        }
    }
}

/// The logo: three cells of a nest.
fn logo() -> Markup {
    html! {
        svg .logo viewBox="0 0 24 24" width="22" height="22" aria-hidden="true" {
            path d="M12 1.5l4.3 2.5v5L12 11.5 7.7 9V4z" {}
            path d="M7.2 10l4.3 2.5v5L7.2 20l-4.3-2.5v-5z" {}
            path d="M16.8 10l4.3 2.5v5L16.8 20l-4.3-2.5v-5z" {}
        }
    }
}
