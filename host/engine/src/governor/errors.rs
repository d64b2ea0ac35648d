//! The error mix: when something should fail on purpose, and how. Client errors are asked of behaviors, which shape
//! them; server errors and timeouts the host makes itself. Both are debts: what was asked for and did not come about is
//! asked for again, unless it never comes about.

use vespeiro_model::{FaultKind, Outcome, OutcomeClass};
use vespeiro_plan::{ErrorMix, FaultMix};

/// Times in a row that a fault does not come about, after which it is asked for no more.
const FUTILE: u32 = 20;
/// The same for bursts: a target without a rate limit should not get many of them without effect.
const FUTILE_BURSTS: u32 = 2;
/// Requests before the first burst.
const BEFORE_BURSTS: u64 = 200;
/// Steps after which a session that was asked for a fault is asked no more.
const PATIENCE: u32 = 100;

/// A fault that a session is asked for at each of its steps, until it commits it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct FaultRequest {
    pub(in super::super) kind: FaultKind,
    steps: u32,
}

impl FaultRequest {
    /// FaultRequest once more; `false` when that has been done often enough.
    pub(in super::super) fn again(&mut self) -> bool {
        self.steps += 1;
        self.steps < PATIENCE
    }
}

/// What a kind of fault has come to.
#[derive(Debug, Clone, Copy, Default)]
struct Record {
    asked: u64,
    /// Asked of sessions that have neither committed nor refused it.
    open: u64,
    /// It has come about.
    is_known: bool,
    /// Times in a row that it did not come about.
    futile: u32,
}

/// Outcomes so far against the plan's shares.
#[derive(Debug)]
pub(in super::super) struct Errors {
    /// Shares of client and server errors, 0 to 1.
    client: f64,
    server: f64,
    kinds: FaultMix,
    seen: u64,
    client_errors: u64,
    server_errors: u64,
    /// Asked of behaviors and not yet come to an end.
    asked: u64,
    /// By kind: on their way.
    injecting: [u64; FaultKind::ALL.len()],
    records: [Record; FaultKind::ALL.len()],
    /// By archetype: asks in a row that its sessions did not take up.
    ignored: Vec<u32>,
}

impl Errors {
    pub(super) fn new(mix: ErrorMix, kinds: FaultMix, archetypes: usize) -> Self {
        Self {
            client: mix.client / 100.0,
            server: mix.server / 100.0,
            kinds,
            seen: 0,
            client_errors: 0,
            server_errors: 0,
            asked: 0,
            injecting: Default::default(),
            records: Default::default(),
            ignored: vec![0; archetypes],
        }
    }

    /// A session of this archetype is about to take a step: should it commit a fault? So many `wrong_passwords` the target
    /// may be given now, those that are asked for and have not come included.
    pub(in super::super) fn request(
        &mut self,
        archetype: u16,
        wrong_passwords: usize,
    ) -> Option<FaultRequest> {
        let debt = self.client * self.seen as f64 - (self.client_errors + self.asked) as f64;
        if debt < 1.0 || self.ignored[usize::from(archetype)] >= FUTILE {
            return None;
        }
        let kind = self.next_client_kind(wrong_passwords)?;
        let record = &mut self.records[kind as usize];
        record.asked += 1;
        record.open += 1;
        self.asked += 1;
        Some(FaultRequest { kind, steps: 0 })
    }

    fn next_client_kind(&self, wrong_passwords: usize) -> Option<FaultKind> {
        let wrong = self.records[FaultKind::BadCredentials as usize].open;
        self.next_kind(|kind| {
            !kind.is_hosts()
                && (kind != FaultKind::RateLimit || self.seen >= BEFORE_BURSTS)
                && (kind != FaultKind::BadCredentials || wrong < wrong_passwords as u64)
        })
    }

    /// The kind that is furthest behind its part among those that may be and come about.
    fn next_kind(&self, may_be: impl Fn(FaultKind) -> bool) -> Option<FaultKind> {
        let open = |kind: &FaultKind| {
            self.kinds.weight(*kind) > 0.0 && !self.is_futile(*kind) && may_be(*kind)
        };
        // The one whose next turn comes first, if each has its turns evenly spread.
        let turn = |kind: &FaultKind| {
            let had = self.records[*kind as usize].asked as f64;
            (had + 0.5) / self.kinds.weight(*kind)
        };
        let kinds = FaultKind::ALL.into_iter().filter(open);
        kinds.min_by(|a, b| turn(a).total_cmp(&turn(b)))
    }

