//! The service's rules, asked from outside through its router. One file per part of the API; time stands still unless
//! a test moves it, so nothing here waits.

// Tests measure by the machine's clock.
#![allow(clippy::disallowed_methods)]
// clippy.toml lets tests unwrap, but does not take this target's helpers for tests.
#![allow(clippy::unwrap_used)]

mod auth;
mod channels;
mod client;
mod faults;
mod grpc;
mod ledger;
mod lists;
mod permissions;
mod profiles;
mod socket;
mod users;
