//! The wrong requests that journeys commit on purpose. What the host may ask for beyond these is ignored.

use crate::contract;

/// A wrong request, committed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// A wrong password or an invalid token: 401.
    BadCredentials,
    /// No permission: 403.
    Forbidden,
    /// A body that breaks a rule: 422 or 400.
    InvalidData,
    /// A resource that does not exist: 404.
    NotFound,
    /// A burst into the rate limit: 429.
    RateLimit,
}

impl Fault {
    /// Every kind, in the contract's order.
    pub const ALL: [Fault; 5] = [
        Fault::BadCredentials,
        Fault::Forbidden,
        Fault::InvalidData,
        Fault::NotFound,
        Fault::RateLimit,
    ];

    /// What a journey knows of; `None` for what it does not.
    pub(crate) fn known(fault: &contract::Fault) -> Option<Fault> {
        Some(match fault {
            contract::Fault::BadCredentials => Fault::BadCredentials,
            contract::Fault::Forbidden => Fault::Forbidden,
            contract::Fault::InvalidData => Fault::InvalidData,
            contract::Fault::NotFound => Fault::NotFound,
            contract::Fault::RateLimit => Fault::RateLimit,
            contract::Fault::Other(_) => return None,
        })
    }
}

impl From<Fault> for contract::Fault {
    fn from(fault: Fault) -> contract::Fault {
        match fault {
            Fault::BadCredentials => contract::Fault::BadCredentials,
            Fault::Forbidden => contract::Fault::Forbidden,
            Fault::InvalidData => contract::Fault::InvalidData,
            Fault::NotFound => contract::Fault::NotFound,
            Fault::RateLimit => contract::Fault::RateLimit,
        }
    }
}
