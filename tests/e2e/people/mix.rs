//! The request mix as the target sees it: in the whole, in any stretch of a thousand, and in small runs.

use std::collections::BTreeMap;

use super::run;
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

/// Half the sum of what the shares of these requests are off by, in points, from the mix of these categories alone.
fn distance_of(exchanges: &[&Exchange], mix: &[(&str, f64)]) -> f64 {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for exchange in exchanges {
        *counts.entry(category(exchange)).or_default() += 1;
    }
    let all: f64 = mix.iter().map(|(_, share)| share).sum();
    let off = mix.iter().map(|(name, share)| {
        let share = 100.0 * share / all;
        let count = counts.get(name).copied().unwrap_or(0);
        let is = 100.0 * f64::from(count) / exchanges.len().max(1) as f64;
        print!("{name} {is:.1} ({share:.1})  ");
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
    distance_of(&of_people(log), &MIX)
}

/// The whole run within 2 points, and each thousand of it within 8.
pub fn mix_is_kept(log: &Log) {
    is_kept(&of_people(log), &MIX);
}

#[track_caller]
fn is_kept(all: &[&Exchange], mix: &[(&str, f64)]) {
    let stretches: Vec<f64> = all
        .chunks_exact(1_000)
        .map(|thousand| distance_of(thousand, mix))
        .collect();
    let off = distance_of(all, mix);
    assert!(stretches.iter().all(|off| *off <= 8.0), "{stretches:.1?}");
    assert!(off <= 2.0, "{off:.2}");
}

/// The mix of what an archetype can do.
fn mix_of(archetype: &str) -> Vec<(&'static str, f64)> {
    let administrates = matches!(archetype, "admin" | "power");
    let can = |(name, _): &&(&str, f64)| administrates || *name != "admin";
    MIX.iter().filter(can).copied().collect()
}

/// Five hundred requests of fifty people, all of one archetype, within 6 points of the mix of what it can do.
#[track_caller]
fn alone(archetype: &str) {
    let log = run(&format!(
        "--archetype {archetype} --users 50 --workers 2 --seed 7 --min-request-count 10 --max-request-count 10 \
         --delay-min 20 --delay-max 200 --error-mix=off"
    ));
    let all = of_people(&log);
    assert!((450..=500).contains(&all.len()), "{}", all.len());
    let off = distance_of(&all, &mix_of(archetype));
    assert!(off <= 6.0, "{archetype}: {off:.1} points off");
}

#[test]
fn newcomers_alone_keep_the_mix() {
    alone("newcomer");
}

#[test]
fn active_people_alone_keep_the_mix() {
    alone("active");
}

#[test]
fn administrators_alone_keep_the_mix() {
    alone("admin");
}

#[test]
fn power_users_alone_keep_the_mix() {
    alone("power");
}

/// Twelve thousand requests of a hundred people, all of one archetype: as close to the mix of what it can do as all four are.
#[track_caller]
fn alone_for_long(archetype: &str) {
    let log = run(&format!(
        "--archetype {archetype} --users 100 --workers 2 --seed 7 --min-request-count 120 --max-request-count 120 \
         --delay-min 10 --delay-max 200 --error-mix=off"
    ));
    let all = of_people(&log);
    assert!(all.len() >= 11_900, "{}", all.len());
    is_kept(&all, &mix_of(archetype));
}

#[test]
#[ignore = "12,000 requests take half a minute of the machine: scripts/people runs it"]
fn newcomers_alone_keep_the_mix_for_long() {
    alone_for_long("newcomer");
}

#[test]
#[ignore = "12,000 requests take half a minute of the machine: scripts/people runs it"]
fn active_people_alone_keep_the_mix_for_long() {
    alone_for_long("active");
}

#[test]
#[ignore = "12,000 requests take half a minute of the machine: scripts/people runs it"]
fn administrators_alone_keep_the_mix_for_long() {
    alone_for_long("admin");
}

#[test]
#[ignore = "12,000 requests take half a minute of the machine: scripts/people runs it"]
fn power_users_alone_keep_the_mix_for_long() {
    alone_for_long("power");
}
