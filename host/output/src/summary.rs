//! The text at the end of a run, for standard output. Rendered from a [`Summary`] alone, so that a stored one gives
//! the same text. At most 100 columns wide, without colors: it is also read in CI logs and files.

mod tables;
mod thresholds;

use std::time::Duration;

use super::Locale;
use super::language::{harmless, harmless_lines};
use super::table::labelled;
use super::translation::translated;
use super::words::Words;
use vespeiro_model::{BreakerState, Ending, GrpcCode, ThresholdState};
use vespeiro_plan::Language;
use vespeiro_summary::json::{Channels, Distribution, Fault, Limit, LimitKind, Summary};
use vespeiro_summary::thresholds::Degradation;

const WIDTH: usize = 100;
/// Reasons that are shown; all of them stand in the JSON.
const CAUSES: usize = 10;

/// The whole text, with a line end at its end.
pub fn text(summary: &Summary, language: Language) -> String {
    let locale = Locale::new(language);
    let page = Page::new(summary, locale);
    let sections = [
        page.heading(),
        lines(&page.aborted()),
        lines(&page.totals()),
        page.thresholds().render(WIDTH),
        page.stages().render(WIDTH),
        headed(page.words.causes, &lines(&page.causes())),
        page.phases().render(WIDTH),
        page.routes().render(WIDTH),
        page.targets().render(WIDTH),
        page.archetypes().render(WIDTH),
        page.slowest().render(WIDTH),
        page.versions().render(WIDTH) + &page.swaps(),
        page.sessions().render(WIDTH) + &page.begun(),
        page.abandoned().render(WIDTH),
        page.transactions().render(WIDTH),
        page.checks().render(WIDTH),
        page.observed().render(WIDTH),
        lines(&page.generator()),
        lines(&page.cleanup()),
        page.warnings().concat(),
        lines(&[page.repeat()]),
    ];
    let sections = sections.into_iter().filter(|section| !section.is_empty());
    let text = sections.collect::<Vec<_>>().join("\n");
    // The summary may come from a file that anybody could have written.
    harmless_lines(&text)
}

/// A label and what stands under it; nothing is shown of an entry without items.
pub(super) type Entry = (&'static str, Vec<String>);

fn lines(facts: &[Entry]) -> String {
    let lines = facts
        .iter()
        .map(|(label, facts)| labelled(WIDTH, label, facts));
    lines.collect()
}

/// Nothing without lines.
fn headed(title: &str, lines: &str) -> String {
    match lines {
        "" => String::new(),
        lines => format!("{title}\n{lines}"),
    }
}

/// The sections of the summary, for the text and for the HTML page.
pub(super) struct Page<'a> {
    summary: &'a Summary,
    locale: Locale,
    words: &'static Words,
}

