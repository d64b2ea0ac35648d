//! The host of Vespeiro: plan, behaviors, HTTP, run, metrics and reports, for the one binary and its tests.

pub mod behavior;
pub mod cleanup;
pub mod cli;
pub mod exit;
pub mod export;
pub mod feeds;
pub mod http;
pub mod metrics;
pub mod plan;
pub mod rehearsal;
pub mod report;
pub mod run;
pub mod ui;
