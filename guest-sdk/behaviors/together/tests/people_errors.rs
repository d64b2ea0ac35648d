//! Wrong requests on purpose: each kind on all the routes where it can happen, in many forms, and never so that a service
//! that locks accounts would have a reason to.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{ARCHETYPES, session, town};
use user_service_client::routes::*;
use user_service_client::scripted::Asked;
use vespeiro_guest::contract::Ending;
use vespeiro_guest::{Behavior, Fault, Method, Route};

/// What a user's sessions sent wrong when they were asked for this at every step.
fn wrong(behavior: &'static Behavior, fault: Fault, users: u32) -> Vec<Asked> {
    let town = town(6);
    let first = 1000 * (fault as u32 + 1);
    for index in first..first + users {
        for ordinal in 0..4 {
            let asked = (0..12).fold(session(&town, behavior, index, ordinal), |harness, _| {
                harness.fault(fault)
            });
            let played = asked.run();
            assert_eq!(
                played.ending,
                Ok(Ending::Completed),
                "{} {fault:?}",
                behavior.name()
            );
        }
    }
    let town = town.borrow();
    let unmeant: Vec<&Asked> = town
        .log
        .iter()
        .filter(|asked| asked.fault.is_none() && asked.status >= 400)
        .collect();
    assert!(
        unmeant.is_empty(),
        "{} {fault:?}: {unmeant:?}",
        behavior.name()
    );
    let wrong = town.log.iter().filter(|asked| asked.fault == Some(fault));
    wrong.cloned().collect()
}

fn routes(asked: &[Asked]) -> BTreeMap<(String, Method), u32> {
    let mut routes = BTreeMap::new();
    for asked in asked {
        *routes
            .entry((asked.route.clone(), asked.method))
            .or_insert(0) += 1;
    }
    routes
}

/// All of these, each often enough, and no route takes them all.
#[track_caller]
fn spread_over(who: &str, asked: &[Asked], expected: &[Route]) {
    let routes = routes(asked);
    for route in expected {
        let times = routes.get(&(route.path.to_owned(), route.method));
        assert!(
            times.is_some_and(|n| *n >= 3),
            "{who}: {route:?}: {times:?}"
        );
    }
    assert_eq!(routes.len(), expected.len(), "{who}: {routes:?}");
    let most = routes.values().max().copied().unwrap_or_default();
    let fair = asked.len() as u32 / expected.len() as u32;
    assert!(
        most <= 3 * fair + 10,
        "{who}: {most} of {}: {routes:?}",
        asked.len()
    );
}

const OPEN: [Route; 7] = [
    GET_USER,
    GET_USER_BY_EMAIL,
    GET_USER_BY_USERNAME,
    GET_PROFILE,
    GET_ROLE,
    GET_PERMISSION,
    LIST_USER_ROLES,
];

const SHARED: [Route; 11] = [
    UPDATE_USER,
    CHANGE_PASSWORD,
    CREATE_PROFILE,
    UPDATE_PROFILE,
    DELETE_PROFILE,
    CREATE_ROLE,
    UPDATE_ROLE,
    DELETE_ROLE,
    CREATE_PERMISSION,
    UPDATE_PERMISSION,
    DELETE_PERMISSION,
];

#[test]
fn what_does_not_exist_is_looked_for_on_every_route_with_an_identifier() {
    for behavior in [&newcomer::BEHAVIOR, &active::BEHAVIOR] {
        let asked = wrong(behavior, Fault::NotFound, 8);
        assert!(asked.iter().all(|asked| asked.status == 404), "{asked:?}");
        spread_over(behavior.name(), &asked, &OPEN);
    }
    let asked = wrong(&admin::BEHAVIOR, Fault::NotFound, 40);
    assert!(asked.iter().all(|asked| asked.status == 404), "{asked:?}");
    // Only its owner can change a password, so that nobody learns that an account has none.
    let with_id = ALL
        .iter()
        .copied()
        .filter(|route| route.path.contains('{') && *route != CHANGE_PASSWORD);
    spread_over("admin", &asked, &with_id.collect::<Vec<_>>());
}

