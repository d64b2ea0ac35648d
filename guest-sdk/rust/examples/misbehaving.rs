//! A behavior that goes wrong in the way its config names, after `after` good requests: what a host's tests run to
//! see that the run goes on. Config: `{"mode": "trap", "after": 2}`; see [`Mode`]. With `"share": 0.125` one session in eight
//! does.

use serde::Deserialize;
use vespeiro_guest::prelude::*;
use vespeiro_guest::{Behavior, Journey};

const HEALTH: Route = Route::get("/health", "monitoring");
const ELSEWHERE: Route = Route::get("http://192.0.2.1/health", "monitoring");
const CONTROL: Route = Route::get("/health\r\nx-evil: 1", "monitoring");
const UNDECLARED: Route = Route::get("/undeclared", "monitoring");

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Mode {
    /// Nothing wrong: ends after the good requests.
    None,
    /// Panics.
    Trap,
    /// Panics in the session's constructor.
    TrapConstructor,
    /// Pauses for ever, a minute at a time, and panics when the session is dropped.
    TrapDrop,
    /// Computes for ever.
    Loop,
    /// Pauses for ever, 0 ms each.
    Spin,
    /// Takes all the memory that it gets.
    Alloc,
    /// Calls itself without end.
    Recursion,
    /// Answers `err`.
    Error,
    /// Gives a path with a scheme and a host.
    AbsoluteUrl,
    /// Gives a path with control characters.
    ControlPath,
    /// Gives a header value with a line break.
    HeaderInjection,
    /// Pauses for 49 days.
    HugeDelay,
    /// Sends a thousand requests in one step.
    HugeBatch,
    /// Uses a route that `describe` does not list.
    UndeclaredRoute,
    /// Writes a thousand log lines.
    LogFlood,
    /// Counts a thousand checks with different names.
    CheckFlood,
}

#[derive(Deserialize)]
struct Config {
    mode: Mode,
    #[serde(default)]
    after: u32,
    /// The part of its sessions that goes wrong, 0 to 1.
    #[serde(default = "always")]
    share: f64,
}

fn always() -> f64 {
    1.0
}

async fn journey(me: &mut Me) -> Result<()> {
    let Config { mode, after, share } = me.config()?;
    let _trap = TrapOnDrop(mode == Mode::TrapDrop);
    for _ in 0..after {
        me.call(HEALTH).send().await?;
        me.think().await;
    }
    match me.chance(share) {
        true => misbehave(me, mode).await,
        false => Ok(()),
    }
}

async fn misbehave(me: &Me, mode: Mode) -> Result<()> {
    match mode {
        Mode::None | Mode::TrapConstructor => {}
        Mode::TrapDrop => loop {
            me.wait_ms(60_000).await;
        },
        Mode::Trap => panic!("misbehaving on purpose"),
        Mode::Loop => loop {
            std::hint::black_box(());
        },
        Mode::Spin => loop {
            me.wait_ms(0).await;
        },
        Mode::Alloc => {
            let mut hoard = Vec::new();
            loop {
                hoard.push(std::hint::black_box(vec![1_u8; 1 << 20]));
            }
        }
        Mode::Recursion => {
            std::hint::black_box(deeper(1));
        }
        Mode::Error => return Err(Error::usage("wrong on purpose")),
        Mode::AbsoluteUrl => drop(me.call(ELSEWHERE).send().await?),
        Mode::ControlPath => drop(me.call(CONTROL).send().await?),
        Mode::UndeclaredRoute => drop(me.call(UNDECLARED).send().await?),
        Mode::HeaderInjection => drop(
            me.call(HEALTH)
                .header("x-note", "a\r\nx-evil: 1")
                .send()
                .await?,
        ),
        Mode::HugeDelay => me.wait_ms(u32::MAX).await,
        Mode::HugeBatch => drop(me.batch((0..1000).map(|_| me.call(HEALTH)).collect()).await),
        Mode::LogFlood => (0..1000).for_each(|line| me.log(Level::Info, &format!("line {line}"))),
        Mode::CheckFlood => {
            (0..1000).for_each(|name| assert!(me.check(&format!("check {name}"), true)));
        }
    }
    me.call(HEALTH).send().await?;
    Ok(())
}

#[allow(unconditional_recursion)] // the point
fn deeper(depth: u64) -> u64 {
    std::hint::black_box(deeper(std::hint::black_box(depth + 1)) + 1)
}

struct TrapOnDrop(bool);

impl Drop for TrapOnDrop {
    fn drop(&mut self) {
        assert!(!self.0, "misbehaving on purpose, at the end");
    }
}

fn start(mut me: Me) -> Journey {
    if let Ok(Config {
        mode: Mode::TrapConstructor,
        ..
    }) = me.config()
    {
        panic!("misbehaving on purpose, at the beginning");
    }
    Box::pin(async move { journey(&mut me).await })
}

/// The behavior of this module. What no path is a host refuses in `describe` already, so only the sessions use it.
pub static BEHAVIOR: Behavior = Behavior::new("misbehaving", "0.1.0", &[HEALTH], start);
vespeiro_guest::export_behavior!(&BEHAVIOR);
