//! What a run that goes on shows: the seconds that all have handed in, judged and shown one by one, and what is wanted of it.

use std::sync::Arc;
use std::time::Duration;

use super::Orchestrator;
use crate::lifecycle::Signal;
use vespeiro_metrics::{ArchetypeLoad, DesiredLoad, Snapshot, process};

impl<W: FnMut(&Arc<Snapshot>)> Orchestrator<'_, W> {
    /// Take in the seconds that all workers have handed in: judge each and show it.
    pub(super) async fn complete(&mut self) {
        while let Some((second, snapshot)) = self.next_second() {
            // Shard 0 judges the figures of all.
            let judges = self.lifecycle.is_live() && !self.others.is_to_leader();
            // Once a run is ending, its figures are no longer those of its plan.
            if self.ending.is_none_or(|ending| second <= ending)
                && let Some(alarm) = self.guard.evaluate(&snapshot, judges)
            {
                tracing::error!("stopped by its own guard: {alarm}");
                self.signal(Signal::GuardTripped).await;
            }
            self.state_log.log_changes(&snapshot);
            self.broadcast(snapshot);
        }
        self.tell();
    }

    /// Add the next second to the totals. Nobody holds a snapshot of before, unless it is being looked at: else each second
    /// would copy all that the run has counted.
    pub(super) fn next_second(&mut self) -> Option<(Duration, Snapshot)> {
        let control = self.control.clone();
        control.advance(|latest| {
            let now = self.elapsed();
            let second = self.totals.next_second(now, || drop(latest.take()))?;
            let snapshot = self.snapshot(second);
            let mut shown = snapshot.clone();
            self.guard.write_status(&mut shown);
            *latest = Some(Arc::new(shown));
            Some((second, snapshot))
        })
    }

    /// Show the state of the run to everybody who watches; its figures are those of the last second, but for a first glance.
    pub(super) fn show(&mut self) {
        let mut snapshot = self.snapshot(self.totals.counted_until());
        let early = self.totals.early(self.elapsed(), snapshot.process);
        snapshot.early = early.map(Arc::new);
        self.broadcast(snapshot);
    }

    pub(super) fn broadcast(&mut self, mut snapshot: Snapshot) {
        self.guard.write_status(&mut snapshot);
        let snapshot = Arc::new(snapshot);
        self.control.show(&snapshot);
        (self.watch)(&snapshot);
    }

    /// The state of the run, with what was counted up to `counted`.
    pub(super) fn snapshot(&mut self, counted: Duration) -> Snapshot {
        self.totals.desired(self.aim());
        let process = process::sample(self.elapsed());
        let mut snapshot = self.totals.snapshot(counted, process);
        snapshot.sending = self.sending.until(counted);
        snapshot.stage = self.stages.at(
            self.plan.shared_profile(),
            counted,
            snapshot.sending,
            self.lifecycle.is_live(),
        );
        snapshot
    }

    /// What is wanted of this shard's part of the run at this moment.
    pub(super) fn aim(&self) -> DesiredLoad {
        let time = self.lifecycle.clock().time(self.clock.now());
        let mut aim = DesiredLoad {
            paused: self.desired.paused,
            ..DesiredLoad::default()
        };
        let own = self.plan.shown.whole();
        for (workload, deal) in &self.workloads {
            let is_over = workload.ends.is_some_and(|ends| time >= ends);
            let asked = self.desired.users.filter(|_| workload.is_shared);
            let users = match asked {
                None if is_over => 0,
                None => workload.profile.users_at(time),
                Some(asked) => asked,
            };
            let users = deal.share(users, own.part()) as u32;
            let rate = workload.profile.rate_at(time).map(|rate| {
                let most = workload.profile.most_users();
                let part = deal.share_of_arrivals(most, own).filter(|_| !is_over);
                part.map_or(0.0, |part| rate / part.step as f64)
            });
            if !workload.is_shared {
                aim.archetypes.push(ArchetypeLoad {
                    archetype: workload.archetypes[0],
                    users,
                    rate,
                });
            }
            aim.users = aim.users.saturating_add(users);
            aim.rate = aim.rate.into_iter().chain(rate).reduce(|a, b| a + b);
        }
        aim
    }
}
