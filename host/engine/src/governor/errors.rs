//! The error mix: when something should fail on purpose, and how. Client errors are asked of behaviors, which shape
//! them; server errors and timeouts the host makes itself. Both are debts: what was asked for and did not come about is
//! asked for again, unless it never comes about.

use vespeiro_model::{Failure, FaultKind, Outcome, OutcomeClass};
use vespeiro_plan::ErrorMix;

/// Kinds that behaviors commit, and how many of a hundred each of them is.
const CLIENT: [(FaultKind, u64); 5] = [
    (FaultKind::BadCredentials, 28),
    (FaultKind::Forbidden, 18),
    (FaultKind::InvalidData, 25),
    (FaultKind::NotFound, 28),
    // A burst is many requests, most of which succeed.
    (FaultKind::RateLimit, 1),
];
/// Of the server errors, one in so many is a timeout: each costs the target a connection.
const TIMEOUT_EVERY: f64 = 6.0;
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
    /// Times in a row that it did not come about.
    futile: u32,
}

/// Outcomes so far against the plan's shares.
#[derive(Debug)]
pub(in super::super) struct Errors {
    /// Shares of client and server errors, 0 to 1.
    client: f64,
    server: f64,
    seen: u64,
    client_errors: u64,
    server_errors: u64,
    timeouts: u64,
    /// Asked of behaviors and not yet come to an end.
    asked: u64,
    /// By kind: on their way.
    making: [u64; FaultKind::ALL.len()],
    records: [Record; FaultKind::ALL.len()],
    /// By archetype: asks in a row that its sessions did not take up.
    ignored: Vec<u32>,
}

impl Errors {
    pub(super) fn new(mix: ErrorMix, archetypes: usize) -> Self {
        Self {
            client: mix.client / 100.0,
            server: mix.server / 100.0,
            seen: 0,
            client_errors: 0,
            server_errors: 0,
            asked: 0,
            timeouts: 0,
            making: Default::default(),
            records: Default::default(),
            ignored: vec![0; archetypes],
        }
    }

    /// A session of this archetype is about to take a step: should it commit a fault?
    pub(in super::super) fn ask(&mut self, archetype: u16) -> Option<FaultRequest> {
        let debt = self.client * self.seen as f64 - (self.client_errors + self.asked) as f64;
        if debt < 1.0 || self.ignored[usize::from(archetype)] >= FUTILE {
            return None;
        }
        let kind = self.next_kind()?;
        self.records[kind as usize].asked += 1;
        self.asked += 1;
        Some(FaultRequest { kind, steps: 0 })
    }

    /// The kind that is furthest behind its part among those that come about.
    fn next_kind(&self) -> Option<FaultKind> {
        let open = |kind: FaultKind| {
            !self.is_futile(kind) && (kind != FaultKind::RateLimit || self.seen >= BEFORE_BURSTS)
        };
        let kinds = CLIENT.iter().filter(|(kind, _)| open(*kind));
        // The one whose next turn comes first, if each has its turns evenly spread.
        let turn = |(kind, part): &&(FaultKind, u64)| {
            let asked = self.records[*kind as usize].asked;
            (2 * asked + 1) * 10_000 / part
        };
        kinds.min_by_key(turn).map(|(kind, _)| *kind)
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
        self.ignored[usize::from(archetype)] = 0;
        self.note(ask.kind, met)
    }

    /// Another behavior plays the archetype: it may take up what the one before ignored.
    pub(super) fn forgive(&mut self, archetype: u16) {
        self.ignored[usize::from(archetype)] = 0;
    }

    /// A session was asked in vain.
    pub(in super::super) fn ignored(&mut self, archetype: u16) {
        self.asked -= 1;
        self.ignored[usize::from(archetype)] += 1;
    }

