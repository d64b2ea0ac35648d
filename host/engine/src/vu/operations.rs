//! Carries out a step's operations together: its requests as `exchange.rs` sends them, and what is done with channels. Used by
//! `live.rs` and by the teardown; steps of requests alone do not come here.
//!
//! What must stay true: a request that opens a channel is admitted, counted and settled as any other.

use std::rc::Rc;
use std::time::Duration;

use futures_util::future::{Either, LocalBoxFuture, join_all, select};
use tokio::time::Instant;

use super::channels::{Channels, close, observer, received, send};
use super::exchange::{Batch, Sent, catch_breath, exchange, learn, leave, refused, settle};
use super::pause::rest;
use super::prepare::{Prepared, StepRefused, prepare};
use super::state::VuState;
use crate::admission::{admit, over_budget};
use crate::rollout::runtime::VersionRuntime;
use crate::witness::Seen;
use crate::worker::state::WorkerState;
use vespeiro_behavior::MAX_BATCH;
use vespeiro_behavior::types::{Content, Opened, Operation, Outcome};
use vespeiro_http::Channel;
use vespeiro_model::{ChannelKind, Failure};

/// An operation that was checked.
pub(crate) enum Planned {
    Request(Prepared),
    Open(ChannelKind, Prepared),
    Send(u32, Rc<Channel>, Content),
    Receive(u32, Rc<Channel>, usize, Duration),
    Close(Rc<Channel>),
}

/// Check all operations of a step before any of them is carried out. Channels that it closes are named no more.
pub(crate) fn plan(
    worker: &WorkerState,
    runtime: &VersionRuntime,
    channels: &mut Channels,
    operations: Vec<Operation>,
) -> Result<Vec<Planned>, StepRefused> {
    if operations.len() > MAX_BATCH {
        return Err(StepRefused::Operations(operations.len()));
    }
    channels.check(&operations)?;
    let mut requests = Vec::new();
    let mut planned = Vec::with_capacity(operations.len());
    // Requests are checked together: a place is kept for each.
    for operation in operations {
        let get = |number| channels.get(number);
        planned.push(match operation {
            Operation::Request(request) => {
                requests.push(request);
                Place::Request(None)
            }
            Operation::Open(kind, request) => {
                requests.push(request);
                Place::Request(Some(kind))
            }
            Operation::Send { channel, content } => {
                Place::of(get(channel).map(|open| Planned::Send(channel, open, content)))
            }
            Operation::Receive {
                channel,
                at_most,
                within_ms,
            } => {
                let within = Duration::from_millis(u64::from(within_ms));
                let receive = |open| Planned::Receive(channel, open, at_most as usize, within);
                Place::of(get(channel).map(receive))
            }
            Operation::Close(number) => {
                let channel = get(number);
                channels.remove(number);
                Place::of(channel.map(Planned::Close))
            }
        });
    }
    let mut requests = prepare(worker, runtime, requests)?.into_iter();
    let each = planned.into_iter().filter_map(|place| match place {
        Place::Request(None) => requests.next().map(Planned::Request),
        Place::Request(Some(kind)) => requests.next().map(|one| Planned::Open(kind, one)),
        Place::Other(planned) => planned,
    });
    Ok(each.collect())
}

enum Place {
    /// That of a request, which perhaps opens a channel.
    Request(Option<ChannelKind>),
    Other(Option<Planned>),
}

impl Place {
    fn of(planned: Option<Planned>) -> Self {
        Self::Other(planned)
    }
}

/// What the requests among the operations that will be carried out are admitted by.
pub(crate) fn admitted(
    planned: &[Planned],
    left: u32,
) -> impl Iterator<Item = (u16, bool)> + Clone + '_ {
    let requests = planned.iter().filter_map(request);
    requests.take(left as usize).map(Prepared::admitted_by)
}

fn request(planned: &Planned) -> Option<&Prepared> {
    match planned {
        Planned::Request(one) | Planned::Open(_, one) => Some(one),
        Planned::Send(..) | Planned::Receive(..) | Planned::Close(_) => None,
    }
}

/// Whose operations they are.
pub(crate) struct Stage<'a> {
    pub(crate) worker: &'a Rc<WorkerState>,
    pub(crate) vu: &'a VuState,
    pub(crate) runtime: &'a VersionRuntime,
    /// When the session began.
    pub(crate) began: Instant,
}

