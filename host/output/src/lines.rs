//! The live view for pipes, logs and `--no-panel`: a plain line every few seconds on standard error. Used by
//! [`super::Display`]. Its pace follows the run's own time, not a clock.

use std::fmt::Debug;
use std::io::Write;
use std::time::Duration;

use super::PanelState;
use vespeiro_metrics::Snapshot;

const EVERY: Duration = Duration::from_secs(5);

/// Where the lines go, and when the next one is due.
pub(super) struct Lines {
    state: PanelState,
    out: Box<dyn Write + Send>,
    due: Duration,
    /// It was said that the run is stopping.
    stopping: bool,
}

impl Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lines")
            .field("due", &self.due)
            .finish_non_exhaustive()
    }
}

impl Lines {
    pub(super) fn new(state: PanelState, out: Box<dyn Write + Send>) -> Lines {
        Lines {
            state,
            out,
            due: EVERY,
            stopping: false,
        }
    }

    pub(super) fn update(&mut self, snapshot: &Snapshot) {
        if snapshot.stopping && !self.stopping && snapshot.worker_statuses.in_flight() > 0 {
            self.stopping = true;
            let (l, w) = (self.state.locale, self.state.locale.words());
            let waits = l.integer(snapshot.worker_statuses.in_flight());
            self.note(&w.stopping.replace("{}", &waits));
        }
        if snapshot.elapsed >= self.due {
            // From here on, not from when it was due: a late snapshot is not followed by a burst of lines.
            self.due = snapshot.elapsed + EVERY;
            self.note(&line(snapshot, &self.state));
        }
    }

    pub(super) fn note(&mut self, text: &str) {
        // Nobody may be reading any more; the run goes on.
        let _ = writeln!(self.out, "{text}");
    }
}

fn line(snapshot: &Snapshot, state: &PanelState) -> String {
    let (l, w) = (state.locale, state.locale.words());
    let total = snapshot.total();
    let latency = total.latency();
    let time = |q| l.time(latency.quantile(q).as_secs_f64());
    format!(
        "{}  {} {}/{}  {} {}  {}  {} {}  {} {}  p50 {}  p95 {}  p99 {}",
        l.span(snapshot.elapsed),
        w.users,
        l.integer(snapshot.users_active()),
        l.integer(u64::from(snapshot.desired.users)),
        w.requests,
        l.integer(total.requests()),
        l.rate(snapshot.rates.ten_seconds.requests),
        w.success,
        l.percent(total.success_share()),
        w.errors,
        l.integer(total.errors()),
        time(0.5),
        time(0.95),
        time(0.99),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::testing::shape;
    use vespeiro_metrics::testing::snapshot;
    use vespeiro_plan::Language;
    use vespeiro_plan::testing::plan;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn printed(language: Language, seconds: &[u64]) -> String {
        let out = Shared::default();
        let mut lines = Lines::new(
            PanelState::new(&plan(language), shape()),
            Box::new(out.clone()),
        );
        for &at in seconds {
            let mut snapshot = snapshot();
            snapshot.elapsed = Duration::from_secs(at);
            lines.update(&snapshot);
        }
        String::from_utf8(out.0.lock().unwrap().clone()).unwrap()
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
