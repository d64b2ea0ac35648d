//! First sessions go through their parts in order, once and whole; and nobody comes for nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::{LOGIN, LOGOUT, PROFILE, SEARCH, USER, USERS, is, is_any};
use crate::support::{Exchange, Log, Visit, visits};

const LOOKS: [(&str, &str); 5] = [
    ("GET", USERS),
    ("GET", SEARCH),
    ("GET", USER),
    ("GET", "/api/v1/users/email/{email}"),
    ("GET", "/api/v1/users/username/{username}"),
];
const RIGHTS: [(&str, &str); 5] = [
    ("GET", "/api/v1/roles"),
    ("GET", "/api/v1/roles/{id}"),
    ("GET", "/api/v1/permissions"),
    ("GET", "/api/v1/permissions/{id}"),
    ("GET", "/api/v1/users/{id}/roles"),
];

/// Positions in a visit of what went well and is one of these.
fn places(visit: &Visit<'_>, of: impl Fn(&Exchange) -> bool) -> Vec<usize> {
    let numbered = visit.exchanges.iter().enumerate();
    numbered
        .filter(|(_, exchange)| exchange.is_good() && of(exchange))
        .map(|(at, _)| at)
        .collect()
}

#[track_caller]
fn in_order(visit: &Visit<'_>, parts: &[(&str, Vec<usize>)]) {
    let mut before: Option<(&str, usize)> = None;
    for (name, places) in parts {
        let (Some(first), Some(last)) = (places.first(), places.last()) else {
            panic!("{}: no {name} in {:#?}", visit.person, visit.lines());
        };
        if let Some((earlier, end)) = before {
            assert!(
                end < *first,
                "{}: {name} before the end of {earlier}: {:#?}",
                visit.person,
                visit.lines()
            );
        }
        before = Some((name, *last));
    }
}

/// Whose first session it is, by what only they do.
fn archetype(visit: &Visit<'_>) -> &'static str {
    let has = |of: &dyn Fn(&Exchange) -> bool| visit.exchanges.iter().any(|e| of(e));
    if !has(&|e| is(e, "POST", USERS) && e.token.is_empty()) {
        "admin"
    } else if has(&|e| is(e, "GET", USERS) && e.path.contains("active=true")) {
        "power"
    } else {
        // Newcomers begin with their profile, active people end with it.
        let mut first = visit.exchanges.iter().filter(|e| e.is_good());
        match first.find(|e| e.route() == PROFILE || is_any(e, &LOOKS)) {
            Some(e) if e.route() == PROFILE => "newcomer",
            _ => "active",
        }
    }
}

/// Item by item of the specification's journeys; how many there were of each archetype. Whose first session took `budget` requests
/// or more may have had none left for its last parts: the specification gives users 10 at least.
pub fn first_sessions_are_whole(log: &Log, budget: usize) -> BTreeMap<&'static str, u32> {
    let mut counts = BTreeMap::new();
    let all = visits(log);
    let mut met = BTreeSet::new();
    for visit in &all {
        let is_first = met.insert(&visit.person);
        let is_known = !visit.person.starts_with("session ");
        if !(is_first && is_known) || visit.exchanges.len() >= budget {
            continue;
        }
        let archetype = archetype(visit);
        *counts.entry(archetype).or_insert(0) += 1;
        let at = |of: &dyn Fn(&Exchange) -> bool| places(visit, of);
        let one = |method: &'static str, path: &'static str| at(&move |e| is(e, method, path));
        let logins = one("POST", LOGIN);
        let logout = one("POST", LOGOUT).last().map(|at| vec![*at]);
        let logout = ("logout", logout.unwrap_or_default());
        let login = ("login", logins[..1].to_vec());
        let registration = at(&|e| is(e, "POST", USERS) && e.token.is_empty());
        match archetype {
            "newcomer" => {
                assert!(!one("GET", USERS).is_empty() && !one("GET", SEARCH).is_empty());
                let profile = at(&|e| is_any(e, &[("POST", PROFILE), ("GET", PROFILE)]));
                let around = at(&|e| is_any(e, &LOOKS));
                let again = one("PUT", PROFILE);
                let parts = [
                    ("registration", registration),
                    login,
                    ("profile", profile),
                    ("exploration", around),
                    ("profile again", again),
                    logout,
                ];
                in_order(visit, &parts);
            }
            "active" => {
                let changes = [("PUT", USER), ("PUT", "/api/v1/users/{id}/change-password")];
                let users = at(&|e| is_any(e, &LOOKS) || is_any(e, &changes));
                let profile = at(&|e| e.route() == PROFILE);
                let parts = [
                    ("registration", registration),
                    login,
                    ("users", users),
                    ("rights", at(&|e| is_any(e, &RIGHTS))),
                    ("profile", profile),
                    logout,
                ];
                in_order(visit, &parts);
            }
            "admin" => {
                let deleted = one("DELETE", USER);
                let first = |all: Vec<usize>| all.first().map(|at| vec![*at]).unwrap_or_default();
                let makes = [("POST", "/api/v1/roles"), ("POST", "/api/v1/permissions")];
                let batch = visit.batches(|e| is(e, "POST", USERS) && !e.token.is_empty());
                let whole = at(&|e| is(e, "GET", SEARCH));
                let parts = [
                    login,
                    ("creation", first(one("POST", USERS))),
                    ("edit", first(one("PUT", USER))),
                    ("deletion", first(deleted)),
                    ("roles and permissions", at(&|e| is_any(e, &makes))),
                    ("batch", batch),
                    (
                        "monitoring",
                        whole.last().map(|at| vec![*at]).unwrap_or_default(),
                    ),
                    logout,
                ];
                in_order(visit, &parts);
            }
            _ => {
                let searches = one("GET", SEARCH);
                let bulk = at(&|e| is(e, "POST", USERS) && !e.token.is_empty());
                assert!(bulk.len() >= 2, "{:#?}", visit.lines());
                let filters = at(&|e| is(e, "GET", USERS) && e.path.contains("active=true"));
                let second = visit.second_login().expect("a second session");
                let parts = [
                    ("registration", registration),
                    login,
                    (
                        "searches",
                        searches.into_iter().filter(|at| *at < bulk[0]).collect(),
                    ),
                    ("bulk", bulk),
                    ("filters", filters),
                    ("second session", vec![second]),
                    logout,
                ];
                in_order(visit, &parts);
            }
        }
    }
    counts
}

/// Every visit has something between its login and its logout.
pub fn nobody_comes_for_nothing(log: &Log) {
    let idle = [
        ("POST", LOGIN),
        ("POST", LOGOUT),
        ("POST", "/api/v1/auth/refresh"),
    ];
    let visits = visits(log);
    for (at, visit) in visits.iter().enumerate() {
        // Errors on purpose may leave somebody with no request behind a login: then it is the last that they send.
        let comes_again = visits[at + 1..]
            .iter()
            .any(|later| later.person == visit.person);
        let ends_with_login = visit.exchanges.last().is_some_and(|e| is(e, "POST", LOGIN));
        if ends_with_login && !comes_again {
            continue;
        }
        // Whose a forged token is that an operator sends before they name anything, nothing tells.
        if !visit.is_own() && visit.exchanges.iter().all(|e| e.status == 401) {
            continue;
        }
        let does = visit.exchanges.iter().filter(|e| !is_any(e, &idle));
        assert!(does.count() > 0, "{}: {:#?}", visit.person, visit.lines());
    }
}
