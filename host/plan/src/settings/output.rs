//! The settings of what a run shows and writes: metrics served and pushed, panel, language, result files, log. Read by
//! `plan.rs`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;
use vespeiro_model::words;

use crate::addresses::{Headers, headers, otlp, remote_write, socket_address};
use crate::layers::{Fallback, section};
use crate::split::part::Shard;
use crate::units::DefaultUnit::Seconds;
use crate::units::LONGEST_PAUSE;
use crate::value_types::{choice, count, duration, path, path_with, switch};

/// Shortest time between two pushes: few receivers keep more samples a second of each series.
const SHORTEST_PUSH: Duration = Duration::from_millis(100);

section! {
    /// What the run shows and writes, and where.
    #[derive(Debug, Clone)]
    pub struct OutputSettings(r, locale: Option<&str>) {
        /// The folder for what is not given a path of its own: time series, page and JSON.
        results: Option<PathBuf> = ("results", "none", path().or_none(),
            "Write time series, page and JSON summary into this folder, but for those that have a path of their own; {run} in it is the run's id");
        /// Serve Prometheus metrics here.
        metrics: Option<SocketAddr> = ("metrics", "none", socket_address().or_none(),
            "Serve Prometheus metrics on this address, for instance 127.0.0.1:9090");
        /// Push metrics to this address, by Prometheus remote write.
        remote_write: Option<Url> = ("remote_write", "none", remote_write().or_none(),
            "Push metrics by Prometheus remote write, for instance to http://127.0.0.1:9090");
        /// Push metrics to this address, by OTLP over HTTP.
        otlp: Option<Url> = ("otlp", "none", otlp().or_none(),
            "Push metrics by OTLP over HTTP, for instance to http://127.0.0.1:4318");
        push_interval: Duration = ("push_interval", "5s", duration(Seconds, SHORTEST_PUSH..=LONGEST_PAUSE),
            "Time between two pushes; bare numbers are seconds");
        /// Sent with every push.
        push_headers: Headers = ("push_headers", "none", headers(),
            "Headers of every push, as Authorization=Bearer x,X-Scope-OrgID=team; never printed");
        /// Push exponential histograms instead of ones with fixed buckets.
        native_histograms: bool = ("native_histograms", "false", switch(),
            "Push exponential histograms (Prometheus calls them native) instead of fixed buckets");
        /// Draw the live panel when standard error is a terminal.
        panel: bool = ("panel", "true", switch(), "Draw the live panel on a terminal");
        language: Language = ("lang", locale_language(locale), choice("LANG"), "Language: en or pt-BR");
        summary_json: Option<PathBuf> = ("summary_json", "none", path().or_none(), "Write the summary to this file, as JSON; - prints it instead of the text");
        /// Record one user's replies here, for `vespeiro rehearse`.
        trace_record: Option<PathBuf> = ("trace_record", "none", path().or_none(),
            "Record one user's replies in this file, for vespeiro rehearse --replies");
        /// The user whose replies are recorded.
        trace_user: u32 = ("trace_user", "0", count(0..=u32::MAX),
            "The user whose replies are recorded; the first is 0, whom the panel in Portuguese calls 001");
        /// Thresholds and checks as test cases.
        junit: Option<PathBuf> = ("junit", "none", path().or_none(), "Write thresholds and checks to this file, as JUnit XML");
        /// The summary as a page with charts.
        html: Option<PathBuf> = ("html", "none", path().or_none(), "Write the summary to this file, as a page with charts");
        /// One row a second: CSV, or JSON lines.
        timeseries: Option<PathBuf> = ("timeseries", "none", path_with(&["csv", "jsonl"]).or_none(),
            "Write one row a second to this file: .csv or .jsonl");
        /// How many of the slowest requests the summary lists.
        slowest: usize = ("slowest", "10", count(0..=1000), "How many of the slowest requests the summary lists");
        /// Least severe lines of the log on standard error.
        log: LogLevel = ("log", "warn", choice("LEVEL"), "Log on standard error: error, warn, info or debug");
    }
}

impl OutputSettings {
    /// Names the files of the folder for results, where there is one, and all files by their shard, where there are several.
    pub(crate) fn name_results(&mut self, run_id: &str, shard: Shard) {
        self.name_folder(run_id);
        let paths = [
            &mut self.timeseries,
            &mut self.html,
            &mut self.summary_json,
            &mut self.junit,
            &mut self.trace_record,
        ];
        let files = paths.into_iter().flatten();
        // Standard output is nobody's file.
        for path in files.filter(|path| path.as_os_str() != "-") {
            *path = shard.file(path);
        }
    }

    fn name_folder(&mut self, run_id: &str) {
        let Some(folder) = &mut self.results else {
            return;
        };
        if let Some(text) = folder.to_str() {
            *folder = PathBuf::from(text.replace("{run}", run_id));
        }
        for (path, name) in [
            (&mut self.timeseries, "timeseries.csv"),
            (&mut self.html, "report.html"),
            (&mut self.summary_json, "summary.json"),
        ] {
            path.get_or_insert_with(|| folder.join(name));
        }
    }
}

words! {
    /// How much a line of the log matters.
    pub enum LogLevel {
        Error => "error",
        Warn => "warn",
        Info => "info",
        Debug => "debug",
    }

    /// Language of the panel and the summary.
    pub enum Language {
        English => "en",
        Portuguese => "pt-BR",
    }
}

pub(crate) fn of_locale(locale: Option<&str>) -> Language {
    match locale.is_some_and(|locale| locale.starts_with("pt")) {
        true => Language::Portuguese,
        false => Language::English,
    }
}

/// `locale` is the user's, as in `LANG`.
fn locale_language(locale: Option<&str>) -> Fallback {
    Fallback::Made {
        text: of_locale(locale).as_str().to_owned(),
        from: "locale",
    }
}
