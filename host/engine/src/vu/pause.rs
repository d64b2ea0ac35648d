//! A session's pause that a swap may cut short: whoever rests for long leaves its waker in its state, and is woken when its
//! behavior plays no more (`--mode now`, and when a version is taken back). Used by `user.rs` and `pool.rs`.
//!
//! What must stay true: a short pause is a timer and nothing else.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Poll, Waker};
use std::time::Duration;

use crate::rollout::runtime::VersionRuntime;
use crate::vu::state::VuState;
use crate::worker::state::WorkerState;

/// A pause that is worth waking somebody from.
const LONG: Duration = Duration::from_secs(1);

/// Wait so long, or until the runtime's sessions are to end.
pub(crate) async fn rest(
    worker: &WorkerState,
    vu: &VuState,
    runtime: &VersionRuntime,
    delay: Duration,
) {
    if delay < LONG {
        return worker.think(delay).await;
    }
    let mut pause = pin!(worker.think(delay));
    poll_fn(|context| {
        if runtime.is_over() {
            return Poll::Ready(());
        }
        vu.waker.replace(Some(context.waker().clone()));
        pause.as_mut().poll(context)
    })
    .await;
    vu.waker.take();
}

/// Have whoever rests look whether its runtime's sessions are to end.
pub(crate) fn wake(vu: &VuState) {
    if let Some(waker) = vu.waker.take() {
        Waker::wake(waker);
    }
}
