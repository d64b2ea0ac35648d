//! Plays all four archetypes against scripted replies: that they finish, that they cover the service, that only the
//! seed decides, and that they leave nothing behind.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use user_service_client::{routes, scripted};
use vespeiro_guest::contract::Ending;
use vespeiro_guest::harness::{Harness, Played, Sent};
use vespeiro_guest::{Behavior, Fault, Level, Method, Route};

const ARCHETYPES: [(&Behavior, u32); 4] = [
    (&newcomer::BEHAVIOR, 4),
    (&active::BEHAVIOR, 10),
    (&admin::BEHAVIOR, 2),
    (&power::BEHAVIOR, 4),
];

fn play(behavior: &'static Behavior, seed: u64) -> Played {
    scripted::service(behavior).seed(seed).run()
}

/// The sessions of one user until the budget is spent, as the host plays them.
fn user(behavior: &'static Behavior, index: u32, budget: u32) -> Vec<Played> {
    let mut sessions = Vec::new();
    let mut left = budget;
    while left > 0 {
        let ordinal = sessions.len() as u32;
        let seed = u64::from(index) << 32 | u64::from(ordinal);
        let played = scripted::service(behavior)
            .user(index)
            .ordinal(ordinal)
            .seed(seed)
            .budget(left)
            .run();
        left -= played.requests.len() as u32;
        sessions.push(played);
    }
    sessions
}

fn lines(played: &Played) -> Vec<(Method, String, Option<Vec<u8>>)> {
    played
        .requests
        .iter()
        .map(|r| (r.method, r.path.clone(), r.body.clone()))
        .collect()
}

#[test]
fn every_archetype_finishes_its_journeys() {
    for (behavior, _) in ARCHETYPES {
        for seed in 0..200 {
            for ordinal in [0, 1, 7] {
                let played = scripted::service(behavior)
                    .seed(seed)
                    .ordinal(ordinal)
                    .run();
                assert_eq!(
                    played.ending,
                    Ok(Ending::Completed),
                    "{} seed {seed}",
                    behavior.name()
                );
                let sent = played.requests.len();
                assert!(
                    (5..=110).contains(&sent),
                    "{} seed {seed}: {sent} requests",
                    behavior.name()
                );
                for (name, held) in &played.checks {
                    assert!(held, "{}: {name}", behavior.name());
                }
            }
        }
    }
}

