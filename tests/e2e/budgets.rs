//! Every user sends as many requests as its budget says: no more, and no fewer.

use std::collections::BTreeMap;

use crate::determinism::play;
use crate::support::{RunOf, Seen, Service, eventually, example, get};

/// Requests by user. What the powerful user sent as its administrator is its own too; that one is known by the names
/// of the users that it created, which carry its own. Who has few requests may leave the administrator alone.
fn by_user(seen: &Seen) -> BTreeMap<String, u64> {
    const BOSS: &str = "boss-of-power@example.test";
    let created = |name: &str| {
        let mark = format!("\"{name}_");
        let lines = seen.get(BOSS).into_iter().flatten();
        lines.into_iter().any(|line| line.contains(&mark))
    };
    let power = seen
        .keys()
        .find(|account| created(account.trim_end_matches("@simulation.test")));
    let mut users = BTreeMap::new();
    for (account, lines) in seen {
        let is_boss = account == BOSS;
        let user = if is_boss { power.unwrap() } else { account };
        *users.entry(user.clone()).or_default() += lines.len() as u64;
    }
    assert_eq!(users.len(), 12, "{:?}", users.keys());
    users
}

#[test]
fn every_user_stays_within_the_bounds_and_draws_its_own_number() {
    let (sent, seen) = play("--min-request-count 25 --max-request-count 75 --seed 5");
    let users = by_user(&seen);
    assert_eq!(users.values().sum::<u64>(), sent);
    for (user, requests) in &users {
        assert!((25..=75).contains(requests), "{user}: {requests}");
    }
    let mut different: Vec<_> = users.values().collect();
    different.sort();
    different.dedup();
    assert!(different.len() > 3, "{users:?}");
}

#[test]
fn every_user_spends_its_budget_to_the_last_request() {
    let (sent, seen) = play("--min-request-count 37 --max-request-count 37");
    assert_eq!(sent, 12 * 37);
    for (user, requests) in by_user(&seen) {
        assert_eq!(requests, 37, "{user}");
    }
}

/// Nineteen users with little to do and one with much: the end is when that one is through.
#[test]
fn the_remaining_time_is_that_of_whoever_has_most_left() {
    let service = Service::start();
    let first = example("first").display().to_string();
    let mut run = RunOf::start(
        &service.url,
        &format!(
            "--archetype few={first} --archetype many={first} --min-request-count few=20 \
             --max-request-count few=20 --min-request-count many=90 --max-request-count many=90 \
             --users few=19 --users many=1 --delay-min 20ms --delay-max 40ms \
             --control 127.0.0.1:0 --workers 2"
        ),
    );
    let authority = run.authority("control: ");
    let mut estimates = Vec::new();
    eventually("the end of the run", || {
        let status = get(&authority, "/status").ok();
        let status = status.and_then(|text| serde_json::from_str(&text).ok());
        let status: serde_json::Value = status.unwrap_or_default();
        let number = |key: &str| status[key].as_f64();
        if let (Some(at), Some(left)) = (number("elapsed_seconds"), number("remaining_seconds")) {
            estimates.push((at, left));
        }
        run.process.has_ended().map(drop)
    });
    let lasted = run.played().summary["run"]["elapsed_seconds"]
        .as_f64()
        .unwrap();
    assert!(lasted > 8.0, "{lasted} s");
    // The first seconds say little of anybody's pace.
    let told: Vec<_> = estimates
        .into_iter()
        .filter(|(at, _)| (2.0..lasted - 1.0).contains(at))
        .collect();
    assert!(!told.is_empty());
    for (at, left) in told {
        let due = lasted - at;
        assert!(
            (left - due).abs() <= 2.0 + 0.4 * due,
            "{left} s left said at {at} s of {lasted} s"
        );
    }
}
