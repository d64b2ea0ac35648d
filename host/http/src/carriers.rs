//! What carries requests, as the pools see it: a stream for HTTP/1.1, a connection for HTTP/2.
//!
//! What must stay true: asking one of them anything costs no call of the system.

use crate::dial::{Remote, Stream};
use crate::h1::is_quiet;
use crate::h2::{Connection, Life, Place};
use crate::pool::{Multiple, Single};

/// One request at a time.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) stream: Stream,
    pub(crate) remote: Remote,
}

impl Single for Wire {
    fn is_quiet(&mut self) -> bool {
        is_quiet(&mut self.stream)
    }
}

/// Several requests at a time.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) connection: Connection,
    pub(crate) remote: Remote,
}

impl Multiple for Shared {
    type Place = Place;

    fn try_place(&self) -> Option<Place> {
        self.connection.try_place()
    }

    fn has_room(&self) -> bool {
        self.connection.room() > 0
    }

    fn is_usable(&self) -> bool {
        self.connection.life() == Life::Open
    }
}
