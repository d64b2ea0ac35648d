//! `vespeiro report`: the summaries of runs that have ended, from the files that `--summary-json` wrote: several become
//! one; as text, page or data again, or as metrics to whoever keeps those. It plays nothing.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use url::Url;

use crate::conclusion::exit;
use crate::exit::{Exit, Misuse};
use vespeiro_model::Word as _;
use vespeiro_output::push::{self, Protocol, Receiver};
use vespeiro_output::{Console, comparison, html, stdout, summary};
use vespeiro_plan::{Language, bounded, otlp_url, push_headers, remote_write_url};
use vespeiro_summary::compare::{Comparison, compare};
use vespeiro_summary::merge::{MergeError, merge, merge_any};
use vespeiro_summary::{Summary, json};

/// Print the summary of a run again, or of several runs as one
#[derive(Debug, clap::Args)]
pub(super) struct Report {
    /// What --summary-json wrote; several are merged without loss, and their thresholds are judged by the whole
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Take the shards of a run that there are, though others are missing; nothing is judged by them
    #[arg(long)]
    incomplete: bool,
    /// Write the page with charts to this file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write the summary to this file, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Compare with this summary of an older run: what changed, what is the same, and what cannot be told
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Rates and latencies are the same when they changed by no more than this; error rates, by a tenth of it in points
    #[arg(long, requires = "baseline", value_name = "PERCENT", default_value = "10%", value_parser = percent)]
    same_within: f64,
    /// Exit with code 99 when a figure is worse than the baseline's
    #[arg(long, requires = "baseline")]
    fail_on_regression: bool,
    /// Push the run's metrics by Prometheus remote write, with their own time, for instance to http://127.0.0.1:9090
    #[arg(long, value_name = "URL", value_parser = remote_write_url)]
    remote_write: Option<Url>,
    /// Push the run's metrics by OTLP over HTTP, with their own time, for instance to http://127.0.0.1:4318
    #[arg(long, value_name = "URL", value_parser = otlp_url)]
    otlp: Option<Url>,
    /// Headers of every push, as Authorization=Bearer x,X-Scope-OrgID=team; the variable keeps them out of the process list
    #[arg(
        long,
        value_name = "HEADERS",
        env = "VESPEIRO_PUSH_HEADERS",
        hide_env_values = true
    )]
    push_headers: Option<String>,
    /// Push exponential histograms (Prometheus calls them native) instead of fixed buckets
    #[arg(long)]
    native_histograms: bool,
    /// Push to a receiver with any certificate
    #[arg(long)]
    insecure: bool,
    /// Language of the summary: en or pt-BR
    #[arg(long, value_name = "LANG", value_parser = language)]
    lang: Option<Language>,
}

impl Report {
    pub(super) fn execute(self, console: &Console) -> anyhow::Result<Exit> {
        let lang = self.lang.unwrap_or(console.language());
        let parts = read_all(&self.files)?;
        let unusable = |error: MergeError| Misuse(format!("cannot use these summaries: {error}"));
        let merged = match self.incomplete {
            true => merge_any(&parts),
            false => merge(&parts),
        };
        let merged = merged.map_err(unusable)?;
        // The command line asks for at least one file.
        let Some(whole) = merged else {
            return Ok(Exit::Fine);
        };
        let compared = match &self.baseline {
            Some(path) => Some(compare(&read(path)?, &whole, self.same_within).map_err(unusable)?),
            None => None,
        };
        if let Some(path) = &self.json {
            match &compared {
                Some(compared) => json::write_compared(&whole, compared, path)?,
                None => json::write(&whole, path)?,
            }
        }
        if let Some(path) = &self.html {
            html::write(&whole, compared.as_ref(), lang, path)?;
        }
        let mut text = summary::text(&whole, lang);
        if let Some(compared) = &compared {
            text += &format!("\n{}", comparison::text(compared, lang));
        }
        stdout::print(&text)?;
        self.push(&whole)?;
        let regressed = compared.as_ref().is_some_and(Comparison::is_worse);
        // One run was judged when it ended; of several, nobody has judged the whole.
        let judged = match parts.len() > 1 && !self.incomplete {
            true => exit(&whole),
            false => Exit::Fine,
        };
        Ok(match regressed && self.fail_on_regression {
            true if judged == Exit::Fine => Exit::Thresholds,
            _ => judged,
        })
    }
}

impl Report {
    /// Push the run to whoever is named.
    fn push(&self, whole: &Summary) -> anyhow::Result<()> {
        let headers = self.push_headers.as_deref().unwrap_or("none");
        let headers =
            push_headers(headers).map_err(|error| Misuse(format!("--push-headers: {error}")))?;
        let receivers = [
            ("remote-write", &self.remote_write, Protocol::RemoteWrite),
            ("otlp", &self.otlp, Protocol::Otlp),
        ];
        for (flag, url, protocol) in receivers {
            let Some(url) = url else { continue };
            let receiver = Receiver {
                url,
                protocol,
                headers: &headers,
                insecure: self.insecure,
                native: self.native_histograms,
            };
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = runtime.enable_all().build()?;
            let pushed = runtime.block_on(push::ended(whole, &receiver));
            pushed.with_context(|| format!("--{flag} {url}"))?;
        }
        Ok(())
    }
}

fn language(text: &str) -> Result<Language, &'static str> {
    Language::from_word(text).ok_or("expected en or pt-BR")
}

fn percent(text: &str) -> Result<f64, &'static str> {
    let number = text.strip_suffix('%').unwrap_or(text).parse().ok();
    let number = number.filter(|percent| (0.1..=100.0).contains(percent));
    number
        .map(|percent: f64| percent / 100.0)
        .ok_or("give 0.1% to 100%")
}

/// Reads as many at a time as there are cores: a hundred shards have a hundred files.
fn read_all(files: &[PathBuf]) -> Result<Vec<Summary>, Misuse> {
    let readers = std::thread::available_parallelism().map_or(1, usize::from);
    let each = files.len().div_ceil(readers).max(1);
    std::thread::scope(|scope| {
        let some = |files| move || files_of(files);
        let begun: Vec<_> = files
            .chunks(each)
            .map(|files| scope.spawn(some(files)))
            .collect();
        let mut all = Vec::with_capacity(files.len());
        for reader in begun {
            let read = reader
                .join()
                .map_err(|_| Misuse("a summary cannot be read".into()))?;
            all.append(&mut read?);
        }
        Ok(all)
    })
}

fn files_of(files: &[PathBuf]) -> Result<Vec<Summary>, Misuse> {
    files.iter().map(|file| read(file)).collect()
}

fn read(path: &Path) -> Result<Summary, Misuse> {
    let refuse = |why: String| Misuse(format!("{}: {why}", path.display()));
    let text = bounded::read(path, bounded::MAX_FILE)
        .map_err(|cause| refuse(format!("cannot read it: {cause}")))?;
    json::read(&text).map_err(|cause| refuse(cause.to_string()))
}
