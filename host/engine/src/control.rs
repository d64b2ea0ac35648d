//! The handle to a run that goes on: hold its requests back, let them go, change the number of its users, swap a
//! behavior, see how it stands. The command line hands one to [`super::execute`]; whoever holds a clone steers the same
//! run. Ending it is the stopper's part.
//!
//! What must stay true: only the latest desired state counts, and swaps are few at a time, so that a caller in a hurry fills
//! no queue.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use crate::rollout::rollouts::{Mode, Swapped};
use crate::rollout::swap::Source;
use vespeiro_behavior::Behavior;
use vespeiro_metrics::Snapshot;

/// Swaps that may wait to be published.
const WAITING: usize = 8;
/// News that are kept.
const NEWS: usize = 32;

/// What a run is desired to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DesiredState {
    /// No request leaves.
    pub paused: bool,
    /// So many users play, whatever the plan says; `None` while nobody has asked for a number.
    pub users: Option<u32>,
    /// How often a number was asked for: asking twice for the same one replaces those who have finished since.
    pub(super) turn: u64,
}

/// Something about a swap that people should hear.
#[derive(Debug, Clone, PartialEq)]
pub struct News {
    /// Counts up from 1.
    pub number: u64,
    /// Since the start of the run.
    pub elapsed: Duration,
    pub text: String,
    /// A swap came to nothing, or was taken back.
    pub is_bad: bool,
}

/// What the orchestrator is asked to do with a behavior that is ready to play.
#[derive(Debug)]
pub(super) enum ControlRequest {
    Swap {
        ready: Ready,
        reply: oneshot::Sender<Result<Swapped, Elsewhere>>,
    },
    /// Shard 0 says that a swap has stood its test, or that it is taken back.
    Judged {
        archetype: u16,
        is_good: bool,
        done: oneshot::Sender<()>,
    },
    /// A swap came to nothing: count it.
    Refused { archetype: u16, why: String },
}

/// A behavior that has been compiled and rehearsed.
#[derive(Debug, Clone)]
pub(super) struct Ready {
    pub(super) archetype: u16,
    pub(super) behavior: Arc<Behavior>,
    /// For the other shards of the run.
    pub(super) source: Source,
    pub(super) share: f64,
    pub(super) mode: Mode,
}

/// Another shard of the run does not take the behavior: none plays it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("shard {shard}: {why}: no shard plays it")]
pub struct Elsewhere {
    pub shard: usize,
    pub why: String,
}

/// The run is over: there is nothing left to steer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the run is over")]
pub struct Over;

/// Steers a run. Clones steer the same run; without one it does what its plan says.
#[derive(Debug, Clone)]
pub struct Control {
    desired: watch::Sender<DesiredState>,
    calls: mpsc::Sender<ControlRequest>,
    /// Taken by the run when it begins.
    inbox: Arc<Mutex<Option<mpsc::Receiver<ControlRequest>>>>,
    latest: watch::Sender<Option<Arc<Snapshot>>>,
    news: Arc<Mutex<VecDeque<News>>>,
}

impl Default for Control {
    fn default() -> Self {
        Self::new()
    }
}

impl Control {
    /// For a run that nobody has steered yet.
    pub fn new() -> Self {
        let (calls, inbox) = mpsc::channel(WAITING);
        Self {
            desired: watch::Sender::new(DesiredState::default()),
            calls,
            inbox: Arc::new(Mutex::new(Some(inbox))),
            latest: watch::Sender::new(None),
            news: Arc::default(),
        }
    }

    /// Let no new request leave. What is in flight comes to its end; the clock and the plan's duration go on.
    pub fn pause(&self) {
        self.desired.send_modify(|desired| desired.paused = true);
    }

    /// Let the held requests go.
    pub fn resume(&self) {
        self.desired.send_modify(|desired| desired.paused = false);
    }

    /// Have so many users play from now on. New ones begin at once. The youngest go first: at once when they think,
    /// else with the end of their requests.
    pub fn users(&self, users: u32) {
        self.desired.send_modify(|desired| {
            desired.users = Some(users);
            desired.turn += 1;
        });
    }

