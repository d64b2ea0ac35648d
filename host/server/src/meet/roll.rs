//! Who has joined, who is missing, when all begin, and who has not been heard since: the policy of a meeting, which knows no network. Owned by `host.rs`.
//!
//! What must stay true: it is a pure function of what was said and when; all begin once each shard is there and shard 0 has
//! prepared the run, and the moment
//! that was told never changes.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::{Hello, LEAD, MOST_NAMED, SILENCE};

/// Why a shard is not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error(
        "shard {index} is of version {theirs}, and shard 0 of {ours}: run the same vespeiro everywhere"
    )]
    Version {
        index: usize,
        theirs: String,
        ours: String,
    },
    #[error(
        "shard {index} is one of {theirs}, and shard 0 one of {ours}: give all of them the same N"
    )]
    Count {
        index: usize,
        theirs: usize,
        ours: usize,
    },
    #[error(
        "the plan of shard {index} is another one, by its {keys}: give all shards the same plan file, flags and variables; vespeiro plan prints what each has"
    )]
    Plan { index: usize, keys: String },
    #[error("shard {index} has other modules for {names}: give all shards the same files")]
    Modules { index: usize, names: String },
    #[error("shard {0} is there already: start each shard once")]
    Twice(usize),
    #[error("shard {0} comes too late, the run has begun: start all shards anew")]
    Late(usize),
}

#[derive(Debug, Clone, Copy)]
struct Member {
    process: u64,
    workers: usize,
    heard: Instant,
    /// The number of its last beat.
    beat: u64,
    stays: Stays,
}

/// Whether a shard is to be heard of again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stays {
    Here,
    Done,
    Lost,
}

impl Member {
    fn new(hello: &Hello, now: Instant) -> Member {
        Member {
            process: hello.process,
            workers: hello.workers,
            heard: now,
            beat: 0,
            stays: Stays::Here,
        }
    }
}

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Roll {
    own: Hello,
    /// By index; shard 0 is there.
    members: Vec<Option<Member>>,
    /// Shard 0 has prepared the run.
    is_ready: bool,
    starts: Option<Instant>,
}

impl Roll {
    /// Of the shard that says this of itself, and waits for the others.
    pub(super) fn new(own: Hello, now: Instant) -> Roll {
        let mut members = vec![None; own.shards];
        if let Some(first) = members.first_mut() {
            *first = Some(Member::new(&own, now));
        }
        Roll {
            own,
            members,
            is_ready: false,
            starts: None,
        }
    }

    /// Let a shard in, or hear from it again. Tells whether it is new.
    pub(super) fn join(&mut self, hello: &Hello, now: Instant) -> Result<bool, Refusal> {
        self.fits(hello)?;
        self.review(now);
        let (index, process) = (hello.index, hello.process);
        let place = self.members.get_mut(index).filter(|_| index > 0);
        match place {
            None => Err(Refusal::Twice(index)),
            Some(Some(member)) if member.process == process => {
                member.heard = now;
                Ok(false)
            }
            Some(_) if self.starts.is_some() => Err(Refusal::Late(index)),
            Some(Some(_)) => Err(Refusal::Twice(index)),
            Some(place) => {
                *place = Some(Member::new(hello, now));
                self.begin(now);
                Ok(true)
            }
        }
    }

    /// Shard 0 has prepared the run: it begins with the last who comes.
    pub(super) fn ready(&mut self, now: Instant) {
        self.is_ready = true;
        self.review(now);
        self.begin(now);
    }

    fn begin(&mut self, now: Instant) {
        if self.is_ready && self.are_all_there() {
            self.starts.get_or_insert(now + LEAD);
        }
    }

    pub(super) fn are_all_there(&self) -> bool {
        self.members.iter().all(Option::is_some)
    }

    /// Hear from a shard of the run. `false`: this process is none, or none any more.
    pub(super) fn hear(&mut self, index: usize, process: u64, now: Instant) -> bool {
        let heard = self.member(index, process);
        heard.map(|member| member.heard = now).is_some()
    }

    /// Whether this beat of a shard that was heard is a new one. Each is new once.
    pub(super) fn is_new(&mut self, index: usize, process: u64, beat: u64) -> bool {
        let member = self.member(index, process);
        let Some(member) = member.filter(|member| member.beat < beat) else {
            return false;
        };
        member.beat = beat;
        true
    }

    /// A shard has told how it ended: it need not be heard any more.
    pub(super) fn done(&mut self, index: usize, process: u64) {
        if let Some(member) = self.member(index, process) {
            member.stays = Stays::Done;
        }
    }

    fn member(&mut self, index: usize, process: u64) -> Option<&mut Member> {
        let member = self.members.get_mut(index).filter(|_| index > 0)?.as_mut();
        member.filter(|one| one.process == process && one.stays != Stays::Lost)
    }