#[test]
fn what_is_forbidden_is_tried_on_every_privileged_route() {
    for behavior in [&newcomer::BEHAVIOR, &active::BEHAVIOR] {
        let asked = wrong(behavior, Fault::Forbidden, 8);
        assert!(asked.iter().all(|asked| asked.status == 403), "{asked:?}");
        spread_over(behavior.name(), &asked, &SHARED);
    }
    let asked = wrong(&power::BEHAVIOR, Fault::Forbidden, 40);
    assert!(asked.iter().all(|asked| asked.status == 403), "{asked:?}");
    let routes = routes(&asked);
    let privileged = ALL
        .iter()
        .filter(|route| route.category == "admin" || SHARED.contains(route));
    for route in privileged {
        assert!(
            routes.contains_key(&(route.path.into(), route.method)),
            "{route:?}"
        );
    }
}

#[test]
fn bodies_are_wrong_in_many_ways() {
    for behavior in ARCHETYPES {
        let asked = wrong(behavior, Fault::InvalidData, 12);
        let mut statuses = BTreeMap::new();
        for asked in &asked {
            *statuses.entry(asked.status).or_insert(0) += 1;
        }
        println!("{}: {statuses:?}", behavior.name());
        assert_eq!(
            statuses.keys().copied().collect::<Vec<_>>(),
            [400, 409, 422],
            "{}: {statuses:?}",
            behavior.name()
        );
        assert!(statuses.values().all(|count| *count >= 3), "{statuses:?}");
        let shapes: BTreeSet<String> = asked
            .iter()
            .map(|a| format!("{:?} {} {}", a.method, a.route, a.body))
            .collect();
        assert!(shapes.len() >= 12, "{}: {shapes:?}", behavior.name());
        assert!(routes(&asked).len() >= 5);
    }
}

#[test]
fn wrong_passwords_come_at_most_twice_in_a_row_and_never_for_an_account_that_many_use() {
    for behavior in ARCHETYPES {
        let town = town(6);
        for index in 40..60 {
            for ordinal in 0..6 {
                let asked = (0..30).fold(session(&town, behavior, index, ordinal), |harness, _| {
                    harness.fault(Fault::BadCredentials)
                });
                assert!(asked.run().ending.is_ok());
            }
        }
        let town = town.borrow();
        let (mut row, mut most, mut wrong, mut others) = (BTreeMap::new(), 0, 0, BTreeSet::new());
        for asked in &town.log {
            let meant = asked.fault == Some(Fault::BadCredentials);
            assert_eq!(meant, asked.status == 401, "{asked:?}");
            if asked.route != LOGIN.path {
                if meant {
                    others.insert((asked.route.clone(), asked.method));
                }
                continue;
            }
            let row = row.entry(&asked.account).or_insert(0);
            *row = if asked.status == 401 { *row + 1 } else { 0 };
            most = most.max(*row);
            wrong += u32::from(asked.status == 401);
            assert!(asked.status == 200 || asked.account != "admin");
        }
        for login in town.log.iter().filter(|asked| asked.route == LOGIN.path) {
            let of_session = |asked: &&Asked| asked.token == login.granted;
            let first = town.log.iter().find(of_session);
            let at_once = first.is_some_and(|first| first.route == LOGOUT.path);
            assert!(!at_once, "nothing between login and logout: {login:?}");
        }
        println!(
            "{}: {wrong} wrong, {most} in a row, {others:?}",
            behavior.name()
        );
        assert!(most <= 2, "{}: {most} in a row", behavior.name());
        assert_eq!(wrong == 0, behavior.name() == "admin");
        assert!(others.len() >= 7, "{}: {others:?}", behavior.name());
    }
}

#[test]
fn nothing_wrong_makes_or_changes_anything() {
    for behavior in ARCHETYPES {
        for fault in Fault::ALL {
            for asked in wrong(behavior, fault, 3) {
                let harmless = asked.method == Method::Get || asked.route == WHOAMI.path;
                assert!(harmless || asked.status >= 400, "{asked:?}");
            }
        }
    }
}
