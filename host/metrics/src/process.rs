//! What the generator itself uses: CPU, memory, files and threads of this process, from `/proc/self`. Sampled by the
//! orchestrator when it makes a snapshot.
//!
//! What must stay true: a figure that the system does not provide is 0, never an error.

use std::fs;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Clock ticks per second in `/proc/self/stat`: fixed by the kernel's ABI on every architecture we build for.
const TICKS: u64 = 100;
/// Open files up to which it is cheap enough to look at each; beyond it, nearly all of them are sockets.
const FEW: u64 = 4096;

/// Resources of this process at one instant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// When it was looked at, since the start of the run.
    pub at: Duration,
    /// User and system time of all threads since the process began; resolution 10 ms.
    pub cpu: Duration,
    /// Resident memory, in bytes.
    pub rss: u64,
    pub open_files: u64,
    /// Sockets among them. Counted one by one only while there are few open files; beyond that all count.
    pub open_sockets: u64,
    pub threads: u64,
}

/// Read the figures of this process, `at` this time since the start of the run.
pub fn sample(at: Duration) -> Process {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let open_files = open_files();
    Process {
        at,
        cpu: cpu(&fs::read_to_string("/proc/self/stat").unwrap_or_default()),
        rss: field(&status, "VmRSS:") * 1024,
        open_files,
        open_sockets: if open_files <= FEW {
            open_sockets()
        } else {
            open_files
        },
        threads: field(&status, "Threads:"),
    }
}

/// The 14th and 15th field; counted from behind the command name, which may hold spaces and brackets.
fn cpu(stat: &str) -> Duration {
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 = after_name
        .split_ascii_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|t| t.parse::<u64>().ok())
        .sum();
    Duration::from_millis(ticks * 1000 / TICKS)
}

fn field(status: &str, name: &str) -> u64 {
    status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .and_then(|rest| rest.split_ascii_whitespace().next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

/// Since Linux 6.2 the folder's size is the number of open files; counting 50,000 entries would take milliseconds.
fn open_files() -> u64 {
    match fs::metadata("/proc/self/fd") {
        Ok(folder) if folder.len() > 0 => folder.len(),
        _ => fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count() as u64),
    }
}

fn open_sockets() -> u64 {
    let is_socket = |entry: &fs::DirEntry| {
        fs::read_link(entry.path()).is_ok_and(|to| to.to_string_lossy().starts_with("socket:"))
    };
    fs::read_dir("/proc/self/fd").map_or(0, |entries| {
        entries.flatten().filter(is_socket).count() as u64
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_fields_of_the_kernel() {
        let stat = "12 (a b) c) S 1 2 3 4 5 6 7 8 9 10 150 25 0 0 20 0 4 0 99 1000 200";
        assert_eq!(cpu(stat), Duration::from_millis(1_750));
        assert_eq!(cpu("nonsense"), Duration::ZERO);
        let status = "Name:\tx\nVmRSS:\t   2048 kB\nThreads:\t7\n";
        assert_eq!(
            (
                field(status, "VmRSS:"),
                field(status, "Threads:"),
                field(status, "None:")
            ),
            (2048, 7, 0)
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_memory_threads_and_files() {
        let before = sample(Duration::ZERO);
        assert!(
            before.rss > 100_000 && before.threads >= 1 && before.open_files >= 3,
            "{before:?}"
        );
        let files: Vec<_> = (0..20)
            .map(|_| fs::File::open("/proc/self/stat").unwrap())
            .collect();
        assert!(
            sample(Duration::ZERO).open_files >= before.open_files + 10,
            "{} files are open",
            files.len()
        );
        let sockets: Vec<_> = (0..20)
            .map(|_| std::net::UdpSocket::bind("127.0.0.1:0").unwrap())
            .collect();
        // Other tests open and close some of their own meanwhile.
        assert!(sample(Duration::ZERO).open_sockets >= sockets.len() as u64);
    }
}