#[test]
fn twenty_users_with_modest_budgets_use_every_endpoint() {
    let mut used = BTreeSet::new();
    let mut index = 0;
    for (behavior, users) in ARCHETYPES {
        for _ in 0..users {
            // The smallest budgets of a modest run, and its middle.
            let budget = if index % 2 == 0 { 30 } else { 60 };
            for played in user(behavior, index, budget) {
                used.extend(played.requests.iter().map(|r| (r.method, r.route.clone())));
            }
            index += 1;
        }
    }
    let unused: Vec<&Route> = routes::ALL
        .iter()
        .filter(|route| !used.contains(&(route.method, route.path.to_owned())))
        .collect();
    assert_eq!(routes::ALL.len(), 33);
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn the_declared_routes_are_the_whole_service_and_nothing_else() {
    let declared: BTreeSet<_> = ARCHETYPES
        .iter()
        .flat_map(|(behavior, _)| behavior.routes())
        .map(|route| (route.path, route.method))
        .collect();
    assert_eq!(
        declared,
        routes::ALL
            .iter()
            .map(|route| (route.path, route.method))
            .collect()
    );
}

#[test]
fn the_seed_and_nothing_else_decides() {
    for (behavior, _) in ARCHETYPES {
        let once = play(behavior, 11);
        let again = play(behavior, 11);
        assert_eq!(lines(&once), lines(&again), "{}", behavior.name());
        let delays = |played: &Played| {
            played
                .steps
                .iter()
                .map(|step| step.delay_ms)
                .collect::<Vec<_>>()
        };
        assert_eq!(delays(&once), delays(&again), "{}", behavior.name());
        assert_ne!(
            lines(&once),
            lines(&play(behavior, 12)),
            "{}",
            behavior.name()
        );
    }
}

#[test]
fn what_a_session_creates_is_marked_and_gone_at_its_end() {
    for (behavior, _) in ARCHETYPES {
        for seed in 0..100 {
            let played = play(behavior, seed);
            for request in &played.requests {
                let creates = match request.route.as_str() {
                    "/api/v1/users" => Some("user"),
                    "/api/v1/roles" => Some("role"),
                    "/api/v1/permissions" => Some("permission"),
                    _ => None,
                };
                if let (Method::Post, Some(kind)) = (request.method, creates) {
                    let mark = request.mark.as_deref().unwrap_or_default();
                    assert!(
                        mark.starts_with(&format!("{kind}:sim_{kind}_testrun0_0")),
                        "{mark}"
                    );
                }
            }
            let left = played.left_behind();
            let own = ["user:sim_user_testrun0_0"];
            assert!(
                left.is_empty() || left == own,
                "{} leaves {left:?}",
                behavior.name()
            );
        }
    }
}

#[test]
fn names_do_not_repeat_over_the_sessions_of_a_user() {
    let mut marks = BTreeMap::new();
    for played in user(&admin::BEHAVIOR, 3, 400) {
        for mark in played
            .requests
            .iter()
            .filter_map(|request| request.mark.clone())
        {
            *marks.entry(mark).or_insert(0) += 1;
        }
    }
    assert!(marks.len() > 10);
    assert!(marks.values().all(|times| *times == 1), "{marks:?}");
}

#[test]
fn each_fault_is_committed_once_and_the_journey_goes_on() {
    for (behavior, _) in ARCHETYPES {
        for fault in Fault::ALL {
            let played = scripted::service(behavior).fault(fault).run();
            assert_eq!(
                played.ending,
                Ok(Ending::Completed),
                "{} {fault:?}",
                behavior.name()
            );
            let wrong: Vec<&Sent> = played
                .requests
                .iter()
                .filter(|request| request.fault.is_some())
                .collect();
            assert!(
                wrong
                    .iter()
                    .all(|request| request.fault == Some(fault) && request.mark.is_none())
            );
            assert_eq!(
                wrong.len(),
                if fault == Fault::RateLimit { 40 } else { 1 },
                "{}",
                behavior.name()
            );
        }
    }
}

#[test]
fn a_hungry_category_gets_more() {
    let share = |harness: fn(Harness) -> Harness| {
        let (mut auth, mut all) = (0, 0);
        for seed in 0..50 {
            let played = harness(scripted::service(&active::BEHAVIOR).seed(seed)).run();
            auth += played
                .requests
                .iter()
                .filter(|request| request.category == "auth")
                .count();
            all += played.requests.len();
        }
        auth as f64 / all as f64
    };
    let plain = share(|harness| harness);
    let steered = share(|harness| harness.wanted("auth", 8.0));
    let starved = share(|harness| harness.wanted("auth", -8.0));
    assert!(
        starved < plain && plain < steered,
        "{starved} {plain} {steered}"
    );
}

#[test]
fn a_leftover_account_is_a_login() {
    let played = scripted::service(&newcomer::BEHAVIOR)
        .reply_once(routes::CREATE_USER, 409, json!({}))
        .reply_once(routes::GET_PROFILE, 404, json!({}))
        .run();
    assert_eq!(played.ending, Ok(Ending::Completed));
    assert!(played.routes()[..4].contains(&(Method::Post, "/api/v1/users/{userId}/profile")));
}

#[test]
fn a_lost_account_registers_again() {
    let played = scripted::service(&active::BEHAVIOR)
        .ordinal(3)
        .reply_once(routes::LOGIN, 401, json!({}))
        .run();
    assert_eq!(played.ending, Ok(Ending::Completed));
    let begin: Vec<&str> = played.paths().into_iter().take(3).collect();
    assert_eq!(
        begin,
        ["/api/v1/auth/login", "/api/v1/users", "/api/v1/auth/login"]
    );
}

#[test]
fn a_missing_administrator_is_named() {
    for behavior in [&admin::BEHAVIOR, &power::BEHAVIOR] {
        let played = scripted::service(behavior).config(json!({})).run();
        assert!(played.ending.unwrap_err().contains("`admin` is missing"));
    }
}

#[test]
fn cleanup_logs_out_what_sessions_could_not_and_needs_no_login_for_it() {
    let played = scripted::service(&admin::BEHAVIOR)
        .cleanup(["token:Bearer a", "token:Bearer b", "token:Bearer c"])
        .reply_once(routes::LOGOUT, 204, json!({}))
        .reply_once(routes::LOGOUT, 503, json!({}))
        .reply_once(routes::LOGOUT, 401, json!({}))
        .run();
    assert_eq!(played.ending, Ok(Ending::Completed));
    assert_eq!(played.requests.len(), 3);
    assert_eq!(played.unmarks, ["token:Bearer a", "token:Bearer c"]);
    assert!(played.logs.iter().all(|(_, line)| !line.contains("Bearer")));
}

#[test]
fn cleanup_removes_by_name_and_keeps_what_it_could_not() {
    let listed = |items: &[(&str, &str)]| {
        let items: Vec<_> = items
            .iter()
            .map(|(id, name)| json!({ "id": id, "name": name }))
            .collect();
        json!({ "data": items, "meta": { "page": 1, "per_page": 100, "total": 2, "total_pages": 1 } })
    };
    let played = scripted::service(&admin::BEHAVIOR)
        .cleanup([
            "permission:testrun0_p1",
            "user:testrun0_gone",
            "user:testrun0_stuck",
            "user:testrun0_there",
            "role:testrun0_r1",
            "role:testrun0_gone",
            "odd:testrun0_thing",
            "user:stranger",
        ])
        .reply_once(routes::GET_USER_BY_USERNAME, 404, json!({}))
        .reply_once(
            routes::GET_USER_BY_USERNAME,
            200,
            json!({ "data": { "id": "u1" } }),
        )
        .reply_once(routes::DELETE_USER, 500, json!({}))
        .reply(
            routes::LIST_ROLES,
            200,
            listed(&[("7", "testrun0_r1"), ("8", "other")]),
        )
        .reply(
            routes::LIST_PERMISSIONS,
            200,
            listed(&[("9", "testrun0_p1")]),
        )
        .reply_once(routes::DELETE_PERMISSION, 404, json!({}))
        .run();
    assert_eq!(played.ending, Ok(Ending::Completed));
    let removed = played.unmarks.iter().filter(|m| !m.starts_with("token:"));
    assert_eq!(
        removed.collect::<Vec<_>>(),
        [
            "user:testrun0_gone",
            "user:testrun0_there",
            "role:testrun0_gone",
            "role:testrun0_r1",
            "permission:testrun0_p1"
        ]
    );
    let deleted: Vec<_> = played
        .requests
        .iter()
        .filter(|r| r.method == Method::Delete)
        .map(|r| r.path.as_str())
        .collect();
    assert_eq!(
        deleted,
        [
            "/api/v1/users/u1",
            "/api/v1/users/something",
            "/api/v1/roles/7",
            "/api/v1/permissions/9"
        ]
    );
    assert!(
        played
            .logs
            .iter()
            .any(|(_, line)| line.contains("user `testrun0_stuck` stays: status 500"))
    );
    assert!(
        played
            .logs
            .iter()
            .any(|(_, line)| line.contains("`user:stranger` stays"))
    );
    assert!(
        played
            .logs
            .iter()
            .any(|(_, line)| line.contains("odd:testrun0_thing"))
    );
}

#[test]
fn cleanup_that_was_too_fast_keeps_the_thing_and_warns_of_nothing() {
    let played = scripted::service(&admin::BEHAVIOR)
        .cleanup(["user:testrun0_hasty"])
        .reply(routes::DELETE_USER, 429, json!({}))
        .run();
    assert_eq!(played.ending, Ok(Ending::Completed));
    assert!(
        !played
            .unmarks
            .iter()
            .any(|mark| mark == "user:testrun0_hasty")
    );
    assert!(
        played.logs.iter().all(|(level, _)| *level == Level::Debug),
        "{:?}",
        played.logs
    );
}

#[test]
fn a_waiting_session_is_small() {
    for (behavior, _) in ARCHETYPES {
        let bytes = play(behavior, 1).state_bytes;
        println!("{}: {bytes} bytes", behavior.name());
        assert!(bytes < 6000, "{}: {bytes} bytes", behavior.name());
    }
}

/// Pauses before what `of` picks, over many sessions of all archetypes; the pace is 100 to 2000 ms.
fn pauses(of: impl Fn(Option<&Sent>, &Sent) -> bool) -> Vec<u32> {
    let mut pauses = Vec::new();
    for (behavior, _) in ARCHETYPES {
        for seed in 0..60 {
            let mut before: Option<Sent> = None;
            for (step, sent) in play(behavior, seed).sends() {
                if of(before.as_ref(), &sent[0]) {
                    pauses.push(step.delay_ms);
                }
                before = Some(sent[0].clone());
            }
        }
    }
    pauses.sort_unstable();
    pauses
}

fn quantile(sorted: &[u32], share: f64) -> u32 {
    sorted[(share * (sorted.len() - 1) as f64) as usize]
}

#[test]
fn people_take_their_time_as_people_do() {
    let searches = |request: &Sent| request.route.ends_with("/search");
    let burst = pauses(|before, now| before.is_some_and(searches) && searches(now));
    let forms = pauses(|_, now| {
        let is_form = matches!(now.method, Method::Post | Method::Put) && now.body.is_some();
        is_form
            && matches!(
                now.category.as_str(),
                "user-mutation" | "profile" | "role-permission"
            )
    });
    let browsing = pauses(|_, now| now.method == Method::Get && !searches(now));
    for (kind, pauses) in [
        ("burst", &burst),
        ("forms", &forms),
        ("browsing", &browsing),
    ] {
        let five = [0.0, 0.1, 0.5, 0.9, 1.0].map(|share| quantile(pauses, share));
        println!("{kind}: {} pauses, quantiles {five:?}", pauses.len());
        assert!(pauses.len() > 300, "{kind}: {}", pauses.len());
        // The pause after one thing and the one before the next add up.
        assert!(five[4] <= 2 * 2000, "{kind}: {five:?}");
    }
    // A burst stays in the lowest tenth of the pace, a form takes the upper half of it, the rest lies between.
    assert!(quantile(&burst, 0.9) <= 290, "{}", quantile(&burst, 0.9));
    assert!(quantile(&forms, 0.5) >= 1050, "{}", quantile(&forms, 0.5));
    let usual = quantile(&browsing, 0.5);
    assert!((150..1050).contains(&usual), "{usual}");
}
