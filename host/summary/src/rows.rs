//! Rows of a summary that are counted by a key, and how two of the same key become one. Used where a summary is built and
//! where several are merged.

use crate::json::{
    Abandoned, Address, CategoryShare, Cause, Check, ErrorShare, Fault, Hold, Limit, NotSent,
    Outcomes, StatusClass, Swaps, Transitions,
};

/// A row of a list of the summary.
pub(crate) trait Row: Clone {
    /// Both count the same thing.
    fn is_same(&self, other: &Self) -> bool;
    fn add(&mut self, other: &Self);
}

/// The rows, those of the same thing added up, in the order in which they come up.
pub(crate) fn merged<T: Row>(rows: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut all: Vec<T> = Vec::new();
    for row in rows {
        match all.iter_mut().find(|known| known.is_same(&row)) {
            Some(known) => known.add(&row),
            None => all.push(row),
        }
    }
    all
}

/// Those of the same thing together, in the order in which they come up; each group has one at least.
pub(crate) fn grouped<'a, T>(
    all: impl Iterator<Item = &'a T>,
    is_same: impl Fn(&T, &T) -> bool,
) -> Vec<Vec<&'a T>> {
    let mut groups: Vec<Vec<&T>> = Vec::new();
    for one in all {
        match groups.iter_mut().find(|group| is_same(group[0], one)) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    groups
}

/// The keys of each kind of row, and what is added up.
macro_rules! rows {
    ($($name:ident [$($key:ident),+] $($count:ident),+;)+) => {$(
        impl Row for $name {
            fn is_same(&self, other: &Self) -> bool {
                $(self.$key == other.$key)&&+
            }

            fn add(&mut self, other: &Self) {
                $(self.$count += other.$count;)+
            }
        }
    )+};
}

rows! {
    NotSent [failure] count;
    StatusClass [class] count, injected;
    Outcomes [status, grpc, failure, expected, accepted] count;
    Cause [failure, cause] count;
    Swaps [archetype] published, refused, rolled_back;
    Fault [kind] asked, committed;
    Transitions [to] count;
    Hold [reason] count, seconds;
    Check [archetype, name] passed, failed;
    Abandoned [archetype, reason, place] count;
    Address [address] requests, errors, connections, seconds;
}

/// A target is kept where both rows have the same one.
macro_rules! shares {
    ($($name:ident [$key:ident];)+) => {$(
        impl Row for $name {
            fn is_same(&self, other: &Self) -> bool {
                self.$key == other.$key
            }

            fn add(&mut self, other: &Self) {
                self.requests += other.requests;
                self.target = self.target.filter(|target| Some(*target) == other.target);
            }
        }
    )+};
}

shares! {
    CategoryShare [category];
    ErrorShare [class];
}

impl Row for Limit {
    fn is_same(&self, other: &Self) -> bool {
        self.kind == other.kind
    }

    fn add(&mut self, other: &Self) {
        self.value = self.value.max(other.value);
    }
}
