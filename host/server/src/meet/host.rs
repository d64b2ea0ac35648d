//! Shard 0's end of a meeting: the routes that the others ask, over a listener as every other of this room.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::post;
use axum::{Json, Router};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{sleep, sleep_until};

use super::roll::{Refusal, Roll};
use super::{Answer, Beat, Began, Done, Fetch, Hello, LEAD, MeetError, Start, named};
use crate::actions::{Problem, RunHandle, admitted};
use crate::control::guard;
use crate::listener::{Listener, Server};
use vespeiro_engine::{Offered, Orders, Others, ShardEvent};
use vespeiro_model::Clock;
use vespeiro_plan::MeetingPlace;

/// The largest message of a shard before the run: a thousand archetypes and all settings.
const MAX_HELLO: usize = 512 << 10;
/// The largest message of a shard that plays: the figures of several seconds.
const MAX_BEAT: usize = 32 << 20;
/// How often the silence of the others is looked at.
const LISTEN: Duration = Duration::from_millis(500);
/// Refusals that are told; whoever tries on and on fills no log.
const MAX_TOLD: usize = 100;
/// How long those who wait are given to hear that there is no run.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// Connections beside one for each shard.
const SPARE: usize = 64;

/// See the module's documentation.
#[derive(Debug)]
pub struct Host {
    server: Mutex<Option<Server>>,
    meeting: Meeting,
    place: MeetingPlace,
}

#[derive(Debug, Clone)]
struct Meeting {
    table: Arc<Mutex<Table>>,
    /// Somebody has come, or has told how it ended.
    came: Arc<Notify>,
    orders: watch::Sender<Orders>,
    offered: Offered,
    clock: Clock,
}

#[derive(Debug)]
struct Table {
    roll: Roll,
    shards: usize,
    /// Why there is no run.
    over: Option<String>,
    told: usize,
    /// What the preparation shares, by archetype.
    shared: BTreeMap<u16, String>,
    /// When each shard has begun: from and to, around the moment that was agreed upon.
    began: BTreeMap<usize, (i64, i64)>,
    /// To the run, once there is one.
    events: Option<mpsc::UnboundedSender<(usize, Option<ShardEvent>)>>,
    /// What each shard said at its end.
    ended: BTreeMap<usize, String>,
    lost: Vec<usize>,
}

/// How the other shards ended.
#[derive(Debug, Default)]
pub struct Ends {
    /// What each of them said, by its index.
    pub said: BTreeMap<usize, String>,
    /// Those of which nothing was heard any more.
    pub lost: Vec<usize>,
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
                shared: BTreeMap::new(),
                began: BTreeMap::new(),
                events: None,
                ended: BTreeMap::new(),
                lost: Vec::new(),
            })),
            came: Arc::default(),
            orders: watch::Sender::new(Orders::default()),
            offered: Offered::default(),
            clock,
        };
        let app = Router::new()
            .route("/join", post(join))
            .route("/began", post(began))
            .route("/done", post(done))
            .route("/module", post(module))
            .layer(DefaultBodyLimit::max(MAX_HELLO))
            .route("/beat", post(beat).layer(DefaultBodyLimit::max(MAX_BEAT)))
            .with_state(meeting.clone())
            .layer(from_fn_with_state(run.clone(), admitted))
            .layer(from_fn_with_state(run.clone(), guard));
        Ok(Host {
            server: Mutex::new(Some(listener.serve_many(app, shards + SPARE))),
            meeting,
            place: place.clone(),
        })
    }

    /// Wait until all are there, so that shard 0 may prepare the run. `None`: `stop` came first.
    ///
    /// # Errors
    /// Somebody is missing still after `timeout`.
    pub async fn gather(
        &self,
        timeout: Duration,
        stop: impl Future<Output = ()>,
    ) -> Result<Option<()>, MeetError> {
        let are_there = |roll: &Roll| roll.are_all_there().then_some(());
        self.until(are_there, timeout, stop).await
    }

    /// The run is prepared, and shares this: wait until all are there still, or again; tells when they begin.
    ///
    /// # Errors
    /// As for [`Self::gather`].
    pub async fn start(
        &self,
        shared: BTreeMap<u16, String>,
        timeout: Duration,
        stop: impl Future<Output = ()>,
    ) -> Result<Option<Start>, MeetError> {
        {
            let mut table = self.meeting.table();
            table.shared = shared;
            table.roll.ready(self.meeting.clock.now());
        }
        let starts = |roll: &Roll| {
            let unsure = Duration::ZERO;
            roll.starts().map(|at| Start { at, unsure })
        };
        self.until(starts, timeout, stop).await
    }

    async fn until<R>(
        &self,
        is_so: impl Fn(&Roll) -> Option<R>,
        timeout: Duration,
        stop: impl Future<Output = ()>,
    ) -> Result<Option<R>, MeetError> {
        let clock = self.meeting.clock;
        let until = clock.now() + timeout;
        tokio::pin!(stop);
        loop {
            if let Some(so) = is_so(&self.meeting.table().roll) {
                return Ok(Some(so));
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
    pub async fn call_off(&self, why: String) {
        self.meeting.table().over = Some(why);
        sleep(LAST_WORDS).await;
    }

    /// Shard 0 has begun so long after the moment that was agreed upon.
    pub fn began(&self, late: Duration) {
        let late = micros(late);
        self.meeting.note(0, (late, late));
    }

    /// The others, for a run that all have come to. Whoever is silent for too long from now on is lost.
    pub fn others(&self) -> Others {
        let (events, heard) = mpsc::unbounded_channel();
        let workers = {
            let mut table = self.meeting.table();
            table.events = Some(events);
            table.roll.workers()
        };
        let meeting = self.meeting.clone();
        tokio::spawn(async move {
            while meeting.listen() {
                sleep(LISTEN).await;
            }
        });
        Others::Followers {
            workers,
            events: heard,
            orders: self.meeting.orders.clone(),
            offered: self.meeting.offered.clone(),
        }
    }

    /// Wait until each of the others has told how it ended, or was lost; then stop answering.
    pub async fn ends(&self) -> Ends {
        while self.meeting.table().roll.playing() > 0 {
            self.meeting.came.notified().await;
        }
        let server = self
            .server
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(server) = server {
            server.close().await;
        }
        let mut table = self.meeting.table();
        Ends {
            said: std::mem::take(&mut table.ended),
            lost: std::mem::take(&mut table.lost),
        }
    }
}

impl Meeting {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, index: usize, process: u64) -> Result<MutexGuard<'_, Table>, Problem> {
        let mut table = self.table();
        match table.roll.hear(index, process, self.clock.now()) {
            true => Ok(table),
            false => Err(refused(&Refusal::Late(index))),
        }
    }

    /// Look who was silent for too long. `false`: there is nobody left to hear of.
    fn listen(&self) -> bool {
        let now = self.clock.now();
        let mut table = self.table();
        for index in table.roll.lose(now) {
            table.lost.push(index);
            if let Some(events) = &table.events {
                let _ = events.send((index - 1, None));
            }
            self.came.notify_one();
        }
        table.roll.playing() > 0
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
            let left = at.saturating_duration_since(now).min(LEAD);
            Answer::StartsIn {
                micros: left.as_micros() as u64,
                shared: table.shared.clone(),
            }
        }
        None => match table.roll.missing(now) {
            missing if missing.is_empty() => Answer::Prepares,
            missing => Answer::Wait { missing },
        },
    };
    if table.roll.are_all_there() {
        meeting.came.notify_one();
    }
    Ok(Json(answer))
}

