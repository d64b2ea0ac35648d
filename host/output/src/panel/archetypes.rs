//! The panel's table: a row for each archetype and, while several versions of its behavior play side by side, one below
//! it for each of them. Used by `rows.rs`.

use std::time::Duration;

use ratatui::style::Style;
use ratatui::text::Line;

use super::super::language::Unit;
use super::PanelState;
use vespeiro_metrics::{Series, Snapshot, VersionTotal};

/// The column of what an archetype's own load profile wants.
const WANTED: usize = 2;

/// Rows of the table, without its heading.
pub(super) fn height(snapshot: &Snapshot) -> usize {
    let archetypes = 0..snapshot.archetypes.len();
    let rows = archetypes.map(|index| 1 + side_by_side(snapshot, index as u16).len());
    rows.sum()
}

/// The versions that get new sessions of an archetype, and the share of each; none where it is only one.
fn side_by_side(snapshot: &Snapshot, archetype: u16) -> Vec<(&VersionTotal, String, f64)> {
    let known = snapshot.versions_of(archetype).filter_map(|total| {
        let labels = snapshot.catalog.version(total.role.version)?;
        (labels.share > 0.0).then(|| (total, labels.short(), labels.share))
    });
    let playing: Vec<_> = known.collect();
    if playing.len() > 1 {
        playing
    } else {
        Vec::new()
    }
}

/// The table; columns from the right give way to a narrow terminal.
pub(super) fn lines(snapshot: &Snapshot, state: &PanelState, width: usize) -> Vec<Line<'static>> {
    let (l, w) = (state.locale, state.locale.words());
    let groups = snapshot.by_archetype();
    let largest = groups.iter().map(|g| g.latency().max()).max();
    let unit = Unit::for_largest(largest.unwrap_or_default().as_secs_f64());
    let heading = |q: &str| format!("{q} {}", unit.as_str());
    let row = |name: String, users: String, wanted: String, group: &Series| {
        let latency = group.latency();
        let time = |value: Duration| match latency.count() {
            0 => "–".to_owned(),
            _ => l.time_in(unit, value.as_secs_f64()),
        };
        vec![
            name,
            users,
            wanted,
            l.integer(group.requests()),
            l.share(group.success_share()),
            l.integer(group.errors()),
            time(latency.quantile(0.5)),
            time(latency.quantile(0.95)),
            time(latency.quantile(0.99)),
            time(latency.max()),
        ]
    };
    let mut rows = vec![vec![
        w.archetype.to_owned(),
        w.users.to_owned(),
        w.wanted.to_owned(),
        w.requests.to_owned(),
        w.success.to_owned(),
        w.unplanned.to_owned(),
        heading("p50"),
        heading("p95"),
        heading("p99"),
        heading(w.max),
    ]];
    let labels = snapshot.catalog.archetypes.iter();
    let counted = labels.zip(&snapshot.archetypes).zip(&groups);
    for (((labels, counts), group), index) in counted.zip(0..) {
        let wanted = snapshot.desired.of(index).map_or_else(String::new, |own| {
            let users = || l.integer(u64::from(own.users));
            own.rate.map_or_else(users, |rate| l.rate(rate))
        });
        let name = labels.name.chars().take(20).collect();
        rows.push(row(name, l.integer(counts.users_active()), wanted, group));
        for (total, name, share) in side_by_side(snapshot, index) {
            // Users belong to no version, so that its share of the new sessions stands in their place.
            let name = format!("  {}", name.chars().take(18).collect::<String>());
            let group = &total.counts.requests;
            rows.push(row(name, l.percent(share), String::new(), group));
        }
    }
    if snapshot.desired.archetypes.is_empty() {
        rows.iter_mut().for_each(|row| drop(row.remove(WANTED)));
    }
    aligned(&rows, width)
}

/// The rows as lines, with as many columns as fit.
fn aligned(rows: &[Vec<String>], width: usize) -> Vec<Line<'static>> {
    let widest = |at: usize| rows.iter().map(|r| r[at].chars().count()).max();
    let widths: Vec<usize> = (0..rows[0].len())
        .map(|at| widest(at).unwrap_or(0))
        .collect();
    let mut taken = 0;
    let shown = widths.iter().take_while(|w| {
        taken += *w + 2;
        taken <= width + 2
    });
    let shown = shown.count().max(1);
    let line = |(at, row): (usize, &Vec<String>)| {
        let mut text = format!("{:width$}", row[0], width = widths[0]);
        for (cell, width) in row[1..shown].iter().zip(&widths[1..]) {
            text += &format!("  {cell:>width$}");
        }
        let style = if at == 0 {
            Style::new().bold()
        } else {
            Style::new()
        };
        Line::styled(text, style)
    };
    rows.iter().enumerate().map(line).collect()
}
