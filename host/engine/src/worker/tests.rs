//! One worker in paused time: what its load profile, a pause and its breaker do, to the moment. The test is its
//! orchestrator; its users think and send nothing, so that nothing but time passes.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep_until};

use super::state::{WorkerPart, WorkerState};
use super::thread::{WorkerCommand, WorkerEvent, WorkerInit, work};
use crate::admission::wait_at;
use crate::journal::{Header, Journal};
use crate::rollout::labels::catalog;
use crate::vu::state::VuState;
use vespeiro_behavior::{Behavior, Engine, Limits};
use vespeiro_http::Targets;
use vespeiro_metrics::{Process, Recorder, Snapshot, Totals};
use vespeiro_model::{BreakerState, Clock, Failure, Outcome};
use vespeiro_plan::{Flags, Plan, Sources, resolve};
use vespeiro_resilience::Settled;

const BY_HAND: &str = include_str!("../../../../tests/e2e/guests/by_hand.wat");
const SECOND: Duration = Duration::from_secs(1);
/// How often a worker adjusts its users and hands over what it counted.
const BEATS: Duration = Duration::from_millis(350);

fn plan(settings: &[(&str, &str)]) -> Arc<Plan> {
    let mut flags = Flags::default();
    flags.archetypes = vec!["active".into()];
    for (key, text) in [("workers", "1"), ("ramp_up", "0s")].iter().chain(settings) {
        flags.set(key, *text, "test");
    }
    let sources = Sources {
        base: None,
        flags,
        env: Vec::new(),
    };
    let resolved = resolve(sources).unwrap_or_else(|errors| panic!("{errors}"));
    Arc::new(resolved.plan)
}

/// Sessions of it think for an hour before their first request.
fn thinker() -> Arc<Behavior> {
    let thinks = "(i32.store (i32.const 260) (i32.const 3600000))";
    let module = wat::parse_str(BY_HAND.replace(";; next\n", thinks)).unwrap();
    let engine = Engine::new(None, vespeiro_behavior::Compiler::Here, Clock::system()).unwrap();
    let limits = Limits {
        memory: 1 << 20,
        call: Duration::from_secs(10),
    };
    Behavior::load(&engine, "thinker", &module, limits).unwrap()
}

/// A worker that plays a plan, as its orchestrator sees it.
struct Played {
    began: Instant,
    commands: mpsc::Sender<WorkerCommand>,
    events: mpsc::Receiver<WorkerEvent>,
    totals: Totals,
}

impl Played {
    /// Let the worker play until so long after the start.
    async fn until(&mut self, time: Duration) {
        loop {
            let event = tokio::select! {
                event = self.events.recv() => event.expect("a worker that goes on"),
                () = sleep_until(self.began + time) => return,
            };
            if let WorkerEvent::Interval(mut interval) = event {
                self.totals.absorb(&mut interval);
            }
        }
    }

    async fn pause(&mut self, paused: bool) {
        self.commands
            .send(WorkerCommand::Pause(paused))
            .await
            .unwrap();
    }

    fn snapshot(&mut self) -> Snapshot {
        self.totals.snapshot(Duration::ZERO, Process::default())
    }
}

/// Have one worker play, in paused time.
async fn played(settings: &[(&str, &str)], test: impl AsyncFnOnce(&mut Played)) {
    let folder = tempfile::tempdir().unwrap();
    let header = Header {
        run: "k3x9a2b7".into(),
        target: "http://127.0.0.1:9501".into(),
    };
    let journal = Journal::create(&folder.path().join("run.journal"), &header).unwrap();
    let (plan, behaviors) = (plan(settings), vec![thinker()]);
    let catalog = catalog(&plan, &behaviors);
    let clock = Clock::system();
    let (sender, events) = mpsc::channel(64);
    let (commands, inbox) = mpsc::channel(64);
    let mut played = Played {
        began: clock.now(),
        commands,
        events,
        totals: Totals::new(Arc::clone(&catalog), 1, Process::default(), Clock::system()),
    };
    let ((stands, _stood), (begins_at, begin)) = (oneshot::channel(), oneshot::channel());
    begins_at.send(played.began).unwrap();
    let init = WorkerInit {
        plan,
        behaviors,
        catalog,
        journal: journal.writer(),
        worker_index: 0,
        feeds: Arc::default(),
        clock,
        stopped: false,
        stands,
        begin,
        events: sender,
        commands: inbox,
    };
    let local = LocalSet::new();
    local.spawn_local(work(init));
    local.run_until(test(&mut played)).await;
}