    /// Those of the run that were silent for too long; each is told once.
    pub(super) fn lose(&mut self, now: Instant) -> Vec<usize> {
        let Some(starts) = self.starts else {
            return Vec::new();
        };
        let mut lost = Vec::new();
        for (index, member) in self.members.iter_mut().enumerate().skip(1) {
            let Some(member) = member.as_mut().filter(|one| one.stays == Stays::Here) else {
                continue;
            };
            if now.saturating_duration_since(member.heard.max(starts)) >= SILENCE {
                member.stays = Stays::Lost;
                lost.push(index);
            }
        }
        lost
    }

    /// Those who are to be heard of still.
    pub(super) fn playing(&self) -> usize {
        let others = self.members.iter().skip(1).flatten();
        others.filter(|one| one.stays == Stays::Here).count()
    }

    /// How many workers each of the others has.
    pub(super) fn workers(&self) -> Vec<usize> {
        let others = self.members.iter().skip(1);
        others.map(|one| one.map_or(0, |one| one.workers)).collect()
    }

    /// When all begin, once that is known.
    pub(super) fn starts(&self) -> Option<Instant> {
        self.starts
    }

    /// Who is not there, or not any more.
    pub(super) fn missing(&mut self, now: Instant) -> Vec<usize> {
        self.review(now);
        let each = self.members.iter().enumerate();
        let missing = each.filter(|(_, member)| member.is_none());
        missing.map(|(index, _)| index).collect()
    }

    /// Before the run, whoever was silent for long has to join anew.
    fn review(&mut self, now: Instant) {
        if self.starts.is_some() {
            return;
        }
        for member in self.members.iter_mut().skip(1) {
            let is_gone = |one: &mut Member| now.saturating_duration_since(one.heard) >= SILENCE;
            member.take_if(is_gone);
        }
    }

    fn fits(&self, hello: &Hello) -> Result<(), Refusal> {
        let (own, index) = (&self.own, hello.index);
        if hello.version != own.version {
            return Err(Refusal::Version {
                index,
                // Somebody else has written it.
                theirs: hello.version.chars().take(20).collect(),
                ours: own.version.clone(),
            });
        }
        if hello.shards != own.shards {
            return Err(Refusal::Count {
                index,
                theirs: hello.shards,
                ours: own.shards,
            });
        }
        if let Some(keys) = differing(&own.plan, &hello.plan) {
            return Err(Refusal::Plan { index, keys });
        }
        match differing(&own.modules, &hello.modules) {
            Some(names) => Err(Refusal::Modules { index, names }),
            None => Ok(()),
        }
    }
}

