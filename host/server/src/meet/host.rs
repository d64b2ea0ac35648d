//! Shard 0's end of a meeting: the routes that the others ask, over a listener as every other of this room.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::post;
use axum::{Json, Router};
use tokio::sync::Notify;
use tokio::time::{sleep, sleep_until};

use super::roll::{Refusal, Roll};
use super::{Answer, Began, Hello, LEAD, MeetError, Start, named};
use crate::actions::{Problem, RunHandle, admitted};
use crate::control::guard;
use crate::listener::{Listener, Server};
use vespeiro_model::Clock;
use vespeiro_plan::MeetingPlace;

/// The largest message of a shard before the run: a thousand archetypes and all settings.
const MAX_HELLO: usize = 512 << 10;
/// Refusals that are told; whoever tries on and on fills no log.
const MAX_TOLD: usize = 100;
/// How long those who wait are given to hear that there is no run.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// Connections beside one for each shard.
const SPARE: usize = 64;

/// See the module's documentation.
#[derive(Debug)]
pub struct Host {
    server: Server,
    meeting: Meeting,
    place: MeetingPlace,
}

#[derive(Debug, Clone)]
struct Meeting {
    table: Arc<Mutex<Table>>,
    /// Somebody has come.
    came: Arc<Notify>,
    clock: Clock,
}

#[derive(Debug)]
struct Table {
    roll: Roll,
    shards: usize,
    /// Why there is no run.
    over: Option<String>,
    told: usize,
    /// When each shard has begun: from and to, around the moment that was agreed upon.
    began: BTreeMap<usize, (i64, i64)>,
}

impl Host {
    /// Listen for the others, as the shard that says this of itself.
    ///
    /// # Errors
    /// The address cannot be listened on, or not without a token.
    pub fn open(
        place: &MeetingPlace,
        run: &RunHandle,
        own: Hello,
        clock: Clock,
    ) -> Result<Host, MeetError> {
        let (address, shards) = (place.listens(), own.shards);
        let listener = Listener::bind_private(&run.plan, "meet", address)?;
        let meeting = Meeting {
            table: Arc::new(Mutex::new(Table {
                roll: Roll::new(own, clock.now()),
                shards,
                over: None,
                told: 0,
                began: BTreeMap::new(),
            })),
            came: Arc::default(),
            clock,
        };
        let app = Router::new()
            .route("/join", post(join))
            .route("/began", post(began))
            .layer(DefaultBodyLimit::max(MAX_HELLO))
            .with_state(meeting.clone())
            .layer(from_fn_with_state(run.clone(), admitted))
            .layer(from_fn_with_state(run.clone(), guard));
        Ok(Host {
            server: listener.serve_many(app, shards + SPARE),
            meeting,
            place: place.clone(),
        })
    }

    /// Wait until all are there; tells when they begin. `None`: `stop` came first.
    ///
    /// # Errors
    /// Somebody is missing still after `timeout`.
    pub async fn gather(
        &self,
        timeout: Duration,
        stop: impl Future<Output = ()>,
    ) -> Result<Option<Start>, MeetError> {
        let clock = self.meeting.clock;
        let until = clock.now() + timeout;
        tokio::pin!(stop);
        loop {
            if let Some(at) = self.meeting.table().roll.starts() {
                let unsure = Duration::ZERO;
                return Ok(Some(Start { at, unsure }));
            }
            tokio::select! {
                () = self.meeting.came.notified() => {}
                () = &mut stop => {
                    self.call_off("shard 0 was stopped before the run began".into()).await;
                    return Ok(None);
                }
                () = sleep_until(until) => {
                    let missing = {
                        let mut table = self.meeting.table();
                        let missing = table.roll.missing(clock.now());
                        (named(&missing), table.shards)
                    };
                    let error = MeetError::Missing {
                        missing: missing.0,
                        shards: missing.1,
                        place: self.place.to_string(),
                        waited: timeout,
                    };
                    self.call_off(error.to_string()).await;
                    return Err(error);
                }
            }
        }
    }

    /// There is no run: let those hear it who wait.
    async fn call_off(&self, why: String) {
        self.meeting.table().over = Some(why);
        sleep(LAST_WORDS).await;
    }

    /// Shard 0 has begun so long after the moment that was agreed upon.
    pub fn began(&self, late: Duration) {
        let late = micros(late);
        self.meeting.note(0, (late, late));
    }

    /// Stop answering.
    pub async fn close(self) {
        self.server.close().await;
    }
}

impl Meeting {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keep when a shard has begun; tell how far apart all did, once that is known.
    fn note(&self, index: usize, around: (i64, i64)) {
        let mut table = self.table();
        table.began.insert(index, around);
        if table.began.len() < table.shards {
            return;
        }
        let first = table.began.values().map(|(from, _)| *from).min();
        let last = table.began.values().map(|(_, to)| *to).max();
        if let (Some(first), Some(last)) = (first, last) {
            let apart = (last - first) as f64 / 1e3;
            tracing::info!("all {} shards began within {apart:.1} ms", table.shards);
        }
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

async fn join(
    State(meeting): State<Meeting>,
    Json(hello): Json<Hello>,
) -> Result<Json<Answer>, Problem> {
    let now = meeting.clock.now();
    let mut table = meeting.table();
    if let Some(why) = &table.over {
        return Ok(Json(Answer::Over { why: why.clone() }));
    }
    match table.roll.join(&hello, now) {
        Ok(true) => tracing::info!("shard {} is there", hello.index),
        Ok(false) => {}
        Err(refusal) => {
            if table.told < MAX_TOLD {
                table.told += 1;
                tracing::warn!("not let in: {refusal}");
            }
            return Err(refused(&refusal));
        }
    }
    let answer = match table.roll.starts() {
        Some(at) => {
            meeting.came.notify_one();
            let left = at.saturating_duration_since(now).min(LEAD);
            Answer::StartsIn {
                micros: left.as_micros() as u64,
            }
        }
        None => Answer::Wait {
            missing: table.roll.missing(now),
        },
    };
    Ok(Json(answer))
}

fn refused(refusal: &Refusal) -> Problem {
    Problem(StatusCode::CONFLICT, refusal.to_string())
}

async fn began(
    State(meeting): State<Meeting>,
    Json(began): Json<Began>,
) -> Result<StatusCode, Problem> {
    if !meeting.table().roll.knows(began.index, began.process) {
        return Err(refused(&Refusal::Late(began.index)));
    }
    let of = |micros: u64| micros.min(3_600_000_000) as i64;
    let (late, unsure) = (of(began.late_micros), of(began.unsure_micros));
    meeting.note(began.index, (late - unsure, late + unsure));
    Ok(StatusCode::NO_CONTENT)
}
