//! Where a session's rows come from: the engine says which row is next, the instance of a session asks for it.
//!
//! What must stay true: a user's feeder outlives its sessions, their instances and a swap, so that its count of rows goes
//! on.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use vespeiro_plan::Secrets;

/// Why there is no next row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoRow {
    /// The plan has no feed of this name.
    Unknown,
    /// It is for other archetypes.
    Withheld,
    /// The user has had all rows that are its own.
    Spent,
}

/// What the plan has for behaviors, as one user sees it, feeds and secrets; and the notes that the user has made.
pub trait RowSource: fmt::Debug + Send {
    /// The next row of the feed of this name, as JSON.
    fn next(&mut self, name: &str) -> Result<String, NoRow>;

    fn secrets(&self) -> &Secrets;

    /// Keep the user's notes, instead of those before.
    fn remember(&mut self, notes: &str);

    fn remembered(&self) -> Option<&str>;

    /// What the preparation of the run has shared.
    fn shared(&self) -> Option<&str>;

    /// The value of a secret.
    fn secret(&self, name: &str) -> Option<String> {
        self.secrets().get(name).map(Into::into)
    }
}

/// One user's access to the feeds, for all of its sessions; by default there are no feeds. A store has to be able to move
/// between threads, so that the rows are lent to it for a call rather than shared.
#[derive(Clone, Default)]
pub struct Feeder(Option<Rc<Lent>>);

/// Empty for the time of a call.
type Lent = Cell<Option<Box<dyn RowSource>>>;

impl Feeder {
    pub fn new(feed: impl RowSource + 'static) -> Self {
        Self(Some(Rc::new(Cell::new(Some(Box::new(feed))))))
    }

    pub(super) fn lend(&self) -> Option<Box<dyn RowSource>> {
        self.0.as_ref()?.take()
    }

    pub(super) fn give_back(&self, feed: Option<Box<dyn RowSource>>) {
        if let Some(place) = &self.0 {
            place.set(feed);
        }
    }
}

impl fmt::Debug for Feeder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feeder").finish_non_exhaustive()
    }
}