    /// What was asked for last.
    pub fn desired(&self) -> DesiredState {
        *self.desired.borrow()
    }

    /// The latest state of the run; `None` before it begins.
    pub fn status(&self) -> Option<Arc<Snapshot>> {
        self.latest.borrow().clone()
    }

    /// What has been told of swaps after the news of this number, oldest first.
    pub fn news(&self, after: u64) -> Vec<News> {
        let news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        news.iter().filter(|n| n.number > after).cloned().collect()
    }

    /// Have a behavior play its share of an archetype's new sessions, on all shards of the run.
    pub(super) async fn swap(&self, ready: Ready) -> Result<Result<Swapped, Elsewhere>, Over> {
        let (reply, answer) = oneshot::channel();
        let call = ControlRequest::Swap { ready, reply };
        self.calls.send(call).await.map_err(|_| Over)?;
        answer.await.map_err(|_| Over)
    }

    /// What was swapped last has stood its test, or has not.
    pub(super) async fn judged(&self, archetype: u16, is_good: bool) -> Result<(), Over> {
        let (done, answer) = oneshot::channel();
        let call = ControlRequest::Judged {
            archetype,
            is_good,
            done,
        };
        self.calls.send(call).await.map_err(|_| Over)?;
        answer.await.map_err(|_| Over)
    }

    /// A behavior cannot play: let the run count it.
    pub(super) async fn refused(&self, archetype: u16, why: String) {
        // A run that is over counts nothing any more.
        let _ = self
            .calls
            .send(ControlRequest::Refused { archetype, why })
            .await;
    }

    pub(super) fn show(&self, snapshot: &Arc<Snapshot>) {
        self.latest.send_replace(Some(Arc::clone(snapshot)));
    }

    /// Make the next snapshot out of the latest. Whoever asks for one meanwhile waits.
    pub(super) fn advance<R>(
        &self,
        next: impl FnOnce(&mut Option<Arc<Snapshot>>) -> Option<R>,
    ) -> Option<R> {
        let mut made = None;
        self.latest.send_if_modified(|latest| {
            made = next(latest);
            made.is_some()
        });
        made
    }

    pub(super) fn add_news(&self, elapsed: Duration, text: String, is_bad: bool) {
        let mut news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        let number = news.back().map_or(0, |n| n.number) + 1;
        if news.len() == NEWS {
            news.pop_front();
        }
        news.push_back(News {
            number,
            elapsed,
            text,
            is_bad,
        });
    }

    /// What is asked of the run from now on. A second run with the same handle hears nothing.
    pub(super) fn requests(&self) -> mpsc::Receiver<ControlRequest> {
        let mut inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        inbox.take().unwrap_or_else(|| mpsc::channel(1).1)
    }

    /// Tells of every change, one that was made before included.
    pub(super) fn watch(&self) -> watch::Receiver<DesiredState> {
        let mut desired = self.desired.subscribe();
        if *desired.borrow() != DesiredState::default() {
            desired.mark_changed();
        }
        desired
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_request_counts_and_the_same_number_again_is_a_new_one() {
        let control = Control::new();
        let other = control.clone();
        control.users(5);
        other.pause();
        let mut seen = control.watch();
        assert!(seen.has_changed().unwrap());
        let first = *seen.borrow_and_update();
        assert_eq!((first.paused, first.users), (true, Some(5)));
        other.users(5);
        control.resume();
        assert!(seen.has_changed().unwrap());
        let second = *seen.borrow_and_update();
        assert_eq!((second.paused, second.users), (false, Some(5)));
        assert!(second.turn > first.turn);
    }

    #[test]
    fn a_run_that_nobody_steers_is_told_nothing() {
        assert!(!Control::new().watch().has_changed().unwrap());
    }

    #[test]
    fn news_are_told_once_and_only_the_latest_are_kept() {
        let control = Control::new();
        (0..100).for_each(|i| control.add_news(Duration::ZERO, format!("{i}"), false));
        let all = control.news(0);
        assert_eq!((all.len(), all[0].text.as_str()), (NEWS, "68"));
        assert_eq!(control.news(99).len(), 1);
        assert!(control.news(all[NEWS - 1].number).is_empty());
    }
}
