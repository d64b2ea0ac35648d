//! `vespeiro swap`: gives a run that goes on a new behavior, through its control endpoint. The module is sent along, so
//! that the run need not see the file.

use std::net::SocketAddr;

use anyhow::bail;
use serde_json::Value;

use crate::exit::{Exit, Misuse};
use vespeiro_behavior::ModuleFile;
use vespeiro_http::ask;
use vespeiro_output::{Console, stdout};
use vespeiro_server::actions::{SwapQuery, mode, share};

/// Give an archetype of a running run another behavior
#[derive(Debug, clap::Args)]
pub(super) struct Swap {
    /// The archetype whose behavior is swapped
    archetype: String,
    /// The new one: a .wasm, .js, .ts or .toml file, or builtin:NAME
    module: String,
    /// Share of the new sessions that it gets: 10% or 0.1; all of them by default
    #[arg(long, value_name = "SHARE", value_parser = of_form(|text| share(text).map(|_| ())))]
    share: Option<String>,
    /// What happens to running sessions: drain (they finish on the old one), now (they end at their next step) or
    /// migrate (they move to the new one with their state, where both can)
    #[arg(long, value_name = "MODE", value_parser = of_form(|text| mode(text).map(|_| ())))]
    mode: Option<String>,
    /// Address of the run: its --control
    #[arg(
        long,
        value_name = "ADDR",
        env = "VESPEIRO_CONTROL",
        default_value = "127.0.0.1:7070"
    )]
    control: SocketAddr,
    /// Token of the run: its --control-token; the variable keeps it out of the process list
    #[arg(
        long,
        value_name = "SECRET",
        env = "VESPEIRO_CONTROL_TOKEN",
        hide_env_values = true
    )]
    control_token: Option<String>,
}

/// Returns the text itself if it passes the check.
fn of_form(
    check: fn(&str) -> Result<(), String>,
) -> impl Fn(&str) -> Result<String, String> + Clone + Send + Sync + 'static {
    move |text| check(text).map(|()| text.to_owned())
}

impl Swap {
    pub(super) fn execute(self, console: &Console) -> anyhow::Result<Exit> {
        let mut query = SwapQuery {
            share: self.share,
            mode: self.mode,
            ..SwapQuery::default()
        };
        let body = match self.module.strip_prefix("builtin:") {
            Some(name) => {
                query.builtin = Some(name.to_owned());
                Vec::new()
            }
            None => {
                query.name = Some(self.module.clone());
                let file = ModuleFile::read(self.module.as_ref()).map_err(|error| {
                    Misuse(format!(
                        "behavior {}: cannot be read: {error}: check the path",
                        self.module
                    ))
                })?;
                file.bytes
            }
        };
        let mut url = url::Url::parse("http://run/swap")?;
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.push(&self.archetype);
        }
        {
            let mut pairs = url.query_pairs_mut();
            let told = [
                ("name", query.name),
                ("builtin", query.builtin),
                ("share", query.share),
                ("mode", query.mode),
            ];
            for (key, value) in told {
                if let Some(value) = value {
                    pairs.append_pair(key, &value);
                }
            }
        }
        let path = format!("{}?{}", url.path(), url.query().unwrap_or_default());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let token = self.control_token.as_deref();
        let (status, text) = runtime.block_on(ask(self.control, &path, token, body))?;
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        match (status, answer["told"].as_str(), answer["error"].as_str()) {
            (200, Some(told), _) => {
                stdout::print(&(console.translated(told) + "\n"))?;
                Ok(Exit::Fine)
            }
            (_, _, Some(why)) => bail!("{why}"),
            _ => bail!(
                "{} answered with status {status}: is that the control endpoint of a run?",
                self.control
            ),
        }
    }
}
