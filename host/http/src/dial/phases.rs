//! How long the parts of a dial took. The dialer moves the watch on; whoever measures a request reads it.
//!
//! What must stay true: the parts lie end to end, so that their sum is the dial, also of one that failed or ran out of
//! time in the midst of a part.

use std::time::Duration;

use tokio::time::Instant;

/// How long the parts of a dial took; zero for those that it did not come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DialPhases {
    /// Until the addresses were known.
    pub lookup: Duration,
    /// Until a connection stood, failed attempts and the talk with a proxy included.
    pub connect: Duration,
    /// The TLS handshake.
    pub tls: Duration,
}

impl DialPhases {
    /// The whole dial.
    pub fn total(&self) -> Duration {
        self.lookup + self.connect + self.tls
    }
}

/// The part that a dial is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Lookup,
    Connect,
    Tls,
}

/// Measures the parts of one dial.
#[derive(Debug)]
pub(super) struct DialWatch {
    phases: DialPhases,
    part: Part,
    since: Instant,
}

impl DialWatch {
    pub(super) fn start(now: Instant) -> Self {
        Self {
            phases: DialPhases::default(),
            part: Part::Lookup,
            since: now,
        }
    }

    pub(super) fn part(&self) -> Part {
        self.part
    }

    /// What follows belongs to `part`.
    pub(super) fn enter(&mut self, part: Part, now: Instant) {
        let spent = now.saturating_duration_since(self.since);
        match self.part {
            Part::Lookup => self.phases.lookup += spent,
            Part::Connect => self.phases.connect += spent,
            Part::Tls => self.phases.tls += spent,
        }
        self.part = part;
        self.since = now;
    }

    pub(super) fn stop(&mut self, now: Instant) -> DialPhases {
        self.enter(self.part, now);
        self.phases
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_lie_end_to_end() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut watch = DialWatch::start(start);
        watch.enter(Part::Connect, at(3));
        watch.enter(Part::Tls, at(10));
        let phases = watch.stop(at(30));
        let ms = Duration::from_millis;
        assert_eq!(
            (phases.lookup, phases.connect, phases.tls),
            (ms(3), ms(7), ms(20))
        );
        assert_eq!(phases.total(), ms(30));
    }
}
