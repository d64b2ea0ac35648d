//! The live view for pipes, logs and `--no-panel`: a plain line every few seconds on standard error. Its pace follows the
//! run's own time, not a clock.

use std::sync::Arc;
use std::time::Duration;

use crate::PanelState;
use crate::console::Console;
use crate::output::{Finish, MaybeOutput, Output, OutputContext, RunResult, Update};
use vespeiro_metrics::Snapshot;

const EVERY: Duration = Duration::from_secs(5);

/// When the next line is due, and where it goes.
#[derive(Debug)]
struct Lines {
    state: PanelState,
    console: Console,
    due: Duration,
    /// The line that the run is stopping was printed.
    stopping: bool,
}

/// The lines, unless the panel is shown.
pub fn output(context: &OutputContext<'_>) -> MaybeOutput {
    let state = || PanelState::new(context.plan, context.shape);
    Ok((!crate::panel::is_shown(context.plan))
        .then(|| -> Box<dyn Output> { Box::new(Lines::new(state(), context.console.clone())) }))
}

impl Lines {
    fn new(state: PanelState, console: Console) -> Lines {
        Lines {
            state,
            console,
            due: EVERY,
            stopping: false,
        }
    }

    /// The lines that are due now.
    fn say(&mut self, snapshot: &Snapshot) -> Vec<String> {
        let mut lines = Vec::new();
        if snapshot.stopping && !self.stopping && snapshot.in_flight() > 0 {
            self.stopping = true;
            let (l, w) = (self.state.locale, self.state.locale.words());
            let waits = l.integer(snapshot.in_flight());
            lines.push(w.stopping.replace("{}", &waits));
        }
        if snapshot.elapsed >= self.due {
            // Counted from now, so that a late snapshot is not followed by a burst of lines.
            self.due = snapshot.elapsed + EVERY;
            lines.push(line(snapshot, &self.state));
        }
        lines
    }
}

impl Output for Lines {
    fn name(&self) -> &'static str {
        "lines"
    }

    fn update(&mut self, update: &Update<'_>) {
        for line in self.say(update.snapshot) {
            self.console.line(line);
        }
    }

    fn finish(self: Box<Self>, _result: Arc<RunResult>) -> Finish {
        Box::pin(async { Ok(()) })
    }
}

fn line(snapshot: &Snapshot, state: &PanelState) -> String {
    let (l, w) = (state.locale, state.locale.words());
    let total = snapshot.total();
    let latency = total.latency();
    let time = |q| l.measured(latency.count(), latency.quantile(q).as_secs_f64());
    format!(
        "{}  {} {}/{}  {} {}  {}  {} {}  {} {}  {} {}  p50 {}  p95 {}  p99 {}",
        l.span(snapshot.elapsed),
        w.users,
        l.integer(snapshot.users_active()),
        l.integer(u64::from(snapshot.desired.users)),
        w.requests,
        l.integer(total.requests()),
        l.rate(snapshot.rates.ten_seconds.sent),
        w.success,
        l.share(total.success_share()),
        w.failed_requests,
        l.integer(total.failures()),
        w.unplanned,
        l.integer(total.errors()),
        time(0.5),
        time(0.95),
        time(0.99),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::shape;
    use vespeiro_metrics::testing::snapshot;
    use vespeiro_plan::Language;
    use vespeiro_plan::testing::plan;

    fn printed(language: Language, seconds: &[u64]) -> String {
        let state = PanelState::new(&plan(language), shape());
        let mut lines = Lines::new(state, Console::start().unwrap());
        let said = seconds.iter().flat_map(|&at| {
            let mut snapshot = snapshot();
            snapshot.elapsed = Duration::from_secs(at);
            lines.say(&snapshot)
        });
        said.map(|line| line + "\n").collect()
    }

    #[test]
    fn a_line_every_five_seconds_of_the_run() {
        let text = printed(Language::English, &[0, 1, 4, 5, 6, 9, 17, 18, 22]);
        let times: Vec<&str> = text
            .lines()
            .map(|l| l.split("  ").next().unwrap())
            .collect();
        assert_eq!(times, ["5s", "17s", "22s"]);
        assert!(!text.contains('\x1b'));
    }

    #[test]
    fn both_languages() {
        insta::assert_snapshot!(
            printed(Language::English, &[83]) + &printed(Language::Portuguese, &[83])
        );
    }
}
