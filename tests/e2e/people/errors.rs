//! Errors on purpose: everywhere, in many forms, and no account would be locked for them.

use std::collections::BTreeMap;

use super::{LOGIN, is};
use crate::support::Log;

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
