//! `vespeiro serve` as a process on a free port, and its ledger, which is the oracle of "nothing lost".

use std::net::SocketAddr;

use super::{Counts, Running, Sample, eventually, get, samples};

/// A fresh service that ends with its test.
pub struct Service {
    pub url: String,
    authority: String,
    pub process: Running,
}

impl Service {
    pub fn start() -> Service {
        Service::with(&[])
    }

    /// With more arguments, for instance `--latency 20ms`.
    pub fn with(arguments: &[&str]) -> Service {
        Service::started(Running::start(
            &[&["serve", "--port", "0"], arguments].concat(),
        ))
    }

    /// In the place of one that is gone.
    pub fn again(url: &str) -> Service {
        let port = url.rsplit(':').next().unwrap();
        Service::started(Running::start(&["serve", "--port", port]))
    }

    fn started(process: Running) -> Service {
        let url = eventually("the service's address", || {
            let said = process.stdout();
            said.split_once('\n').map(|(first, _)| first.to_owned())
        });
        let authority = url.strip_prefix("http://").unwrap().to_owned();
        Service {
            url,
            authority,
            process,
        }
    }

    /// Requests that the service has answered, less what is no part of a run: `preflights` looks at `/health` and the
    /// tests' own scrapes.
    pub fn ledger(&self, preflights: u64) -> Counts {
        let page = get(&self.authority, "/metrics").unwrap();
        let mut counts: Counts = samples(&page, "user_service_requests_total")
            .iter()
            .map(|sample| {
                let status = sample.label("status").parse().unwrap();
                let key = (
                    sample.label("method").to_owned(),
                    sample.label("route").to_owned(),
                    status,
                );
                (key, sample.value as u64)
            })
            .filter(|((_, route, _), _)| route != "/metrics")
            .collect();
        let health = ("GET".to_owned(), "/health".to_owned(), 200);
        let looks = counts.get_mut(&health).unwrap();
        assert!(*looks >= preflights);
        *looks -= preflights;
        counts.retain(|_, count| *count > 0);
        counts
    }

    /// What it counts under this name.
    pub fn samples(&self, family: &str) -> Vec<Sample> {
        samples(&get(&self.authority, "/metrics").unwrap(), family)
    }

    /// All requests so far, but for the tests' own scrapes.
    pub fn answered_at_all(&self) -> u64 {
        let page = get(&self.authority, "/metrics").unwrap();
        samples(&page, "user_service_requests_total")
            .iter()
            .filter(|sample| sample.label("route") != "/metrics")
            .map(|sample| sample.value as u64)
            .sum()
    }

    /// Requests to the API so far.
    pub fn answered(&self) -> u64 {
        let page = get(&self.authority, "/metrics").unwrap();
        samples(&page, "user_service_requests_total")
            .iter()
            .filter(|sample| sample.label("route").starts_with("/api/"))
            .map(|sample| sample.value as u64)
            .sum()
    }
}

/// The reference service on a thread of its own, until the process ends: with settings that `serve` does not offer.
pub fn embedded(config: user_service::Config) -> SocketAddr {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
        .unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let forever = std::future::pending();
        runtime.block_on(user_service::serve(listener, config, forever))
    });
    address
}
