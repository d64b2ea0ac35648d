//! Where the programs are that a bench starts, and which of them each part needs. `scripts/bench` asks for that list, and
//! installs what is missing: it stands here alone.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

#[derive(Debug, Clone, clap::Args)]
pub struct Tools {
    /// The build of vespeiro to measure [default: what is built from here]
    #[arg(long, value_name = "FILE", overrides_with = "vespeiro")]
    pub vespeiro: PathBuf,
    /// Another build to measure in the same turns, with rows of its own
    #[arg(long, value_name = "FILE")]
    pub base: Option<PathBuf>,
    /// The behavior to play, with the journey of the SDK's example `bench` [default: that example]
    #[arg(long, value_name = "FILE", overrides_with = "behavior")]
    pub behavior: PathBuf,
    /// The SDK's example `misbehaving`
    #[arg(long, hide = true)]
    pub looping: PathBuf,
    #[arg(long, hide = true)]
    pub fixed_reply: PathBuf,
    #[arg(long, hide = true)]
    pub reqwest_loop: PathBuf,
    /// The same with TLS and HTTP/2
    #[arg(long, hide = true)]
    pub reqwest_tls: PathBuf,
    #[arg(long, hide = true, default_value = "wrk")]
    pub wrk: PathBuf,
    #[arg(long, hide = true, default_value = "oha")]
    pub oha: PathBuf,
    #[arg(long, hide = true, default_value = "h2load")]
    pub h2load: PathBuf,
    #[arg(long, hide = true, default_value = "nginx")]
    pub nginx: PathBuf,
    #[arg(long, hide = true, default_value = "openssl")]
    pub openssl: PathBuf,
    #[arg(long, hide = true, default_value = "valgrind")]
    pub valgrind: PathBuf,
    #[arg(long, hide = true, default_value = "goose-peer")]
    pub goose: PathBuf,
    #[arg(long, hide = true, default_value = "locust")]
    pub locust: PathBuf,
    #[arg(long, hide = true, default_value = "locustfile.py")]
    pub locustfile: PathBuf,
    /// Folder for what the programs print
    #[arg(long, hide = true)]
    pub scratch: PathBuf,
}

impl Tools {
    /// The same with the other build in the place of vespeiro, if there is one.
    pub fn of_base(&self) -> Option<Self> {
        let vespeiro = self.base.clone()?;
        Some(Self {
            vespeiro,
            base: None,
            ..self.clone()
        })
    }

    /// Whether this build of vespeiro has such a flag: an older one may be measured too.
    pub fn knows(&self, flag: &str) -> Result<bool> {
        // An older one has all of them in its only help.
        for help in ["--help-all", "--help"] {
            let help = Command::new(&self.vespeiro)
                .args(["run", help])
                .output()
                .with_context(|| format!("cannot start {}", self.vespeiro.display()))?;
            if help.status.success() {
                return Ok(lists(&String::from_utf8_lossy(&help.stdout), flag));
            }
        }
        Ok(false)
    }
}

/// A flag stands first on its line, alone or with what it takes.
fn lists(help: &str, flag: &str) -> bool {
    help.lines().any(|line| {
        let rest = line.trim_start().strip_prefix(flag);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '[', '=']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_known_by_its_whole_name_and_not_where_others_speak_of_it() {
        let help = "      --no-reuse[=<BOOL>]  As with --never\n      --http2-connections <N>\n      --bare\n";
        for (flag, known) in [
            ("--no-reuse", true),
            ("--http2-connections", true),
            ("--bare", true),
            ("--http2", false),
            ("--never", false),
        ] {
            assert_eq!(lists(help, flag), known, "{flag}");
        }
    }
}
