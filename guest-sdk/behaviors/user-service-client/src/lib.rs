//! The user service's API, as the four archetypes share it: its routes, one typed call for each endpoint, accounts,
//! who the people are and how they pace themselves, what a run creates and removes, wrong requests on purpose, cleanup.
//! Everything created carries its mark with it.
#![deny(missing_docs)]

mod account;
mod bodies;
mod cleanup;
mod client;
mod created;
mod day;
mod explore;
mod faults;
mod mistype;
mod model;
mod password;
mod person;
mod renames;
pub mod routes;
pub mod scripted;
mod settings;
mod temper;
mod who;

pub use account::Account;
pub use cleanup::cleanup;
pub use client::{Client, given_up};
pub use created::{Created, Member, NewUser, numbered};
pub use day::{Day, Parts, SHORTEST};
pub use explore::Wanted;
pub use faults::{Standing, maybe_err, maybe_err_twofold};
pub use model::{Extent, Id, Listed, Meta, Named, Page, Profile};
pub use password::Passwords;
pub use person::{Person, ProfileEdit, Style};
pub use settings::Settings;
pub use temper::{Pause, Temper};
pub use who::Who;
