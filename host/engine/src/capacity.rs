//! How many users this machine can hold: what memory is left, by what one of them takes. Asked by whoever sets their number,
//! before any is made.

use std::fmt;
use std::fs;

/// What a thinking user takes of memory, with its session in a small behavior: `scripts/bench` measures it (under 4 KiB).
/// One whose behavior carries a scripting engine takes as much again.
const EACH: u64 = 4 << 10;

/// More users than there is memory for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany {
    users: u32,
    most: u64,
    available: u64,
}

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TooMany {
            users,
            most,
            available,
        } = self;
        write!(
            f,
            "{users} users are more than this machine can hold: {} MiB of memory are left, and each takes {} KiB: ask for {most} at most",
            available >> 20,
            EACH >> 10
        )
    }
}

impl std::error::Error for TooMany {}

/// Whether there is memory for so many more users.
///
/// # Errors
/// There is not.
pub fn check(users: u32) -> Result<(), TooMany> {
    let Some(available) = available() else {
        return Ok(());
    };
    let most = available / EACH;
    match u64::from(users) <= most {
        true => Ok(()),
        false => Err(TooMany {
            users,
            most,
            available,
        }),
    }
}

/// Bytes that may still be taken: of the machine's, and of the control group's where that has a bound. `None` where the system
/// does not tell.
fn available() -> Option<u64> {
    let machine = fs::read_to_string("/proc/meminfo").ok();
    let machine = machine.and_then(|text| of_machine(&text));
    let number = |file: &str| {
        let text = fs::read_to_string(format!("/sys/fs/cgroup/{file}")).ok()?;
        text.trim().parse::<u64>().ok()
    };
    let group = number("memory.max").zip(number("memory.current"));
    let group = group.map(|(most, now)| most.saturating_sub(now));
    machine.into_iter().chain(group).min()
}

fn of_machine(meminfo: &str) -> Option<u64> {
    let mut lines = meminfo.lines();
    let line = lines.find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_read_as_the_system_tells_it() {
        let text = "MemTotal:       24683424 kB\nMemAvailable:   24036240 kB\n";
        assert_eq!(of_machine(text), Some(24_036_240 << 10));
        assert_eq!(of_machine("MemTotal: 1 kB\n"), None);
    }

    #[test]
    fn nobody_holds_four_billion_users() {
        assert_eq!(check(1000), Ok(()));
        let line = check(4_000_000_000).unwrap_err().to_string();
        assert!(line.contains("each takes 4 KiB: ask for"), "{line}");
    }
}
