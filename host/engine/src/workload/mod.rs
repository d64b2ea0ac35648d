//! A load profile as one worker plays it: its part of the users, of a total, of the arrivals.

pub(crate) mod arrivals;
pub(crate) mod planned;
pub(crate) mod state;
