//! A Grafana dashboard and alert rules for the metrics of runs: what `vespeiro dashboard` prints. Every query is built
//! from the table of metrics, so that a name here cannot differ from the one that is exported.

mod alerts;
mod annotations;
mod grafana;
mod panels;
mod query;
mod rules;

pub use grafana::dashboard;
pub use rules::rules;
