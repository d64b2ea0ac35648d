//! What a running instance keeps on the host's side: its limits, and what its calls told the host.
//!
//! Events are collected while the guest runs and taken by the caller right after, so that a host function does
//! nothing but push: no file, no lock, no clock.

use wasmtime::ResourceLimiter;

use super::contract::vespeiro::behavior::{host, types};

/// Events of one call that are kept; a guest that says more in one call is not worth listening to.
const MAX_EVENTS: usize = 1024;
/// Log lines of one call that are kept.
const MAX_LOGS: usize = 32;
/// Longest log line, in bytes.
const MAX_LINE: usize = 2048;
/// Longest name of a check, metric or marked thing, in bytes.
const MAX_NAME: usize = 256;

/// Something a session told the host during a call.
#[derive(Debug, Clone, PartialEq)]
pub enum GuestEvent {
    Log { level: host::Level, message: String },
    Check { name: String, passed: bool },
    Observe { metric: String, value: f64 },
    Mark(String),
    Unmark(String),
}

#[derive(Debug)]
pub(super) struct GuestState {
    pub(super) events: Vec<GuestEvent>,
    logs: usize,
    /// Events of the last call that were over the bounds.
    pub(super) dropped: u64,
    memory_cap: usize,
    /// Set once the guest has asked for more than its cap.
    pub(super) memory_refused: bool,
}

impl GuestState {
    pub(super) fn new(memory_cap: usize) -> Self {
        Self {
            events: Vec::new(),
            logs: 0,
            dropped: 0,
            memory_cap,
            memory_refused: false,
        }
    }

    pub(super) fn begin_call(&mut self) {
        self.events.clear();
        self.logs = 0;
        self.dropped = 0;
    }

    fn push(&mut self, event: GuestEvent) {
        if self.events.len() < MAX_EVENTS {
            self.events.push(event);
        } else {
            self.dropped += 1;
        }
    }
}

impl ResourceLimiter for GuestState {
    fn memory_growing(
        &mut self,
        _: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let fits = desired <= self.memory_cap;
        self.memory_refused |= !fits;
        Ok(fits)
    }

    fn table_growing(
        &mut self,
        _: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= 1 << 20)
    }
}

impl types::Host for GuestState {}

impl host::Host for GuestState {
    fn log(&mut self, level: host::Level, mut message: String) {
        self.logs += 1;
        if self.logs > MAX_LOGS {
            self.dropped += 1;
            return;
        }
        truncate(&mut message, MAX_LINE);
        self.push(GuestEvent::Log { level, message });
    }

    fn check(&mut self, mut name: String, passed: bool) {
        truncate(&mut name, MAX_NAME);
        self.push(GuestEvent::Check { name, passed });
    }

    fn observe(&mut self, mut metric: String, value: f64) {
        truncate(&mut metric, MAX_NAME);
        self.push(GuestEvent::Observe { metric, value });
    }

    fn mark(&mut self, mut thing: String) {
        truncate(&mut thing, MAX_NAME);
        self.push(GuestEvent::Mark(thing));
    }

    fn unmark(&mut self, mut thing: String) {
        truncate(&mut thing, MAX_NAME);
        self.push(GuestEvent::Unmark(thing));
    }

    fn feed(&mut self, _name: String) -> Option<String> {
        None
    }
}

fn truncate(text: &mut String, max: usize) {
    if text.len() > max {
        text.truncate(text.floor_char_boundary(max));
    }
}