    /// A session has committed what it was asked for. `met`: a request failed as asked. Returns `true` once
    /// this fault kind is given up as without effect.
    pub(in super::super) fn committed(
        &mut self,
        archetype: u16,
        ask: FaultRequest,
        met: bool,
    ) -> bool {
        self.asked -= 1;
        self.records[ask.kind as usize].open -= 1;
        self.ignored[usize::from(archetype)] = 0;
        self.record_effect(ask.kind, met)
    }

    /// Another behavior plays the archetype: it may take up what the one before ignored.
    pub(super) fn reset_ignored(&mut self, archetype: u16) {
        self.ignored[usize::from(archetype)] = 0;
    }

    /// A session was asked in vain.
    pub(in super::super) fn ignored(&mut self, archetype: u16, ask: FaultRequest) {
        self.asked -= 1;
        self.records[ask.kind as usize].open -= 1;
        self.ignored[usize::from(archetype)] += 1;
    }

    /// Should the host make the next request fail, and of what? One that changes something (not `safe`) fails only of what the
    /// target is known to answer instead of doing what it was asked.
    pub(in super::super) fn inject(&mut self, safe: bool) -> Option<FaultKind> {
        let share = self.server * self.seen as f64;
        let debt = share - (self.server_errors + self.injecting.iter().sum::<u64>()) as f64;
        if debt < 1.0 {
            return None;
        }
        let obeys = self.records[FaultKind::ServerError as usize].is_known;
        let may_be = |kind: FaultKind| {
            kind.is_hosts() && (safe || (kind == FaultKind::ServerError && obeys))
        };
        let kind = self.next_kind(may_be)?;
        self.records[kind as usize].asked += 1;
        self.injecting[kind as usize] += 1;
        Some(kind)
    }

    /// A request that the host made to fail has come to its end. As [`Self::committed`].
    pub(in super::super) fn injected(&mut self, kind: FaultKind, met: bool) -> bool {
        self.injecting[kind as usize] -= 1;
        self.record_effect(kind, met)
    }

    /// The outcome of a request that was sent, whoever is to blame.
    pub(in super::super) fn record_outcome(&mut self, outcome: Outcome) {
        self.seen += 1;
        match OutcomeClass::of(outcome) {
            OutcomeClass::Success => {}
            OutcomeClass::Client => self.client_errors += 1,
            OutcomeClass::Server => self.server_errors += 1,
        }
    }

    fn record_effect(&mut self, kind: FaultKind, met: bool) -> bool {
        let was = self.is_futile(kind);
        let record = &mut self.records[kind as usize];
        record.futile = if met { 0 } else { record.futile + 1 };
        record.is_known |= met;
        !was && self.is_futile(kind)
    }