/// The names of what is not the same on both sides, some of them where there are many.
fn differing(ours: &BTreeMap<String, String>, theirs: &BTreeMap<String, String>) -> Option<String> {
    let of_ours = ours
        .iter()
        .filter(|(key, hash)| theirs.get(*key) != Some(*hash));
    let of_theirs = theirs.keys().filter(|key| !ours.contains_key(*key));
    let mut keys = of_ours.map(|(key, _)| key).chain(of_theirs);
    let named: Vec<String> = keys
        .by_ref()
        .take(MOST_NAMED)
        .map(|key| key.chars().take(80).collect())
        .collect();
    let more = keys.next().map(|_| ", …").unwrap_or_default();
    (!named.is_empty()).then(|| named.join(", ") + more)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use vespeiro_model::Clock;

    const SECOND: Duration = Duration::from_secs(1);

    fn hello(index: usize, shards: usize, process: u64) -> Hello {
        let map = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
        Hello {
            index,
            shards,
            workers: 2,
            version: "1.0.0".into(),
            process,
            plan: map("users", "5"),
            modules: map("active", "ab"),
        }
    }

    /// That of a shard 0 with nothing to prepare.
    fn ready(shards: usize, process: u64, now: Instant) -> Roll {
        let mut roll = Roll::new(hello(0, shards, process), now);
        roll.ready(now);
        roll
    }

    #[test]
    fn nobody_begins_before_the_run_is_prepared_and_all_are_there_still() {
        let now = Clock::system().now();
        let mut roll = Roll::new(hello(0, 3, 1), now);
        (1..3).for_each(|index| assert!(roll.join(&hello(index, 3, 7), now).unwrap()));
        assert!(roll.are_all_there() && roll.starts().is_none());
        // One has gone while it was prepared.
        let later = now + SILENCE;
        assert_eq!(roll.join(&hello(1, 3, 7), later - SECOND), Ok(false));
        roll.ready(later);
        assert_eq!((roll.missing(later), roll.starts()), (vec![2], None));
        roll.join(&hello(2, 3, 8), later + SECOND).unwrap();
        assert_eq!(roll.starts(), Some(later + SECOND + LEAD));
    }

    #[test]
    fn whoever_does_not_fit_is_told_what_and_takes_no_place() {
        let now = Clock::system().now();
        let mut roll = ready(2, 1, now);
        let of = |change: fn(&mut Hello)| {
            let mut hello = hello(1, 2, 7);
            change(&mut hello);
            hello
        };
        for (other, part) in [
            (of(|one| one.version = "0.9".into()), "version 0.9"),
            (of(|one| one.shards = 3), "one of 3, and shard 0 one of 2"),
            (of(|one| one.index = 0), "shard 0 is there already"),
            (of(|one| one.index = 2), "shard 2 is there already"),
            (
                of(|one| drop(one.plan.insert("users".into(), "6".into()))),
                "by its users:",
            ),
            (
                of(|one| drop(one.plan.insert("rate".into(), "1".into()))),
                "by its rate:",
            ),
            (
                of(|one| drop(one.modules.insert("active".into(), "cd".into()))),
                "modules for active",
            ),
        ] {
            let refused = roll.join(&other, now).unwrap_err().to_string();
            assert!(refused.contains(part), "{refused}");
            assert_eq!((roll.missing(now), roll.starts()), (vec![1], None));
        }
    }

    #[test]
    fn a_second_process_is_refused_before_the_start_and_after_it() {
        let now = Clock::system().now();
        let mut roll = ready(3, 1, now);
        roll.join(&hello(1, 3, 7), now).unwrap();
        assert_eq!(roll.join(&hello(1, 3, 8), now), Err(Refusal::Twice(1)));
        // Who is silent has gone, and another one may come in its place.
        let later = now + SILENCE;
        assert_eq!(roll.missing(later), [1, 2]);
        roll.join(&hello(1, 3, 8), later).unwrap();
        roll.join(&hello(2, 3, 9), later + SECOND).unwrap();
        assert_eq!(roll.starts(), Some(later + SECOND + LEAD));
        let after = later + 100 * SECOND;
        assert_eq!(roll.join(&hello(2, 3, 5), after), Err(Refusal::Late(2)));
        assert!(roll.join(&hello(2, 3, 9), after).is_ok());
        assert!(roll.hear(2, 9, after) && !roll.hear(2, 5, after) && !roll.hear(0, 1, after));
    }

    #[test]
    fn each_beat_counts_once_and_whoever_is_silent_is_lost_for_good() {
        let now = Clock::system().now();
        let mut roll = ready(4, 1, now);
        (1..4).for_each(|index| assert!(roll.join(&hello(index, 4, 7), now).unwrap()));
        let starts = roll.starts().unwrap();
        assert_eq!((roll.workers(), roll.playing()), (vec![2; 3], 3));
        // Nobody is lost before there was something to say.
        assert!(roll.lose(starts + SILENCE - SECOND).is_empty());
        for (beat, is_new) in [(1, true), (1, false), (2, true), (1, false), (3, true)] {
            assert_eq!(roll.is_new(1, 7, beat), is_new, "{beat}");
        }
        let later = starts + SILENCE;
        assert!(roll.hear(1, 7, later - SECOND));
        roll.done(3, 7);
        assert_eq!(roll.lose(later), [2]);
        assert!(roll.lose(later).is_empty());
        assert!(!roll.hear(2, 7, later) && !roll.is_new(2, 7, 9));
        assert_eq!(roll.playing(), 1);
        assert_eq!(roll.lose(later + SILENCE), [1]);
    }

    proptest! {
        /// Whoever comes when, and how often: all begin once, and not before each of them was heard of lately.
        #[test]
        fn all_begin_once_each_is_there(
            // One alone has nobody to meet.
            shards in 2..5usize,
            joins in prop::collection::vec((0..6usize, 0..3u64, 0..4_000u64), 0..60),
        ) {
            let mut now = Clock::system().now();
            let mut roll = ready(shards, 99, now);
            let mut heard: BTreeMap<usize, (u64, Instant)> = BTreeMap::new();
            let mut starts = None;
            for (index, process, millis) in joins {
                now += Duration::from_millis(millis);
                let let_in = roll.join(&hello(index, shards, process), now).is_ok();
                if let_in {
                    prop_assert!(index > 0 && index < shards);
                    heard.insert(index, (process, now));
                }
                if let Some(starts) = starts {
                    prop_assert_eq!(roll.starts(), Some(starts));
                } else if let Some(at) = roll.starts() {
                    prop_assert_eq!(at, now + LEAD);
                    prop_assert_eq!(heard.len(), shards - 1);
                    prop_assert!(heard.values().all(|(_, heard)| now - *heard < SILENCE));
                    starts = Some(at);
                }
                if starts.is_none() {
                    let there = |one: &usize| heard.get(one).is_some_and(|(_, at)| now - *at < SILENCE);
                    let missing: Vec<usize> = (1..shards).filter(|one| !there(one)).collect();
                    prop_assert_eq!(roll.missing(now), missing);
                }
            }
        }
    }
}
