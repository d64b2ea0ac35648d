//! Runs in this process that are steered while they go on: real workers, a built-in behavior and a target that counts.

mod seconds;

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

use super::{Control, EndReason, Run, RunEnd, RunError, Stopper, execute};
use crate::feeds::cursor::FeedSet;
use crate::journal::{Header, Journal};
use crate::orchestrator::execute_on;
use crate::worker::thread::{self, WorkerInit};
use vespeiro_behavior::{Behavior, Compiler, Engine, Limits};
use vespeiro_metrics::Snapshot;
use vespeiro_model::Clock;
use vespeiro_plan::{Flags, Plan, Sources, resolve};

/// Longest that anything here may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A target that counts what it gets and refuses all of it.
struct Target {
    url: String,
    seen: Arc<AtomicU64>,
}

impl Target {
    async fn start() -> Target {
        Target::answering_after(Duration::ZERO).await
    }

    async fn answering_after(latency: Duration) -> Target {
        let seen = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&seen);
        let app = Router::new().fallback(move || {
            counter.fetch_add(1, Ordering::Relaxed);
            async move {
                if !latency.is_zero() {
                    sleep(latency).await;
                }
                StatusCode::NOT_FOUND
            }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Target { url, seen }
    }

    fn seen(&self) -> u64 {
        self.seen.load(Ordering::Relaxed)
    }
}

/// A run that somebody steers.
struct Steered {
    stopper: Stopper,
    control: Control,
    target: Target,
    latest: RefCell<Option<Arc<Snapshot>>>,
}

impl Steered {
    fn users(&self) -> u64 {
        self.latest
            .borrow()
            .as_ref()
            .map_or(0, |snapshot| snapshot.users_active())
    }

    async fn eventually(&self, what: &str, holds: impl Fn(&Steered) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds(self) {
            assert!(Instant::now() < deadline, "waited in vain: {what}");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Wait until nothing has come in for a while.
    async fn silence(&self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let before = self.target.seen();
            sleep(Duration::from_millis(700)).await;
            if self.target.seen() == before {
                return;
            }
            assert!(Instant::now() < deadline, "requests go on");
        }
    }
}

fn plan(folder: &Path, url: &str, settings: &[(&str, &str)]) -> Plan {
    let mut flags = Flags::default();
    flags.archetypes = vec!["active".into()];
    flags.set("base_url", url, "test");
    flags.set("mix", "off", "test");
    flags.set("error_mix", "off", "test");
    flags.set("workers", "2", "test");
    let journal = folder.join("run.journal");
    flags.set("journal", journal.to_str().unwrap(), "test");
    for (key, text) in settings {
        flags.set(key, *text, "test");
    }
    let sources = Sources {
        base: None,
        flags,
        env: Vec::new(),
    };
    resolve(sources)
        .unwrap_or_else(|errors| panic!("{errors}"))
        .plan
}

/// What a run takes.
struct Prepared {
    plan: Arc<Plan>,
    behavior: Arc<Behavior>,
    journal: Journal,
    no_feeds: Arc<FeedSet>,
}

impl Prepared {
    fn of(plan: Plan, target: &str) -> Prepared {
        let engine = Engine::new(Engine::default_cache(), Compiler::Here, Clock::system()).unwrap();
        let limits = Limits {
            memory: plan.guest.memory,
            call: Duration::from_secs(10),
        };
        let header = Header {
            run: plan.run_id.clone(),
            target: target.into(),
        };
        Prepared {
            behavior: Behavior::of(&engine, &plan.archetypes[0].module, limits).unwrap(),
            journal: Journal::create(&plan.cleanup.journal, &header).unwrap(),
            plan: Arc::new(plan),
            no_feeds: Arc::default(),
        }
    }

    fn run<'a>(&'a self, stopper: &'a Stopper, control: &'a Control) -> Run<'a> {
        Run {
            plan: Arc::clone(&self.plan),
            behaviors: vec![Arc::clone(&self.behavior)],
            feeds: &self.no_feeds,
            journal: &self.journal,
            stopper,
            control,
            clock: Clock::system(),
            start: None,
            others: crate::Others::None,
        }
    }
}

/// Play a run to its end while `steer` steers it, and stop it when that is done first.
async fn steered(settings: &[(&str, &str)], steer: impl AsyncFnOnce(&Steered)) -> (RunEnd, u64) {
    let folder = tempfile::tempdir().unwrap();
    let steered = Steered {
        stopper: Stopper::new(),
        control: Control::new(),
        target: Target::start().await,
        latest: RefCell::new(None),
    };
    let plan = plan(folder.path(), &steered.target.url, settings);
    let prepared = Prepared::of(plan, &steered.target.url);
    let run = prepared.run(&steered.stopper, &steered.control);
    let mut run = std::pin::pin!(execute(run, |snapshot| {
        steered.latest.replace(Some(Arc::clone(snapshot)));
    },));
    let ended = tokio::select! {
        ended = &mut run => ended,
        () = steer(&steered) => {
            steered.stopper.raise();
            run.await
        }
    };
    (ended.unwrap(), steered.target.seen())
}

