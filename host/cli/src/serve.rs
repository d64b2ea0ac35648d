//! `vespeiro serve`: the reference user service, alone.

use std::net::IpAddr;
use std::time::Duration;

use super::embedded::Service;
use crate::exit::Exit;
use vespeiro_output::{Console, stdout};
use vespeiro_plan::units::{DefaultUnit, parse_duration};

/// Run the reference user service: REST, gRPC, event streams and a WebSocket on one port
#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    /// Port to listen on; 0 picks a free one
    #[arg(long, default_value_t = 9501)]
    port: u16,
    /// Address to listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1")]
    host: IpAddr,
    /// Inject the faults that the x-envoy-fault-* headers of requests ask for
    #[arg(long)]
    allow_faults: bool,
    /// Most requests per second of one token, for instance 100/s; beyond it, 429
    #[arg(long, value_name = "RATE", value_parser = per_second)]
    rate_limit: Option<u32>,
    /// Median of the log-normal time that each answer takes, for instance 5ms; bare numbers are milliseconds
    #[arg(long, value_name = "TIME", value_parser = |text: &str| parse_duration(text, DefaultUnit::Milliseconds))]
    latency: Option<Duration>,
    /// How long an access token lives, for instance 30s: to see clients renew theirs; bare numbers are seconds
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = |text: &str| parse_duration(text, DefaultUnit::Seconds))]
    token_ttl: Duration,
}

impl Serve {
    pub(super) fn execute(self, console: &Console) -> anyhow::Result<Exit> {
        let config = user_service::Config {
            allow_faults: self.allow_faults,
            rate_limit: self.rate_limit.map(f64::from),
            latency: self.latency,
            access_ttl: self.token_ttl,
            ..user_service::Config::default()
        };
        let admin = config.admin_email.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        // Before the address is told: whoever has read it may send a signal at once.
        let asked_to_stop = runtime.block_on(async { asked_to_stop() })?;
        let service = Service::start((self.host, self.port).into(), config)?;
        // The first line is for whoever started this with port 0 and waits for the address.
        let address = service.address();
        let about = format!("user service with the administrator {admin}; Ctrl-C stops it");
        let about = console.translated(&about);
        stdout::print(&format!("http://{address}\n{about}\n"))?;
        runtime.block_on(asked_to_stop);
        service.stop()?;
        Ok(Exit::Fine)
    }
}

/// Listens from this call on; what it returns waits for the first signal.
pub(super) fn asked_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = hangup.recv() => {}
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Reads `100/s` or `100`, at least 1.
fn per_second(text: &str) -> Result<u32, String> {
    let number = text.trim().strip_suffix("/s").unwrap_or(text).trim();
    number
        .parse()
        .ok()
        .filter(|rate| *rate >= 1)
        .ok_or_else(|| "write it as a whole number per second: 100/s".to_owned())
}

#[cfg(test)]
mod tests {
    use super::per_second;

    #[test]
    fn rates_are_per_second() {
        assert_eq!((per_second("100/s"), per_second("7")), (Ok(100), Ok(7)));
        for text in ["0/s", "100/m", "-1", "", "1.5/s"] {
            assert!(per_second(text).is_err(), "{text}");
        }
    }
}
