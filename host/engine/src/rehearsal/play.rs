//! One session, played as a run would by the same driver, over replies instead of a target and with a clock that only
//! knows delays and replies. Behind `vespeiro check` and `vespeiro rehearse`.

use std::sync::Arc;
use std::time::Duration;

use ::http::Method;
use futures_util::FutureExt as _;

use super::channels::Channels;
use super::replies::{Answer, Replies};
use crate::driver::{SessionEnd, Transport, drive};
use crate::transactions::{Moment, Transactions};
use crate::vu::channels::ChannelRefused;
use crate::vu::prepare::{StepRefused, check};
use crate::vu::session::SHARES_TOO_LATE;
use vespeiro_behavior::types::{
    Body, Content, Context, Once, Opened, Operation, Outcome, Purpose, Request, RouteRef, Setup,
    Step,
};
use vespeiro_behavior::{Behavior, Feeder, GuestEvent, Session, Slot, StartedSession};
use vespeiro_http::Heads;
use vespeiro_metrics::Span;
use vespeiro_model::{ChannelKind, Clock, Failure};
use vespeiro_plan::Plan;

/// Steps of a session that never ends by itself.
const MAX_STEPS: u32 = 10_000;

/// What happens in a session, in turn.
#[derive(Debug)]
pub enum Happening<'a> {
    Wait {
        ms: u32,
    },
    Sent {
        request: &'a Request,
        /// The template and the category that it counts for.
        route: &'a str,
        category: &'a str,
        answer: &'a Answer,
        /// `describe` does not list its method and route: it counts as `other`.
        undeclared: bool,
    },
    /// A message was sent over a channel, or has come over it.
    Message {
        channel: u32,
        sent: bool,
        content: &'a Content,
    },
    Said(GuestEvent),
    /// A transaction begins, or has ended: whether it passed, and how long it took.
    Transaction {
        name: &'a str,
        ended: Option<(bool, Span)>,
    },
}

/// A session that is over.
#[derive(Debug)]
pub struct Played {
    pub ended: SessionEnd,
    pub steps: u32,
    pub requests: u32,
    /// What the session was told of time at its end, in milliseconds.
    pub elapsed_ms: u64,
    /// How long each call of `next` took.
    pub calls: Vec<Duration>,
}

/// What a rehearsal plays within.
#[derive(Debug, Clone, Copy)]
pub struct Bounds<'a> {
    /// What it would be played against.
    pub plan: &'a Plan,
    /// Most requests of a session.
    pub budget: u32,
    /// Measures how long the behavior takes; a session does not see it.
    pub clock: Clock,
}

/// Play one session in `slot`, with the rows of `feeder`. `watch` sees what happens, and when.
pub fn play(
    slot: &mut Slot,
    setup: &Setup,
    feeder: &Feeder,
    replies: &mut Replies,
    bounds: Bounds<'_>,
    mut watch: impl FnMut(u64, Happening<'_>),
) -> Played {
    let mut played = Played {
        ended: SessionEnd::Cut,
        steps: 0,
        requests: 0,
        elapsed_ms: 0,
        calls: Vec::new(),
    };
    let behavior = Arc::clone(slot.behavior());
    let mut session = match slot.begin(setup.clone(), feeder.clone()) {
        Ok(StartedSession { session, .. }) => session,
        Err(crash) => {
            played.ended = SessionEnd::Crashed(crash);
            return played;
        }
    };
    let mut transactions = Transactions::default();
    let prepares = setup.purpose == Purpose::Once(Once::Prepare);
    let begun = (Moment::default(), prepares);
    session.events(|event| said(event, &mut transactions, begun, &mut watch));
    let mut rehearsed = Rehearsed {
        behavior,
        session,
        transactions,
        prepares,
        idle_ms: 0,
        replies,
        channels: Channels::default(),
        bounds,
        played: &mut played,
        watch: &mut watch,
    };
    // It never waits for anything.
    let ended = drive(&mut rehearsed).now_or_never();
    let ended = ended.unwrap_or(SessionEnd::Cut);
    if !matches!(ended, SessionEnd::Cut) {
        rehearsed.close_transactions();
    }
    let Rehearsed { session, .. } = rehearsed;
    played.ended = match (session.end(), ended) {
        (Err(crash), ended) if !matches!(ended, SessionEnd::Crashed(_)) => {
            SessionEnd::Crashed(crash)
        }
        (_, ended) => ended,
    };
    played
}

/// A session over replies.
struct Rehearsed<'a, W> {
    behavior: Arc<Behavior>,
    session: Session,
    transactions: Transactions,
    prepares: bool,
    /// How long it has waited before the requests of its steps.
    idle_ms: u64,
    replies: &'a mut Replies,
    channels: Channels,
    bounds: Bounds<'a>,
    played: &'a mut Played,
    watch: &'a mut W,
}

