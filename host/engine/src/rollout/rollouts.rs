//! Who plays which archetype, for the whole run: takes in a new behavior, keeps the one before it while the new one is on
//! probation, and brings it back when the new one crashes too often. Owned by the orchestrator, which hands the
//! [`Rollout`]s on to the workers.
//!
//! What must stay true: totals know a version before any worker does.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::labels::enter;
use vespeiro_behavior::Behavior;
use vespeiro_metrics::{Catalog, Role, Totals};
use vespeiro_model::{SwapResult, words};

/// How long a new behavior is watched.
pub(crate) const PROBATION: Duration = Duration::from_secs(10);
/// Crashes on probation before it is judged at all.
const MIN_CRASHES: u64 = 3;
/// Part of the sessions begun that may crash on probation.
const MAX_CRASHED: f64 = 0.1;

words! {
    /// What becomes of the sessions that run when their behavior is swapped.
    #[derive(Default)]
    pub enum Mode {
        /// They finish on the old one.
        #[default]
        Drain => "drain",
        /// They end at their next step.
        Now => "now",
        /// They go on with their state on the new one where both versions can, else they finish on the old one.
        Migrate => "migrate",
    }
}

/// Who plays the new sessions of an archetype from now on.
#[derive(Debug, Clone)]
pub(crate) struct Rollout {
    pub(crate) archetype: u16,
    /// The generation that knows them.
    pub(crate) catalog: Arc<Catalog>,
    /// Each with its part of the new sessions; the first one is what plays the archetype.
    pub(crate) versions: Vec<(Arc<Behavior>, f64)>,
    pub(crate) mode: Mode,
}

/// What a swap did.
#[derive(Debug, Clone, PartialEq)]
pub struct Swapped {
    pub archetype: String,
    /// What played before, as `0.1.0#1a2b`.
    pub before: String,
    pub now: String,
    /// Part of the new sessions that the new one gets.
    pub share: f64,
    /// It had that part already.
    pub unchanged: bool,
}

impl fmt::Display for Swapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            archetype,
            before,
            now,
            share,
            unchanged,
        } = self;
        if *unchanged {
            return write!(f, "swap of {archetype}: {now} plays it already");
        }
        write!(f, "swap of {archetype}: {before} -> {now}")?;
        if *share < 1.0 {
            write!(f, " for {:.1}% of the new sessions", share * 100.0)?;
        }
        Ok(())
    }
}

/// A behavior that was taken back.
#[derive(Debug)]
pub(crate) struct Rollback {
    pub(crate) rollout: Rollout,
    /// What to tell of it.
    pub(crate) why: String,
}

#[derive(Debug)]
struct ArchetypeRollout {
    versions: Vec<(Arc<Behavior>, f64)>,
    probation: Option<Probation>,
}

#[derive(Debug)]
struct Probation {
    role: Role,
    /// Who played before, and stood the test.
    before: Vec<(Arc<Behavior>, f64)>,
    until: Instant,
    /// Sessions begun, sessions crashed and traps when it began: the version may have played before.
    base: (u64, u64, u64),
}

/// All archetypes' versions.
#[derive(Debug)]
pub(crate) struct Rollouts {
    catalog: Arc<Catalog>,
    archetypes: Vec<ArchetypeRollout>,
}

impl Rollouts {
    /// At the start of the run, one behavior for each archetype.
    pub(crate) fn new(catalog: Arc<Catalog>, behaviors: &[Arc<Behavior>]) -> Self {
        let alone = |behavior: &Arc<Behavior>| ArchetypeRollout {
            versions: vec![(Arc::clone(behavior), 1.0)],
            probation: None,
        };
        Self {
            catalog,
            archetypes: behaviors.iter().map(alone).collect(),
        }
    }

    /// Give `share` of an archetype's new sessions to a behavior. No rollout when nothing changes by it.
    pub(crate) fn swap(
        &mut self,
        totals: &mut Totals,
        archetype: u16,
        behavior: Arc<Behavior>,
        share: f64,
        mode: Mode,
        now: Instant,
    ) -> (Swapped, Option<Rollout>) {
        let part = &mut self.archetypes[usize::from(archetype)];
        let before = part.versions.clone();
        let (main, _) = &before[0];
        let others = (main.hash != behavior.hash && share < 1.0).then_some(main);
        let share = if others.is_some() { share } else { 1.0 };
        let mut versions: Vec<(Arc<Behavior>, f64)> = Vec::new();
        versions.extend(others.map(|main| (Arc::clone(main), 1.0 - share)));
        versions.push((behavior, share));
        let plays = |(b, s): &(Arc<Behavior>, f64)| (b.hash.clone(), (s * 1e6) as u64);
        let unchanged = before.iter().map(plays).eq(versions.iter().map(plays));
        let mut swapped = Swapped {
            archetype: self.catalog.archetype(archetype).to_owned(),
            before: self.short(archetype, &before[0].0),
            now: String::new(),
            share,
            unchanged,
        };
        if unchanged {
            swapped.now.clone_from(&swapped.before);
            return (swapped, None);
        }
        let (newest, _) = &versions[versions.len() - 1];
        let is_new = !before.iter().any(|(b, _)| b.hash == newest.hash);
        let newest = Arc::clone(newest);
        let role = self.publish(totals, archetype, versions);
        totals.swapped(archetype, SwapResult::Published);
        swapped.now = self.short(archetype, &newest);
        let part = &mut self.archetypes[usize::from(archetype)];
        // One that is still on probation itself is nothing to go back to.
        let proven = part.probation.take().map_or(before, |p| p.before);
        part.probation = is_new.then(|| Probation {
            role,
            before: proven,
            until: now + PROBATION,
            base: totals.crashes(role),
        });
        (swapped, Some(self.rollout(archetype, mode)))
    }

