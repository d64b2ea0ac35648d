//! The summary's tables: routes, archetypes, sessions, transactions, checks and observed values. Used by the page in `summary.rs`.
//! A table without rows prints nothing.

use super::Page;
use crate::language::{Unit, harmless};
use crate::table::Table;
use vespeiro_model::{Ending, RequestPhase};
use vespeiro_summary::json::Requests;

/// The most versions of one archetype that are shown, newest first.
const VERSIONS: usize = 8;
/// Reasons of sessions that were given up; all of them stand in the JSON.
const REASONS: usize = 10;

impl Page<'_> {
    pub(crate) fn routes(&self) -> Table {
        let rows = self.summary.routes.iter().map(|r| {
            (
                format!("{:6} {}", harmless(&r.method), harmless(&r.path)),
                &r.requests,
            )
        });
        self.latency_table(self.words.routes, rows.collect())
    }

    /// The targets, where there are several.
    pub(crate) fn targets(&self) -> Table {
        let targets = self.summary.targets.iter();
        let rows = targets.map(|one| {
            let name = format!("{} ({})", one.name, one.url);
            (harmless(&name), &one.requests)
        });
        self.latency_table(self.words.targets, rows.collect())
    }

    /// The stages of the run's profile, where it has some.
    pub(crate) fn stages(&self) -> Table {
        let (l, w) = (self.locale, self.words);
        let timeline = self.summary.timeline.as_ref();
        let stages = timeline.map_or(&[][..], |timeline| &timeline.stages);
        let largest = stages.iter().map(|it| it.requests.latency.max);
        let unit = Unit::for_largest(largest.fold(0.0, f64::max));
        let title = format!("{} ({})", w.stages, unit.as_str());
        let mut table = Table::new([
            &title,
            w.sent,
            w.rate,
            w.requests,
            w.unplanned,
            "p50",
            "p95",
            "p99",
            w.max,
        ]);
        for stage in stages {
            let of = &stage.requests;
            let mut cells = vec![
                format!("{}  {}", stage.stage, harmless(&stage.asked)),
                l.integer(stage.sent),
                l.rate(of.per_second),
                l.integer(of.requests),
                l.integer(of.errors),
            ];
            let latency = &of.latency;
            let times = [latency.p50, latency.p95, latency.p99, latency.max];
            cells.extend(times.map(|seconds| l.time_in(unit, seconds)));
            table.row(cells);
        }
        table
    }

    /// Where the time of all requests went.
    pub(crate) fn phases(&self) -> Table {
        let (l, w, phases) = (self.locale, self.words, &self.summary.total.phases);
        let is_service = |phase: RequestPhase| phase != RequestPhase::Blocked;
        let served = phases.iter().filter(|(phase, _)| is_service(**phase));
        let service: f64 = served.map(|(_, of)| of.sum).sum();
        let unit = Unit::for_largest(phases.values().map(|of| of.max).fold(0.0, f64::max));
        let title = format!("{} ({})", w.where_time_goes, unit.as_str());
        let mut table = Table::new([&title, w.of_service, w.requests, w.mean, "p95", w.max]);
        for (phase, of) in phases {
            let share = match service > 0.0 && is_service(*phase) {
                true => l.percent(of.sum / service),
                // It lies before the service time.
                false => "–".to_owned(),
            };
            let times = [of.mean, of.p95, of.max].map(|seconds| l.time_in(unit, seconds));
            let first = [w.phase(*phase).to_owned(), share, l.integer(of.count)];
            table.row(first.into_iter().chain(times).collect());
        }
        table
    }

    pub(crate) fn archetypes(&self) -> Table {
        let rows = self.summary.archetypes.iter().map(|a| {
            let behavior = match (a.behavior == a.name, a.version.as_str()) {
                (true, version) => version.to_owned(),
                (false, version) => format!("{} {version}", a.behavior),
            };
            let behavior = match &a.profile {
                Some(profile) => format!("{behavior}, {profile}"),
                None => behavior,
            };
            (
                harmless(&format!("{} ({behavior})", a.name)),
                &a.figures.requests,
            )
        });
        self.latency_table(self.words.archetypes, rows.collect())
    }

    /// The slowest requests one by one.
    pub(crate) fn slowest(&self) -> Table {
        let (l, w, slowest) = (self.locale, self.words, &self.summary.slowest);
        let unit = Unit::for_largest(slowest.first().map_or(0.0, |slow| slow.latency));
        let title = format!("{} ({})", w.slowest, unit.as_str());
        let traced = slowest.iter().any(|slow| slow.trace_id.is_some());
        let heading = [&title, w.latency, w.status, w.user, w.when];
        let mut table = match traced {
            true => Table::new([
                title.as_str(),
                heading[1],
                heading[2],
                heading[3],
                heading[4],
                w.trace,
            ]),
            false => Table::new(heading),
        };
        for slow in slowest {
            let outcome = match (slow.status, slow.grpc, slow.failure) {
                (Some(status), ..) => status.to_string(),
                (_, Some(code), _) => code.as_str().to_owned(),
                (None, None, failure) => {
                    failure.map_or_else(String::new, |f| w.failure(f).to_owned())
                }
            };
            // The time of day: the date is that of the run.
            let at = slow.at.get(11..19).unwrap_or(&slow.at);
            let mut cells = vec![
                format!("{:6} {}", harmless(&slow.method), harmless(&slow.path)),
                l.time_in(unit, slow.latency),
                outcome,
                slow.user.to_string(),
                harmless(at),
            ];
            if traced {
                cells.push(harmless(slow.trace_id.as_deref().unwrap_or("")));
            }
            table.row(cells);
        }
        table
    }

    /// The versions side by side, where a behavior was swapped.
    pub(crate) fn versions(&self) -> Table {
        let (l, w) = (self.locale, self.words);
        let mut rows = Vec::new();
        for archetype in &self.summary.archetypes {
            let all = self.summary.versions.iter();
            let own: Vec<_> = all.filter(|v| v.archetype == archetype.name).collect();
            if own.len() < 2 {
                continue;
            }
            rows.extend(own[own.len().saturating_sub(VERSIONS)..].iter().map(|v| {
                let hash: String = v.hash.chars().take(4).collect();
                let share = match v.share {
                    0.0 => String::new(),
                    share => format!(" ({})", l.percent(share)),
                };
                let name = format!("{} {}#{hash}{share}", v.archetype, v.version);
                (harmless(&name), &v.figures.requests)
            }));
        }
        self.latency_table(w.versions, rows)
    }

    /// A line for each archetype whose behavior was swapped.
    pub(crate) fn swaps(&self) -> String {
        let (l, w) = (self.locale, self.words);
        let mut text = String::new();
        for swaps in &self.summary.swaps {
            let counts = [
                (w.published, swaps.published),
                (w.refused, swaps.refused),
                (w.rolled_back, swaps.rolled_back),
            ];
            let counts = counts.iter().filter(|(_, count)| *count > 0);
            let counts: Vec<_> = counts
                .map(|(word, count)| format!("{word} {}", l.integer(*count)))
                .collect();
            let archetype = harmless(&swaps.archetype);
            text += &format!("{} {archetype}: {}\n", w.swaps, counts.join(", "));
        }
        text
    }

    fn latency_table(&self, title: &str, rows: Vec<(String, &Requests)>) -> Table {
        let (l, w) = (self.locale, self.words);
        let unit = Unit::for_largest(rows.iter().map(|(_, r)| r.latency.max).fold(0.0, f64::max));
        let title = format!("{title} ({})", unit.as_str());
        let mut table = Table::new([
            &title,
            w.requests,
            w.unplanned,
            "p50",
            "p90",
            "p95",
            "p99",
            w.max,
        ]);
        for (name, r) in rows {
            let latency = &r.latency;
            let mut cells = vec![name, l.integer(r.requests), l.integer(r.errors)];
            let times = [
                latency.p50,
                latency.p90,
                latency.p95,
                latency.p99,
                latency.max,
            ];
            cells.extend(times.map(|seconds| l.time_in(unit, seconds)));
            table.row(cells);
        }
        table
    }

    pub(crate) fn sessions(&self) -> Table {
        let (l, w, sessions) = (self.locale, self.words, &self.summary.sessions);
        let ended: u64 = sessions.endings.iter().map(|e| e.count).sum();
        let title = format!("{} (s)", w.sessions);
        let mut table = Table::new([&title, w.count, w.share, "p50", "p90", "p99", w.max]);
        let endings = sessions.endings.iter();
        for e in endings.filter(|_| sessions.started > 0) {
            let share = l.percent(e.count as f64 / ended.max(1) as f64);
            let mut cells = vec![w.ending(e.ending).to_owned(), l.integer(e.count), share];
            let times = [
                e.duration.p50,
                e.duration.p90,
                e.duration.p99,
                e.duration.max,
            ];
            cells.extend(times.map(|seconds| match e.count {
                0 => "–".to_owned(),
                _ => l.decimal(seconds, 1),
            }));
            table.row(cells);
        }
        table
    }

    /// How many sessions there were; a line, or nothing when there was none.
    pub(crate) fn begun(&self) -> String {
        let (l, w, sessions) = (self.locale, self.words, &self.summary.sessions);
        let ended: u64 = sessions.endings.iter().map(|e| e.count).sum();
        let active = sessions.started.saturating_sub(ended);
        let begun = format!("{} {}", w.begun, l.integer(sessions.started));
        match active {
            _ if sessions.started == 0 => String::new(),
            0 => format!("{begun}\n"),
            _ => format!("{begun}, {} {}\n", w.still_active, l.integer(active)),
        }
    }

    pub(crate) fn checks(&self) -> Table {
        let (l, w) = (self.locale, self.words);
        let mut table = Table::new([w.checks, w.passed, w.failed, w.share]);
        for c in &self.summary.checks {
            let share = c.passed as f64 / (c.passed + c.failed).max(1) as f64;
            let name = harmless(&format!("{}: {}", c.archetype, c.name));
            table.row(vec![
                name,
                l.integer(c.passed),
                l.integer(c.failed),
                l.percent(share),
            ]);
        }
        table
    }

    /// Why sessions were given up.
    pub(crate) fn abandoned(&self) -> Table {
        let (l, w) = (self.locale, self.words);
        let mut table = Table::new([w.gave_up, w.place, w.count]);
        for one in self.summary.abandoned.iter().take(REASONS) {
            let why = harmless(&format!("{}: {}", one.archetype, one.reason));
            let place = one.place.as_deref().map_or("–".into(), harmless);
            table.row(vec![why, place, l.integer(one.count)]);
        }
        table
    }

    pub(crate) fn transactions(&self) -> Table {
        let (l, w) = (self.locale, self.words);
        let of = &self.summary.transactions;
        let slowest = of.iter().map(|one| one.duration.max).fold(0.0, f64::max);
        let unit = Unit::for_largest(slowest);
        let title = format!("{} ({})", w.transactions, unit.as_str());
        let (cut, with_pauses) = (w.ending(Ending::Cut), format!("p95 {}", w.with_pauses));
        let mut table = Table::new([
            &title,
            w.passed,
            w.failed,
            cut,
            "p50",
            "p95",
            "p99",
            w.max,
            &with_pauses,
        ]);
        for one in of {
            let name = harmless(&format!("{}: {}", one.archetype, one.name));
            let mut cells = vec![name];
            cells.extend([one.passed, one.failed, one.cut].map(|count| l.integer(count)));
            let a = &one.active;
            let times = [a.p50, a.p95, a.p99, a.max, one.duration.p95];
            cells.extend(times.map(|seconds| match a.count {
                0 => "–".to_owned(),
                _ => l.time_in(unit, seconds),
            }));
            table.row(cells);
        }
        table
    }

    pub(crate) fn observed(&self) -> Table {
        let (l, w) = (self.locale, self.words);
        let mut table = Table::new([w.observed, w.count, w.mean, "p50", "p95", "p99", w.max]);
        for o in &self.summary.observed {
            let name = harmless(&format!("{}: {}", o.archetype, o.metric));
            let mut cells = vec![name, l.integer(o.count)];
            cells.extend([o.mean, o.p50, o.p95, o.p99, o.max].map(|value| l.significant(value)));
            table.row(cells);
        }
        table
    }
}
