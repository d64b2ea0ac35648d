//! `vespeiro hit`: load on a URL in one line, with the habits of curl and oha. A list of requests is played by an embedded
//! player; all else is the engine's, as in `vespeiro run`.

mod body;
mod program;

use std::path::PathBuf;

use super::settings::PlanFlags;
use crate::exit::{Exit, Misuse};
use body::BodyFlags;
use program::{Address, Listed};
use vespeiro_http::OutOfReach;
use vespeiro_output::Console;
use vespeiro_plan::{Archetype, Module, Plan, Preset};

/// What is sent is what was asked for: no pauses, no errors on purpose, nothing that spares the target.
pub(super) const PRESET: Preset = Preset {
    name: "hit",
    about: "requests to a URL, as fast as they are answered",
    settings: &[
        ("users", "50"),
        ("min_request_count", "4294967295"),
        ("max_request_count", "4294967295"),
        ("delay_min", "0ms"),
        ("delay_max", "0ms"),
        ("grace", "5s"),
        ("mix", "off"),
        ("error_mix", "off"),
        ("breaker", "off"),
        ("backoff", "off"),
        ("cleanup", "never"),
        ("cookies", "off"),
        ("preflight", "false"),
        ("watch", "false"),
    ],
};

/// How long it goes on where nothing is said of it.
const DURATION: &str = "10s";

/// The settings that have a short name here, as oha, wrk and curl have them.
const SHORT: [(&str, char); 6] = [
    ("users", 'c'),
    ("requests", 'n'),
    ("duration", 'z'),
    ("rate", 'q'),
    ("header", 'H'),
    ("insecure", 'k'),
];

/// Put load on a URL: requests in turn, as fast as they are answered or at a rate
#[derive(Debug, clap::Args)]
pub(super) struct Hit {
    /// What to request; several are taken in turn. All are of one host
    #[arg(value_name = "URL", required_unless_present = "urls")]
    url: Vec<String>,
    /// File with one URL a line; empty lines and those that begin with # are left out
    #[arg(long, value_name = "FILE", help_heading = "Request")]
    urls: Option<PathBuf>,
    /// Method [default: GET, or POST with a body]
    #[arg(
        short = 'X',
        long = "method",
        value_name = "METHOD",
        help_heading = "Request"
    )]
    method: Option<String>,
    #[command(flatten)]
    body: BodyFlags,
    /// Log in with basic authentication
    #[arg(
        short = 'u',
        long = "user",
        value_name = "NAME:PASSWORD",
        help_heading = "Request"
    )]
    user: Option<String>,
    /// Print the summary as JSON instead of text
    #[arg(long, help_heading = "Output")]
    json: bool,
    #[command(flatten)]
    pub(super) plan: PlanFlags,
}

/// Gives the settings their short names.
pub(super) fn with_short_names(command: clap::Command) -> clap::Command {
    SHORT.iter().fold(command, |command, (setting, short)| {
        command.mut_arg(*setting, |arg| arg.short(*short).hide_short_help(false))
    })
}

impl Hit {
    pub(super) fn execute(mut self, console: &Console) -> anyhow::Result<Exit> {
        let (base, requests) = self.requests()?;
        self.plan.0.set("base_url", base, "the URL");
        if self.json {
            self.plan.0.set("summary_json", "-", "--json");
        }
        let given = super::resolve_here(self.plan.0.clone(), Some(&PRESET))?;
        let asked = |key| given.origins.is_given(key);
        if let Some(archetype) = given.origins.archetypes.iter().find(|one| one.is_given()) {
            return Err(Misuse(format!(
                "hit plays its own requests, and {} names an archetype: use `vespeiro run`",
                archetype.origin
            ))
            .into());
        }
        if !["duration", "requests", "stage"].into_iter().any(asked) {
            self.plan.0.set("duration", DURATION, "the default of hit");
        }
        if !["profile", "requests", "rate", "stage"]
            .into_iter()
            .any(asked)
        {
            self.plan
                .0
                .set("profile", "constant-users", "the default of hit");
        }
        let mut plan = super::resolve_here(self.plan.0, Some(&PRESET))?.plan;
        plan.archetypes = vec![archetype(&plan, requests)];
        let base = plan.target.base_url.clone();
        super::play::play(plan, console).map_err(|error| match error.downcast::<OutOfReach>() {
            Ok(far) => {
                let command = program::command(std::env::args().skip(1), &base);
                Misuse(format!("{far}: {command}")).into()
            }
            Err(error) => error,
        })
    }

    /// The target, and what to send to it.
    fn requests(&self) -> Result<(String, Vec<Listed>), Misuse> {
        let mut urls = self.url.clone();
        if let Some(path) = &self.urls {
            urls.extend(program::urls(path)?);
        }
        let addresses = urls
            .iter()
            .map(|url| Address::read(url))
            .collect::<Result<Vec<_>, _>>()?;
        let Some(first) = addresses.first() else {
            return Err(Misuse("there is no URL to request: name one".into()));
        };
        let mut all = addresses.iter();
        if let Some(other) = all.find(|address| address.base != first.base) {
            return Err(Misuse(format!(
                "the URLs are of two hosts, {} and {}: run hit once for each",
                first.base, other.base
            )));
        }
        let body = self.body.read()?;
        let default = if body.is_some() { "POST" } else { "GET" };
        let method = program::method(self.method.as_deref().unwrap_or(default))?;
        let list = |address: &Address| {
            let user = self.user.as_deref().or(address.user.as_deref());
            Listed::new(method, address, user, body.as_ref())
        };
        let requests = addresses.iter().map(list).collect();
        Ok((first.base.clone(), requests))
    }
}

/// The one archetype that plays.
fn archetype(plan: &Plan, mut requests: Vec<Listed>) -> Archetype {
    // The plan's headers give way to a behavior's: where the caller names a type, the body's default is left out.
    let names = plan.connections.headers.0.iter().map(|(name, _)| name);
    for name in names {
        requests
            .iter_mut()
            .for_each(|request| request.without(name));
    }
    let module = Module::Program {
        player: "requests",
        name: "hit".into(),
        source: program::write(&requests).into(),
    };
    Archetype::new("hit", 1, module)
}
