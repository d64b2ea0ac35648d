//! The host's side of a running instance: its limits, and what its calls told the host. Kept in the instance's store.
//!
//! What must stay true: a host function only appends an event: no file, no lock, no clock. The caller takes the events right
//! after the call.

use std::borrow::Cow;
use std::time::Duration;

use wasmtime::ResourceLimiter;
use wasmtime_wasi::{WasiCtxView, WasiView};

use super::call_context::CallContext;
use super::crash::{PASSED_TOO_MUCH, lacks_memory};
use super::feeder::{NoRow, RowSource};
use super::limits::{MAX_PARTS, MAX_PASSED, MAX_TABLE_ELEMENTS};
use super::memory_pool::MemoryShare;
use super::step::{MAX_MARK, MAX_NOTES, MAX_SHARED, MAX_TOKEN, TOKEN};
use super::types::Level;
use super::wasi::{MAX_LINE, Wasi, WithWasi};

/// Checks, observations and missing rows of one call that are kept.
const MAX_REPORTS: usize = 1024;
/// Things that one call may mark or unmark.
const MAX_MARKS: usize = 1024;
/// Log lines of one call that are kept.
const MAX_LOGS: usize = 32;
/// Longest name of a check or metric, in bytes.
const MAX_NAME: usize = 256;

/// Something a session told the host during a call.
#[derive(Debug, Clone, PartialEq)]
pub enum GuestEvent {
    Log {
        level: Level,
        message: String,
    },
    Check {
        name: String,
        passed: bool,
    },
    Observe {
        metric: String,
        value: f64,
    },
    /// A transaction begins.
    Begin(String),
    End {
        transaction: String,
        passed: bool,
    },
    /// Why its person gives up, and where, should it end so.
    Abandoned {
        reason: String,
        place: Option<String>,
    },
    /// It hands this to all sessions.
    Share(String),
    Mark(String),
    Unmark(String),
    /// It asked for a row of a feed and got none.
    NoRow {
        feed: String,
        why: NoRow,
    },
}

pub(super) struct GuestState {
    pub(super) events: Vec<GuestEvent>,
    /// Set when a mark, a transaction or notes of the call could not be kept.
    pub(super) complaint: Option<String>,
    logs: usize,
    marks: usize,
    reports: usize,
    /// Bytes that the call has passed so far.
    passed: usize,
    /// Where its thread's processor time was at its begin, if that bounds it.
    pub(super) call_began: Option<Duration>,
    pub(super) memory: MemoryShare,
    table_elements: usize,
    wasi: Option<Box<Wasi>>,
    /// Lent for the time of a call.
    feed: Option<Box<dyn RowSource>>,
}

impl GuestState {
    /// `wasi` is the seed of an instance that imports WASI.
    pub(super) fn new(memory: MemoryShare, wasi: Option<u64>) -> Self {
        Self {
            events: Vec::new(),
            complaint: None,
            logs: 0,
            marks: 0,
            reports: 0,
            passed: 0,
            call_began: None,
            memory,
            table_elements: 0,
            wasi: wasi.map(|seed| Box::new(Wasi::new(seed))),
            feed: None,
        }
    }

    pub(super) fn begin_call(&mut self, call_context: &CallContext) {
        self.feed = call_context.feeder.lend();
        self.events.clear();
        self.complaint = None;
        (self.logs, self.marks, self.reports, self.passed) = (0, 0, 0, 0);
        if let Some(wasi) = &mut self.wasi {
            wasi.begin_call(call_context);
        }
    }

    /// Give back what was lent, take what the call has printed, and say how much of its log was left out.
    pub(super) fn end_call(&mut self, call_context: &CallContext) {
        let printed = self.wasi.as_mut().map(|wasi| wasi.printed());
        for (level, line) in printed.into_iter().flatten() {
            let shown = self.veil(&line).into_owned();
            self.log_line(level, &shown);
        }
        call_context.feeder.give_back(self.feed.take());
        let left_out = self.logs.saturating_sub(MAX_LOGS);
        if left_out > 0 {
            self.events.push(GuestEvent::Log {
                level: Level::Warn,
                message: format!("({left_out} more lines of this call are left out)"),
            });
        }
    }

