//! The panels of the dashboard, row by row: the one table that [`super::grafana`] draws. Every query has data in a demo with somebody who talks,
//! which a test holds with a real Prometheus.

/// A heading, and a panel on each line below it.
macro_rules! row {
    ($title:literal { $($panel:expr;)* }) => {
        Row { title: $title, panels: vec![$($panel),*] }
    };
}

mod inside;
mod load;
mod target;
mod wire;

use super::query::Queries;
use vespeiro_metrics::families::MetricDesc;

/// Panels under one heading.
pub(super) struct Row {
    pub(super) title: &'static str,
    pub(super) panels: Vec<Panel>,
}

pub(super) struct Panel {
    pub(super) title: &'static str,
    /// What it shows.
    pub(super) help: &'static str,
    pub(super) visualization: Visualization,
    /// A unit of Grafana.
    pub(super) unit: &'static str,
    /// Columns, of 24.
    pub(super) width: u32,
    /// Query and legend.
    pub(super) queries: Vec<(String, &'static str)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Visualization {
    Stat,
    Lines,
    /// Lines that add up.
    Stacked,
    HeatMap,
    Table,
}

fn panel(
    visualization: Visualization,
    width: u32,
    unit: &'static str,
    title: &'static str,
    help: &'static str,
    queries: impl IntoIterator<Item = (String, &'static str)>,
) -> Panel {
    Panel {
        title,
        help,
        visualization,
        unit,
        width,
        queries: queries.into_iter().collect(),
    }
}

fn lines(
    width: u32,
    unit: &'static str,
    title: &'static str,
    help: &'static str,
    queries: impl IntoIterator<Item = (String, &'static str)>,
) -> Panel {
    panel(Visualization::Lines, width, unit, title, help, queries)
}

fn stat(unit: &'static str, title: &'static str, help: &'static str, query: String) -> Panel {
    panel(Visualization::Stat, 4, unit, title, help, [(query, "")])
}

/// All rows, from the outside to the inside.
pub(super) fn rows(q: &Queries) -> Vec<Row> {
    vec![
        target::overview(q),
        target::latency(q),
        target::archetypes(q),
        target::routes(q),
        target::transactions(q),
        wire::connections(q),
        wire::channels(q),
        load::profile(q),
        load::mixes(q),
        load::resilience(q),
        inside::behaviors(q),
        inside::generator(q),
    ]
}

fn quantiles(q: &Queries, metric: &MetricDesc) -> [(String, &'static str); 3] {
    [(0.5, "p50"), (0.95, "p95"), (0.99, "p99")]
        .map(|(quantile, name)| (q.quantile(quantile, metric, "", ""), name))
}
