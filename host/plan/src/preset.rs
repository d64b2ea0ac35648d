//! The named presets of a plan, in one table. Read by `resolve.rs` and by help texts.
//!
//! What must stay true: a preset only sets defaults; the plan file, the environment and flags all override it.

use crate::errors::{ValueError, nearest};

/// The setting that names a preset, and the specification's name for it.
pub(super) const NAME: &str = "preset";
pub const OTHER_NAME: &str = "scenario";

/// A named bundle of settings, as `key`, `value` pairs in the words of the plan file.
#[derive(Debug, Clone, Copy)]
pub struct Preset {
    pub name: &'static str,
    /// What it is for, in one line.
    pub about: &'static str,
    pub settings: &'static [(&'static str, &'static str)],
}

/// A metrics endpoint on a free port, and files of results.
const METRICS: (&str, &str) = ("metrics", "127.0.0.1:0");
const RESULTS: (&str, &str) = ("results", "vespeiro-{run}");
/// The profile of a preset, which gives way to whatever implies another.
pub(super) const PROFILE: &str = "profile";
const STEADY: (&str, &str) = (PROFILE, "steady-users");

/// Every preset that `--preset NAME` knows.
pub const PRESETS: &[Preset] = &[
    Preset {
        name: "mixed",
        about: "all defaults",
        settings: &[],
    },
    Preset {
        name: "development",
        about: "few users and short budgets, on one worker; a line of log for each request",
        settings: &[
            ("users", "10"),
            ("min_request_count", "5"),
            ("max_request_count", "50"),
            ("workers", "1"),
            ("log", "debug"),
        ],
    },
    Preset {
        name: "testing",
        about: "medium load, quick people, done in minutes; metrics endpoint and result files",
        settings: &[
            ("users", "50"),
            ("min_request_count", "20"),
            ("max_request_count", "200"),
            ("delay_min", "50ms"),
            ("delay_max", "500ms"),
            ("ramp_up", "5s"),
            METRICS,
            RESULTS,
        ],
    },
    Preset {
        name: "staging",
        about: "the shape of production: unhurried people who arrive over a minute; metrics endpoint and result files",
        settings: &[
            ("users", "200"),
            ("min_request_count", "50"),
            ("max_request_count", "1000"),
            ("delay_min", "200ms"),
            ("delay_max", "3s"),
            ("ramp_up", "1m"),
            METRICS,
            RESULTS,
        ],
    },
    Preset {
        name: "load_test",
        about: "many users, long budgets, the same load until the last of the first users is done",
        settings: &[
            ("users", "500"),
            ("min_request_count", "100"),
            ("max_request_count", "5000"),
            ("ramp_up", "30s"),
            STEADY,
        ],
    },
    Preset {
        name: "metrics_generation",
        about: "steady traffic for dashboards; metrics endpoint and result files",
        settings: &[
            ("users", "100"),
            ("min_request_count", "50"),
            ("max_request_count", "1000"),
            STEADY,
            METRICS,
            RESULTS,
        ],
    },
];

/// The names, for help texts and errors.
pub fn names() -> String {
    PRESETS
        .iter()
        .map(|preset| preset.name)
        .collect::<Vec<_>>()
        .join(", ")
}

/// The preset of that name; `key` is the word with which it was asked for.
///
/// # Errors
/// No preset has that name.
pub(super) fn find(name: &str, key: &str) -> Result<&'static Preset, ValueError> {
    PRESETS
        .iter()
        .find(|preset| preset.name == name)
        .ok_or_else(|| {
            let hint = nearest(name, PRESETS.iter().map(|preset| preset.name))
                .map_or_else(String::new, |near| format!("did you mean {near:?}? "));
            ValueError::new(
                format!("no {key} is named {name:?}"),
                format!("{hint}use {} or the path of a .toml file", names()),
            )
        })
}