    fn report(&mut self, event: impl FnOnce() -> GuestEvent) {
        self.reports += 1;
        if self.reports <= MAX_REPORTS {
            self.events.push(event());
        }
    }

    /// None is left out: what has begun would have no end.
    fn span(&mut self, name: &str, event: impl FnOnce(String) -> GuestEvent) {
        self.reports += 1;
        if self.reports <= MAX_REPORTS {
            let name = cut(&self.veil(name), MAX_NAME);
            self.events.push(event(name));
        } else {
            self.complaint.get_or_insert_with(|| {
                format!("it tells the host more than {MAX_REPORTS} things in one call, transactions among them: spread them over several steps")
            });
        }
    }

    fn log_line(&mut self, level: Level, line: &str) {
        self.logs += 1;
        if self.logs <= MAX_LOGS {
            let message = cut(line, MAX_LINE);
            self.events.push(GuestEvent::Log { level, message });
        }
    }

    /// The engine bounds what one call of the host is passed, but not what a call of the guest passes in all of them.
    fn pass(&mut self, bytes: usize) -> wasmtime::Result<()> {
        self.passed = self.passed.saturating_add(bytes);
        if self.passed > MAX_PASSED {
            wasmtime::bail!(PASSED_TOO_MUCH);
        }
        Ok(())
    }

    /// What the call answers counts too. The engine bounds that by itself, so that it is only measured where more was passed.
    pub(super) fn answer(&mut self, bytes: impl FnOnce() -> usize) -> wasmtime::Result<()> {
        match self.passed {
            0 => Ok(()),
            _ => self.pass(bytes()),
        }
    }

    /// No mark may be lost or cut short: the cleanup would never find the thing.
    fn account(&mut self, thing: &str, event: impl FnOnce(String) -> GuestEvent) {
        self.marks += 1;
        let longest = match thing.starts_with(TOKEN) {
            true => MAX_TOKEN,
            false => MAX_MARK,
        };
        if self.marks > MAX_MARKS {
            self.complaint.get_or_insert_with(|| {
                format!("it marks or unmarks more than {MAX_MARKS} things in one call: spread them over several steps")
            });
        } else if thing.len() > longest {
            let length = thing.len();
            self.complaint.get_or_insert_with(|| {
                format!("a mark of {length} bytes is over the {longest} that are allowed")
            });
        } else {
            self.events.push(event(thing.to_owned()));
        }
    }
}

impl ResourceLimiter for GuestState {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // Beyond its own maximum a memory does not grow, whatever is answered.
        let may = maximum.is_none_or(|maximum| desired <= maximum);
        Ok(may && self.memory.grow(desired.saturating_sub(current)))
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        if lacks_memory(&error) {
            self.memory.failed_to_grow();
        }
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let others = self.table_elements.saturating_sub(current);
        let total = others.saturating_add(desired);
        if total > MAX_TABLE_ELEMENTS {
            return Ok(false);
        }
        self.table_elements = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        MAX_PARTS
    }

    fn tables(&self) -> usize {
        MAX_PARTS
    }

    fn memories(&self) -> usize {
        MAX_PARTS
    }
}

impl WithWasi for GuestState {
    fn wasi(&mut self) -> &mut Wasi {
        self.wasi.get_or_insert_with(|| Box::new(Wasi::new(0)))
    }
}

impl WasiView for GuestState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.wasi().view()
    }
}

/// What a guest calls the host for, in whichever version of the contract.
impl GuestState {
    pub(super) fn take_log(&mut self, level: Level, message: &str) -> wasmtime::Result<()> {
        let shown = self.veil(message);
        self.log_line(level, &shown);
        self.pass(message.len())
    }

    pub(super) fn take_check(&mut self, name: &str, passed: bool) -> wasmtime::Result<()> {
        let shown = self.veil(name);
        self.report(|| GuestEvent::Check {
            name: cut(&shown, MAX_NAME),
            passed,
        });
        self.pass(name.len())
    }

