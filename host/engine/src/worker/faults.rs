//! The mixes as a worker's users meet them: which category is wanted, which fault is asked for, and whether it came about.

use std::time::Duration;

use super::state::WorkerState;
use crate::governor::FaultRequest;
use crate::rollout::runtime::VersionRuntime;
use crate::seed::{Stream, unit};
use vespeiro_model::FaultKind;
use vespeiro_resilience::Settled;

impl WorkerState {
    /// What `context.mix` says to a session of this runtime.
    pub(crate) fn wanted(&self, runtime: &VersionRuntime) -> Vec<f32> {
        let governor = self.governor.borrow();
        let categories = runtime.labels.categories();
        governor
            .mix
            .as_ref()
            .map_or_else(Vec::new, |mix| mix.wanted(categories))
    }

    /// A session has decided on a request of this category.
    pub(crate) fn decided(&self, category: u16) {
        if let Some(mix) = &mut self.governor.borrow_mut().mix {
            mix.made(category);
        }
    }

    /// A fault for a session of this archetype to commit, if it is time for one.
    pub(crate) fn request_fault(&self, archetype: u16) -> Option<FaultRequest> {
        let mut governor = self.governor.borrow_mut();
        let errors = governor.errors.as_mut()?;
        let now = self.now();
        let each = self.admissions.iter();
        let wrong_passwords = each.map(|one| one.wrong_passwords(now)).min();
        let wrong_passwords = wrong_passwords.unwrap_or(usize::MAX);
        let ask = errors.request(archetype, wrong_passwords)?;
        self.recorder.borrow_mut().fault_asked(ask.kind);
        Some(ask)
    }

    /// A session has committed what it was asked for; `met`: a request failed of it.
    pub(crate) fn committed(&self, archetype: u16, ask: FaultRequest, met: bool) {
        let mut governor = self.governor.borrow_mut();
        if let Some(errors) = &mut governor.errors
            && errors.committed(archetype, ask, met)
        {
            self.give_up(ask.kind);
        }
    }

    /// A session was asked for a fault in vain.
    pub(crate) fn ignored(&self, archetype: u16, ask: FaultRequest) {
        if let Some(errors) = &mut self.governor.borrow_mut().errors {
            errors.ignored(archetype, ask);
        }
    }

    /// What the host should make the next request fail of, if it is time for that. `safe`: it changes nothing.
    pub(crate) fn inject_fault(&self, safe: bool) -> Option<FaultKind> {
        let kind = self.governor.borrow_mut().errors.as_mut()?.inject(safe)?;
        self.recorder.borrow_mut().fault_asked(kind);
        Some(kind)
    }

    /// Tell the policies, the recorder and the error mix the outcome of a request.
    pub(crate) fn settle(&self, now: Duration, target: u16, settled: Settled, sent: bool) {
        let chance = |n| unit(self.cool_down_seed, Stream::CoolDown, u64::from(n));
        let changes = self.admission(target).settle(now, settled, chance);
        let Settled { outcome, fault, .. } = settled;
        let met = fault.is_some_and(|kind| kind.is_met_by(outcome));
        {
            let mut recorder = self.recorder.borrow_mut();
            if let Some(state) = changes.breaker {
                recorder.breaker(state);
            }
            if let Some(pauses) = changes.refused_login {
                recorder.login_refused(pauses);
            }
            if let (Some(kind), true) = (fault, met) {
                recorder.fault_committed(kind);
            }
        }
        let mut governor = self.governor.borrow_mut();
        let Some(errors) = &mut governor.errors else {
            return;
        };
        if sent {
            errors.record_outcome(outcome);
        }
        if let Some(kind) = fault.filter(|kind| kind.is_hosts())
            && errors.injected(kind, met || !sent)
        {
            self.give_up(kind);
        }
    }

    fn give_up(&self, kind: FaultKind) {
        if !self.is_first {
            return;
        }
        let word = kind.as_str();
        match kind {
            FaultKind::ServerError => tracing::warn!(
                "no server errors on purpose: the target does not honor x-envoy-fault-abort-request; set error_mix without a server share, or allow faults there"
            ),
            FaultKind::RateLimit => {
                tracing::info!("no bursts on purpose any more: the target limits no rate");
            }
            _ => tracing::warn!(
                "no {word} faults on purpose any more: the target did not fail of the last ones"
            ),
        }
    }
}
