//! The user service's API, as the four archetypes share it: its routes, one typed call for each endpoint, accounts,
//! what a run creates and removes, wrong requests on purpose, cleanup. Everything created carries its mark with it.
#![deny(missing_docs)]

mod account;
mod bodies;
mod cleanup;
mod client;
mod created;
mod explore;
mod faults;
mod model;
pub mod routes;
pub mod scripted;

pub use account::{Account, operator};
pub use cleanup::cleanup;
pub use client::Client;
pub use created::{Created, NewUser, numbered};
pub use faults::{Standing, maybe_err};
pub use model::{Extent, Id, Meta, Named, Page, Person, Profile};
