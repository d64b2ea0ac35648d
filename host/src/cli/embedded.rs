//! The reference user service inside this process, on a thread of its own, for `demo` and `serve`.

use std::net::SocketAddr;
use std::thread::JoinHandle;

use anyhow::{Context, anyhow};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use user_service::Config;

use crate::exit::Misuse;

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
                    // A sender that is gone means the same as one that has spoken.
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

    /// Stop it, and wait until it has.
    pub(super) fn stop(self) -> anyhow::Result<()> {
        let _ = self.stop.send(());
        self.thread
            .join()
            .map_err(|_| anyhow!("the user service panicked: this is a bug, please report it"))?
            .context("the user service")
    }
}
