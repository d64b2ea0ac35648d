//! `vespeiro record`: a person uses a service through an address of this machine, and what they did becomes a journey.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;

use anyhow::Context as _;
use url::Url;

use crate::exit::{Exit, Misuse};
use crate::import::Written;
use crate::serve::asked_to_stop;
use vespeiro_http::Forwarder;
use vespeiro_model::Clock;
use vespeiro_output::{Console, stdout};
use vespeiro_server::{Listener, Recording};

/// The archive's name in the folder.
const ARCHIVE: &str = "recording.har";

/// Record what a browser does with a service, and make a journey of it
#[derive(Debug, clap::Args)]
pub(super) struct Record {
    /// Address to open in the browser instead of the service's; on this machine
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8900")]
    listen: SocketAddr,
    /// Where the service is
    #[arg(long, value_name = "URL", value_parser = service)]
    base_url: Url,
    #[command(flatten)]
    written: Written,
}

fn service(text: &str) -> Result<Url, String> {
    let bad = || "write it as http://localhost:8080".to_owned();
    let url = Url::parse(text).map_err(|_| bad())?;
    let is_plain = ["http", "https"].contains(&url.scheme()) && url.query().is_none();
    if is_plain { Ok(url) } else { Err(bad()) }
}

impl Record {
    pub(super) fn execute(self, console: &Console) -> anyhow::Result<Exit> {
        let out = &self.written.out;
        if !self.listen.ip().is_loopback() {
            let why = "others could use the service in your name: listen on 127.0.0.1";
            return Err(Misuse(format!("listen {}: {why}", self.listen)).into());
        }
        std::fs::create_dir_all(out).map_err(|error| {
            Misuse(format!(
                "{}: {error}: name a folder that you may write to",
                out.display()
            ))
        })?;
        let path = out.join(ARCHIVE);
        // Taken now: whoever has recorded for an hour keeps it. It may hold passwords.
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| {
                Misuse(format!(
                    "{}: {error}: name another folder with --out",
                    path.display()
                ))
            })?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (archive, count, lost) = runtime.block_on(async {
            let stop = asked_to_stop()?;
            let listener =
                Listener::bind("listen", self.listen).map_err(|error| Misuse(error.to_string()))?;
            let address = listener.address();
            let recording =
                Recording::start(listener, &self.base_url, Forwarder::new()?, Clock::system());
            let how = format!(
                "open it in a browser in place of {}; Ctrl-C ends the recording",
                self.base_url
            );
            stdout::print(&format!("http://{address}\n{}\n", console.translated(&how)))?;
            stop.await;
            anyhow::Ok(recording.end().await)
        })?;
        let archive = archive.to_string();
        file.write_all(archive.as_bytes())
            .with_context(|| format!("{} cannot be written", path.display()))?;
        if lost > 0 {
            console.line(format!(
                "{lost} requests more than a recording has room for were not kept"
            ));
        }
        if count == 0 {
            anyhow::bail!(
                "nothing was recorded: use the service under the address that is printed"
            );
        }
        console.line(format!(
            "{}: {count} requests, with whatever was typed: keep it to yourself",
            path.display()
        ));
        let from = path.display().to_string();
        self.written.write(&archive, &from, None, console)?;
        Ok(Exit::Fine)
    }
}
