//! The panel's lines, built for a width and a height. Used by [`super::render`] only.

use std::time::Duration;

use jiff::Timestamp;
use ratatui::style::{Color, Stylize as _};
use ratatui::text::{Line, Span};

use super::super::summary::{degraded, limit_text};
use super::{ACTIVITY, PanelState, archetypes, summary_box};
use crate::language::NOTHING;
use vespeiro_metrics::{Catalog, RecordedRequest, Role, Snapshot};
use vespeiro_model::{BreakerState, OutcomeClass};
use vespeiro_summary::build::generator::limits;
use vespeiro_summary::build::mixes::share;

/// Lines before the table of archetypes.
const HEAD: u16 = 6;
/// Lines fewer of these below a box.
const SAID_BY_BOX: u16 = 2;
/// Lines of the mixes, at most.
const MIXES: u16 = 2;

/// Height of the whole panel. It changes only with warnings and with versions that play side by side, so that the panel
/// stays in place.
pub(super) fn height(snapshot: &Snapshot, state: &PanelState) -> u16 {
    let archetypes = u16::try_from(archetypes::height(snapshot)).unwrap_or(u16::MAX);
    let warnings = limits(snapshot).len() as u16;
    let boxed = match state.locale.has_box() {
        true => summary_box::HEIGHT - SAID_BY_BOX,
        false => 0,
    };
    (HEAD + boxed + MIXES + warnings + ACTIVITY as u16 + 4).saturating_add(archetypes)
}

/// At most `height` lines; the list of recent requests is the first to give way.
pub(super) fn lines(
    snapshot: &Snapshot,
    state: &PanelState,
    width: u16,
    height: u16,
) -> Vec<Line<'static>> {
    let width = usize::from(width);
    let mut lines = match state.locale.has_box() {
        true => summary_box::lines(snapshot, state, width),
        false => Vec::new(),
    };
    let boxed = !lines.is_empty();
    lines.extend(head(snapshot, state, width, boxed));
    lines.extend(mixes(snapshot, state, width));
    lines.extend(limits(snapshot).iter().map(|limit| {
        let words = state.locale.words();
        Line::from(
            format!("{}: {}", words.warning, limit_text(limit, state.locale))
                .yellow()
                .bold(),
        )
    }));
    lines.push(Line::default());
    lines.extend(archetypes::lines(snapshot, state, width));
    let room = usize::from(height)
        .saturating_sub(lines.len() + 2)
        .min(ACTIVITY);
    if room > 0 && !snapshot.activity.is_empty() {
        lines.push(Line::default());
        let words = state.locale.words();
        let heading = match state.locale.has_box() {
            true => words.panel_recent,
            false => words.recent,
        };
        lines.push(Line::from(heading.bold()));
        let from = snapshot.activity.len().saturating_sub(room);
        lines.extend(
            snapshot.activity[from..]
                .iter()
                .map(|a| activity(a, snapshot, state)),
        );
    }
    lines
}

/// What stands above the table of archetypes, all of it or what a box above it has not.
fn head(snapshot: &Snapshot, state: &PanelState, width: usize, boxed: bool) -> Vec<Line<'static>> {
    let (l, w) = (state.locale, state.locale.words());
    let total = snapshot.total();
    let latency = total.latency();
    let time =
        |name: &str, value: Duration| fact(name, l.measured(latency.count(), value.as_secs_f64()));
    let of = |count: u64, all: u64| match all {
        0 => l.integer(count),
        all => format!("{}/{}", l.integer(count), l.integer(all)),
    };
    let users = format!(
        "{}/{}",
        l.integer(snapshot.users_active()),
        l.integer(u64::from(snapshot.desired.users))
    );
    let mut run = vec![
        vec!["vespeiro".bold().cyan()],
        vec![format!("{} → {}", state.preset, state.target).into()],
        fact(w.run, state.run_id.clone()),
    ];
    run.extend(resilience(snapshot, state));
    let mut load = vec![
        fact(w.users, users),
        fact(
            w.requests,
            of(total.requests(), state.shape.requests_planned),
        ),
        vec![l.rate(snapshot.rates.second.sent).bold()],
        fact(w.mean, l.rate(snapshot.mean_rate())),
    ];
    load.extend(profile(snapshot, state));
    let errors = l.integer(total.errors());
    let results = vec![
        fact(w.success, l.share(total.success_share())),
        fact(w.failed_requests, l.integer(total.failures())),
        match total.errors() {
            0 => fact(w.unplanned, errors),
            _ => vec![format!("{} ", w.unplanned).dim(), errors.red().bold()],
        },
        fact(w.sessions, l.integer(snapshot.sessions().started)),
        fact("CPU", l.percent(snapshot.cpu_share())),
        fact(w.memory, l.bytes(snapshot.process.rss)),
    ];
    let times = vec![
        time(w.mean, latency.mean()),
        time("p50", latency.quantile(0.5)),
        time("p95", latency.quantile(0.95)),
        time("p99", latency.quantile(0.99)),
        time(w.max, latency.max()),
    ];
    let progress = progress(snapshot, state, boxed);
    if boxed {
        // What the box has is not said again.
        let rates = [&load[2..], &results[2..]].concat();
        let times = [&times[1..4], &progress[..]].concat();
        let lines = [run, rates, times, watched(snapshot, state)];
        return lines.map(|facts| fit(facts, width)).to_vec();
    }
    let watched = watched(snapshot, state);
    let lines = [run, load, results, times, watched, progress];
    lines.map(|facts| fit(facts, width)).to_vec()
}

