//! A session's pause that a swap may cut short: whoever rests for long leaves its waker in its badge, and is woken when its
//! behavior plays no more (`--mode now`, and when a version is taken back). Used by `user.rs` and `crew.rs`.
//!
//! What must stay true: a short pause is a timer and nothing else.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Poll, Waker};
use std::time::Duration;

use crate::rollout::runtime::Player;
use crate::vu::pool::Badge;
use crate::vu::task::think;
use crate::worker::state::Floor;

/// A pause that is worth waking somebody from.
const LONG: Duration = Duration::from_secs(1);

/// Wait so long, or until the player's sessions are to end.
pub(crate) async fn rest(floor: &Floor, badge: &Badge, player: &Player, delay: Duration) {
    if delay < LONG {
        return think(floor, delay).await;
    }
    let mut pause = pin!(think(floor, delay));
    poll_fn(|context| {
        if player.is_over() {
            return Poll::Ready(());
        }
        badge.waker.replace(Some(context.waker().clone()));
        pause.as_mut().poll(context)
    })
    .await;
    badge.waker.take();
}

/// Have whoever rests look whether its player's sessions are to end.
pub(crate) fn wake(badge: &Badge) {
    if let Some(waker) = badge.waker.take() {
        Waker::wake(waker);
    }
}