/// What came of an operation.
enum Done {
    Outcome(Outcome),
    Opened(Opened, Channel),
}

/// Carry them out together. The first `left` requests are sent, the rest end as `stopped`.
pub(crate) async fn carry_out(
    stage: &Stage<'_>,
    channels: &mut Channels,
    planned: Vec<Planned>,
    left: u32,
) -> Sent {
    let Stage {
        worker,
        vu,
        runtime,
        began,
    } = *stage;
    let within = planned.iter().filter_map(request).take(left as usize);
    worker.mark_before_send(within.clone().filter_map(|one| one.mark.as_deref()));
    let batch = Batch::new(worker, vu, runtime, left - within.count() as u32);
    let mut sendable = left;
    let mut each: Vec<LocalBoxFuture<'_, Done>> = Vec::with_capacity(planned.len());
    for one in planned {
        let batch = &batch;
        if let Some(request) = request(&one) {
            if sendable == 0 {
                over_budget(worker, vu, runtime, request);
                let stopped = Done::Outcome(Outcome::Failed(Failure::Stopped));
                each.push(Box::pin(std::future::ready(stopped)));
                continue;
            }
            sendable -= 1;
        }
        each.push(match one {
            Planned::Request(one) => Box::pin(async { Done::Outcome(exchange(batch, one).await) }),
            Planned::Open(kind, one) => Box::pin(open(worker, batch, kind, one)),
            Planned::Send(number, channel, content) => Box::pin(async move {
                let limit = worker.plan.target.request_timeout;
                show(worker, number, true, &content, "");
                Done::Outcome(send(&channel, content, limit).await)
            }),
            Planned::Receive(number, channel, most, within) => Box::pin(async move {
                let came = Box::pin(channel.receive(most, within));
                // A swap may end it.
                let over = Box::pin(rest(worker, vu, runtime, within));
                let came = match select(came, over).await {
                    Either::Left((came, _)) => came,
                    Either::Right(_) => channel.receive(most, Duration::ZERO).await,
                };
                let outcome = received(came, began);
                if let Outcome::Received(received) = &outcome {
                    for message in &received.messages {
                        show(worker, number, false, &message.content, &message.event);
                    }
                }
                Done::Outcome(outcome)
            }),
            Planned::Close(channel) => Box::pin(async move {
                close(&channel).await;
                Done::Outcome(Outcome::Done)
            }),
        });
    }
    let done = join_all(each).await;
    // Whatever was ready at once: others have their turn.
    tokio::task::consume_budget().await;
    let outcomes = done.into_iter().map(|done| match done {
        Done::Outcome(outcome) => outcome,
        Done::Opened(mut opened, channel) => {
            opened.channel = channels.add(channel);
            Outcome::Opened(opened)
        }
    });
    let outcomes = outcomes.collect();
    batch.sent(outcomes, left)
}

/// Show a message to who looks on.
fn show(worker: &WorkerState, channel: u32, sent: bool, content: &Content, event: &str) {
    if let Some(witness) = &worker.witness {
        witness.saw(Seen::Message {
            channel,
            sent,
            content,
            event,
        });
    }
}

/// Open a channel: one attempt, which follows no redirect.
async fn open(
    worker: &Rc<WorkerState>,
    batch: &Batch<'_>,
    kind: ChannelKind,
    mut one: Prepared,
) -> Done {
    let mut permit = match admit(worker, batch.vu, batch.runtime, &one).await {
        Ok(permit) => permit,
        Err(failure) => return Done::Outcome(refused(batch, failure).outcome),
    };
    let number = leave(batch, &mut permit, &mut one);
    let observer = observer(worker, kind);
    let opening = worker
        .targets
        .open_for(batch.vu.archetype, &one.call, kind, observer);
    let (sent, channel) = Box::pin(opening).await;
    learn(batch, &one, &sent);
    let attempt = settle(batch, permit, &one, sent, number, None);
    let outcome = attempt.outcome;
    if matches!(outcome, Outcome::Failed(Failure::Generator)) {
        catch_breath(worker).await;
    }
    match (channel, outcome) {
        (Some(channel), Outcome::Response(response)) => {
            worker.recorder.borrow_mut().channel_opened(kind);
            let opened = Opened {
                channel: 0,
                status: response.status,
                headers: response.headers,
                latency_us: response.latency_us,
            };
            Done::Opened(opened, channel)
        }
        (_, outcome) => Done::Outcome(outcome),
    }
}