impl<W: FnMut(u64, Happening<'_>)> Transport for Rehearsed<'_, W> {
    fn next(&mut self, outcomes: Vec<Outcome>) -> Result<Step, SessionEnd> {
        let (now, prepares) = (self.moment(), self.prepares);
        let Self {
            played,
            watch,
            transactions,
            ..
        } = self;
        if played.steps == MAX_STEPS {
            let why = format!("it has not come to its end after {MAX_STEPS} steps");
            return Err(SessionEnd::Refused(why));
        }
        let context = Context {
            elapsed_ms: played.elapsed_ms,
            requests_left: self.bounds.budget - played.requests,
            mix: Vec::new(),
            fault: None,
        };
        let called = self.bounds.clock.now();
        let answer = self.session.next(context, outcomes);
        played.calls.push(self.bounds.clock.since(called));
        played.steps += 1;
        self.session
            .events(|event| said(event, transactions, (now, prepares), watch));
        if let Some(why) = transactions.complaint.take() {
            return Err(SessionEnd::Refused(why));
        }
        match answer {
            Ok(Ok(step)) => Ok(step),
            Ok(Err(message)) => Err(SessionEnd::Failed(message)),
            Err(crash) => Err(SessionEnd::Crashed(crash)),
        }
    }

    async fn wait(&mut self, step: &Step) {
        if step.delay_ms > 0 {
            let ms = step.delay_ms;
            (self.watch)(self.played.elapsed_ms, Happening::Wait { ms });
            self.played.elapsed_ms += u64::from(ms);
            self.idle_ms += u64::from(ms);
        }
    }

    fn may_send(&mut self, requests: bool) -> Result<bool, SessionEnd> {
        match requests && self.played.requests == self.bounds.budget {
            true => Err(SessionEnd::Cut),
            false => Ok(true),
        }
    }

    async fn send(&mut self, requests: Vec<Request>) -> Result<Vec<Outcome>, SessionEnd> {
        let failed = |refused: &dyn std::fmt::Display| SessionEnd::Refused(refused.to_string());
        check(&self.behavior, &requests).map_err(|refused| failed(&refused))?;
        self.sendable(requests.iter())?;
        let mut slowest_us = 0;
        let each = requests.iter();
        let outcomes = each.map(|request| self.answer(request, &mut slowest_us).outcome);
        let outcomes = outcomes.collect();
        self.played.elapsed_ms += slowest_us / 1000;
        Ok(outcomes)
    }

    async fn carry_out(&mut self, operations: Vec<Operation>) -> Result<Vec<Outcome>, SessionEnd> {
        let refused = |refused: ChannelRefused| SessionEnd::Refused(refused.to_string());
        self.channels.check(&operations).map_err(refused)?;
        self.sendable(operations.iter().filter_map(Operation::request))?;
        let mut longest_us = 0;
        let each = operations.iter();
        let outcomes = each.map(|operation| self.operation(operation, &mut longest_us));
        let outcomes = outcomes.collect();
        self.played.elapsed_ms += longest_us / 1000;
        Ok(outcomes)
    }
}

impl<W: FnMut(u64, Happening<'_>)> Rehearsed<'_, W> {
    fn moment(&self) -> Moment {
        Moment {
            at: Duration::from_millis(self.played.elapsed_ms),
            idle: Duration::from_millis(self.idle_ms),
        }
    }

    /// What was open when it came to its end has not passed.
    fn close_transactions(&mut self) {
        let at_ms = self.played.elapsed_ms;
        for (name, span) in self.transactions.close(self.moment()) {
            let (name, ended) = (&*name, Some((false, span)));
            (self.watch)(at_ms, Happening::Transaction { name, ended });
        }
    }

    /// Whether a run would send them.
    fn sendable<'r>(
        &self,
        mut requests: impl Iterator<Item = &'r Request>,
    ) -> Result<(), SessionEnd> {
        let refused = |refused: &dyn std::fmt::Display| SessionEnd::Refused(refused.to_string());
        let heads = Heads::unsent(self.bounds.plan).map_err(|error| refused(&error))?;
        let sendable = requests.try_for_each(|one| sendable(&self.behavior, one, &heads));
        sendable.map_err(|error| refused(&error))
    }

    /// What comes of a request, and at least how long that takes.
    fn answer(&mut self, request: &Request, longest_us: &mut u64) -> Answer {
        let Self { played, watch, .. } = self;
        if played.requests == self.bounds.budget {
            return Answer {
                outcome: Outcome::Failed(Failure::Stopped),
                made_up: false,
                messages: None,
            };
        }
        played.requests += 1;
        let route = self.behavior.route_of(request);
        let answer = self.replies.answer(request, route);
        let undeclared = matches!(request.route, RouteRef::Undescribed(_));
        if let Outcome::Response(response) = &answer.outcome {
            *longest_us = response.latency_us.max(*longest_us);
        }
        let sent = Happening::Sent {
            request,
            route,
            category: self.behavior.category_of(request),
            answer: &answer,
            undeclared,
        };
        watch(played.elapsed_ms, sent);
        answer
    }

    fn operation(&mut self, operation: &Operation, longest_us: &mut u64) -> Outcome {
        let (kind, request) = match operation {
            Operation::Request(request) => return self.answer(request, longest_us).outcome,
            Operation::Open(kind, request) => (*kind, request),
            Operation::Send { channel, content } => {
                self.channels.send(*channel, content);
                self.tell(*channel, true, content);
                return Outcome::Done;
            }
            Operation::Receive {
                channel,
                at_most,
                within_ms,
            } => {
                let at_us = self.played.elapsed_ms * 1000;
                let (received, enough) = self.channels.receive(*channel, *at_most, at_us);
                if !enough {
                    *longest_us = (u64::from(*within_ms) * 1000).max(*longest_us);
                }
                for message in &received.messages {
                    self.tell(*channel, false, &message.content);
                }
                return Outcome::Received(received);
            }
            Operation::Close(channel) => {
                self.channels.close(*channel);
                return Outcome::Done;
            }
        };
        let Answer {
            outcome,
            made_up,
            messages,
        } = self.answer(request, longest_us);
        match outcome {
            Outcome::Response(response) if made_up || messages.is_some() => {
                Outcome::Opened(Opened {
                    channel: self.channels.open(kind, messages),
                    status: match kind {
                        ChannelKind::WebSocket => 101,
                        ChannelKind::EventStream => 200,
                    },
                    headers: response.headers,
                    latency_us: response.latency_us,
                })
            }
            other => other,
        }
    }

    fn tell(&mut self, channel: u32, sent: bool, content: &Content) {
        let message = Happening::Message {
            channel,
            sent,
            content,
        };
        (self.watch)(self.played.elapsed_ms, message);
    }
}

/// Tell what a session has told the host.
fn said(
    event: GuestEvent,
    transactions: &mut Transactions,
    (now, prepares): (Moment, bool),
    watch: &mut impl FnMut(u64, Happening<'_>),
) {
    let at_ms = now.at.as_millis() as u64;
    let (name, ended) = match &event {
        GuestEvent::Share(_) if !prepares => {
            return transactions.complain(SHARES_TOO_LATE.into());
        }
        GuestEvent::Begin(name) => {
            transactions.begin(name, now);
            (name, None)
        }
        GuestEvent::End {
            transaction,
            passed,
        } => match transactions.end(transaction, now) {
            Some(span) => (transaction, Some((*passed, span))),
            None => return,
        },
        _ => return watch(at_ms, Happening::Said(event)),
    };
    watch(at_ms, Happening::Transaction { name, ended });
}

/// What a run would refuse of a request, it refuses too.
fn sendable(behavior: &Behavior, request: &Request, heads: &Heads) -> Result<(), StepRefused> {
    let method = Method::from_bytes(request.method.as_str().as_bytes()).unwrap_or_default();
    let (path, headers) = (request.path.clone(), request.headers.clone());
    let call = match request.grpc {
        true => heads.grpc(
            0,
            path,
            headers,
            &request.body.as_ref().map(Body::shown).unwrap_or_default(),
        ),
        false => heads.call(0, &method, path, headers, None),
    };
    call.map(drop).map_err(|refused| StepRefused::Request {
        route: behavior.route_of(request).to_owned(),
        refused,
    })
}
