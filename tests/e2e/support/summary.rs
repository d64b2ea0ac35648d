//! A whole run as a test sees it: what the process said, and the JSON summary that it wrote.

use serde_json::Value;
use tempfile::TempDir;

use super::{Counts, Ended, Running, eventually};

/// A run that goes on.
pub struct RunOf {
    pub process: Running,
    folder: TempDir,
}

/// A run that has ended, with its summary.
pub struct Played {
    pub ended: Ended,
    pub summary: Value,
}

impl RunOf {
    /// Start `vespeiro run` against `url`, with `arguments` as on a command line, split at white space. Its users are
    /// neither governed nor tidied up after, so that every request is a behavior's own: `mix` and `cleanup` test those.
    pub fn start(url: &str, arguments: &str) -> RunOf {
        let folder = TempDir::new().unwrap();
        let summary = folder.path().join("summary.json");
        let mut all = vec!["run", "--no-panel", "--base-url", url, "--summary-json"];
        all.push(summary.to_str().unwrap());
        let journal = folder.path().join("run.journal");
        all.extend(["--journal", journal.to_str().unwrap()]);
        all.extend(["--mix=off", "--error-mix=off", "--cleanup=never"]);
        all.extend(arguments.split_whitespace());
        RunOf {
            process: Running::start(&all),
            folder,
        }
    }

    /// Where it serves what it announces with `before`, as in `ui: http://127.0.0.1:7071`.
    #[track_caller]
    pub fn authority(&self, before: &str) -> String {
        eventually(before, || {
            let said = self.process.stderr();
            let (_, rest) = said.split_once(&format!("{before}http://"))?;
            let (authority, _) = rest.split_once(['/', '\n'])?;
            Some(authority.to_owned())
        })
    }

    /// Wait for its end and read its summary.
    #[track_caller]
    pub fn played(self) -> Played {
        let ended = self.process.ended().orderly();
        let text = std::fs::read_to_string(self.folder.path().join("summary.json"))
            .unwrap_or_else(|error| panic!("no summary: {error}: {ended:?}"));
        Played {
            ended,
            summary: serde_json::from_str(&text).unwrap(),
        }
    }

    /// Run to the end, which has to be a good one.
    #[track_caller]
    pub fn fine(url: &str, arguments: &str) -> Played {
        let mut played = RunOf::start(url, arguments).played();
        played.ended = played.ended.fine();
        played
    }
}

impl Played {
    /// Answered requests by method, route and status, over all archetypes.
    pub fn answered(&self) -> Counts {
        let mut counts = Counts::new();
        for series in list(&self.summary["series"]) {
            for result in list(&series["results"]) {
                let Some(status) = result["status"].as_u64() else {
                    continue;
                };
                let key = (
                    text(&series["method"]),
                    text(&series["path"]),
                    status as u16,
                );
                *counts.entry(key).or_default() += number(&result["count"]);
            }
        }
        counts
    }

    /// Requests that were sent, answered or not.
    pub fn sent(&self) -> u64 {
        number(&self.summary["total"]["requests"])
    }

    pub fn errors(&self) -> u64 {
        number(&self.summary["total"]["errors"])
    }

    /// Requests that failed in this way.
    pub fn failed(&self, failure: &str) -> u64 {
        let results = list(&self.summary["results"]).iter();
        let of = results.filter(|result| result["failure"] == failure);
        of.map(|result| number(&result["count"])).sum()
    }

    /// Why requests failed in this way, and how many.
    pub fn causes(&self, failure: &str) -> Vec<(String, u64)> {
        let causes = self.summary["causes"].as_array();
        let of = causes.into_iter().flatten();
        of.filter(|cause| cause["failure"] == failure)
            .map(|cause| (text(&cause["cause"]), number(&cause["count"])))
            .collect()
    }

    /// What was counted of connections.
    pub fn connections(&self, what: &str) -> u64 {
        number(&self.summary["connections"][what])
    }

    /// How often a check passed and failed.
    pub fn check(&self, name: &str) -> (u64, u64) {
        let checks = list(&self.summary["checks"]).iter();
        let of = checks.filter(|check| check["name"] == name);
        of.fold((0, 0), |(passed, failed), check| {
            (
                passed + number(&check["passed"]),
                failed + number(&check["failed"]),
            )
        })
    }

    /// One archetype's part of the summary.
    pub fn archetype(&self, name: &str) -> &Value {
        list(&self.summary["archetypes"])
            .iter()
            .find(|archetype| archetype["name"] == name)
            .unwrap()
    }

    pub fn archetypes(&self) -> Vec<String> {
        list(&self.summary["archetypes"])
            .iter()
            .map(|archetype| text(&archetype["name"]))
            .collect()
    }

    /// Requests of one archetype.
    pub fn sent_by(&self, name: &str) -> u64 {
        number(&self.archetype(name)["requests"])
    }

    /// Sessions of one archetype that ended in this way.
    pub fn sessions(&self, archetype: &str, ending: &str) -> u64 {
        list(&self.archetype(archetype)["sessions"]["endings"])
            .iter()
            .find(|ended| ended["ending"] == ending)
            .map(|ended| number(&ended["count"]))
            .unwrap()
    }

    /// Every grouping of the summary holds the same requests, and none has more or fewer.
    #[track_caller]
    pub fn adds_up(&self) {
        let sent = self.sent();
        let sum = |group: &str, field: &str| -> u64 {
            let entries = list(&self.summary[group]).iter();
            entries.map(|entry| number(&entry[field])).sum()
        };
        assert_eq!(sum("routes", "requests"), sent, "routes");
        assert_eq!(sum("archetypes", "requests"), sent, "archetypes");
        assert_eq!(sum("classes", "count"), sent, "classes");
        assert_eq!(sum("results", "count"), sent, "results");
        assert_eq!(sum("mix", "requests"), sent, "mix");
        assert_eq!(
            number(&self.summary["total"]["latency"]["count"]),
            sent,
            "latency"
        );
        let total = &self.summary["total"];
        assert_eq!(number(&total["successes"]) + self.errors(), sent, "total");
        for result in list(&self.summary["results"]) {
            let Some(failure) = result["failure"].as_str() else {
                continue;
            };
            let causes = self.causes(failure);
            let told: u64 = causes.iter().map(|(_, count)| count).sum();
            assert_eq!(told, self.failed(failure), "{failure}: {causes:?}");
        }
        let sessions = &self.summary["sessions"];
        let ended: u64 = list(&sessions["endings"])
            .iter()
            .map(|ended| number(&ended["count"]))
            .sum();
        assert_eq!(number(&sessions["started"]), ended, "sessions");
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}
