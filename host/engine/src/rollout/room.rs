//! Sessions of one behavior on one worker that wait for memory, and since when none of them has had any. Kept by
//! `runtime.rs`; times are the load profile's, which stand still in a pause.

use std::cell::Cell;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

/// For so long sessions may wait while none begins.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// A pause lasts as long as it likes: nobody looks more often than this whether it is over.
const SHORTEST_LOOK: Duration = Duration::from_millis(100);

#[derive(Debug, Default)]
pub(crate) struct Room {
    /// Since when sessions wait and none has begun.
    since: Cell<Option<Duration>>,
    /// Sessions that wait.
    waiting: Cell<usize>,
    /// It was said that sessions wait.
    told: Cell<bool>,
    news: Notify,
}

impl Room {
    /// A session has begun.
    pub(crate) fn begun(&self) {
        self.since.set(None);
    }

    pub(crate) fn is_awaited(&self) -> bool {
        self.waiting.get() > 0
    }

    /// Whether it is the first time that a session has to wait.
    pub(crate) fn is_new(&self) -> bool {
        !self.told.replace(true)
    }

    /// Have all who wait look again.
    pub(crate) fn wake(&self) {
        self.news.notify_waiters();
    }

    /// Wait for news, or until it is time to call [`Self::is_hopeless`].
    pub(crate) async fn wait(&self, now: Duration) {
        let since = self.since.get().unwrap_or(now);
        self.since.set(Some(since));
        let left = (since + LONGEST_WAIT).saturating_sub(now);
        let _waiting = Waiting::new(&self.waiting);
        let _ = timeout(left.max(SHORTEST_LOOK), self.news.notified()).await;
    }

    /// Sessions have waited for as long as they may, and none has begun.
    pub(crate) fn is_hopeless(&self, now: Duration) -> bool {
        self.since
            .get()
            .is_some_and(|since| since + LONGEST_WAIT <= now)
    }
}

/// One more who waits. A user may be sent away meanwhile.
struct Waiting<'a>(&'a Cell<usize>);

impl<'a> Waiting<'a> {
    fn new(count: &'a Cell<usize>) -> Self {
        count.set(count.get() + 1);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_waits_is_woken_and_ten_seconds_without_a_beginning_are_hopeless() {
        let room = Room::default();
        let at = Duration::from_secs;
        let began = tokio::time::Instant::now();
        tokio::join!(room.wait(at(3)), async {
            tokio::task::yield_now().await;
            assert!(room.is_awaited());
            room.wake();
        });
        assert!(began.elapsed() < at(1) && !room.is_awaited());
        room.wait(at(5)).await;
        assert_eq!(began.elapsed(), at(8));
        assert!(!room.is_hopeless(at(12)) && room.is_hopeless(at(13)));
        room.begun();
        assert!(!room.is_hopeless(at(100)));
    }
}
