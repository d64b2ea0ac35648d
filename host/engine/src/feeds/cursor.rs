//! What users get of the plan's data feeds and secrets, and their own notes. All workers share the rows, which nobody changes; how many a user has had is the
//! user's own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::feeds::Rows;
use crate::feeds::assignment::Assignment;
use crate::vu::identity::user_seed;
use vespeiro_behavior::{Feeder, NoRow, RowSource};
use vespeiro_plan::{Dealt, Plan, Secrets, nearest};

/// Feeds without a next row that are told of.
pub(crate) const MAX_UNFED: usize = 64;

/// The feeds of a run; none by default.
#[derive(Debug, Default)]
pub struct FeedSet {
    /// By name, in their order.
    feeds: Vec<FeedRows>,
    secrets: Secrets,
    /// What was shared, by archetype. Looked at when a user is made, not on a request's path.
    shared: Mutex<BTreeMap<u16, Arc<str>>>,
    /// What was said of sessions that got no row. Off a request's path: each worker asks once for each.
    told: Mutex<BTreeSet<(String, String, NoRow)>>,
}

#[derive(Debug)]
struct FeedRows {
    name: String,
    rows: Rows,
    assignment: Assignment,
}

impl FeedSet {
    /// `rows` are those of each of the plan's feeds.
    pub fn new(plan: &Plan, rows: Vec<Rows>) -> Arc<Self> {
        let feeds = plan.feeds.iter().zip(rows).map(|(feed, rows)| FeedRows {
            name: feed.name.clone(),
            assignment: Assignment::new(plan, feed, rows.len()),
            rows,
        });
        Arc::new(Self {
            feeds: feeds.collect(),
            secrets: plan.secrets.clone(),
            shared: Mutex::default(),
            told: Mutex::default(),
        })
    }

    /// All users of this archetype that are made from now on have this.
    pub fn share(&self, archetype: u16, value: String) {
        if let Ok(mut shared) = self.shared.lock() {
            shared.insert(archetype, value.into());
        }
    }

    /// What was shared, by archetype.
    pub fn all_shared(&self) -> BTreeMap<u16, String> {
        let shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let each = shared.iter();
        each.map(|(archetype, value)| (*archetype, value.to_string()))
            .collect()
    }

    fn shared(&self, archetype: u16) -> Option<Arc<str>> {
        self.shared.lock().ok()?.get(&archetype).cloned()
    }

    /// The feeds as the first user of the run would have them if it played this archetype, for a session that is no part
    /// of it.
    pub fn rehearsing(self: &Arc<Self>, plan: &Plan, archetype: u16) -> Feeder {
        let mut workloads = plan.workloads().into_iter();
        let workload = workloads.position(|workload| workload.archetypes.contains(&archetype));
        let before = vec![0; self.feeds.len()];
        let seed = user_seed(plan, 0);
        self.feeder(workload.unwrap_or_default(), archetype, &before, seed)
    }

    /// For each feed, how many of a workload's users it is for that come before the last one dealt, which plays `archetype`.
    pub(crate) fn before(&self, dealt: &Dealt, archetype: u16) -> Vec<u32> {
        let each = self.feeds.iter().map(|feed| feed.assignment.archetypes());
        each.map(|own| dealt.so_far(own) - u32::from(own.contains(&archetype)))
            .collect()
    }

    /// The feeds as a user has them that plays this archetype in this workload.
    pub(crate) fn feeder(
        self: &Arc<Self>,
        workload: usize,
        archetype: u16,
        before: &[u32],
        seed: u64,
    ) -> Feeder {
        let each = self.feeds.iter().zip(before);
        let cursors = each.map(|(FeedRows { assignment, .. }, before)| {
            let is_for = assignment.archetypes().contains(&archetype);
            is_for.then(|| Cursor {
                number: assignment.number(workload, *before),
                taken: 0,
            })
        });
        Feeder::new(UserCursors {
            cursors: cursors.collect(),
            feeds: Arc::clone(self),
            seed,
            notes: None,
            shared: self.shared(archetype),
        })
    }

    /// Say that an archetype's session got no row, unless that was said.
    pub(crate) fn warn_once(&self, archetype: &str, feed: &str, why: NoRow) {
        let key = (archetype.to_owned(), feed.to_owned(), why);
        let is_news = self
            .told
            .lock()
            .is_ok_and(|mut told| told.len() < MAX_UNFED && told.insert(key));
        if !is_news {
            return;
        }
        // The guest's text goes to a terminal: quoted, so that it carries no control sequence.
        match why {
            NoRow::Unknown => {
                let mend = self.meant(feed);
                tracing::warn!(
                    "archetype {archetype} asks for the feed {feed:?}, which the plan lacks, and gets no row; {mend}"
                );
            }
            NoRow::Withheld => tracing::warn!(
                "archetype {archetype} asks for the feed {feed:?}, which is for others, and gets no row; add it to archetypes in [feeds.{feed}]"
            ),
            NoRow::Spent => tracing::warn!(
                "a user of archetype {archetype} has had all of its rows of the feed {feed:?}, and gets no more"
            ),
        }
    }

    fn meant(&self, feed: &str) -> String {
        let names = self.feeds.iter().map(|feed| feed.name.as_str());
        match nearest(feed, names.clone()) {
            Some(near) => format!("did you mean {near:?}?"),
            None if self.feeds.is_empty() => "name its file, as in --feed NAME=FILE".to_owned(),
            None => format!("the plan has {}", names.collect::<Vec<_>>().join(", ")),
        }
    }
}

/// What one user has had.
#[derive(Debug)]
struct UserCursors {
    feeds: Arc<FeedSet>,
    seed: u64,
    /// By feed; `None`: it is for other archetypes.
    cursors: Box<[Option<Cursor>]>,
    notes: Option<Box<str>>,
    shared: Option<Arc<str>>,
}

#[derive(Debug)]
struct Cursor {
    /// The user's, among all that the feed is for.
    number: u64,
    taken: u64,
}

impl RowSource for UserCursors {
    fn next(&mut self, name: &str) -> Result<String, NoRow> {
        let feeds = &self.feeds.feeds;
        let at = feeds.binary_search_by(|feed| feed.name.as_str().cmp(name));
        let at = at.map_err(|_| NoRow::Unknown)?;
        let FeedRows {
            rows, assignment, ..
        } = &feeds[at];
        let cursor = self.cursors[at].as_mut().ok_or(NoRow::Withheld)?;
        let row = assignment.row(cursor.number, cursor.taken, self.seed);
        let row = row
            .and_then(|row| rows.get(row as usize))
            .ok_or(NoRow::Spent)?;
        cursor.taken += 1;
        Ok(row.to_owned())
    }

    fn secrets(&self) -> &Secrets {
        &self.feeds.secrets
    }

    fn remember(&mut self, notes: &str) {
        self.notes = Some(notes.into());
    }

    fn remembered(&self) -> Option<&str> {
        self.notes.as_deref()
    }

    fn shared(&self) -> Option<&str> {
        self.shared.as_deref()
    }
}
