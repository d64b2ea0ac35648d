//! The box that the panel begins with in the specification's language: who plays, how it goes, how long it will take. Used
//! by `rows.rs`.

use std::time::Duration;

use ratatui::text::Line;

use super::PanelState;
use vespeiro_metrics::Snapshot;

/// Its lines, with title and frame.
pub(super) const HEIGHT: u16 = 7;
/// At least so many columns within the frame, as in the specification.
const WIDTH: usize = 41;

/// The title and the box, as wide as what stands in it; nothing where that does not fit into the width.
pub(super) fn lines(snapshot: &Snapshot, state: &PanelState, room: usize) -> Vec<Line<'static>> {
    let (l, w) = (state.locale, state.locale.words());
    let total = snapshot.total();
    let latency = total.latency();
    let milliseconds = |time: Duration| match latency.count() {
        0 => "–".to_owned(),
        _ => format!("{}ms", l.integer((time.as_secs_f64() * 1e3).round() as u64)),
    };
    let users = format!(
        "{}/{}",
        l.integer(snapshot.users_active()),
        l.integer(u64::from(snapshot.desired.users))
    );
    let remaining = state.shape.remaining(snapshot);
    let pair = |left: &str, a: String, right: &str, b: String| {
        format!("{} | {}", left.replace("{}", &a), right.replace("{}", &b))
    };
    let rows = [
        pair(
            w.panel_users,
            users,
            w.panel_requests,
            l.integer(total.requests()),
        ),
        pair(
            w.panel_success,
            l.share(total.success_share()),
            w.panel_errors,
            l.integer(total.failures()),
        ),
        pair(
            w.panel_mean,
            milliseconds(latency.mean()),
            w.panel_peak,
            milliseconds(latency.max()),
        ),
        pair(
            w.panel_elapsed,
            l.clock(snapshot.now),
            w.panel_remaining,
            remaining.map_or_else(|| "–".to_owned(), |left| format!("~{}", l.clock(left))),
        ),
    ];
    let width = rows.iter().map(|row| row.chars().count() + 2);
    let width = width.max().unwrap_or_default().max(WIDTH);
    if width + 2 > room {
        return Vec::new();
    }
    let rule = "─".repeat(width);
    let mut lines = vec![Line::from(w.panel_title), Line::from(format!("┌{rule}┐"))];
    let inner = width - 2;
    lines.extend(rows.map(|row| Line::from(format!("│ {row:<inner$} │"))));
    lines.push(Line::from(format!("└{rule}┘")));
    lines
}
