//! The request mix as the target sees it: in the whole, and in any stretch of a thousand.

use std::collections::BTreeMap;

use crate::support::{Exchange, Log};

/// The specification's shares, in percent.
pub const MIX: [(&str, f64); 6] = [
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

/// Half the sum of what the shares of some requests are off by, in points. Against the mix restricted to `of`.
pub fn distance(exchanges: &[&Exchange], of: &[&str]) -> f64 {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for exchange in exchanges {
        *counts.entry(category(exchange)).or_default() += 1;
    }
    let wanted = MIX.iter().filter(|(name, _)| of.contains(name));
    let whole: f64 = wanted.clone().map(|(_, share)| share).sum();
    let all = exchanges.len().max(1) as f64;
    let mut off = 0.0;
    for (name, _) in MIX {
        let share = wanted
            .clone()
            .find(|(known, _)| *known == name)
            .map_or(0.0, |(_, share)| 100.0 * share / whole);
        let is = 100.0 * f64::from(counts.get(name).copied().unwrap_or(0)) / all;
        print!("{name} {is:.1} ({share:.1})  ");
        off += (is - share).abs() / 2.0;
    }
    println!("off by {off:.1} points in {all}");
    off
}

/// The whole run within `most` points, and each thousand of it within 8.
pub fn mix_is_kept(log: &Log, of: &[&str], most: f64) {
    let all: Vec<&Exchange> = log.exchanges.iter().collect();
    for stretch in all.chunks_exact(1_000) {
        assert!(distance(stretch, of) <= 8.0);
    }
    assert!(distance(&all, of) <= most);
}