/// How the target does against the run's beginning, and the logins that it refuses against what it may.
fn watched(snapshot: &Snapshot, state: &PanelState) -> Vec<Vec<Span<'static>>> {
    let (l, w) = (state.locale, state.locale.words());
    let found = snapshot.guard.degradation;
    let against = found.map_or_else(
        || vec![NOTHING.to_owned()],
        |found| degraded(&found.into(), l),
    );
    let mut facts = vec![fact(w.degradation, against.join("  "))];
    if let Some(logins) = snapshot.worker_statuses.logins() {
        let counts = [logins.unplanned, logins.bound].map(|count| l.integer(count));
        facts.push(fact(w.refused_lately, counts.join("/")));
    }
    facts
}

/// The target rate of the load profile, dropped arrivals, and whether the run is paused.
fn profile(snapshot: &Snapshot, state: &PanelState) -> Vec<Vec<Span<'static>>> {
    let (l, w) = (state.locale, state.locale.words());
    let mut facts = Vec::new();
    if let Some(rate) = snapshot.desired.rate {
        facts.push(fact(w.wanted, l.rate(rate)));
    }
    if snapshot.run.arrivals.dropped > 0 {
        let dropped = l.integer(snapshot.run.arrivals.dropped);
        facts.push(vec![format!("{} ", w.dropped).dim(), dropped.red().bold()]);
    }
    if snapshot.desired.paused {
        facts.push(vec![w.paused.yellow().bold()]);
    }
    facts
}

/// The state of the breakers, waiting users, paused logins and the slow-down.
fn resilience(snapshot: &Snapshot, state: &PanelState) -> Vec<Vec<Span<'static>>> {
    let (l, w) = (state.locale, state.locale.words());
    let stands = &snapshot.worker_statuses;
    let mut facts = Vec::new();
    if let Some(worst) = stands.breaker() {
        let word = w.breaker_state(worst);
        let word = match worst {
            BreakerState::Closed => word.green(),
            BreakerState::HalfOpen => word.yellow().bold(),
            BreakerState::Open => word.red().bold(),
        };
        facts.push(vec![format!("{} ", w.breaker).dim(), word]);
    }
    if stands.held() > 0 {
        facts.push(fact(w.waiting, l.integer(stands.held())));
    }
    if stands.logins_paused() > 0 {
        facts.push(vec![w.no_logins.yellow().bold()]);
    }
    if stands.pace() > 1.0 {
        let pace = format!("{}×", l.decimal(stands.pace(), 1));
        facts.push(vec![format!("{} ", w.slowed).dim(), pace.yellow().bold()]);
    }
    facts
}

/// What the plan's mixes ask for and what the run has had so far, in whole percents: `auth 21/20`.
fn mixes(snapshot: &Snapshot, state: &PanelState, width: usize) -> Vec<Line<'static>> {
    let (l, w) = (state.locale, state.locale.words());
    let total = snapshot.total();
    let against = |name: &str, count: u64, target: f64| {
        let achieved = 100.0 * share(count, total.requests());
        fact(
            name,
            format!("{}/{}", l.decimal(achieved, 0), l.decimal(target, 0)),
        )
    };
    let mut lines = Vec::new();
    if let Some(mix) = &state.mix {
        let mut facts = vec![vec![format!("{} %", w.mix).dim()]];
        facts.extend(
            snapshot
                .by_category()
                .into_iter()
                .filter_map(|(name, count)| Some(against(name, count, mix.share(name)?))),
        );
        lines.push(fit(facts, width));
    }
    if let Some(mix) = state.error_mix {
        let mut facts = vec![vec![format!("{} %", w.error_mix).dim()]];
        let counted = OutcomeClass::ALL.into_iter().zip(total.classes());
        facts.extend(
            counted
                .zip(mix.shares())
                .map(|((class, count), target)| against(w.class(class), count, target)),
        );
        let committed = snapshot.run.faults.iter().map(|f| f.committed).sum();
        facts.push(fact(w.faults, l.integer(committed)));
        lines.push(fit(facts, width));
    }
    lines
}

