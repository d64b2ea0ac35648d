//! The settings of what a run tells: metrics served and pushed, panel, language, files of results, log. Read by
//! `settings.rs`.

use std::time::Duration;

use super::LONGEST_PAUSE;
use crate::addresses::{headers, receiver, socket_address};
use crate::layers::{Fallback, Reader};
use crate::units::DefaultUnit::Seconds;
use crate::value_types::{choice, count, duration, path, switch, timeseries};
use crate::{Language, LogLevel, OutputSettings};

/// The languages by name.
pub const LANGUAGES: &[(&str, Language)] =
    &[("en", Language::English), ("pt-BR", Language::Portuguese)];
const LOG_LEVELS: &[(&str, LogLevel)] = &[
    ("error", LogLevel::Error),
    ("warn", LogLevel::Warn),
    ("info", LogLevel::Info),
    ("debug", LogLevel::Debug),
];
/// A receiver that keeps more than a few samples a second of each series is rare.
const SOON: Duration = Duration::from_millis(100);

/// `locale` is the user's, as in `LANG`.
pub(super) fn read(r: &mut Reader<'_>, locale: Option<&str>) -> OutputSettings {
    OutputSettings {
        metrics: r.read(
            "metrics",
            "none",
            socket_address().or_none(),
            "Serve Prometheus metrics on this address, for instance 127.0.0.1:9090",
        ),
        remote_write: r.read(
            "remote_write",
            "none",
            receiver("/api/v1/write", &[]).or_none(),
            "Push metrics by Prometheus remote write, for instance to http://127.0.0.1:9090",
        ),
        otlp: r.read(
            "otlp",
            "none",
            receiver("/v1/metrics", &["", "/api/v1/otlp", "/otlp"]).or_none(),
            "Push metrics by OTLP over HTTP, for instance to http://127.0.0.1:4318",
        ),
        push_interval: r.read(
            "push_interval",
            "5s",
            duration(Seconds, SOON..=LONGEST_PAUSE),
            "Time between two pushes; bare numbers are seconds",
        ),
        push_headers: r.read(
            "push_headers",
            "none",
            headers(),
            "Headers of every push, as Authorization=Bearer x,X-Scope-OrgID=team; never printed",
        ),
        native_histograms: r.read(
            "native_histograms",
            "false",
            switch(),
            "Push exponential histograms (Prometheus calls them native) instead of fixed buckets",
        ),
        panel: r.read(
            "panel",
            "true",
            switch(),
            "Draw the live panel on a terminal",
        ),
        language: r.read(
            "lang",
            locale_language(locale),
            choice("LANG", LANGUAGES),
            "Language: en or pt-BR",
        ),
        summary_json: r.read(
            "summary_json",
            "none",
            path().or_none(),
            "Write the summary to this file, as JSON",
        ),
        trace_record: r.read(
            "trace_record",
            "none",
            path().or_none(),
            "Record one user's replies in this file, for vespeiro trace --replies",
        ),
        trace_user: r.read(
            "trace_user",
            "0",
            count(0..=u32::MAX),
            "The user whose replies are recorded",
        ),
        junit: r.read(
            "junit",
            "none",
            path().or_none(),
            "Write thresholds and checks to this file, as JUnit XML",
        ),
        html: r.read(
            "html",
            "none",
            path().or_none(),
            "Write the summary to this file, as a page with charts",
        ),
        timeseries: r.read(
            "timeseries",
            "none",
            timeseries(),
            "Write one row a second to this file: .csv or .jsonl",
        ),
        slowest: r.read(
            "slowest",
            "10",
            count(0..=1000),
            "Name so many of the slowest requests in the summary",
        ),
        log: r.read(
            "log",
            "warn",
            choice("LEVEL", LOG_LEVELS),
            "Log on standard error: error, warn, info or debug",
        ),
    }
}

fn locale_language(locale: Option<&str>) -> Fallback {
    let text = if locale.is_some_and(|locale| locale.starts_with("pt")) {
        "pt-BR"
    } else {
        "en"
    };
    Fallback::Made {
        text: text.to_owned(),
        from: "locale",
    }
}
