//! The live panel: what it shows ([`render`], a pure function of the snapshot) and when it is drawn. Lines and columns
//! that do not fit are left out; nothing wraps, and no number is cut.

mod archetypes;
mod rows;
mod summary_box;

use std::io::IsTerminal as _;
use std::sync::Arc;

use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::crossterm::terminal;
use ratatui::layout::Rect;

use crate::console::Console;
use crate::language::harmless;
use crate::output::{Finish, MaybeOutput, Output, OutputContext, Phase, RunResult, Update};
use crate::{Locale, RunShape};
use vespeiro_metrics::Snapshot;
use vespeiro_plan::{ErrorMix, Plan, RequestMix};
use vespeiro_summary::build::target;

/// Recent requests that are shown at most.
const ACTIVITY: usize = 8;

/// What panel and lines need besides the snapshot; it does not change during a run.
#[derive(Debug, Clone)]
pub struct PanelState {
    pub(super) locale: Locale,
    pub(super) shape: RunShape,
    preset: String,
    target: String,
    run_id: String,
    mix: Option<RequestMix>,
    error_mix: Option<ErrorMix>,
    /// Local time zone, for the list of recent requests.
    time_zone: TimeZone,
}

impl PanelState {
    pub fn new(plan: &Plan, shape: RunShape) -> PanelState {
        PanelState {
            locale: Locale::new(plan.output.language),
            shape,
            preset: plan.preset.clone(),
            target: target(plan),
            run_id: plan.run_id.clone(),
            mix: plan.mix.clone(),
            error_mix: plan.error_mix,
            time_zone: TimeZone::system(),
        }
    }
}

/// Draw the panel into `area` of `buffer`.
pub fn render(snapshot: &Snapshot, state: &PanelState, area: Rect, buffer: &mut Buffer) {
    let area = area.intersection(buffer.area);
    let mut lines = rows::lines(snapshot, state, area.width, area.height);
    for (line, y) in lines.iter_mut().zip(area.top()..area.bottom()) {
        // Plan, behaviors and target have named what stands here; a buffer drops controls alone.
        for span in &mut line.spans {
            span.content = harmless(&span.content).into();
        }
        buffer.set_line(area.x, y, line, area.width);
    }
}

/// Whether the plan and standard error allow it.
pub(crate) fn is_shown(plan: &Plan) -> bool {
    let able = std::env::var_os("TERM").is_none_or(|term| term != "dumb");
    plan.output.panel && able && std::io::stderr().is_terminal()
}

/// The panel, if it can be shown.
pub fn output(context: &OutputContext<'_>) -> MaybeOutput {
    Ok(is_shown(context.plan).then(|| -> Box<dyn Output> {
        Box::new(Panel {
            state: PanelState::new(context.plan, context.shape),
            console: context.console.clone(),
        })
    }))
}

/// The panel on a terminal.
#[derive(Debug)]
struct Panel {
    state: PanelState,
    console: Console,
}

