//! The seed decides everything: given the same replies, a run with the same seed asks the same, user by user.

use std::io::Write as _;

use tempfile::NamedTempFile;

use crate::support::{Played, Recording, RunOf, Seen};

/// All four archetypes with one administrator's account each, so that an account is one user's: the two privileged
/// archetypes have one user each.
pub const PLAN: &str = r#"
users = 12
workers = 2
delay_min = 0
delay_max = "2ms"
# One request at a time per worker: the server sees a batch in the order that the behavior gave it.
max_connections = 2

[[archetype]]
name = "newcomer"
module = "builtin:newcomer"
weight = 4
[[archetype]]
name = "active"
module = "builtin:active"
weight = 6
[[archetype]]
name = "admin"
module = "builtin:admin"
weight = 1
config = { admin = { email = "boss-of-admin@example.test", password = "Admin123!" } }
[[archetype]]
name = "power"
module = "builtin:power"
weight = 1
config = { admin = { email = "boss-of-power@example.test", password = "Admin123!" } }
"#;

/// Play [`PLAN`] against a fresh server; the number of requests by the summary, and what the server saw.
pub fn play(arguments: &str) -> (u64, Seen) {
    let id = match arguments.contains("--run-id") {
        true => "",
        false => "--run-id e2eruns1",
    };
    let (played, seen) = played(&format!("{arguments} {id}"));
    (played.sent(), seen)
}

fn played(arguments: &str) -> (Played, Seen) {
    let mut plan = NamedTempFile::with_suffix(".toml").unwrap();
    plan.write_all(PLAN.as_bytes()).unwrap();
    let server = Recording::start();
    let played = RunOf::fine(
        &server.url,
        &format!("--plan {} {arguments}", plan.path().display()),
    );
    (played, server.seen())
}

/// Each account asked for the same, in the same order, and there is no other.
#[track_caller]
pub fn assert_same(one: &Seen, other: &Seen) {
    for (account, lines) in one {
        let same = other.get(account).map_or(&[][..], Vec::as_slice);
        let parted = lines.iter().zip(same).position(|(one, two)| one != two);
        assert!(
            lines == same,
            "{account}: {} and {} requests, parted at {parted:?}",
            lines.len(),
            same.len()
        );
    }
    assert_eq!(one.len(), other.len());
}

#[test]
fn the_same_seed_asks_the_same_user_by_user() {
    // Enough for whole sessions: with less, the powerful one may have no use for its administrator.
    let budgets = "--min-request-count 40 --max-request-count 80";
    // As somebody repeats a run: with what its summary says.
    let (first, once) = played(budgets);
    let said = first.ended.stdout.lines();
    let line = said.rev().find(|line| line.starts_with("repeat")).unwrap();
    let (_, flags) = line.split_once("the same command with ").unwrap();
    let (flags, _) = flags.split_once(',').unwrap();
    let (_, again) = play(&format!("{budgets} {flags}"));
    let id = flags.split_once("--run-id ").unwrap().1;
    let (_, other) = play(&format!("{budgets} --seed 12 --run-id {id}"));
    // 12 users: the admin acts only as its administrator, the powerful one as itself and as its administrator.
    assert_eq!(once.len(), 13, "{:?}", once.keys());
    assert!(!once.contains_key("nobody"), "{:?}", once["nobody"]);
    assert_same(&once, &again);
    let changed = once
        .iter()
        .filter(|(account, lines)| other.get(*account) != Some(lines));
    assert_eq!(
        changed.count(),
        once.len(),
        "another seed decides otherwise"
    );
}