    pub(super) fn take_value(&mut self, metric: &str, value: f64) -> wasmtime::Result<()> {
        let shown = self.veil(metric);
        self.report(|| GuestEvent::Observe {
            metric: cut(&shown, MAX_NAME),
            value,
        });
        self.pass(metric.len())
    }

    pub(super) fn take_begin(&mut self, name: &str) -> wasmtime::Result<()> {
        self.span(name, GuestEvent::Begin);
        self.pass(name.len())
    }

    pub(super) fn take_end(&mut self, name: &str, passed: bool) -> wasmtime::Result<()> {
        self.span(name, |transaction| GuestEvent::End {
            transaction,
            passed,
        });
        self.pass(name.len())
    }

    pub(super) fn take_abandoned(
        &mut self,
        reason: &str,
        place: Option<&str>,
    ) -> wasmtime::Result<()> {
        let shown = |text: &str| cut(&self.veil(text), MAX_NAME);
        let (why, at) = (shown(reason), place.map(shown));
        self.report(|| GuestEvent::Abandoned {
            reason: why,
            place: at,
        });
        self.pass(reason.len() + place.map_or(0, str::len))
    }

    pub(super) fn take_share(&mut self, value: String) -> wasmtime::Result<()> {
        let length = value.len();
        if length > MAX_SHARED {
            self.complaint.get_or_insert_with(|| {
                format!("{length} bytes to share are over the {MAX_SHARED} that are allowed")
            });
        } else {
            self.report(|| GuestEvent::Share(value));
        }
        self.pass(length)
    }

    /// It may be asked for as often as the engine's own bound on a call lets it.
    pub(super) fn give_shared(&mut self) -> wasmtime::Result<Option<String>> {
        let shared = self.feed.as_ref().and_then(|plan| plan.shared());
        Ok(shared.map(str::to_owned))
    }

    pub(super) fn take_notes(&mut self, notes: &str) -> wasmtime::Result<()> {
        let length = notes.len();
        if length > MAX_NOTES {
            self.complaint.get_or_insert_with(|| {
                format!("notes of {length} bytes are over the {MAX_NOTES} that are allowed")
            });
        } else if let Some(plan) = &mut self.feed {
            plan.remember(notes);
        }
        self.pass(length)
    }

    pub(super) fn give_notes(&self) -> Option<String> {
        let notes = self.feed.as_ref()?.remembered()?;
        Some(notes.to_owned())
    }

    pub(super) fn take_mark(&mut self, thing: &str) -> wasmtime::Result<()> {
        let shown = self.veil(thing);
        self.account(&shown, GuestEvent::Mark);
        self.pass(thing.len())
    }

    pub(super) fn take_unmark(&mut self, thing: &str) -> wasmtime::Result<()> {
        let shown = self.veil(thing);
        self.account(&shown, GuestEvent::Unmark);
        self.pass(thing.len())
    }

    /// The next row of a feed.
    pub(super) fn give_row(&mut self, feed: &str) -> wasmtime::Result<Option<String>> {
        self.pass(feed.len())?;
        let next = match &mut self.feed {
            Some(rows) => rows.next(feed),
            None => Err(NoRow::Unknown),
        };
        let row = next.map_err(|why| {
            let shown = self.veil(feed);
            let feed = || cut(&shown, MAX_NAME);
            self.report(|| GuestEvent::NoRow { feed: feed(), why });
        });
        Ok(row.ok())
    }

    /// A secret of the plan.
    pub(super) fn give_secret(&mut self, name: &str) -> wasmtime::Result<Option<String>> {
        self.pass(name.len())?;
        Ok(self.feed.as_ref().and_then(|plan| plan.secret(name)))
    }

    /// A text of the guest's as it may be shown and kept.
    pub(super) fn veil<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match &self.feed {
            Some(plan) => plan.secrets().veil(text),
            None => Cow::Borrowed(text),
        }
    }
}

/// The beginning of a text, in no more memory than that takes.
fn cut(text: &str, longest: usize) -> String {
    text[..text.floor_char_boundary(longest)].to_owned()
}
