//! End-to-end tests: they start the real binary against the real user service, as processes of their own, and hold
//! what it says against what the service counted. One file per promise; nothing here reaches into the library.

// Tests measure by the machine's clock.
#![allow(clippy::disallowed_methods)]
// clippy.toml lets tests unwrap, but does not take this target's helpers for tests.
#![allow(clippy::unwrap_used)]

mod backoff;
mod bad_input;
mod baseline;
mod bounds;
mod breaker;
mod budgets;
mod channels;
mod compiling;
mod connections;
mod cookies;
mod crashes;
mod dashboard;
mod demo;
mod determinism;
mod docs;
mod endpoints;
mod failures;
mod feeds;
mod guard;
mod guest_memory;
mod hidden;
mod hit;
mod hostile;
mod import;
mod import_links;
mod isolation;
mod journey;
mod kubernetes;
mod leftovers;
mod limits;
mod log;
mod logins;
mod lookups;
mod meeting;
mod metrics;
mod modules;
mod notes;
mod once;
mod outputs;
mod ownership;
mod pauses;
mod people;
mod phases;
mod portuguese;
mod postman;
mod profiles;
mod push;
mod push_later;
mod record;
mod redirects;
mod rehearsal;
mod report;
mod schemas;
mod script;
mod seconds;
mod secrets;
mod security;
mod shards;
mod shell;
mod signals;
mod slurm;
mod spread;
mod steering;
mod success;
mod support;
mod swap;
mod targets;
mod together;
mod totals;
mod traces;
mod transactions;
mod trial;
mod ui;
mod uploads;
mod visitors;
mod watch;
mod workloads;