    /// Should the host make the next request fail, and of what?
    pub(in super::super) fn make(&mut self) -> Option<FaultKind> {
        let share = self.server * self.seen as f64;
        let debt = share - (self.server_errors + self.making.iter().sum::<u64>()) as f64;
        if debt < 1.0 {
            return None;
        }
        let timeouts = self.timeouts + self.making[FaultKind::Timeout as usize];
        let kind = if share / TIMEOUT_EVERY - timeouts as f64 >= 1.0
            && !self.is_futile(FaultKind::Timeout)
        {
            FaultKind::Timeout
        } else if !self.is_futile(FaultKind::ServerError) {
            FaultKind::ServerError
        } else {
            return None;
        };
        self.records[kind as usize].asked += 1;
        self.making[kind as usize] += 1;
        Some(kind)
    }

    /// A request that the host made to fail has come to its end. As [`Self::committed`].
    pub(in super::super) fn made(&mut self, kind: FaultKind, met: bool) -> bool {
        self.making[kind as usize] -= 1;
        self.note(kind, met)
    }

    /// The outcome of a request that was sent, whoever is to blame.
    pub(in super::super) fn came(&mut self, outcome: Outcome) {
        self.seen += 1;
        self.timeouts += u64::from(outcome == Outcome::Failed(Failure::Timeout));
        match OutcomeClass::of(outcome) {
            OutcomeClass::Success => {}
            OutcomeClass::Client => self.client_errors += 1,
            OutcomeClass::Server => self.server_errors += 1,
        }
    }

    fn note(&mut self, kind: FaultKind, met: bool) -> bool {
        let was = self.is_futile(kind);
        let record = &mut self.records[kind as usize];
        record.futile = if met { 0 } else { record.futile + 1 };
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

    fn errors() -> Errors {
        let mix = ErrorMix {
            success: 80.0,
            client: 15.0,
            server: 5.0,
        };
        Errors::new(mix, 2)
    }

    #[test]
    fn a_fault_is_asked_of_one_session_at_a_time() {
        let mut errors = errors();
        (0..7).for_each(|_| errors.came(OK));
        let ask = errors.ask(0).unwrap();
        assert_eq!(errors.ask(1), None);
        errors.ignored(0);
        assert!(errors.ask(1).is_some());
        errors.came(Outcome::Status(401));
        assert!(!errors.committed(1, ask, true));
        assert_eq!(errors.ask(1), None);
    }

    #[test]
    fn every_kind_has_its_part() {
        let mut errors = errors();
        let mut counts = [0u32; FaultKind::ALL.len()];
        for _ in 0..40_000 {
            errors.came(OK);
            if let Some(ask) = errors.ask(0) {
                errors.came(Outcome::Status(404));
                errors.committed(0, ask, true);
                counts[ask.kind as usize] += 1;
            }
        }
        let all: u32 = counts.iter().sum();
        for (kind, part) in CLIENT {
            let percent = 100.0 * f64::from(counts[kind as usize]) / f64::from(all);
            assert!((percent - part as f64).abs() < 0.5, "{kind:?}: {percent}");
        }
    }

    #[test]
    fn what_never_comes_about_is_given_up_and_said_once() {
        let mut errors = errors();
        let (mut made, mut said) = ([0u32; FaultKind::ALL.len()], 0);
        for _ in 0..10_000 {
            errors.came(OK);
            if let Some(kind) = errors.make() {
                made[kind as usize] += 1;
                said += u32::from(errors.made(kind, false));
            }
        }
        assert_eq!(made[FaultKind::ServerError as usize], FUTILE);
        assert_eq!(made[FaultKind::Timeout as usize], FUTILE);
        assert_eq!(said, 2);
        let mut bursts = 0;
        for _ in 0..100_000 {
            errors.came(OK);
            if let Some(ask) = errors.ask(0) {
                let burst = ask.kind == FaultKind::RateLimit;
                bursts += u32::from(burst);
                errors.committed(0, ask, !burst);
                errors.came(Outcome::Status(404));
            }
        }
        assert_eq!(bursts, FUTILE_BURSTS);
    }

    #[test]
    fn an_archetype_that_does_not_listen_is_left_in_peace() {
        let mut errors = errors();
        (0..10_000).for_each(|_| errors.came(OK));
        for _ in 0..FUTILE {
            assert!(errors.ask(0).is_some());
            errors.ignored(0);
        }
        assert_eq!(errors.ask(0), None);
        assert!(errors.ask(1).is_some());
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
