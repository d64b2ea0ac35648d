//! Behaviors written by hand, as text, played without a run: what comes in, what is kept out, and what it costs.

mod bounds;
mod composed;
mod feeds;
mod forms;
mod noise;
mod proposals;
mod wasi;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::contract::Version;
use super::{
    Behavior, Compiler, Engine, Feeder, GuestEvent, Limits, LoadErrorKind, Session, Slot, types,
};
use vespeiro_model::Clock;

const BY_HAND: &str = include_str!("../../../../tests/e2e/guests/by_hand.wat");

const LIMITS: Limits = Limits {
    memory: 1 << 20,
    // Generous: only a loop without end should meet it, however busy the machine is.
    call: Duration::from_secs(2),
};

fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| Engine::new(None, Compiler::Here, Clock::system()).unwrap())
}

/// The module with `more` put where the marks stand.
fn by_hand(more: &[(&str, &str)]) -> Vec<u8> {
    let mut text = BY_HAND.to_owned();
    for (mark, code) in more {
        let mark = format!(";; {mark}\n");
        assert!(text.contains(&mark), "{mark}");
        text = text.replace(&mark, &format!("{code}\n"));
    }
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}"))
}

fn load(bytes: &[u8]) -> Result<Arc<Behavior>, LoadErrorKind> {
    Behavior::load(engine(), "test.wasm", bytes, LIMITS).map_err(|error| error.kind)
}

fn setup(seed: u64) -> types::Setup {
    types::Setup {
        user: types::User {
            index: 0,
            seed: 1,
            username: "sim_user_test_0".into(),
            email: "sim_user_test_0@simulation.test".into(),
            password: "secret".into(),
            name: "Simulation User 0".into(),
        },
        ordinal: 0,
        seed,
        purpose: types::Purpose::Journey,
        pace: types::Pace {
            delay_min_ms: 0,
            delay_max_ms: 0,
        },
        run: "testruns".into(),
        config: "{}".into(),
    }
}

fn slot(bytes: &[u8]) -> Slot {
    Slot::new(load(bytes).unwrap(), 7)
}

fn begin(slot: &mut Slot, seed: u64) -> Session {
    slot.begin(setup(seed), Feeder::default()).unwrap().session
}

/// The next step at `elapsed_ms`, with what the session said meanwhile.
fn next(
    session: &mut Session,
    elapsed_ms: u64,
) -> (Result<Result<types::Step, String>, String>, Vec<GuestEvent>) {
    let context = types::Context {
        elapsed_ms,
        requests_left: 10,
        mix: Vec::new(),
        fault: None,
    };
    let answer = session.next(context, Vec::new());
    let mut events = Vec::new();
    session.events(|event| events.push(event));
    (answer.map_err(|crash| crash.to_string()), events)
}

/// Why the first step of a session crashed.
fn crash_of(more: &[(&str, &str)]) -> String {
    let mut slot = slot(&by_hand(more));
    let mut session = begin(&mut slot, 1);
    next(&mut session, 0).0.unwrap_err()
}