#[tokio::test(start_paused = true)]
async fn stages_of_users_that_were_paused_for_three_seconds_end_three_seconds_later() {
    played(&[("stage", "4s:8,4s:0")], async |worker| {
        worker.until(2 * SECOND).await;
        worker.pause(true).await;
        for second in 3..5 {
            worker.until(second * SECOND).await;
            assert_eq!(worker.snapshot().users_active(), 4);
        }
        worker.until(5 * SECOND).await;
        worker.pause(false).await;
        worker.until(11 * SECOND - BEATS).await;
        assert!(worker.snapshot().users_active() > 0);
        worker.until(11 * SECOND + BEATS).await;
        assert_eq!(worker.snapshot().users_active(), 0);
        assert_eq!(worker.snapshot().archetypes[0].users_started, 8);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn stages_of_a_rate_have_all_their_arrivals_over_a_pause() {
    let settings = [
        ("rate", "10/s"),
        ("stage", "4s:10,4s:0"),
        ("arrivals", "sessions"),
        ("max_users", "100"),
    ];
    played(&settings, async |worker| {
        worker.until(2 * SECOND).await;
        worker.pause(true).await;
        worker.until(3 * SECOND).await;
        let before = worker.snapshot().run.arrivals.due;
        worker.until(5 * SECOND).await;
        assert_eq!(worker.snapshot().run.arrivals.due, before);
        worker.pause(false).await;
        worker.until(12 * SECOND).await;
        // Four seconds of ten, and four from ten to none.
        let arrivals = worker.snapshot().run.arrivals.due;
        assert!((59..=61).contains(&arrivals), "{arrivals}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_holds_users_for_its_cool_down() {
    let plan = plan(&[
        ("breaker_volume", "5"),
        ("breaker_cool_down", "30s"),
        ("backoff", "off"),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let header = Header {
        run: "k3x9a2b7".into(),
        target: "http://127.0.0.1:9501".into(),
    };
    let journal = Journal::create(&folder.path().join("run.journal"), &header).unwrap();
    let (behaviors, clock) = ([thinker()], Clock::system());
    let catalog = catalog(&plan, &behaviors);
    let part = WorkerPart {
        worker_index: 0,
        feeds: Arc::default(),
        began: clock.now(),
        clock,
        witness: None,
    };
    let worker = Rc::new(WorkerState::new(
        Arc::clone(&plan),
        Targets::new(&plan, 0, clock).unwrap(),
        Recorder::new(Arc::clone(&catalog), 0, Clock::system()),
        journal.writer(),
        &behaviors,
        &catalog,
        part,
    ));
    let vu = VuState::default();
    let held = async || {
        let before = clock.now();
        wait_at(&worker, &vu, 0, 0).await;
        clock.since(before)
    };
    assert_eq!(held().await, Duration::ZERO);
    for _ in 0..5 {
        let pass = worker.admission(0).admit(worker.now()).unwrap();
        let settled = Settled {
            outcome: Outcome::Failed(Failure::Connect),
            pass,
            fault: None,
            login: false,
            is_known: true,
        };
        worker.settle(worker.now(), 0, settled, true);
    }
    let state = || worker.admission(0).status(worker.now()).breaker;
    assert_eq!(state(), Some(BreakerState::Open));
    // Whoever meets the open breaker waits with the next batch.
    let (now, refused) = (worker.now(), Outcome::Failed(Failure::CircuitOpen));
    assert!(worker.admission(0).admit(now).is_err());
    worker
        .admission(0)
        .update_hold(now, &vu.hold, refused, None, None, |_| 0.0);
    let waited = held().await;
    // The cool-down has chance in it, and so has each user's way back.
    assert!(waited >= 30 * SECOND && waited <= 47 * SECOND, "{waited:?}");
    assert!(worker.admission(0).admit(worker.now()).is_ok());
}
