//! The current rates: what happens per second, from a short history of the counters. Kept by [`Totals`], read in each
//! [`Snapshot`].
//!
//! [`Totals`]: super::Totals
//! [`Snapshot`]: super::Snapshot

use std::collections::VecDeque;
use std::time::Duration;

/// How far back rates look at most.
const HISTORY: Duration = Duration::from_secs(10);
/// Points that are kept at most: the bound only matters to a caller that takes snapshots without pause.
const MAX_POINTS: usize = 1_000;

/// What happened per second, over some time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Rate {
    /// The time that was really covered.
    pub over: Duration,
    /// Requests that left.
    pub sent: f64,
    /// Requests that got their outcome.
    pub requests: f64,
    /// Failures that nobody asked for.
    pub errors: f64,
    pub bytes_received: f64,
    /// Cores that the process kept busy.
    pub cores: f64,
}

/// The current rates.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Rates {
    /// Since the last snapshot.
    pub interval: Rate,
    /// Over the last second or so.
    pub second: Rate,
    /// Over the last ten seconds or so.
    pub ten_seconds: Rate,
}

/// The counters at one instant.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reading {
    pub(super) elapsed: Duration,
    pub(super) sent: u64,
    pub(super) requests: u64,
    pub(super) errors: u64,
    pub(super) bytes_received: u64,
    /// Of the process, and when it was looked at.
    pub(super) cpu: Duration,
    pub(super) cpu_at: Duration,
}

/// The latest counters, oldest first, and the rates up to the last of them.
#[derive(Debug, Clone)]
pub(super) struct History(VecDeque<Reading>, Rates);

impl History {
    pub(super) fn new(start: Reading) -> History {
        History(VecDeque::from([start]), Rates::default())
    }

    /// The rates up to `now`, which is remembered; what is seen again has the rates of the first time.
    pub(super) fn rates(&mut self, now: Reading) -> Rates {
        if self
            .0
            .back()
            .is_some_and(|last| last.elapsed >= now.elapsed)
        {
            return self.1;
        }
        self.1 = Rates {
            interval: self
                .0
                .back()
                .map_or_else(Rate::default, |from| rate(from, &now)),
            second: self.since(&now, Duration::from_secs(1)),
            ten_seconds: self.since(&now, HISTORY),
        };
        self.remember(now);
        self.1
    }

    /// The rate since the youngest remembered point that is at least `back` old, or since the oldest.
    fn since(&self, now: &Reading, back: Duration) -> Rate {
        let edge = now.elapsed.saturating_sub(back);
        let from = self
            .0
            .iter()
            .rev()
            .find(|p| p.elapsed <= edge)
            .or_else(|| self.0.front());
        from.map_or_else(Rate::default, |from| rate(from, now))
    }

    fn remember(&mut self, now: Reading) {
        self.0.push_back(now);
        // One point older than the window stays, else the window would not be full.
        let edge = now.elapsed.saturating_sub(HISTORY);
        while self.0.len() > MAX_POINTS || self.0.get(1).is_some_and(|p| p.elapsed <= edge) {
            self.0.pop_front();
        }
    }
}

fn rate(from: &Reading, to: &Reading) -> Rate {
    let over = to.elapsed.saturating_sub(from.elapsed);
    if over.is_zero() {
        return Rate::default();
    }
    let seconds = over.as_secs_f64();
    Rate {
        over,
        sent: to.sent.saturating_sub(from.sent) as f64 / seconds,
        requests: to.requests.saturating_sub(from.requests) as f64 / seconds,
        errors: to.errors.saturating_sub(from.errors) as f64 / seconds,
        bytes_received: to.bytes_received.saturating_sub(from.bytes_received) as f64 / seconds,
        cores: match to.cpu_at.saturating_sub(from.cpu_at).as_secs_f64() {
            looked if looked > 0.0 => to.cpu.saturating_sub(from.cpu).as_secs_f64() / looked,
            _ => 0.0,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 10 requests a quarter second for 20 s, then 100 a quarter second for 1 s.
    #[test]
    fn rates_look_at_their_own_stretch_of_time() {
        let mut now = Reading {
            cpu: Duration::from_secs(1),
            ..Reading::default()
        };
        let mut history = History::new(now);
        let mut rates = Rates::default();
        for quarter in 1..=84 {
            now.elapsed += Duration::from_millis(250);
            now.requests += if quarter <= 80 { 10 } else { 100 };
            now.cpu += Duration::from_millis(125);
            now.cpu_at = now.elapsed;
            rates = history.rates(now);
        }
        assert_eq!(
            (rates.interval.requests, rates.second.requests),
            (400.0, 400.0)
        );
        assert_eq!(
            rates.ten_seconds.requests,
            (36.0 * 10.0 + 4.0 * 100.0) / 10.0
        );
        assert_eq!(rates.ten_seconds.over, Duration::from_secs(10));
        assert_eq!(rates.second.cores, 0.5);
        assert!(history.0.len() <= 42);
    }

    #[test]
    fn the_history_is_bounded_however_often_one_looks() {
        let mut now = Reading::default();
        let mut history = History::new(now);
        for _ in 0..2 * MAX_POINTS {
            now.elapsed += Duration::from_micros(1);
            history.rates(now);
        }
        assert_eq!(history.0.len(), MAX_POINTS);
    }
}
