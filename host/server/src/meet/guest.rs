//! The other shards' end of a meeting: they ask shard 0 to be let in until it answers, and again until all are there. While
//! they play they tell it what they count, and hear what it wants.
//!
//! What must stay true: the moment of the start is that of the answer which came back soonest, less half of the way: no two
//! machines' clocks are compared.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, Method, header};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::{
    ASK, Answer, BEAT, Beat, Began, Done, Fetch, Hello, LEAD, MeetError, SILENCE, Start, named,
    steps,
};
use vespeiro_engine::{MAX_MODULE, Orders, Others, ShardEvent, Swapper};
use vespeiro_http::{Forwarded, Forwarder};
use vespeiro_model::Clock;
use vespeiro_plan::MeetingPlace;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest wait for a module.
const FETCHED: Duration = Duration::from_secs(60);
/// Longest answer, and the longest with what all archetypes share.
const MAX_ANSWER: usize = 256 << 10;
const MAX_SHARED: usize = 64 << 20;
/// Who knows the moment of the start asks on, for a better answer, until it is as near as this.
const NEAR: Duration = Duration::from_millis(300);

/// See the module's documentation.
#[derive(Debug)]
pub struct Guest {
    client: Forwarder,
    headers: HeaderMap,
    place: MeetingPlace,
    own: Hello,
    /// Shard 0 has all that this one told it, or hears nothing more.
    delivered: Notify,
    /// Shard 0 is gone.
    is_lost: AtomicBool,
    clock: Clock,
}

