//! The reference user service inside this process, on a thread of its own, for `demo` and `serve`.

use std::fmt;
use std::net::SocketAddr;
use std::thread::JoinHandle;

use anyhow::{Context, anyhow};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use user_service::Config;

use crate::exit::Misuse;
use tokio::runtime::LocalOptions;
use vespeiro_http::{Capture, Targets};
use vespeiro_model::Clock;
use vespeiro_plan::Plan;

/// A service that answers until it is stopped.
#[derive(Debug)]
pub(super) struct Service {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<std::io::Result<()>>,
}

impl Service {
    /// Listen on `address`; port 0 takes a free one.
    pub(super) fn start(address: SocketAddr, config: Config) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let listener = runtime
            .block_on(TcpListener::bind(address))
            .map_err(|error| {
                Misuse(format!(
                    "the user service cannot listen on {address}: {error}: choose another port"
                ))
            })?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("user-service".into())
            .spawn(move || {
                runtime.block_on(user_service::serve(listener, config, async {
                    // A sender that is gone means stop too.
                    let _ = stopped.await;
                }))
            })?;
        Ok(Self {
            address,
            stop,
            thread,
        })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What is in it now, asked as any client would.
    pub(super) fn holds(&self, plan: &Plan) -> anyhow::Result<Holdings> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build_local(LocalOptions::default())?;
        let targets = Targets::new(plan, 0, Clock::system())?;
        let heads = targets.heads();
        let call = heads.call(0, &http::Method::GET, "/metrics".into(), Vec::new(), None)?;
        let call = call.capture(Capture {
            headers: false,
            body: true,
        });
        let exchange = runtime.block_on(targets.send(&call));
        let answer = exchange.result.map_err(|flaw| {
            anyhow!(
                "the user service did not tell what it holds: {}",
                flaw.cause
            )
        })?;
        Ok(Holdings::read(&String::from_utf8_lossy(&answer.body)))
    }

    /// Stop it, and wait until it has.
    pub(super) fn stop(self) -> anyhow::Result<()> {
        let _ = self.stop.send(());
        self.thread
            .join()
            .map_err(|_| anyhow!("the user service panicked: this is a bug, please report it"))?
            .context("the user service")
    }
}

/// How many things the service holds, by kind, as its gauges have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Holdings([(&'static str, Option<u64>); 5]);

impl Holdings {
    fn read(metrics: &str) -> Self {
        let kinds = ["users", "profiles", "roles", "permissions", "sessions"];
        Self(kinds.map(|kind| {
            let gauge = format!("user_service_{kind} ");
            let line = metrics.lines().find_map(|line| line.strip_prefix(&gauge));
            (kind, line.and_then(|value| value.trim().parse().ok()))
        }))
    }
}

impl fmt::Display for Holdings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (kind, count)) in self.0.iter().enumerate() {
            let comma = if n == 0 { "" } else { ", " };
            match count {
                Some(count) => write!(f, "{comma}{kind} {count}")?,
                None => write!(f, "{comma}{kind} unknown")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Holdings;

    #[test]
    fn holdings_are_read_from_the_gauges() {
        let text = "# TYPE user_service_users gauge\nuser_service_users 1\nuser_service_roles 2\n\
                    user_service_permissions 3\nuser_service_profiles 0\nuser_service_sessions 4\n";
        assert_eq!(
            Holdings::read(text).to_string(),
            "users 1, profiles 0, roles 2, permissions 3, sessions 4"
        );
        assert!(Holdings::read("").to_string().contains("users unknown"));
    }
}
