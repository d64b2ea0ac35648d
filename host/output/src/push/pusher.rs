//! Pushes to one receiver: encodes the latest snapshot, queues it, and sends what is queued, in order. Runs on the thread
//! of its [`super::Push`]. The queue is bounded by bytes; what does not fit is dropped, oldest first, counted and told.

use std::collections::VecDeque;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout_at};

use vespeiro_http::{PostError, Poster};
use vespeiro_metrics::families::{Family, families};
use vespeiro_metrics::{RunInfo, Snapshot};
use vespeiro_model::Clock;
use vespeiro_resilience::Backoff;

/// Most bytes that wait for a receiver.
const MAX_QUEUED: usize = 8 << 20;
/// How long the end of a run waits for a receiver that is there.
const LAST_PUSH: Duration = Duration::from_secs(5);

/// What is pushed of one instant.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    /// The start of the run and the instant, since 1970.
    pub(super) started: Duration,
    pub(super) at: Duration,
    pub(super) families: Vec<Family<'a>>,
    /// A count that appears here was 0 in the frame before.
    pub(super) late_were_zero: bool,
}

impl<'a> Frame<'a> {
    /// Of a run that goes on.
    pub(super) fn of(snapshot: &'a Snapshot, about: &'a RunInfo) -> Frame<'a> {
        let at = (snapshot.started + snapshot.elapsed).duration_since(SystemTime::UNIX_EPOCH);
        let at = at.unwrap_or_default();
        Frame {
            started: at.saturating_sub(snapshot.elapsed),
            at,
            families: families(snapshot, about),
            late_were_zero: true,
        }
    }
}

/// Encodes frames for one protocol.
pub(super) trait Encoder: fmt::Debug + Send {
    /// The flag that asks for it.
    fn flag(&self) -> &'static str;

    /// Bodies of posts, in order.
    fn encode(&mut self, frame: &Frame<'_>) -> Vec<Vec<u8>>;

    /// The end of every series that was sent.
    fn end_series(&mut self) -> Vec<Vec<u8>>;
}

#[derive(Debug)]
pub(super) struct Pusher {
    encoder: Box<dyn Encoder>,
    about: RunInfo,
    poster: Poster,
    every: Duration,
    clock: Clock,
    queue: Queue,
    /// Failures since the last success.
    failures: u32,
    /// Do not post before this time.
    wait: Option<Instant>,
    delivered: u64,
    refused: u64,
    /// The receiver has answered at least once.
    answers: bool,
}

impl Pusher {
    pub(super) fn new(
        encoder: Box<dyn Encoder>,
        about: RunInfo,
        poster: Poster,
        every: Duration,
        clock: Clock,
    ) -> Self {
        Self {
            encoder,
            about,
            poster,
            every,
            clock,
            queue: Queue::default(),
            failures: 0,
            wait: None,
            delivered: 0,
            refused: 0,
            answers: false,
        }
    }

    /// Push until the run is over, then end every series.
    pub(super) async fn push(mut self, mut snapshots: watch::Receiver<Option<Arc<Snapshot>>>) {
        // From the very first snapshot on, so that counters are seen to begin at 0.
        if snapshots.wait_for(Option::is_some).await.is_err() {
            return;
        }
        let mut last = None;
        let mut ticks = interval(self.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let over = tokio::select! {
                _ = ticks.tick() => false,
                () = closed(&mut snapshots) => true,
            };
            let latest = snapshots.borrow().clone();
            self.take(latest, &mut last, over);
            let deadline = match over {
                true => Some(self.clock.now() + LAST_PUSH),
                // The posts under way at the end are a part of what the end may take.
                false => self.deliver_until_over(&mut snapshots).await,
            };
            let Some(deadline) = deadline else { continue };
            let latest = snapshots.borrow().clone();
            self.take(latest, &mut last, true);
            self.queue.add(self.encoder.end_series());
            return self.finish(deadline).await;
        }
    }

    /// Send what is queued. Where the run ends meanwhile, what is under way is cut off at the deadline that is returned.
    async fn deliver_until_over(
        &mut self,
        snapshots: &mut watch::Receiver<Option<Arc<Snapshot>>>,
    ) -> Option<Instant> {
        let clock = self.clock;
        let mut delivery = pin!(self.deliver());
        tokio::select! {
            () = &mut delivery => return None,
            () = closed(snapshots) => {}
        }
        let deadline = clock.now() + LAST_PUSH;
        let _ = timeout_at(deadline, delivery).await;
        Some(deadline)
    }

    /// Queue the latest snapshot where it has counted more than the last one, or is the last of all.
    fn take(
        &mut self,
        latest: Option<Arc<Snapshot>>,
        last: &mut Option<Arc<Snapshot>>,
        over: bool,
    ) {
        let Some(latest) = latest else { return };
        let known = last.as_ref().is_some_and(|last| {
            Arc::ptr_eq(last, &latest) || (!over && last.elapsed == latest.elapsed)
        });
        if !known {
            self.queue
                .add(self.encoder.encode(&Frame::of(&latest, &self.about)));
            *last = Some(latest);
        }
    }