    fn is_futile(&self, kind: FaultKind) -> bool {
        let bound = if kind == FaultKind::RateLimit {
            FUTILE_BURSTS
        } else {
            FUTILE
        };
        self.records[kind as usize].futile >= bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: Outcome = Outcome::Status(200);
    /// No bound of wrong passwords.
    const ANY: usize = usize::MAX;

    fn errors() -> Errors {
        let mix = ErrorMix {
            success: 80.0,
            client: 15.0,
            server: 5.0,
        };
        Errors::new(mix, FaultMix::default(), 2)
    }

    #[test]
    fn a_fault_is_asked_of_one_session_at_a_time() {
        let mut errors = errors();
        (0..7).for_each(|_| errors.record_outcome(OK));
        let ask = errors.request(0, ANY).unwrap();
        assert_eq!(errors.request(1, ANY), None);
        errors.ignored(0, ask);
        let ask = errors.request(1, ANY).unwrap();
        errors.record_outcome(Outcome::Status(401));
        assert!(!errors.committed(1, ask, true));
        assert_eq!(errors.request(1, ANY), None);
    }

    #[test]
    fn every_kind_has_its_part() {
        let mut errors = errors();
        let mut counts = [0u32; FaultKind::ALL.len()];
        for _ in 0..40_000 {
            errors.record_outcome(OK);
            if let Some(ask) = errors.request(0, ANY) {
                errors.record_outcome(Outcome::Status(404));
                errors.committed(0, ask, true);
                counts[ask.kind as usize] += 1;
            }
            if let Some(kind) = errors.inject(true) {
                errors.record_outcome(Outcome::Status(502));
                errors.injected(kind, true);
                counts[kind as usize] += 1;
            }
        }
        let client = |kind: &FaultKind| !kind.is_hosts();
        let (client, server): (Vec<_>, Vec<_>) = FaultKind::ALL.into_iter().partition(client);
        for class in [client, server] {
            let all: u32 = class.iter().map(|kind| counts[*kind as usize]).sum();
            let weight = |kind: &FaultKind| FaultMix::default().weight(*kind);
            let weights: f64 = class.iter().map(weight).sum();
            for kind in &class {
                let part = f64::from(counts[*kind as usize]) / f64::from(all);
                let should = weight(kind) / weights;
                assert!((part - should).abs() < 0.005, "{kind:?}: {part}");
            }
        }
    }

    #[test]
    fn no_more_wrong_passwords_are_asked_for_than_may_be_and_others_take_their_place() {
        let mut errors = errors();
        let (mut wrong, mut all) = (Vec::new(), 0);
        for _ in 0..10_000 {
            errors.record_outcome(OK);
            let Some(ask) = errors.request(0, 3) else {
                continue;
            };
            errors.record_outcome(Outcome::Status(404));
            all += 1;
            match ask.kind {
                // Nobody gets round to it.
                FaultKind::BadCredentials => wrong.push(ask),
                _ => {
                    errors.committed(0, ask, true);
                }
            }
        }
        assert_eq!(wrong.len(), 3);
        assert!(all > 1_700, "{all}");
        errors.ignored(0, wrong[0]);
        (0..100).for_each(|_| errors.record_outcome(OK));
        let next = errors.request(0, 3).unwrap();
        assert_eq!(next.kind, FaultKind::BadCredentials);
    }

    #[test]
    fn what_changes_something_fails_only_where_the_target_is_known_to_obey() {
        let mut errors = errors();
        (0..1_000).for_each(|_| errors.record_outcome(OK));
        assert_eq!(errors.inject(false), None);
        while errors.inject(true) != Some(FaultKind::ServerError) {}
        assert_eq!(errors.inject(false), None);
        errors.injected(FaultKind::ServerError, true);
        assert_eq!(errors.inject(false), Some(FaultKind::ServerError));
    }

    #[test]
    fn what_never_comes_about_is_given_up_and_said_once() {
        let mut errors = errors();
        let (mut made, mut said) = ([0u32; FaultKind::ALL.len()], 0);
        for _ in 0..10_000 {
            errors.record_outcome(OK);
            if let Some(kind) = errors.inject(true) {
                made[kind as usize] += 1;
                said += u32::from(errors.injected(kind, false));
            }
        }
        assert_eq!(made[FaultKind::ServerError as usize], FUTILE);
        assert_eq!(made[FaultKind::Timeout as usize], FUTILE);
        assert_eq!(said, 2);
        let mut bursts = 0;
        for _ in 0..100_000 {
            errors.record_outcome(OK);
            if let Some(ask) = errors.request(0, ANY) {
                let burst = ask.kind == FaultKind::RateLimit;
                bursts += u32::from(burst);
                errors.committed(0, ask, !burst);
                errors.record_outcome(Outcome::Status(404));
            }
        }
        assert_eq!(bursts, FUTILE_BURSTS);
    }

    #[test]
    fn an_archetype_that_does_not_listen_is_left_in_peace() {
        let mut errors = errors();
        (0..10_000).for_each(|_| errors.record_outcome(OK));
        for _ in 0..FUTILE {
            let ask = errors.request(0, ANY).unwrap();
            errors.ignored(0, ask);
        }
        assert_eq!(errors.request(0, ANY), None);
        assert!(errors.request(1, ANY).is_some());
    }

    #[test]
    fn asking_ends_after_a_while() {
        let mut ask = FaultRequest {
            kind: FaultKind::NotFound,
            steps: 0,
        };
        assert_eq!(
            (0..1_000).take_while(|_| ask.again()).count(),
            PATIENCE as usize - 1
        );
    }
}