    /// The archetypes whose probation is over, with those behaviors taken back that have crashed too often. To be asked whenever
    /// totals have grown.
    pub(crate) fn review(
        &mut self,
        totals: &mut Totals,
        now: Instant,
    ) -> Vec<(u16, Option<Rollback>)> {
        let mut verdicts = Vec::new();
        for archetype in 0..self.archetypes.len() as u16 {
            let part = &mut self.archetypes[usize::from(archetype)];
            let Some(probation) = part.probation.take_if(|p| {
                let since = since(p, totals);
                p.until <= now || too_many(since)
            }) else {
                continue;
            };
            let (started, crashed, traps) = since(&probation, totals);
            if !too_many((started, crashed, traps)) {
                verdicts.push((archetype, None));
                continue;
            }
            let [bad, back] = self.take_back(totals, archetype, probation);
            let name = self.catalog.archetype(archetype);
            verdicts.push((archetype, Some(Rollback {
                why: format!(
                    "swap of {name} rolled back: {bad} crashed {traps} times and lost {crashed} of {started} sessions; {back} plays again"
                ),
                rollout: self.rollout(archetype, Mode::Now),
            })));
        }
        verdicts
    }

    /// What shard 0 has found of the behavior that is on probation here.
    pub(crate) fn judged(
        &mut self,
        totals: &mut Totals,
        archetype: u16,
        is_good: bool,
    ) -> Option<Rollback> {
        let part = self.archetypes.get_mut(usize::from(archetype))?;
        let probation = part.probation.take().filter(|_| !is_good)?;
        let [bad, back] = self.take_back(totals, archetype, probation);
        let name = self.catalog.archetype(archetype);
        Some(Rollback {
            why: format!(
                "swap of {name} rolled back by shard 0: {bad} crashed; {back} plays again"
            ),
            rollout: self.rollout(archetype, Mode::Now),
        })
    }

    /// Tells what played, and what plays again.
    fn take_back(
        &mut self,
        totals: &mut Totals,
        archetype: u16,
        probation: Probation,
    ) -> [String; 2] {
        let versions = &self.archetypes[usize::from(archetype)].versions;
        let bad = versions.last().map(|(b, _)| Arc::clone(b));
        let bad = bad.map_or_else(String::new, |b| self.short(archetype, &b));
        self.publish(totals, archetype, probation.before);
        totals.swapped(archetype, SwapResult::RolledBack);
        let plays = &self.archetypes[usize::from(archetype)].versions[0].0;
        [bad, self.short(archetype, plays)]
    }

    /// Is anybody on probation?
    pub(crate) fn watches(&self) -> bool {
        self.archetypes.iter().any(|part| part.probation.is_some())
    }

    /// Make the versions known, from the next generation of the catalog on. Tells the role of the last one.
    fn publish(
        &mut self,
        totals: &mut Totals,
        archetype: u16,
        versions: Vec<(Arc<Behavior>, f64)>,
    ) -> Role {
        let mut catalog = (*self.catalog).clone();
        let mut role = Role::default();
        let mut shares = Vec::new();
        for (behavior, share) in &versions {
            role = enter(&mut catalog, archetype, behavior);
            shares.push((role.version, *share));
        }
        catalog.share_out(archetype, &shares);
        self.catalog = Arc::new(catalog);
        totals.adopt(Arc::clone(&self.catalog));
        self.archetypes[usize::from(archetype)].versions = versions;
        role
    }

    fn rollout(&self, archetype: u16, mode: Mode) -> Rollout {
        Rollout {
            archetype,
            catalog: Arc::clone(&self.catalog),
            versions: self.archetypes[usize::from(archetype)].versions.clone(),
            mode,
        }
    }

    fn short(&self, archetype: u16, behavior: &Behavior) -> String {
        let mut versions = self.catalog.versions.iter();
        versions
            .find(|v| v.archetype == archetype && v.hash == behavior.hash)
            .map_or_else(String::new, |v| v.short())
    }
}

fn since(probation: &Probation, totals: &Totals) -> (u64, u64, u64) {
    let (started, crashed, traps) = totals.crashes(probation.role);
    let base = probation.base;
    (started - base.0, crashed - base.1, traps - base.2)
}

fn too_many((started, crashed, traps): (u64, u64, u64)) -> bool {
    // A session that was to move in is lost by a crash, but did not begin here.
    traps >= MIN_CRASHES && crashed.max(traps) as f64 > MAX_CRASHED * started as f64
}