fn refused(refusal: &Refusal) -> Problem {
    Problem(StatusCode::CONFLICT, refusal.to_string())
}

async fn began(
    State(meeting): State<Meeting>,
    Json(began): Json<Began>,
) -> Result<StatusCode, Problem> {
    drop(meeting.hear(began.index, began.process)?);
    let of = |micros: u64| micros.min(3_600_000_000) as i64;
    let (late, unsure) = (of(began.late_micros), of(began.unsure_micros));
    meeting.note(began.index, (late - unsure, late + unsure));
    Ok(StatusCode::NO_CONTENT)
}

/// A shard tells what is new; the answer are orders.
async fn beat(State(meeting): State<Meeting>, body: Bytes) -> Result<Vec<u8>, Problem> {
    let unread = |_| Problem(StatusCode::BAD_REQUEST, "this is no beat of a shard".into());
    let beat: Beat = postcard::from_bytes(&body).map_err(unread)?;
    let mut table = meeting.hear(beat.index, beat.process)?;
    if table.roll.is_new(beat.index, beat.process, beat.number)
        && let Some(run) = &table.events
    {
        for event in beat.events {
            // A run that is over needs no figures.
            let _ = run.send((beat.index - 1, Some(event)));
        }
    }
    let orders = meeting.orders.borrow().clone();
    postcard::to_allocvec(&orders).map_err(unread)
}

/// A shard fetches what it is to prepare.
async fn module(
    State(meeting): State<Meeting>,
    Json(fetch): Json<Fetch>,
) -> Result<Bytes, Problem> {
    drop(meeting.hear(fetch.index, fetch.process)?);
    let found = meeting.offered.find(&fetch.hash);
    // One copy for all shards.
    found.map(Bytes::from_owner).ok_or_else(|| {
        let why = "no shard is to play that module any more".to_owned();
        Problem(StatusCode::NOT_FOUND, why)
    })
}

async fn done(
    State(meeting): State<Meeting>,
    Json(done): Json<Done>,
) -> Result<StatusCode, Problem> {
    let mut table = meeting.hear(done.index, done.process)?;
    table.roll.done(done.index, done.process);
    // One whose run broke has not said that it ended: nobody waits for that.
    if let Some(run) = &table.events {
        let _ = run.send((done.index - 1, None));
    }
    table.ended.insert(done.index, done.text);
    meeting.came.notify_one();
    Ok(StatusCode::NO_CONTENT)
}