    /// Send what is queued until a post fails.
    async fn deliver(&mut self) {
        if self.wait.is_some_and(|until| self.clock.now() < until) {
            return;
        }
        while let Some(body) = self.queue.bodies.front() {
            let posted = self.poster.post(body.clone()).await;
            self.answers |= !matches!(posted, Err(PostError::Unreached(_)));
            match posted {
                Ok(()) => {
                    self.queue.pop();
                    self.delivered += 1;
                    if self.failures > 0 {
                        tracing::info!("{} is taken again", self.place());
                    }
                    (self.failures, self.wait) = (0, None);
                }
                Err(PostError::Refused { status, words }) => {
                    self.queue.pop();
                    self.refused += 1;
                    if self.refused == 1 {
                        let error = PostError::Refused { status, words };
                        tracing::warn!("{}: {error}; the run goes on", self.place());
                    }
                }
                Err(error) => {
                    if self.failures == 0 {
                        tracing::warn!(
                            "{}: {error}; the run goes on, and it is tried again",
                            self.place()
                        );
                    }
                    let asked = match error {
                        PostError::Busy { wait, .. } => wait,
                        _ => None,
                    };
                    self.failures += 1;
                    let pause = asked.unwrap_or_else(|| Backoff::RECEIVER.wait(self.failures, 1.0));
                    self.wait = Some(self.clock.now() + pause.min(Backoff::RECEIVER.cap));
                    return;
                }
            }
        }
    }

    /// Send the rest up to a deadline. A receiver that has never answered gets one more post.
    async fn finish(mut self, deadline: Instant) {
        self.failures = self.failures.min(1);
        self.wait = None;
        loop {
            // A post under way is cut off at the deadline.
            let _ = timeout_at(deadline, self.deliver()).await;
            let next = self.wait.unwrap_or(deadline);
            if self.queue.bodies.is_empty() || !self.answers || next >= deadline {
                break;
            }
            sleep_until(next).await;
        }
        let lost = self.queue.dropped + self.refused + self.queue.bodies.len() as u64;
        if lost > 0 {
            let sent = lost + self.delivered;
            tracing::warn!("{}: {lost} of {sent} posts were not taken", self.place());
        }
    }

    /// The flag and the receiver.
    fn place(&self) -> String {
        format!("--{} {}", self.encoder.flag(), self.poster.url())
    }
}

/// Wait until every publisher is gone.
async fn closed(snapshots: &mut watch::Receiver<Option<Arc<Snapshot>>>) {
    while snapshots.changed().await.is_ok() {}
}

/// Bodies that wait, oldest first.
#[derive(Debug, Default)]
struct Queue {
    bodies: VecDeque<Vec<u8>>,
    bytes: usize,
    dropped: u64,
}

impl Queue {
    fn add(&mut self, bodies: Vec<Vec<u8>>) {
        for body in bodies {
            self.bytes += body.len();
            self.bodies.push_back(body);
        }
        while self.bytes > MAX_QUEUED && self.bodies.len() > 1 {
            self.pop();
            self.dropped += 1;
        }
    }

    fn pop(&mut self) {
        if let Some(body) = self.bodies.pop_front() {
            self.bytes -= body.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use vespeiro_metrics::testing::{about, snapshot};

    /// Two bodies of each snapshot.
    #[derive(Debug)]
    struct Twice;

    impl Encoder for Twice {
        fn flag(&self) -> &'static str {
            "twice"
        }

        fn encode(&mut self, _: &Frame<'_>) -> Vec<Vec<u8>> {
            vec![vec![1], vec![2]]
        }

        fn end_series(&mut self) -> Vec<Vec<u8>> {
            vec![vec![3]]
        }
    }

    #[test]
    fn a_receiver_that_hangs_delays_the_end_by_five_seconds_whatever_is_under_way() {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().start_paused(true).build().unwrap();
        // It takes connections, and nothing else.
        let mute = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", mute.local_addr().unwrap());
        for played in [100, 2_300, 4_900, 7_000] {
            runtime.block_on(async {
                let poster = Poster::new(url.parse().unwrap(), [], false).unwrap();
                let every = Duration::from_millis(200);
                let pusher = Pusher::new(Box::new(Twice), about(), poster, every, Clock::system());
                let (latest, snapshots) = watch::channel(Some(Arc::new(snapshot())));
                let pushing = tokio::spawn(pusher.push(snapshots));
                tokio::time::sleep(Duration::from_millis(played)).await;
                let ended = Instant::now();
                drop(latest);
                pushing.await.unwrap();
                let took = ended.elapsed();
                let most = LAST_PUSH + Duration::from_millis(10);
                assert!(took <= most, "after {played} ms: {took:?}");
            });
        }
    }

    #[test]
    fn a_full_queue_drops_the_oldest_and_counts_it() {
        let mut queue = Queue::default();
        let big = |first: u8| vec![first; MAX_QUEUED / 2];
        queue.add(vec![big(1), big(2)]);
        assert_eq!((queue.bodies.len(), queue.dropped), (2, 0));
        queue.add(vec![vec![3]]);
        assert_eq!((queue.bodies.len(), queue.dropped), (2, 1));
        assert_eq!(queue.bodies[0][0], 2);
        queue.pop();
        queue.pop();
        queue.pop();
        assert_eq!(queue.bytes, 0);
    }
}
