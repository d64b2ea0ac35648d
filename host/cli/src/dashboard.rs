//! `vespeiro dashboard`: prints a Grafana dashboard, or alert rules, for the metrics that runs export.

use crate::exit::Exit;
use vespeiro_output::dashboard::{dashboard, rules};
use vespeiro_output::stdout;

/// Print a Grafana dashboard for the metrics of runs, or alert rules
#[derive(Debug, clap::Args)]
pub(super) struct PrintDashboard {
    /// Print alert rules for Prometheus instead
    #[arg(long)]
    alerts: bool,
    /// For runs that push with --native-histograms
    #[arg(long)]
    native_histograms: bool,
}

impl PrintDashboard {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        let text = if self.alerts {
            rules(self.native_histograms)
        } else {
            format!("{:#}\n", dashboard(self.native_histograms))
        };
        stdout::print_exactly(text)?;
        Ok(Exit::Fine)
    }
}
