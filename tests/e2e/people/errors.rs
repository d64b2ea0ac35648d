//! Errors on purpose: everywhere, in many forms, and no account would be locked for them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{LOGIN, is};
use crate::support::{Exchange, Log};

/// Wrong passwords in a row, by account, and how many there were.
pub fn wrong_passwords(log: &Log) -> (u32, u32) {
    let mut row: BTreeMap<&str, u32> = BTreeMap::new();
    let (mut most, mut all) = (0, 0);
    for login in log.exchanges.iter().filter(|e| is(e, "POST", LOGIN)) {
        let account = login.body["email"].as_str().unwrap();
        let row = row.entry(account).or_default();
        *row = if login.status == 401 { *row + 1 } else { 0 };
        all += u32::from(login.status == 401);
        most = most.max(*row);
        assert!(login.status != 401 || account.ends_with("@simulation.test"));
    }
    (most, all)
}

/// Most of them within any minute.
pub fn wrong_passwords_in_a_minute(log: &Log) -> usize {
    let wrong = |e: &&Exchange| is(e, "POST", LOGIN) && e.status == 401;
    let wrong: Vec<Duration> = log
        .exchanges
        .iter()
        .filter(wrong)
        .map(|e| e.arrived)
        .collect();
    let minute = Duration::from_secs(60);
    let within = |first: &Duration| {
        let same = wrong
            .iter()
            .filter(|at| *at >= first && **at - *first < minute);
        same.count()
    };
    wrong.iter().map(within).max().unwrap_or_default()
}

/// Every route with an identifier has been asked for what is not there, and none alone; so with what is forbidden, and
/// with bodies. How many of each.
pub fn errors_are_spread(log: &Log) -> BTreeMap<u16, BTreeMap<String, u32>> {
    let mut routes: BTreeMap<u16, BTreeMap<String, u32>> = BTreeMap::new();
    for e in log
        .exchanges
        .iter()
        .filter(|e| (400..500).contains(&e.status))
    {
        let route = format!("{} {}", e.method, e.route());
        *routes
            .entry(e.status)
            .or_default()
            .entry(route)
            .or_default() += 1;
    }
    for (status, routes) in &routes {
        println!("{status}: {routes:?}");
    }
    let share = |status: u16| {
        let of = &routes[&status];
        let most = of.values().max().copied().unwrap_or_default();
        f64::from(most) / f64::from(of.values().sum::<u32>())
    };
    assert!(share(404) < 0.35 && share(403) < 0.35, "{routes:?}");
    for status in [400, 401, 403, 404, 409, 422] {
        assert!(routes.contains_key(&status), "{status}: {routes:?}");
    }
    assert!(routes[&404].len() >= 7 && routes[&403].len() >= 8);
    routes
}

/// 85, 12 and 3 % by default; whoever was given up on counts as the target's.
pub fn errors_are_those_of_the_mix(log: &Log) {
    let people = log.exchanges.iter().filter(|e| e.path.starts_with("/api/"));
    let (mut all, mut good, mut down) = (0, 0, 0);
    for e in people {
        all += 1;
        good += u32::from(e.is_good());
        down += u32::from(e.is_down());
    }
    let share = |count: u32| 100.0 * f64::from(count) / f64::from(all);
    let shares = [share(good), share(all - good - down), share(down)];
    println!("success, client and server errors: {shares:.1?} %");
    for (share, wanted) in shares.iter().zip([85.0, 12.0, 3.0]) {
        assert!((share - wanted).abs() < 1.0, "{shares:?}");
    }
}

/// What is wrong with a body or a query is many things, none of them a third of all.
pub fn invalid_bodies_differ(log: &Log) {
    let mut flaws: BTreeMap<String, u32> = BTreeMap::new();
    for e in log.exchanges.iter().filter(|e| e.status == 422) {
        *flaws.entry(e.reply["errors"].to_string()).or_default() += 1;
    }
    println!("{flaws:#?}");
    let all: u32 = flaws.values().sum();
    assert!(flaws.len() >= 10, "{flaws:?}");
    assert!(flaws.values().all(|count| 3 * count < all), "{flaws:?}");
    for part in [
        "is required",
        "expected a string",
        "characters",
        "must be a date",
    ] {
        assert!(
            flaws.keys().any(|flaw| flaw.contains(part)),
            "{part}: {flaws:?}"
        );
    }
}

/// Each of the four takes its part, and reading, changing and logging in meet them.
pub fn server_errors_are_of_every_kind(log: &Log) {
    let mut statuses: BTreeMap<u16, u32> = BTreeMap::new();
    let mut methods: BTreeMap<&str, u32> = BTreeMap::new();
    for e in log.exchanges.iter().filter(|e| e.status >= 500) {
        *statuses.entry(e.status).or_default() += 1;
        *methods.entry(&e.method).or_default() += 1;
    }
    println!("{statuses:?} {methods:?}");
    assert!(statuses.keys().eq([&500, &502, &503, &504]), "{statuses:?}");
    let all: u32 = statuses.values().sum();
    for (status, count) in statuses {
        assert!(6 * count > all, "{status}: {count} of {all}");
    }
    for method in ["GET", "POST", "PUT"] {
        assert!(methods.contains_key(method), "{methods:?}");
    }
    let mut failed = log.exchanges.iter().filter(|e| e.status >= 500);
    assert!(failed.any(|e| is(e, "POST", LOGIN)));
}

/// Some tenths of a second to some seconds, until somebody's connection is closed.
pub fn time_outs_take_a_persons_time(log: &Log) {
    let given_up = log.exchanges.iter().filter(|e| e.status == 0);
    let mut waited: Vec<Duration> = given_up.map(|e| e.answered - e.arrived).collect();
    waited.sort_unstable();
    let (Some(first), Some(last)) = (waited.first(), waited.last()) else {
        panic!("nobody was given up on");
    };
    let middle = waited[waited.len() / 2];
    println!(
        "{} time-outs, {first:?} to {last:?}, median {middle:?}",
        waited.len()
    );
    // What the machine is late by comes on top.
    assert!(*first >= Duration::from_millis(290) && middle <= Duration::from_secs(3));
    assert!(*last >= 2 * *first, "all of a length");
}