fn progress(snapshot: &Snapshot, state: &PanelState, boxed: bool) -> Vec<Vec<Span<'static>>> {
    const BAR: usize = 24;
    let (l, w) = (state.locale, state.locale.words());
    let mut facts = Vec::new();
    if !boxed {
        facts.push(fact(w.elapsed, l.span(snapshot.now)));
    }
    if snapshot.stopping {
        let waits = l.integer(snapshot.in_flight());
        let line = w.stopping.replace("{}", &waits);
        facts.push(vec![line.yellow().bold()]);
        return facts;
    }
    if let Some(remaining) = state.shape.remaining(snapshot).filter(|_| !boxed) {
        facts.push(fact(w.remaining, format!("~{}", l.span(remaining))));
    }
    if let Some(share) = state.shape.progress(snapshot) {
        let full = ((share * BAR as f64) as usize).min(BAR);
        facts.push(vec![
            "█".repeat(full).cyan(),
            "░".repeat(BAR - full).dim(),
            format!(" {}", l.percent(share)).into(),
        ]);
    }
    facts
}

/// `[12:34:15] User-045: POST /api/v1/users → 201 (123ms)` where there is the box, else
/// `[12:34:15] user-045 active POST /api/v1/users -> 201 (123 ms)`
fn activity(activity: &RecordedRequest, snapshot: &Snapshot, state: &PanelState) -> Line<'static> {
    let (l, w) = (state.locale, state.locale.words());
    let at = Timestamp::try_from(activity.at).unwrap_or(Timestamp::UNIX_EPOCH);
    let at = at
        .to_zoned_datetime(state.time_zone.clone())
        .strftime("%H:%M:%S")
        .to_string();
    // The specification counts users from 1.
    let first = u64::from(l.has_box());
    let user = u64::from(activity.user) + first;
    let last = u64::from(state.shape.users_total).saturating_sub(1) + first;
    let digits = last.to_string().len().max(3);
    let (method, route) = snapshot
        .catalog
        .route(activity.role.archetype, activity.route);
    let path = match activity.path.as_str() {
        "" => route,
        path => path,
    };
    let outcome = match activity.outcome.shown() {
        Ok(status) => status,
        Err(failure) => w.failure(failure).to_owned(),
    };
    let color = match activity.outcome {
        _ if activity.outcome.is_good() => Color::Green,
        _ if activity.expected => Color::Yellow,
        _ => Color::Red,
    };
    let seconds = activity.latency.as_secs_f64();
    let places = if seconds < 0.010 { 1 } else { 0 };
    let mark = if activity.expected && !activity.outcome.is_good() {
        format!(" {}", w.injected)
    } else {
        String::new()
    };
    if l.has_box() {
        return Line::from(vec![
            format!("[{at}] ").dim(),
            format!("User-{user:0digits$}: {method} {path} → ").into(),
            outcome.fg(color),
            format!(" ({}ms){mark}", l.integer((seconds * 1e3).round() as u64)).into(),
        ]);
    }
    Line::from(vec![
        format!("[{at}] ").dim(),
        format!(
            "{}-{user:0digits$} {} {method} {path} -> ",
            w.user,
            role(activity.role, &snapshot.catalog)
        )
        .into(),
        outcome.fg(color),
        format!(" ({} ms){mark}", l.decimal(seconds * 1e3, places)).into(),
    ])
}

/// The archetype, and which of its versions once there is more than one.
fn role(role: Role, catalog: &Catalog) -> String {
    let name = catalog.archetype(role.archetype);
    match catalog.version(role.version) {
        Some(version) if catalog.was_swapped(role.archetype) => {
            format!("{name} {}", version.short())
        }
        _ => name.to_owned(),
    }
}

fn fact(name: &str, value: String) -> Vec<Span<'static>> {
    vec![format!("{name} ").dim(), value.into()]
}

/// As many items as fit into the width; the first one always.
fn fit(facts: Vec<Vec<Span<'static>>>, width: usize) -> Line<'static> {
    const GAP: &str = "   ";
    let mut line = Line::default();
    for (at, fact) in facts.into_iter().enumerate() {
        let needed: usize = fact.iter().map(Span::width).sum();
        if at > 0 {
            if line.width() + GAP.len() + needed > width {
                break;
            }
            line.push_span(GAP);
        }
        line.spans.extend(fact);
    }
    line
}
