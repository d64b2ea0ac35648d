//! The module loader, and a session of whatever it takes: WebAssembly, or its text, in which one changed number leaves the
//! rest of a module valid. Each call of a guest has a cap on its time, each instance one on its memory.
#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use tokio::runtime::{Builder, Runtime};
use tokio::task::LocalSet;
use vespeiro_behavior::types::{Pace, Purpose, Setup, User};
use vespeiro_behavior::{Behavior, Compiler, Engine, Feeder, Limits, Slot};
use vespeiro_engine::SessionEnd;
use vespeiro_engine::rehearsal::{Bounds, Happening, Replies, play};
use vespeiro_fuzz::{is_one_line, plan};
use vespeiro_model::Clock;
use vespeiro_plan::{Flags, Plan};

static ENGINE: LazyLock<Engine> =
    LazyLock::new(|| Engine::new(None, Compiler::Here, Clock::system()).expect("an engine"));

static PLAN: LazyLock<Plan> = LazyLock::new(|| plan(Flags::default()).expect("a plan").plan);

const LIMITS: Limits = Limits {
    memory: 4 << 20,
    call: Duration::from_millis(20),
};

thread_local! {
    /// Guests are called by a task on a runtime of one thread, where a call that waits or starts a runtime would panic.
    static WORKER: (Runtime, LocalSet) = (
        Builder::new_current_thread().enable_all().build().expect("a runtime"),
        LocalSet::new(),
    );
}

fuzz_target!(|data: &[u8]| {
    let text = std::str::from_utf8(data).ok();
    let module = text.and_then(|text| wat::parse_str(text).ok());
    let bytes = module.as_deref().unwrap_or(data);
    WORKER.with(|(runtime, local)| local.block_on(runtime, async { load_and_play(bytes) }));
});

fn load_and_play(bytes: &[u8]) {
    let behavior = match Behavior::load(&ENGINE, "fuzzed.wasm", bytes, LIMITS) {
        Ok(behavior) => behavior,
        Err(error) => return is_one_line(error),
    };
    assert!(behavior.routes.len() <= 512 && behavior.categories.len() <= 32);
    let marks = vec!["user:x".into(), "token:Bearer t".into()];
    for purpose in [Purpose::Journey, Purpose::Cleanup(marks)] {
        let mut slot = Slot::new(behavior.clone(), 7);
        let mut replies = Replies::made_up();
        let mut sent = 0;
        let count =
            |_, what: Happening<'_>| sent += u32::from(matches!(what, Happening::Sent { .. }));
        let played = play(
            &mut slot,
            &setup(purpose),
            &Feeder::default(),
            &mut replies,
            Bounds {
                plan: &PLAN,
                budget: 20,
                clock: Clock::system(),
            },
            count,
        );
        assert!(sent <= 20 && sent == played.requests);
        if let SessionEnd::Crashed(crash) = played.ended {
            is_one_line(crash);
        }
    }
}

fn setup(purpose: Purpose) -> Setup {
    Setup {
        user: User {
            index: 0,
            seed: 1,
            username: "sim_user_fuzzruns_0".into(),
            email: "sim_user_fuzzruns_0@simulation.test".into(),
            password: "secret".into(),
            name: "Simulation User 0".into(),
        },
        ordinal: 0,
        seed: 2,
        purpose,
        pace: Pace {
            delay_min_ms: 0,
            delay_max_ms: 10,
        },
        run: "fuzzruns".into(),
        config: r#"{"admin":{"email":"a@example.test","password":"secret"}}"#.into(),
    }
}