impl Guest {
    /// The shard that says this of itself, and knows the token.
    ///
    /// # Errors
    /// This machine cannot ask anybody.
    pub fn new(
        place: &MeetingPlace,
        token: Option<&str>,
        own: Hello,
        clock: Clock,
    ) -> Result<Guest, MeetError> {
        let no_client = |why: String| MeetError::NoAnswer {
            place: place.to_string(),
            waited: Duration::ZERO,
            why,
        };
        let client = Forwarder::new().map_err(|error| no_client(error.to_string()))?;
        let mut headers = HeaderMap::new();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        if let Some(token) = token {
            let value = HeaderValue::from_str(&format!("Bearer {token}"));
            let mut value = value.map_err(|error| no_client(error.to_string()))?;
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
        Ok(Guest {
            client,
            headers,
            place: place.clone(),
            own,
            delivered: Notify::new(),
            is_lost: AtomicBool::new(false),
            clock,
        })
    }

    /// Ask until all are there; tells when they begin, and what the preparation of the run shares, by archetype.
    ///
    /// # Errors
    /// Shard 0 does not want this one, has given up, is gone, or was not found within `within`.
    pub async fn join(
        &self,
        within: Duration,
    ) -> Result<(Start, BTreeMap<u16, String>), MeetError> {
        let began = self.clock.now();
        let mut met: Option<(Instant, Vec<usize>)> = None;
        let mut start: Option<(Start, BTreeMap<u16, String>)> = None;
        loop {
            let asked = self.clock.now();
            match self.post("/join", &self.own, MAX_SHARED).await {
                Ok(answer) => {
                    let now = self.clock.now();
                    match self.read(&answer)? {
                        Answer::Wait { missing } => met = Some((now, missing)),
                        Answer::Prepares => met = Some((now, Vec::new())),
                        Answer::Over { why } => return Err(MeetError::Over(why)),
                        Answer::StartsIn { micros, shared } => {
                            let unsure = now.saturating_duration_since(asked) / 2;
                            let left = Duration::from_micros(micros).min(LEAD);
                            let at = (now + left).checked_sub(unsure).unwrap_or(now);
                            let known = start.as_ref();
                            if known.is_none_or(|(known, _)| unsure < known.unsure) {
                                start = Some((Start { at, unsure }, shared));
                            }
                        }
                    }
                }
                Err(why) => self.give_up(began, within, met.as_ref(), why)?,
            }
            let now = self.clock.now();
            if let Some(start) = start.take_if(|(start, _)| start.at <= now + NEAR) {
                return Ok(start);
            }
            if let (None, Some((_, missing))) = (&start, &met)
                && !missing.is_empty()
                && now.saturating_duration_since(began) >= within + SILENCE
            {
                return Err(MeetError::Missing {
                    missing: named(missing),
                    shards: self.own.shards,
                    place: self.place.to_string(),
                    waited: within,
                });
            }
            sleep(ASK).await;
        }
    }

    /// Tell how late this shard has begun.
    pub async fn began(&self, start: Start, at: Instant) {
        let began = Began {
            index: self.own.index,
            process: self.own.process,
            late_micros: at.saturating_duration_since(start.at).as_micros() as u64,
            unsure_micros: start.unsure.as_micros() as u64,
        };
        if let Err(why) = self.post("/began", &began, MAX_ANSWER).await {
            tracing::info!("shard 0 does not hear when this one began: {why}");
        }
    }

    /// Shard 0, for a run that all have come to, and the task that goes between.
    pub fn others(self: &Arc<Self>, swapper: Swapper) -> (Others, JoinHandle<()>) {
        let (events, told) = mpsc::unbounded_channel();
        let (asks, orders) = watch::channel(Orders::default());
        let guest = Arc::clone(self);
        let (asked, does) = (orders.clone(), events.downgrade());
        let between = tokio::spawn(async move {
            tokio::select! {
                () = guest.follow(told, asks) => guest.is_lost.store(true, Ordering::Relaxed),
                () = steps::follow(&guest, &swapper, asked, does) => {}
            }
            guest.delivered.notify_one();
        });
        (Others::Leader { events, orders }, between)
    }

    /// Tell what is new as soon as it is, and hear what shard 0 wants; ends when that is lost.
    async fn follow(
        &self,
        mut told: mpsc::UnboundedReceiver<ShardEvent>,
        asks: watch::Sender<Orders>,
    ) {
        let mut number = 0;
        let mut goes_on = true;
        let mut rest = BEAT;
        loop {
            let mut events = Vec::new();
            tokio::select! {
                event = told.recv(), if goes_on => {
                    goes_on = event.is_some();
                    events.extend(event);
                }
                () = sleep(rest) => {}
            }
            while let Ok(event) = told.try_recv() {
                events.push(event);
            }
            number += 1;
            let beat = Beat {
                index: self.own.index,
                process: self.own.process,
                number,
                events,
            };
            let Ok(body) = postcard::to_allocvec(&beat) else {
                return;
            };
            let Ok(answer) = self.insist("/beat", &body).await else {
                return;
            };
            let Ok(orders) = postcard::from_bytes::<Orders>(&answer) else {
                return;
            };
            if !goes_on {
                self.delivered.notify_one();
            }
            // All swap together: nobody waits longer for it than needed.
            rest = if orders.steps.is_empty() { BEAT } else { ASK };
            asks.send_if_modified(|known| {
                let is_new = *known != orders;
                *known = orders;
                is_new
            });
        }
    }

    /// Tell how this shard has ended, once shard 0 has all that the run had to tell.
    ///
    /// # Errors
    /// Shard 0 is gone, or has given this one up.
    pub async fn done(&self, text: String) -> Result<(), MeetError> {
        let done = Done {
            index: self.own.index,
            process: self.own.process,
            text,
        };
        let body = serde_json::to_vec(&done).unwrap_or_default();
        self.delivered.notified().await;
        // What ends this one need not wait as long once more.
        if self.is_lost.load(Ordering::Relaxed) {
            let place = self.place.to_string();
            return Err(MeetError::Silent { place });
        }
        self.insist("/done", &body).await.map(drop)
    }

    /// The module with this hash.
    pub(super) async fn fetch(&self, hash: &str) -> Result<Arc<[u8]>, String> {
        let fetch = Fetch {
            index: self.own.index,
            process: self.own.process,
            hash: hash.to_owned(),
        };
        let body = serde_json::to_vec(&fetch).map_err(|error| error.to_string())?;
        let answer = self.send_within("/module", body, MAX_MODULE, FETCHED).await;
        let unfetched = |why| format!("the module could not be fetched from shard 0: {why}");
        let answer = answer.map_err(unfetched)?;
        match answer.status {
            200 => Ok(answer.body.into()),
            status => Err(unfetched(format!("it answered with status {status}"))),
        }
    }

    /// Ask until there is an answer, as long as shard 0 may be silent.
    async fn insist(&self, path: &str, body: &[u8]) -> Result<Vec<u8>, MeetError> {
        let since = self.clock.now();
        loop {
            match self.send(path, body.to_vec(), MAX_ANSWER).await {
                Ok(answer) if answer.status < 300 => return Ok(answer.body),
                Ok(answer) => {
                    let why = format!("shard 0 answered with status {}", answer.status);
                    return Err(MeetError::Over(why));
                }
                Err(_) if self.clock.since(since) < SILENCE => sleep(ASK).await,
                Err(_) => {
                    let place = self.place.to_string();
                    return Err(MeetError::Silent { place });
                }
            }
        }
    }

    /// Whether there is no use in asking again, after shard 0 did not answer.
    fn give_up(
        &self,
        began: Instant,
        within: Duration,
        met: Option<&(Instant, Vec<usize>)>,
        why: String,
    ) -> Result<(), MeetError> {
        let now = self.clock.now();
        let place = self.place.to_string();
        match met {
            Some((heard, _)) if now.saturating_duration_since(*heard) >= SILENCE => {
                Err(MeetError::Silent { place })
            }
            None if now.saturating_duration_since(began) >= within => Err(MeetError::NoAnswer {
                place,
                waited: within,
                why,
            }),
            _ => Ok(()),
        }
    }

    fn read(&self, answer: &Forwarded) -> Result<Answer, MeetError> {
        if let Ok(answer) = serde_json::from_slice(&answer.body) {
            return Ok(answer);
        }
        let error = serde_json::from_slice::<Value>(&answer.body).unwrap_or_default();
        Err(MeetError::Refused(match error["error"].as_str() {
            Some(why) => format!("shard 0 does not let this one in: {why}"),
            None => format!(
                "{} answered with status {}: is that where shard 0 meets the others?",
                self.place, answer.status
            ),
        }))
    }

    async fn post(
        &self,
        path: &str,
        message: &impl Serialize,
        most: usize,
    ) -> Result<Forwarded, String> {
        let body = serde_json::to_vec(message).map_err(|error| error.to_string())?;
        self.send(path, body, most).await
    }

    async fn send(&self, path: &str, body: Vec<u8>, most: usize) -> Result<Forwarded, String> {
        self.send_within(path, body, most, PATIENCE).await
    }

    /// The answer, of `most` bytes at most.
    async fn send_within(
        &self,
        path: &str,
        body: Vec<u8>,
        most: usize,
        patience: Duration,
    ) -> Result<Forwarded, String> {
        let url = format!("http://{}{path}", self.place);
        let headers = self.headers.clone();
        let sent = self.client.send(Method::POST, &url, headers, body, most);
        let sent = timeout(patience, sent).await;
        let sent = sent.map_err(|_| format!("it was silent for {patience:?}"))?;
        sent.map_err(|error| error.to_string())
    }
}
