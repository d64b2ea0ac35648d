//! The transactions of a session that are open: named spans over several steps. Kept by whatever plays a session: users, `try`
//! and rehearsals alike.
//!
//! What must stay true: what has begun is ended once, and a session holds a bounded number of them.

use std::time::Duration;

use vespeiro_metrics::Span;

/// Transactions that a session may have open at a time.
const MAX_OPEN: usize = 16;

/// Those of one session.
#[derive(Debug, Default)]
pub(crate) struct Transactions {
    open: Vec<Open>,
    /// What the behavior did wrong, for which its session has to end.
    pub(crate) complaint: Option<String>,
}

#[derive(Debug)]
struct Open {
    name: Box<str>,
    began: Moment,
}

/// A moment of a session, by whichever clock it is played.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Moment {
    pub(crate) at: Duration,
    /// How long of that no request had left yet of a step.
    pub(crate) idle: Duration,
}

impl Moment {
    fn since(self, began: Moment) -> Span {
        let duration = self.at.saturating_sub(began.at);
        let idle = self.idle.saturating_sub(began.idle);
        Span {
            duration,
            active: duration.saturating_sub(idle),
        }
    }
}

impl Transactions {
    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    pub(crate) fn begin(&mut self, name: &str, now: Moment) {
        let is_open = self.open.iter().any(|one| *one.name == *name);
        if is_open {
            self.complain(format!("it begins the transaction {name:?}, which is open"));
        } else if self.open.len() == MAX_OPEN {
            self.complain(format!(
                "it begins the transaction {name:?} while {MAX_OPEN} are open, which is all that may be"
            ));
        } else {
            let name = name.into();
            self.open.push(Open { name, began: now });
        }
    }

    /// `None` where none of this name is open.
    pub(crate) fn end(&mut self, name: &str, now: Moment) -> Option<Span> {
        let at = self.open.iter().position(|one| *one.name == *name);
        let Some(at) = at else {
            self.complain(format!(
                "it ends the transaction {name:?}, which is not open"
            ));
            return None;
        };
        Some(now.since(self.open.swap_remove(at).began))
    }

    /// The session has come to its end: those that were still open.
    pub(crate) fn close(&mut self, now: Moment) -> impl Iterator<Item = (Box<str>, Span)> {
        let left = std::mem::take(&mut self.open).into_iter();
        left.map(move |one| (one.name, now.since(one.began)))
    }

    pub(crate) fn complain(&mut self, what: String) {
        self.complaint.get_or_insert(what);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn moment(at: u64, idle: u64) -> Moment {
        Moment {
            at: Duration::from_millis(at),
            idle: Duration::from_millis(idle),
        }
    }

    fn span(duration: u64, active: u64) -> Span {
        Span {
            duration: Duration::from_millis(duration),
            active: Duration::from_millis(active),
        }
    }

    #[test]
    fn spans_may_overlap_and_each_has_its_own_pauses() {
        let mut spans = Transactions::default();
        spans.begin("visit", moment(0, 0));
        spans.begin("checkout", moment(100, 80));
        assert_eq!(spans.end("visit", moment(150, 90)), Some(span(150, 60)));
        assert!(!spans.is_empty() && spans.complaint.is_none());
        let left: Vec<_> = spans.close(moment(400, 300)).collect();
        assert_eq!(left, [("checkout".into(), span(300, 80))]);
        assert!(spans.is_empty());
    }

    #[test]
    fn what_cannot_be_measured_is_said() {
        let mut spans = Transactions::default();
        spans.begin("a", Moment::default());
        spans.begin("a", Moment::default());
        let said = spans.complaint.take();
        assert_eq!(
            said.as_deref(),
            Some("it begins the transaction \"a\", which is open")
        );
        assert_eq!(spans.end("b", Moment::default()), None);
        let said = spans.complaint.take();
        assert_eq!(
            said.as_deref(),
            Some("it ends the transaction \"b\", which is not open")
        );
        (1..=MAX_OPEN).for_each(|n| spans.begin(&n.to_string(), Moment::default()));
        assert!(
            spans
                .complaint
                .take()
                .unwrap()
                .contains("while 16 are open")
        );
        assert_eq!(spans.close(Moment::default()).count(), MAX_OPEN);
    }

    proptest! {
        #[test]
        fn whatever_is_told_what_began_ends_once(told in prop::collection::vec((any::<bool>(), 0..20u8), 0..200)) {
            let mut spans = Transactions::default();
            let mut open = std::collections::BTreeSet::new();
            for (begins, name) in told {
                let name = name.to_string();
                match begins {
                    true => {
                        spans.begin(&name, Moment::default());
                        if open.len() < MAX_OPEN {
                            open.insert(name);
                        }
                    }
                    false => prop_assert_eq!(spans.end(&name, Moment::default()).is_some(), open.remove(&name)),
                }
            }
            prop_assert_eq!(spans.close(Moment::default()).count(), open.len());
        }
    }
}