const FOR_EVER: [(&str, &str); 4] = [
    ("min_request_count", "1000000"),
    ("max_request_count", "1000000"),
    ("delay_min", "1ms"),
    ("delay_max", "2ms"),
];

/// A machine without a free file for the second worker: what the first one would send nobody had counted.
#[tokio::test]
async fn nobody_plays_before_all_workers_stand() {
    let folder = tempfile::tempdir().unwrap();
    let target = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    target.set_nonblocking(true).unwrap();
    let url = format!("http://{}", target.local_addr().unwrap());
    let settings = [&FOR_EVER[..], &[("users", "10")]].concat();
    let prepared = Prepared::of(plan(folder.path(), &url, &settings), &url);
    let early = Cell::new(0);
    let spawn = |init: WorkerInit| {
        if init.worker_index == 0 {
            return thread::spawn(init);
        }
        let until = Instant::now() + Duration::from_millis(500);
        while Instant::now() < until {
            early.set(early.get() + u32::from(target.accept().is_ok()));
            std::thread::yield_now();
        }
        const TOO_MANY_FILES: i32 = 24;
        Err(std::io::Error::from_raw_os_error(TOO_MANY_FILES))
    };
    let (stopper, control) = (Stopper::new(), Control::new());
    let ended = execute_on(spawn, prepared.run(&stopper, &control), |_| ()).await;
    assert!(matches!(ended, Err(RunError::Worker(_))), "{ended:?}");
    assert_eq!(early.get(), 0, "connections of the first worker");
}

/// Users whose task is ended before it has run at all count as gone too.
#[tokio::test]
async fn a_run_that_is_stopped_before_anybody_plays_ends() {
    let settings = [&FOR_EVER[..], &[("users", "10")]].concat();
    for _ in 0..8 {
        let at_once = steered(&settings, async |_| {});
        let ended = tokio::time::timeout(PATIENCE, at_once).await;
        let (ended, seen) = ended.expect("the run does not end");
        assert_eq!(ended.snapshot.requests(), seen);
        assert_eq!(ended.snapshot.users_active(), 0);
    }
}

#[tokio::test]
async fn a_paused_run_sends_nothing_until_it_is_resumed() {
    let settings = [&FOR_EVER[..], &[("users", "10")]].concat();
    let (ended, seen) = steered(&settings, async |run| {
        run.eventually("load", |run| run.target.seen() > 50).await;
        run.control.pause();
        run.silence().await;
        let before = run.target.seen();
        run.control.resume();
        run.eventually("more load", |run| run.target.seen() > before + 50)
            .await;
    })
    .await;
    assert_eq!(ended.snapshot.requests(), seen);
    // Held requests wait, they do not take long.
    let slowest = ended.snapshot.total().latency().quantile(0.9);
    assert!(slowest < Duration::from_millis(600), "{slowest:?}");
}

#[tokio::test]
async fn a_paused_run_can_be_stopped() {
    let settings = [&FOR_EVER[..], &[("users", "10")]].concat();
    let (ended, seen) = steered(&settings, async |run| {
        run.eventually("load", |run| run.target.seen() > 50).await;
        run.control.pause();
        run.silence().await;
    })
    .await;
    assert_eq!(ended.snapshot.requests(), seen);
    assert_eq!(ended.snapshot.users_active(), 0);
}

#[tokio::test]
async fn users_come_and_go_while_the_run_goes_on() {
    let settings = [&FOR_EVER[..], &[("users", "4")]].concat();
    let (ended, seen) = steered(&settings, async |run| {
        for users in [13, 5, 9, 1, 6] {
            run.control.users(users);
            run.eventually("the new number of users", |run| {
                run.users() == u64::from(users)
            })
            .await;
        }
    })
    .await;
    assert_eq!(ended.snapshot.requests(), seen);
    // Nobody plays twice: 4, 9 more, 4 after the first leave and 5 after the second.
    assert_eq!(ended.snapshot.archetypes[0].users_started, 4 + 9 + 4 + 5);
    assert_eq!(ended.snapshot.sessions_active(), 0);
}

#[tokio::test]
async fn a_run_without_users_is_over() {
    let settings = [&FOR_EVER[..], &[("users", "3")]].concat();
    let (ended, _) = steered(&settings, async |run| {
        run.eventually("the start", |run| run.users() == 3).await;
        run.control.users(0);
        std::future::pending().await
    })
    .await;
    assert_eq!(ended.why, EndReason::Finished);
    assert_eq!(ended.snapshot.archetypes[0].users_started, 3);
}
