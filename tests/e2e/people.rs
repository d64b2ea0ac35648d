//! The built-in archetypes, from the target's side: a proxy counts what they do, and nothing is taken from what the tool
//! says. That first sessions are whole, that nobody comes for nothing, how long people take, which passwords they use, who
//! they are and whom they look for.

mod data;
mod errors;
mod faults;
mod mix;
mod order;
mod pauses;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use data::{people_stay_who_they_are, searches_and_pages_are_a_persons};
use errors::{
    errors_are_spread, errors_are_those_of_the_mix, invalid_bodies_differ,
    server_errors_are_of_every_kind, time_outs_take_a_persons_time, wrong_passwords,
    wrong_passwords_in_a_minute,
};
use mix::mix_is_kept;
use order::{first_sessions_are_whole, nobody_comes_for_nothing};
use pauses::gaps_are_one_pause;

use crate::support::{Exchange, Log, Proxy, Running, embedded};

const LOGIN: &str = "/api/v1/auth/login";
const LOGOUT: &str = "/api/v1/auth/logout";
const USERS: &str = "/api/v1/users";
const USER: &str = "/api/v1/users/{id}";
const SEARCH: &str = "/api/v1/users/search";
const PROFILE: &str = "/api/v1/users/{id}/profile";

/// The reference service, slow enough that what is sent together overlaps.
fn service() -> SocketAddr {
    embedded(user_service::Config {
        latency: Some(Duration::from_millis(6)),
        allow_faults: true,
        ..user_service::Config::default()
    })
}

/// A run of the built-in archetypes through a proxy, as somebody would start it; what the proxy saw of it, the cleanup
/// left out.
fn run(arguments: &str) -> Log {
    let proxy = Proxy::before(service());
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal");
    let mut all = vec![
        "run",
        "--no-panel",
        "--cleanup=never",
        "--base-url",
        &proxy.url,
    ];
    all.extend([
        "--journal",
        journal.to_str().unwrap(),
        "--guest-timeout",
        "10s",
    ]);
    all.extend(arguments.split_whitespace());
    let mut running = Running::start(&all);
    // A person's pace takes longer than anything else here.
    let deadline = Instant::now() + Duration::from_secs(15 * 60);
    while running.has_ended().is_none() {
        assert!(Instant::now() < deadline, "{}", running.stderr());
        std::thread::sleep(Duration::from_millis(20));
    }
    println!("{}", running.ended().fine().stdout);
    proxy.log()
}

fn is(exchange: &Exchange, method: &str, path: &str) -> bool {
    exchange.method == method && exchange.route() == path
}

fn is_any(exchange: &Exchange, routes: &[(&str, &str)]) -> bool {
    routes
        .iter()
        .any(|(method, path)| is(exchange, method, path))
}

#[test]
fn first_sessions_go_through_their_parts_once_and_whole() {
    let log = run(
        "--users 40 --workers 2 --seed 5 --min-request-count 80 --max-request-count 80 --delay-min 2 --delay-max 12 \
         --mix=off --error-mix=off",
    );
    let counts = first_sessions_are_whole(&log, usize::MAX);
    assert_eq!(
        counts,
        BTreeMap::from([("active", 20), ("admin", 4), ("newcomer", 8), ("power", 8)])
    );
    nobody_comes_for_nothing(&log);
}

#[test]
fn a_mixed_run_is_made_of_people() {
    let log = run(
        "--users 40 --workers 2 --seed 5 --ramp-up 2 --min-request-count 50 --max-request-count 80 --delay-min 40 \
         --delay-max 200 --error-mix success=86,client=14,server=0",
    );
    let counts = first_sessions_are_whole(&log, 50);
    assert!(counts.values().sum::<u32>() >= 30, "{counts:?}");
    nobody_comes_for_nothing(&log);
    let judged = gaps_are_one_pause(&log, 40, 200, 2);
    // On a busy machine many are not.
    assert!(judged > 50, "{judged}");
    let (row, wrong) = wrong_passwords(&log);
    println!("{wrong} wrong passwords, {row} in a row");
    assert!(row <= 2 && wrong > 0);
    people_stay_who_they_are(&log);
    searches_and_pages_are_a_persons(&log);
    errors_are_spread(&log);
}

#[test]
fn five_hundred_requests_of_fifty_people_are_made_of_people() {
    let log = run(
        "--users 50 --workers 2 --seed 7 --min-request-count 10 --max-request-count 10 --delay-min 100 --delay-max 1000 \
         --error-mix=off",
    );
    // And a look at the target before.
    assert!((450..=501).contains(&log.exchanges.len()));
    nobody_comes_for_nothing(&log);
    assert!(gaps_are_one_pause(&log, 100, 1000, 2) > 50);
    let off = mix::distance(&log);
    assert!(off <= 6.0, "{off:.1} points off the mix");
}

/// Server errors make people give up in the middle, with whatever they have left.
#[test]
fn whoever_has_little_left_does_something_with_it() {
    let log = run(
        "--users 120 --workers 2 --seed 9 --min-request-count 3 --max-request-count 24 --delay-min 5 --delay-max 40 \
         --error-mix success=80,client=10,server=10",
    );
    nobody_comes_for_nothing(&log);
}

#[test]
#[ignore = "12,000 requests at a person's pace take some minutes: scripts/people runs it"]
fn twelve_thousand_requests_are_made_of_people() {
    // All defaults, but for budgets that end within minutes.
    let log =
        run("--users 100 --workers 2 --seed 5 --min-request-count 60 --max-request-count 180");
    println!("{} requests", log.exchanges.len());
    assert!(log.exchanges.len() >= 11_000);
    mix_is_kept(&log);
    let counts = first_sessions_are_whole(&log, usize::MAX);
    println!("first sessions: {counts:?}");
    assert_eq!(
        counts,
        BTreeMap::from([
            ("active", 50),
            ("admin", 10),
            ("newcomer", 20),
            ("power", 20)
        ])
    );
    nobody_comes_for_nothing(&log);
    assert!(gaps_are_one_pause(&log, 100, 2000, 2) > 5_000);
    let (row, wrong) = wrong_passwords(&log);
    let lately = wrong_passwords_in_a_minute(&log);
    println!("{wrong} wrong passwords, {row} in a row, {lately} within a minute at most");
    // Half of what `--max-auth-failures` lets be.
    assert!(row <= 2 && lately <= 15);
    people_stay_who_they_are(&log);
    searches_and_pages_are_a_persons(&log);
    let routes = errors_are_spread(&log);
    // All with an identifier, but for the one that only its owner may use.
    assert!(routes[&404].len() >= 20, "{:?}", routes[&404]);
    assert!(routes[&403].len() >= 16, "{:?}", routes[&403]);
    errors_are_those_of_the_mix(&log);
    invalid_bodies_differ(&log);
    server_errors_are_of_every_kind(&log);
    time_outs_take_a_persons_time(&log);
}
