//! The request mix as the target sees it: in the whole, and in any stretch of a thousand.

use std::collections::BTreeMap;

use crate::support::{Exchange, Log};

/// The specification's shares, in percent.
const MIX: [(&str, f64); 6] = [
    ("auth", 20.0),
    ("user-query", 35.0),
    ("user-mutation", 15.0),
    ("profile", 15.0),
    ("role-permission", 10.0),
    ("admin", 5.0),
];

/// What a request counts for, by its method and path alone.
fn category(exchange: &Exchange) -> &'static str {
    let route = exchange.route();
    let path = route.trim_start_matches("/api/v1/");
    match (exchange.method.as_str(), path) {
        (_, path) if path.starts_with("auth/") => "auth",
        ("GET", "users/{id}/roles") => "role-permission",
        (_, path) if path.starts_with("roles") || path.starts_with("permissions") => {
            "role-permission"
        }
        (_, path) if path.ends_with("/profile") => "profile",
        ("GET", _) => "user-query",
        ("POST", "users") | ("PUT", "users/{id}" | "users/{id}/change-password") => "user-mutation",
        _ => "admin",
    }
}

/// Half the sum of what the shares of these requests are off by, in points.
fn distance_of(exchanges: &[&Exchange]) -> f64 {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for exchange in exchanges {
        *counts.entry(category(exchange)).or_default() += 1;
    }
    let off = MIX.iter().map(|(name, share)| {
        let count = counts.get(name).copied().unwrap_or(0);
        let is = 100.0 * f64::from(count) / exchanges.len().max(1) as f64;
        print!("{name} {is:.1} ({share})  ");
        (is - share).abs() / 2.0
    });
    let off = off.sum();
    println!("off by {off:.1} points");
    off
}

/// Before the run the tool looks whether anybody is there: that is no person's.
fn of_people(log: &Log) -> Vec<&Exchange> {
    let all = log.exchanges.iter();
    all.filter(|e| e.path.starts_with("/api/")).collect()
}

pub fn distance(log: &Log) -> f64 {
    distance_of(&of_people(log))
}

/// The whole run within 2 points, and each thousand of it within 8.
pub fn mix_is_kept(log: &Log) {
    let stretches: Vec<f64> = of_people(log)
        .chunks_exact(1_000)
        .map(distance_of)
        .collect();
    assert!(stretches.iter().all(|off| *off <= 8.0), "{stretches:.1?}");
    assert!(distance(log) <= 2.0);
}