impl<'a> Page<'a> {
    pub(super) fn new(summary: &'a Summary, locale: Locale) -> Page<'a> {
        Page {
            summary,
            locale,
            words: locale.words(),
        }
    }

    fn heading(&self) -> String {
        let run = &self.summary.run;
        let elapsed = Duration::try_from_secs_f64(run.elapsed_seconds).unwrap_or_default();
        let (l, w) = (self.locale, self.words);
        let facts = [
            format!("{} {}", w.profile, harmless(&run.profile)),
            format!("{} {}", w.users, l.integer(u64::from(run.users))),
            format!("{} {}", w.workers, l.integer(run.workers as u64)),
            format!("{} {}", w.elapsed, l.span(elapsed)),
            format!("{} {}", w.started, run.started_at),
        ];
        let (version, id, facts) = (&self.summary.version, &run.id, facts.join(", "));
        let (preset, target) = (harmless(&run.scenario), harmless(&run.target));
        format!(
            "Vespeiro {version}: {} {id}, {preset} → {target}\n{facts}\n",
            w.run
        )
    }

    /// The most frequent reasons for which there was no response, and the codes of gRPC calls that failed.
    pub(super) fn causes(&self) -> Vec<Entry> {
        let (l, w) = (self.locale, self.words);
        let met = self.summary.causes.iter().take(CAUSES);
        let met = met.map(|met| {
            let cause = translated(&harmless(&met.cause), l.language());
            let cause = format!("{} × {cause}", l.integer(met.count));
            (w.failure(met.failure), vec![cause])
        });
        // A gRPC call says itself why it has failed.
        let results = self.summary.results.iter();
        let codes = results.filter_map(|met| {
            let code = met
                .grpc
                .filter(|code| *code != GrpcCode::Ok && !met.accepted);
            let cause = format!("{} × {}", l.integer(met.count), w.grpc_status);
            Some((code?.as_str(), vec![cause]))
        });
        met.chain(codes).collect()
    }

    pub(super) fn totals(&self) -> Vec<Entry> {
        let (total, l, w) = (&self.summary.total, self.locale, self.words);
        let mut requests = vec![
            format!("{} {}", l.integer(total.requests), w.sent),
            l.rate(total.per_second),
        ];
        // Over the time in which nothing left any more, outcomes come in more slowly than requests were sent.
        if total.throughput < 0.99 * total.per_second {
            requests.push(format!("{} {}", l.rate(total.throughput), w.answered));
        }
        requests.extend(self.summary.not_sent.iter().map(|n| {
            let (count, why) = (l.integer(n.count), w.failure(n.failure));
            format!("{} {count} ({why})", w.not_sent)
        }));
        let mut success = vec![
            l.share(total.success_share),
            format!("{} {}", w.failed_requests, l.integer(total.failures)),
            format!("{} {}", w.unplanned, l.integer(total.errors)),
        ];
        if total.injected > 0 {
            success.push(format!("{} {}", w.injected, l.integer(total.injected)));
        }
        let mut traffic = vec![
            format!("{} {}", l.bytes(total.bytes_sent), w.sent_bytes),
            format!("{} {}", l.bytes(total.bytes_received), w.received),
        ];
        if let Some(connections) = &self.summary.connections {
            let (sent, received) = (connections.wire_sent, connections.wire_received);
            let wire = [(sent, w.sent_bytes), (received, w.received)];
            let wire = wire.map(|(bytes, way)| format!("{} {way}", l.bytes(bytes)));
            traffic.push(format!("{} {}", w.on_the_wire, wire.join(" / ")));
        }
        let mut facts = vec![
            (w.requests, requests),
            (w.success, success),
            (w.latency, self.quantiles(&total.latency)),
        ];
        // Apart only where that tells anything: quick failures flatter, and time-outs frighten.
        if total.failures > 0 {
            let by_outcome = &total.latency_by_outcome;
            let apart = by_outcome
                .iter()
                .map(|(kind, of)| (w.latency_of(*kind), self.quantiles(of)));
            facts.extend(apart);
        }
        if let Some(arrivals) = &self.summary.arrivals {
            facts.push((w.service_time, self.quantiles(&arrivals.service)));
            let counts = [
                format!("{} {}", l.integer(arrivals.due), w.due),
                format!("{} {}", w.dropped, l.integer(arrivals.dropped)),
            ];
            facts.push((w.arrivals, counts.to_vec()));
        }
        facts.extend([(w.traffic, traffic), (w.connections, self.connections())]);
        let channels = self.summary.channels.iter();
        facts.extend(channels.map(|one| (w.channels, self.channels(one))));
        facts.extend([
            (w.status, self.classes()),
            (w.failures, self.failures()),
            (w.mix, self.mix()),
            (w.error_mix, self.error_mix()),
            (w.faults, self.faults()),
            (w.resilience, self.resilience()),
            (w.degradation, self.degradation()),
        ]);
        facts
    }

    fn connections(&self) -> Vec<String> {
        let (l, w) = (self.locale, self.words);
        let Some(c) = &self.summary.connections else {
            return Vec::new();
        };
        let mut facts = vec![
            format!("{} {}", l.integer(c.opened), w.connections_opened),
            format!("{} {}", l.integer(c.reused), w.connections_reused),
            format!("{} {}", w.closed_by_us, l.integer(c.closed_by_us)),
            format!("{} {}", w.closed_by_target, l.integer(c.closed_by_target)),
            format!("{} {}", w.connections_open, l.integer(c.open)),
        ];
        let pairs = [
            [(w.tls_full, c.tls_full), (w.tls_resumed, c.tls_resumed)],
            [
                (w.resent_stale, c.resent_stale),
                (w.resent_unprocessed, c.resent_unprocessed),
            ],
        ];
        // Of no interest where there is no TLS, or nothing was sent again.
        let told = pairs.iter().filter(|pair| pair.iter().any(|(_, n)| *n > 0));
        facts.extend(
            told.flatten()
                .map(|(name, n)| format!("{name} {}", l.integer(*n))),
        );
        facts
    }

    fn channels(&self, of: &Channels) -> Vec<String> {
        let (l, w) = (self.locale, self.words);
        let median = |of: &Distribution| l.measured(of.count, of.p50);
        let mut facts = vec![
            format!("{} {}", w.protocol(of.protocol), l.integer(of.opened)),
            format!("{} {}", l.integer(of.sent), w.messages_sent),
            format!("{} {}", l.integer(of.received), w.messages_received),
            format!("p50: {} {}", w.lasted, median(&of.lasted)),
            format!("{} {}", w.first_message, median(&of.first_message)),
        ];
        // Of no interest where there are none.
        let rest = [
            (w.channels_open, of.open),
            (w.channels_broken, of.broken),
            (w.dropped, of.dropped),
        ];
        let told = rest.iter().filter(|(_, count)| *count > 0);
        facts.extend(told.map(|(name, count)| format!("{name} {}", l.integer(*count))));
        facts
    }

    fn quantiles(&self, of: &Distribution) -> Vec<String> {
        let values = [
            (self.words.mean, of.mean),
            ("p50", of.p50),
            ("p90", of.p90),
            ("p95", of.p95),
            ("p99", of.p99),
            (self.words.max, of.max),
        ];
        values
            .map(|(name, seconds)| format!("{name} {}", self.locale.measured(of.count, seconds)))
            .to_vec()
    }

    fn classes(&self) -> Vec<String> {
        let (l, w) = (self.locale, self.words);
        let all = self.summary.total.requests.max(1) as f64;
        let classes = self.summary.classes.iter().map(|c| {
            let name = match c.class {
                0 => w.no_response.to_owned(),
                class => format!("{class}xx"),
            };
            let injected = match c.injected {
                0 => String::new(),
                n => format!(", {} {}", w.injected, l.integer(n)),
            };
            let (count, share) = (l.integer(c.count), l.percent(c.count as f64 / all));
            format!("{name}: {count} ({share}{injected})")
        });
        classes.collect()
    }

    /// Status codes from 400 on and kinds of failure; injected ones are marked.
    fn failures(&self) -> Vec<String> {
        let results = self.summary.results.iter().filter_map(|r| {
            let name = match (r.status, r.grpc, r.failure) {
                (.., Some(failure)) => self.words.failure(failure).to_owned(),
                _ if r.accepted => return None,
                (Some(status), ..) if status >= 400 => status.to_string(),
                (_, Some(code), _) if code != GrpcCode::Ok => code.as_str().to_owned(),
                _ => return None,
            };
            let mark = match r.expected {
                true => format!(" ({})", self.words.injected),
                false => String::new(),
            };
            Some(format!("{name}: {}{mark}", self.locale.integer(r.count)))
        });
        results.collect()
    }

    fn mix(&self) -> Vec<String> {
        self.summary
            .mix
            .iter()
            .map(|m| self.against(&harmless(&m.category), m.share, m.target))
            .collect()
    }

    fn error_mix(&self) -> Vec<String> {
        self.summary
            .error_mix
            .iter()
            .filter(|e| e.target.is_some())
            .map(|e| self.against(self.words.class(e.class), e.share, e.target))
            .collect()
    }

    /// The achieved share, and the target in brackets.
    fn against(&self, name: &str, share: f64, target: Option<f64>) -> String {
        let l = self.locale;
        let target = target.map_or_else(String::new, |target| {
            format!(" ({} {})", self.words.wanted, l.percent(target))
        });
        format!("{name} {}{target}", l.percent(share))
    }

    fn faults(&self) -> Vec<String> {
        let (l, w) = (self.locale, self.words);
        let counts = |f: &Fault| {
            let (committed, asked) = (l.integer(f.committed), l.integer(f.asked));
            format!("{} {committed} ({} {asked})", w.fault(f.kind), w.asked)
        };
        self.summary.faults.iter().map(counts).collect()
    }

    fn degradation(&self) -> Vec<String> {
        let found = self.summary.degradation.as_ref();
        found.map_or_else(Vec::new, |found| degraded(found, self.locale))
    }

    /// What was held back to spare the target; empty when nothing was.
    fn resilience(&self) -> Vec<String> {
        let (l, w, resilience) = (self.locale, self.words, &self.summary.resilience);
        let opened = resilience
            .breaker
            .iter()
            .find(|t| t.to == BreakerState::Open);
        let mut facts = Vec::new();
        facts.extend(
            opened
                .filter(|t| t.count > 0)
                .map(|t| format!("{} {}", w.opened, l.integer(t.count))),
        );
        facts.extend(resilience.holds.iter().map(|hold| {
            let time = Duration::try_from_secs_f64(hold.seconds).unwrap_or_default();
            let (count, time) = (l.integer(hold.count), l.span(time));
            format!("{} {count} ({time})", w.hold(hold.reason))
        }));
        let counts = [
            (w.retries, resilience.retries),
            (w.refused_logins, resilience.refused_logins),
        ];
        let counted = counts.into_iter().filter(|(_, count)| *count > 0);
        facts.extend(counted.map(|(name, count)| format!("{name} {}", l.integer(count))));
        facts
    }

    pub(super) fn generator(&self) -> Vec<Entry> {
        let (l, w, g) = (self.locale, self.words, &self.summary.generator);
        let cores = w.of_cores.replace("{}", &l.integer(g.cores as u64));
        let instances: u64 = self
            .summary
            .archetypes
            .iter()
            .map(|a| a.figures.instances_built)
            .sum();
        let traps: u64 = self
            .summary
            .archetypes
            .iter()
            .map(|a| a.figures.traps)
            .sum();
        let generator = vec![
            format!("CPU {} {cores}", l.percent(g.cpu_share)),
            format!("{} {}", w.memory, l.bytes(g.rss_bytes)),
            format!("{} p99 {}", w.lag, l.time(g.scheduling_lag.p99)),
        ];
        let mut behaviors = vec![
            format!("{} {}", l.percent(g.guest_share), w.of_cpu),
            format!("{} {}", w.median_call, l.time(g.guest_calls.p50)),
            format!("{} {}", w.instances, l.integer(instances)),
        ];
        if traps > 0 {
            behaviors.push(format!("{} {}", w.traps, l.integer(traps)));
        }
        vec![(w.generator, generator), (w.behaviors, behaviors)]
    }

    pub(super) fn cleanup(&self) -> Vec<Entry> {
        let (l, w) = (self.locale, self.words);
        let Some(cleanup) = &self.summary.cleanup else {
            return Vec::new();
        };
        let mut facts = vec![
            format!("{} {}", l.integer(cleanup.removed), w.removed),
            format!("{} {}", l.integer(cleanup.left), w.left_behind),
            format!("{} {}", l.integer(cleanup.requests), w.requests),
        ];
        facts.extend(cleanup.journal.as_deref().map(harmless));
        vec![(w.cleanup, facts)]
    }

    /// Warnings about how far the figures can be trusted, each with its line end.
    pub(super) fn warnings(&self) -> Vec<String> {
        let (l, w, resilience) = (self.locale, self.words, &self.summary.resilience);
        let limits = &self.summary.generator.limits;
        let mut lines: Vec<String> = Vec::new();
        let dropped = self.summary.arrivals.as_ref().map_or(0, |a| a.dropped);
        if dropped > 0 {
            lines.push(w.dropped_limit.replace("{dropped}", &l.integer(dropped)));
        }
        lines.extend(limits.iter().map(|limit| limit_text(limit, l)));
        if let Some(share) = self.summary.sessions.unwell() {
            let failing = w.sessions_failing.replace("{share}", &l.percent(share));
            let ended = |ending| l.integer(self.summary.sessions.ended(ending));
            let failing = failing.replace("{failed}", &ended(Ending::Failed));
            lines.push(failing.replace("{crashed}", &ended(Ending::Crashed)));
        }
        let thresholds = self.summary.thresholds.iter();
        let unjudged = thresholds.filter(|t| t.state == ThresholdState::NoData);
        let unjudged: Vec<_> = unjudged.map(|t| harmless(&t.condition)).collect();
        if !unjudged.is_empty() {
            lines.push(w.unjudged.replace("{}", &unjudged.join("; ")));
        }
        if resilience.login_pauses > 0 {
            let refused = l.integer(resilience.refused_logins);
            lines.push(w.logins_paused.replace("{}", &refused));
        }
        let lines = lines.iter().map(|line| format!("{}: {line}\n", w.warning));
        let mut lines: Vec<String> = lines.collect();
        if !limits.is_empty() {
            lines.push(format!("{}\n", w.what_to_do));
        }
        lines
    }

    pub(super) fn repeat(&self) -> Entry {
        let summary = self.summary;
        if !summary.run.parts.is_empty() {
            let parts = summary.run.parts.iter();
            let seeds = parts.map(|part| repeating(&part.id, part.seed));
            return (self.words.repeat, seeds.collect());
        }
        let flags = repeating(&summary.run.id, summary.run.seed);
        let governed = summary.mix.iter().any(|m| m.target.is_some())
            || summary.error_mix.iter().any(|e| e.target.is_some());
        let w = self.words;
        let promise = match governed {
            true => vec![w.repeats_users, w.repeats_without],
            false => vec![w.repeats],
        };
        let mut facts = vec![w.repeat_with.replace("{flags}", &flags)];
        facts.extend(promise.into_iter().map(str::to_owned));
        (w.repeat, facts)
    }
}

/// What a command needs to repeat a run: names and numbers that behaviors make follow from both.
fn repeating(id: &str, seed: u64) -> String {
    format!("--seed {seed} --run-id {}", harmless(id))
}

/// How the target does against the run's beginning: `p95 2.5× (120 ms → 300 ms)`, `unplanned errors +1.5 points`.
pub(super) fn degraded(found: &Degradation, locale: Locale) -> Vec<String> {
    let (words, l) = (locale.words(), locale);
    let times = l.decimal(found.latency, 1);
    let seconds = [found.p95_seconds_at_first, found.p95_seconds].map(|seconds| l.time(seconds));
    let points = 100.0 * found.errors;
    let sign = if points > 0.0 { "+" } else { "" };
    let points = format!("{sign}{}", l.decimal(points, 1));
    vec![
        format!("p95 {times}× ({})", seconds.join(" → ")),
        words.errors_risen.replace("{}", &points),
    ]
}

/// One sentence about a limit of the generator that was reached.
pub(super) fn limit_text(limit: &Limit, locale: Locale) -> String {
    let (words, l) = (locale.words(), locale);
    let (template, value, bound) = match limit.kind {
        LimitKind::Cpu => (
            words.cpu_limit,
            l.percent(limit.value),
            l.percent(limit.bound),
        ),
        LimitKind::SchedulingLag => (words.lag_limit, l.time(limit.value), l.time(limit.bound)),
    };
    let text = template.replace("{value}", &value);
    text.replace("{bound}", &bound)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::length;
    use vespeiro_metrics::testing::snapshot;
    use vespeiro_metrics::{Process, Totals};
    use vespeiro_model::Clock;
    use vespeiro_plan::testing::plan;

    fn summary() -> Summary {
        Summary::new(&plan(Language::English), &snapshot())
    }

    #[test]
    fn english() {
        insta::assert_snapshot!(text(&summary(), Language::English));
    }

    #[test]
    fn portuguese() {
        insta::assert_snapshot!(text(&summary(), Language::Portuguese));
    }

    #[test]
    fn what_a_file_says_cannot_steer_the_terminal() {
        let mut summary = summary();
        summary.run.started_at = "\u{1b}[2J\u{7f}".into();
        let text = text(&summary, Language::English);
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
    }

    #[test]
    fn a_generator_at_its_limit_is_warned_about() {
        let mut snapshot = snapshot();
        snapshot.cpu.cores = 1;
        let summary = Summary::new(&plan(Language::English), &snapshot);
        let english = text(&summary, Language::English);
        assert!(
            english.contains("WARNING: the generator was the limit: CPU at 95.2% of its cores"),
            "{english}"
        );
        assert!(
            text(&summary, Language::Portuguese)
                .contains("AVISO: o gerador foi o limite: CPU em 95,2%")
        );
    }

    #[test]
    fn the_cleanup_is_told_apart_from_the_run() {
        let mut summary = summary();
        summary.cleanup = Some(vespeiro_summary::Cleanup {
            journal: Some("/tmp/k3x9a2b7.journal".into()),
            ..vespeiro_summary::Cleanup::new(None, 1234, 5)
        });
        let line = |language| {
            let text = text(&summary, language);
            let line = text.lines().find(|line| line.contains("k3x9a2b7.journal"));
            line.unwrap()
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(
            line(Language::English),
            "cleanup 1,234 removed, 5 left behind, 0 requests, /tmp/k3x9a2b7.journal"
        );
        assert_eq!(
            line(Language::Portuguese),
            "limpeza 1.234 removidos, 5 deixados, 0 requisições, /tmp/k3x9a2b7.journal"
        );
    }

    #[test]
    fn no_line_is_wider_than_promised() {
        for language in [Language::English, Language::Portuguese] {
            for line in text(&summary(), language).lines() {
                assert!(length(line) <= WIDTH, "{line}");
            }
        }
    }

    #[test]
    fn a_run_without_a_single_request_reads_well_too() {
        let mut totals = Totals::new(
            vespeiro_metrics::testing::catalog(),
            1,
            Process::default(),
            Clock::system(),
        );
        let snapshot = totals.snapshot(std::time::Duration::ZERO, Process::default());
        let text = text(
            &Summary::new(&plan(Language::English), &snapshot),
            Language::English,
        );
        assert!(
            text.contains("0 sent") && !text.contains("NaN") && !text.contains("inf"),
            "{text}"
        );
    }
}