impl Output for Panel {
    fn name(&self) -> &'static str {
        "panel"
    }

    fn update(&mut self, update: &Update<'_>) {
        // The panel goes before the cleanup prints its lines.
        if update.phase == Phase::Cleanup {
            return self.console.panel(None);
        }
        let snapshot = update.snapshot.early.as_ref().unwrap_or(update.snapshot);
        let (width, height) = terminal::size().unwrap_or((80, 24));
        // The cursor rests on the line below the panel.
        let height = height
            .saturating_sub(1)
            .min(rows::height(snapshot, &self.state));
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        render(snapshot, &self.state, area, &mut buffer);
        self.console.panel(Some(buffer));
    }

    fn finish(self: Box<Self>, _result: Arc<RunResult>) -> Finish {
        self.console.panel(None);
        Box::pin(async { Ok(()) })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;
    use crate::testing::shape;
    use vespeiro_metrics::testing::{catalog, role, sample, snapshot, version};
    use vespeiro_metrics::{ArchetypeLoad, Interval, Process, Recorder, RequestSample, Totals};
    use vespeiro_model::Clock;
    use vespeiro_plan::Language;
    use vespeiro_plan::testing::plan;

    fn state(language: Language) -> PanelState {
        PanelState {
            time_zone: TimeZone::UTC,
            ..PanelState::new(&plan(language), shape())
        }
    }

    fn drawn(snapshot: &Snapshot, language: Language, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        let state = state(language);
        terminal
            .draw(|frame| render(snapshot, &state, frame.area(), frame.buffer_mut()))
            .unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn english() {
        let snapshot = snapshot();
        insta::assert_snapshot!(drawn(
            &snapshot,
            Language::English,
            100,
            rows::height(&snapshot, &state(Language::English))
        ));
    }

    #[test]
    fn portuguese() {
        let snapshot = snapshot();
        insta::assert_snapshot!(drawn(
            &snapshot,
            Language::Portuguese,
            100,
            rows::height(&snapshot, &state(Language::Portuguese))
        ));
    }

    #[test]
    fn narrow_and_short() {
        insta::assert_snapshot!(drawn(&snapshot(), Language::English, 48, 12));
    }

    #[test]
    fn a_generator_at_its_limit_shows() {
        let mut snapshot = snapshot();
        snapshot.cpu.cores = 1;
        assert!(
            drawn(&snapshot, Language::English, 100, 30)
                .contains("WARNING: the generator was the limit")
        );
    }

    #[test]
    fn what_an_archetype_alone_is_to_have_stands_beside_it() {
        let mut snapshot = snapshot();
        let own = |archetype, users, rate| ArchetypeLoad {
            archetype,
            users,
            rate,
        };
        snapshot.desired.archetypes = vec![own(0, 9, None), own(1, 1, Some(20.0))];
        let shown = drawn(&snapshot, Language::English, 100, 30);
        let cells = |name: &str| -> Vec<String> {
            let line = shown.lines().find(|line| line.contains(name)).unwrap();
            let cells = line.split_whitespace().skip(1).take(2);
            cells.map(str::to_owned).collect()
        };
        assert_eq!(cells("archetype ")[1], "target", "{shown}");
        assert_eq!(cells("active ")[1], "9", "{shown}");
        assert_eq!(cells("admin ")[1], "20.0/s", "{shown}");
    }

    #[test]
    fn two_versions_of_a_canary_stand_side_by_side() {
        let mut labels = (*catalog()).clone();
        let canary = labels.add_version(version(0, "fedcba98"));
        labels.share_out(0, &[(role(0).version, 0.9), (canary, 0.1)]);
        let labels = Arc::new(labels);
        let mut totals = Totals::new(catalog(), 1, Process::default(), Clock::system());
        let mut recorder = Recorder::new(catalog(), 0, Clock::system());
        totals.adopt(labels.clone());
        recorder.adopt(labels.clone());
        recorder.request(&sample(0, 0));
        let of_the_canary = RequestSample {
            role: labels.version(canary).unwrap().role(),
            ..sample(0, 0)
        };
        (0..3).for_each(|_| recorder.request(&of_the_canary));
        totals.absorb(&mut recorder.take(Interval::new(&labels)));
        let snapshot = totals.snapshot(Duration::from_secs(1), Process::default());
        let shown = drawn(
            &snapshot,
            Language::English,
            100,
            rows::height(&snapshot, &state(Language::English)),
        );
        let row = |name: &str| -> Vec<String> {
            let row = shown.lines().find(|line| line.contains(name));
            let cells = row.unwrap_or_else(|| panic!("{name}: {shown}"));
            let cells = cells
                .split_whitespace()
                .skip_while(|cell| !cell.contains(name));
            cells.skip(1).take(2).map(str::to_owned).collect()
        };
        assert_eq!(row("active")[1], "4");
        assert_eq!(row("#0123"), ["90.0%", "1"]);
        assert_eq!(row("#fedc"), ["10.0%", "3"]);
        // The other archetype has one version, which has no row of its own.
        let below = |line: &&str| line.starts_with("\"  ") && line.contains('#');
        assert_eq!(shown.lines().filter(below).count(), 2, "{shown}");
    }

    /// As they were sent, but for a query, which may hold a secret.
    #[test]
    fn recent_requests_have_their_real_paths() {
        let mut recorder = Recorder::new(catalog(), 0, Clock::system());
        recorder.request_to(&sample(0, 0), "/api/v1/users/4217?token=secret");
        let mut totals = Totals::new(catalog(), 1, Process::default(), Clock::system());
        totals.absorb(&mut recorder.take(Interval::new(&catalog())));
        let snapshot = totals.snapshot(Duration::from_secs(1), Process::default());
        let shown = drawn(&snapshot, Language::Portuguese, 100, 40);
        assert!(shown.contains(" /api/v1/users/4217 → 2"), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }

    #[test]
    fn a_run_that_stops_says_what_it_waits_for() {
        let mut snapshot = snapshot();
        snapshot.stopping = true;
        let shown = drawn(&snapshot, Language::English, 100, 30);
        assert!(
            shown.contains("stopping: waiting for 12 requests under way"),
            "{shown}"
        );
    }

    #[test]
    fn what_holds_users_back_stands_in_the_first_line() {
        let mut snapshot = snapshot();
        let free = drawn(&snapshot, Language::English, 160, 30);
        assert!(!free.contains("LOGINS PAUSED") && !free.contains("slowed"));
        let standing = &mut snapshot.worker_statuses.0[0];
        (standing.logins_paused, standing.pace) = (true, 2.5);
        let held = drawn(&snapshot, Language::English, 160, 30);
        let first = held.lines().next().unwrap_or_default();
        assert!(first.contains("LOGINS PAUSED   slowed down 2.5×"), "{held}");
    }

    #[test]
    fn any_size_will_do() {
        let mut totals = Totals::new(catalog(), 1, Process::default(), Clock::system());
        let empty = totals.snapshot(Duration::ZERO, Process::default());
        for snapshot in [snapshot(), empty] {
            for (width, height) in [(1, 1), (5, 40), (20, 3), (200, 1), (300, 90)] {
                drawn(&snapshot, Language::Portuguese, width, height);
            }
        }
        let state = state(Language::English);
        let mut none = Buffer::empty(Rect::ZERO);
        render(&snapshot(), &state, Rect::new(0, 0, 80, 24), &mut none);
    }
}
