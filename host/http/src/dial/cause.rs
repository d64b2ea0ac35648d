//! Why a connection could not be had, by the error's number and kind, never by its text. The parts of a dial say it, the
//! dialer passes it on.
//!
//! What must stay true: what this machine ran out of is `Failure::Generator`, with the limit and the mend.

use std::io;
use std::net::{IpAddr, SocketAddr};

use rustix::io::Errno;

use crate::Failure;

/// Why one part of a dial failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) failure: Failure,
    /// In words, with the mend where there is one.
    pub(super) cause: String,
}

impl Broken {
    pub(super) fn new(failure: Failure, cause: impl Into<String>) -> Self {
        Self {
            failure,
            cause: cause.into(),
        }
    }

    pub(super) fn connect(cause: impl Into<String>) -> Self {
        Self::new(Failure::Connect, cause)
    }

    pub(super) fn generator(cause: impl Into<String>) -> Self {
        Self::new(Failure::Generator, cause)
    }
}

/// What ran out, where the error says that this machine ran out of something.
pub(super) fn exhausted(error: &io::Error) -> Option<Broken> {
    let cause = match Errno::from_io_error(error)? {
        Errno::MFILE => format!(
            "no more files may be opened: the limit is {} (ulimit -n): raise it, or take fewer connections with --max-connections",
            open_files()
        ),
        Errno::NFILE => {
            "this machine has no more files to open: raise fs.file-max, or take fewer connections with --max-connections".to_owned()
        }
        Errno::NOBUFS | Errno::NOMEM => {
            "this machine has no memory for one more connection (net.ipv4.tcp_mem): take fewer with --max-connections".to_owned()
        }
        _ => return None,
    };
    Some(Broken::generator(cause))
}

/// No local port is free for a connection to `remote`.
pub(super) fn no_port(remote: SocketAddr, local: Option<IpAddr>) -> Broken {
    let from = local.map_or_else(String::new, |local| format!(" from {local}"));
    Broken::generator(format!(
        "no local port is free{from} to {remote}: the range is {} (net.ipv4.ip_local_port_range): widen it, keep connections open, or send from more addresses with --local-address",
        ports()
    ))
}

/// Why `remote` could not be connected to; what this machine ran out of is told before, by [`exhausted`].
pub(super) fn unreachable(error: &io::Error, remote: &str) -> Broken {
    match Errno::from_io_error(error) {
        Some(Errno::CONNREFUSED) => Broken::connect(format!(
            "{remote} refused the connection: nothing listens there"
        )),
        Some(Errno::NETUNREACH) => Broken::connect(format!("there is no route to {remote}")),
        Some(Errno::HOSTUNREACH | Errno::HOSTDOWN) => {
            Broken::connect(format!("{remote} is not reachable"))
        }
        Some(Errno::CONNRESET | Errno::PIPE | Errno::CONNABORTED) => {
            Broken::connect(format!("{remote} closed the connection before it was used"))
        }
        Some(Errno::ACCESS | Errno::PERM) => Broken::connect(format!(
            "this machine does not permit a connection to {remote} (a firewall, or a file's rights)"
        )),
        Some(Errno::TIMEDOUT) => Broken::new(Failure::Timeout, format!("{remote} does not answer")),
        _ => Broken::connect(format!("{remote} cannot be connected to: {error}")),
    }
}

/// The soft limit of open files, as `ulimit -n` shows it.
fn open_files() -> String {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    limit.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string())
}

/// The ports that the kernel gives to connections, where it says so.
fn ports() -> String {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
    let range = range.unwrap_or_default();
    let mut ends = range.split_ascii_whitespace();
    match (ends.next(), ends.next()) {
        (Some(first), Some(last)) => format!("{first} to {last}"),
        _ => "the system's".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(errno: Errno) -> io::Error {
        errno.into()
    }

    #[test]
    fn what_ran_out_is_the_generators_and_names_limit_and_mend() {
        for (errno, words) in [
            (Errno::MFILE, "ulimit -n"),
            (Errno::NFILE, "fs.file-max"),
            (Errno::NOBUFS, "tcp_mem"),
            (Errno::NOMEM, "tcp_mem"),
        ] {
            let broken = exhausted(&error(errno)).unwrap();
            assert_eq!(broken.failure, Failure::Generator);
            assert!(broken.cause.contains(words), "{}", broken.cause);
        }
        let broken = no_port("127.0.0.1:80".parse().unwrap(), None);
        assert_eq!(broken.failure, Failure::Generator);
        assert!(broken.cause.contains("--local-address"), "{}", broken.cause);
        assert_eq!(exhausted(&error(Errno::CONNREFUSED)), None);
        assert_eq!(exhausted(&io::Error::other("EMFILE")), None);
    }

    #[test]
    fn what_the_target_does_is_told_by_number() {
        for (errno, failure) in [
            (Errno::CONNREFUSED, Failure::Connect),
            (Errno::NETUNREACH, Failure::Connect),
            (Errno::HOSTUNREACH, Failure::Connect),
            (Errno::CONNRESET, Failure::Connect),
            (Errno::PERM, Failure::Connect),
            (Errno::TIMEDOUT, Failure::Timeout),
        ] {
            let broken = unreachable(&error(errno), "10.0.0.1:80");
            assert_eq!(broken.failure, failure, "{errno:?}");
            assert!(broken.cause.contains("10.0.0.1:80"), "{}", broken.cause);
        }
    }
}
