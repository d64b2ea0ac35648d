//! What all end-to-end tests share: the binary, the service, modules built from the SDK's examples, and ways to read
//! what each of them says. Every process that is started here ends with its test.

mod binary;
mod counting;
mod fickle;
mod guests;
mod http;
mod ledger;
mod moody;
mod peers;
mod prometheus;
mod proxy;
mod receiver;
mod recording;
mod scripted;
mod server;
mod service;
mod slurm;
mod stalling;
mod summary;
mod talkative;
mod terminal;
mod tools;
mod visits;

pub use binary::{Ended, Owned, Running, binary, command, vespeiro};
pub use counting::{Counting, Heard};
pub use fickle::Fickle;
pub use guests::{by_hand, example, slow_to_compile};
pub use http::{Answer, free_address, get, post, send};
pub use ledger::{Counts, Sample, samples};
pub use moody::Moody;
pub use peers::{Certificates, Peer};
pub use prometheus::Prometheus;
pub use proxy::{Exchange, Log, Proxy};
pub use receiver::{Post, Receiver};
pub use recording::{Recording, Seen};
pub use scripted::{Manner, Scripted};
pub use server::Server;
pub use service::{Service, embedded};
pub use slurm::Slurm;
pub use stalling::Stalling;
pub use summary::{Played, RunOf};
pub use talkative::{Talked, talkative};
pub use terminal::{in_terminal, terminal};
pub use tools::tool;
pub use visits::{Visit, visits};

use std::thread::sleep;
use std::time::{Duration, Instant};

/// Longest that anything here may take; a debug build on a busy machine needs a fraction of it.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Ask again and again until there is an answer.
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        sleep(Duration::from_millis(5));
    }
}
