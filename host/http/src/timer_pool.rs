//! Timers that requests take turns with: the client arms one for each attempt and puts it back afterwards. A timer of
//! its own would cost each request an allocation and two turns of the runtime's timer wheel; one that is only ever moved
//! later costs a store.
//!
//! What must stay true: a timer ends no other work than that which it was armed for.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use tokio::time::{Instant, Sleep};

/// As many as there have been requests at the same time.
#[derive(Debug, Default)]
pub(crate) struct TimerPool {
    resting: RefCell<Vec<Pin<Box<Sleep>>>>,
}

impl TimerPool {
    /// Work on it until `deadline`; `None` when it was not done by then. The work is the caller's, so that it is not moved
    /// into a future of its own.
    pub(crate) async fn within<W: Future>(
        &self,
        deadline: Instant,
        mut work: Pin<&mut W>,
    ) -> Option<W::Output> {
        let timer = self.resting.borrow_mut().pop();
        let mut timer = match timer {
            Some(mut timer) => {
                timer.as_mut().reset(deadline);
                timer
            }
            None => Box::pin(tokio::time::sleep_until(deadline)),
        };
        let done = poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => timer.as_mut().poll(context).map(|()| None),
        })
        .await;
        self.resting.borrow_mut().push(timer);
        done
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::pin::pin;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn an_alarm_is_used_again_and_ends_only_what_is_late() {
        let timers = TimerPool::default();
        let after = |millis| Instant::now() + Duration::from_millis(millis);
        assert_eq!(timers.within(after(20), pin!(ready(7))).await, Some(7));
        // The first one would ring in the middle of this.
        let work = pin!(tokio::time::sleep(Duration::from_millis(60)));
        assert_eq!(timers.within(after(60_000), work).await, Some(()));
        // Earlier than it was set to ring.
        assert_eq!(timers.within(after(10), pin!(pending::<()>())).await, None);
        assert_eq!(timers.resting.borrow().len(), 1);
        let never = pin!(pending::<()>());
        let soon = pin!(tokio::time::sleep(Duration::from_millis(30)));
        let both = tokio::join!(
            timers.within(after(10), never),
            timers.within(after(60_000), soon)
        );
        assert_eq!(both, (None, Some(())));
        assert_eq!(timers.resting.borrow().len(), 2);
    }
}
