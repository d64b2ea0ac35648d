//! Every user sends as many requests as its budget says: no more, and no fewer.

use std::collections::BTreeMap;

use crate::determinism::play;
use crate::support::Seen;

/// Requests by user. What the powerful user sent as its administrator is its own too; that one is known by the names
/// of the users that it created, which carry its own.
fn by_user(seen: &Seen) -> BTreeMap<String, u64> {
    const BOSS: &str = "boss-of-power@example.test";
    let created = |name: &str| {
        let mark = format!("\"{name}_");
        seen[BOSS].iter().any(|line| line.contains(&mark))
    };
    let power = seen
        .keys()
        .find(|account| created(account.trim_end_matches("@simulation.test")))
        .unwrap();
    let mut users = BTreeMap::new();
    for (account, lines) in seen {
        let user = if account == BOSS { power } else { account };
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
