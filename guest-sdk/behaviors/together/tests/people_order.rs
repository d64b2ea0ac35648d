//! What people do in which order: first sessions go through their parts once and whole, and nobody comes for nothing.

mod common;

use common::{ARCHETYPES, is, life, session, town};
use user_service_client::routes::*;
use vespeiro_guest::contract::Ending;
use vespeiro_guest::harness::{Played, Sent};
use vespeiro_guest::{Behavior, Route};

/// Where the requests are that `of` picks.
fn places(played: &Played, of: impl Fn(&Sent) -> bool) -> Vec<usize> {
    let numbered = played.requests.iter().enumerate();
    numbered.filter(|(_, r)| of(r)).map(|(at, _)| at).collect()
}

fn any(routes: &[Route]) -> impl Fn(&Sent) -> bool {
    move |request| routes.iter().any(|route| is(request, *route))
}

/// The parts come one after the other: all of one before any of the next, and none is left out.
#[track_caller]
fn in_order(who: &str, played: &Played, parts: &[(&str, Vec<usize>)]) {
    let mut before: Option<(&str, usize)> = None;
    for (name, places) in parts {
        let (first, last) = (places.first(), places.last());
        let (Some(first), Some(last)) = (first, last) else {
            panic!("{who}: no {name} in {:?}", played.routes());
        };
        if let Some((earlier, end)) = before {
            assert!(end < *first, "{who}: {name} before the end of {earlier}");
        }
        before = Some((name, *last));
    }
}

/// First sessions of many users with more than enough requests.
fn first_sessions(behavior: &'static Behavior) -> Vec<Played> {
    let town = town(12);
    (20..80)
        .map(|index| {
            let played = session(&town, behavior, index, 0).budget(400).run();
            assert_eq!(played.ending, Ok(Ending::Completed), "{}", behavior.name());
            played
        })
        .collect()
}

#[test]
fn newcomers_register_tell_of_themselves_look_around_and_think_again() {
    for played in first_sessions(&newcomer::BEHAVIOR) {
        let around = any(&[
            LIST_USERS,
            SEARCH_USERS,
            GET_USER,
            GET_USER_BY_EMAIL,
            GET_USER_BY_USERNAME,
        ]);
        let parts = [
            ("registration", places(&played, any(&[CREATE_USER]))),
            ("login", places(&played, any(&[LOGIN]))),
            (
                "profile",
                places(&played, any(&[CREATE_PROFILE, GET_PROFILE])),
            ),
            ("exploration", places(&played, around)),
            ("profile again", places(&played, any(&[UPDATE_PROFILE]))),
            ("logout", places(&played, any(&[LOGOUT]))),
        ];
        in_order("newcomer", &played, &parts);
        for both in [LIST_USERS, SEARCH_USERS] {
            assert!(!places(&played, any(&[both])).is_empty(), "{both:?}");
        }
        for once in [CREATE_USER, LOGIN, CREATE_PROFILE, UPDATE_PROFILE, LOGOUT] {
            assert_eq!(places(&played, any(&[once])).len(), 1, "{once:?}");
        }
    }
}

#[test]
fn active_people_see_to_users_then_rights_then_their_profile() {
    for played in first_sessions(&active::BEHAVIOR) {
        let users = any(&[
            LIST_USERS,
            SEARCH_USERS,
            GET_USER,
            GET_USER_BY_EMAIL,
            GET_USER_BY_USERNAME,
            UPDATE_USER,
            CHANGE_PASSWORD,
        ]);
        let rights = any(&[
            LIST_ROLES,
            GET_ROLE,
            LIST_PERMISSIONS,
            GET_PERMISSION,
            LIST_USER_ROLES,
        ]);
        let parts = [
            ("registration", places(&played, any(&[CREATE_USER]))),
            ("login", places(&played, any(&[LOGIN]))),
            ("users", places(&played, users)),
            ("rights", places(&played, rights)),
            (
                "profile",
                places(&played, any(&[CREATE_PROFILE, GET_PROFILE, UPDATE_PROFILE])),
            ),
            ("logout", places(&played, any(&[LOGOUT]))),
        ];
        in_order("active", &played, &parts);
        for each in [UPDATE_USER, LIST_ROLES, LIST_PERMISSIONS, UPDATE_PROFILE] {
            assert!(!places(&played, any(&[each])).is_empty(), "{each:?}");
        }
    }
}

#[test]
fn administrators_go_from_users_to_rights_to_batches_to_the_whole() {
    for played in first_sessions(&admin::BEHAVIOR) {
        let deletions = places(&played, any(&[DELETE_USER]));
        let rights: Vec<Route> = ALL
            .iter()
            .copied()
            .filter(|route| {
                route.category == "role-permission"
                    && !matches!(*route, LIST_ROLES | LIST_PERMISSIONS)
                    || matches!(*route, ASSIGN_ROLE | REVOKE_ROLE)
            })
            .collect();
        let mut sent = 0;
        let mut batches = Vec::new();
        for (_, requests) in played.sends() {
            let all = |route| requests.len() >= 2 && requests.iter().all(|r| is(r, route));
            if all(CREATE_USER) || all(DELETE_USER) {
                batches.push(sent);
            }
            sent += requests.len();
        }
        assert_eq!(batches.len(), 2, "created together, deleted together");
        let crud = |at: &usize| *at <= deletions[0];
        let one_user = |route| -> Vec<usize> {
            let all = places(&played, any(&[route])).into_iter();
            all.filter(crud).collect()
        };
        let parts = [
            ("login", places(&played, any(&[LOGIN]))),
            ("registration", one_user(CREATE_USER)),
            ("look", one_user(GET_USER_BY_USERNAME)),
            ("edit", one_user(UPDATE_USER)),
            ("deletion", one_user(DELETE_USER)),
            ("rights", places(&played, any(&rights))),
            ("batches", batches),
            (
                "the whole",
                places(&played, any(&[LIST_USERS, SEARCH_USERS, LIST_ROLES])),
            ),
            ("logout", places(&played, any(&[LOGOUT]))),
        ];
        in_order("admin", &played, &parts);
        for each in [CREATE_ROLE, CREATE_PERMISSION, DELETE_ROLE, SEARCH_USERS] {
            assert!(!places(&played, any(&[each])).is_empty(), "{each:?}");
        }
        assert_eq!(played.left_behind().len(), 0, "{:?}", played.left_behind());
    }
}

#[test]
fn powerful_people_search_then_work_in_bulk_then_filter_then_in_two_sessions() {
    for played in first_sessions(&power::BEHAVIOR) {
        let own_token = |request: &Sent| {
            let bearer = request.headers.iter().find(|(n, _)| n == "authorization");
            bearer.is_some_and(|(_, token)| token.starts_with("Bearer sim_user_"))
        };
        let searches = places(&played, any(&[SEARCH_USERS]));
        let bulk = places(&played, |r| is(r, CREATE_USER) && own_or_admin(r));
        let deletions = places(&played, any(&[DELETE_USER]));
        let filters = places(&played, |r| {
            is(r, LIST_USERS) && r.path.contains("active=true")
        });
        let logins = places(&played, |r| {
            is(r, LOGIN) && !String::from_utf8_lossy(r.body.as_deref().unwrap()).contains("admin@")
        });
        let logouts = places(&played, |r| is(r, LOGOUT) && own_token(r));
        assert_eq!((logins.len(), logouts.len()), (2, 2));
        let bulk: Vec<usize> = bulk.into_iter().filter(|at| *at > logins[0]).collect();
        let before =
            |all: &[usize], end: usize| all.iter().copied().filter(|at| *at < end).collect();
        let parts = [
            ("login", vec![logins[0]]),
            ("searches", before(&searches, bulk[0])),
            ("bulk", bulk.iter().chain(&deletions).copied().collect()),
            ("filters", filters),
            ("second login", vec![logins[1]]),
            (
                "searches in both",
                searches
                    .iter()
                    .copied()
                    .filter(|at| *at > logins[1])
                    .collect(),
            ),
            ("second logout", vec![logouts[0]]),
            ("logout", vec![logouts[1]]),
        ];
        in_order("power", &played, &parts);
        // Both sessions are used while both are open, in turns.
        let both: Vec<&str> = played.requests[logins[1] + 1..logouts[0]]
            .iter()
            .filter(|r| is(r, SEARCH_USERS))
            .map(|r| r.headers[0].1.as_str())
            .collect();
        assert!(both.len() >= 4, "{both:?}");
        assert!(both.windows(2).all(|pair| pair[0] != pair[1]), "{both:?}");
    }
}

fn own_or_admin(request: &Sent) -> bool {
    request.mark.is_some()
}

#[test]
fn nobody_comes_for_nothing_and_budgets_are_spent_to_the_last_request() {
    let town = town(6);
    let mut index = 100;
    for behavior in ARCHETYPES {
        for budget in 1..=70 {
            index += 1;
            let sessions = life(&town, behavior, index, budget);
            let sent: usize = sessions.iter().map(|played| played.requests.len()).sum();
            assert_eq!(sent, budget as usize, "{} {budget}", behavior.name());
            for (ordinal, played) in sessions.iter().enumerate() {
                let idle = any(&[LOGIN, LOGOUT, REFRESH]);
                let own = |r: &Sent| is(r, CREATE_USER) && r.mark.is_some();
                let does = played
                    .requests
                    .iter()
                    .filter(|r| !(idle(r) || ordinal == 0 && own(r)));
                // Who has no more than a login left has nothing else to do with it.
                let entrance = if ordinal == 0 { 2 } else { 1 };
                assert!(
                    does.count() > 0 || played.requests.len() <= entrance,
                    "{} of {budget}, session {ordinal}: {:?}",
                    behavior.name(),
                    played.routes()
                );
            }
            // The last session is none of leftovers: a later one begins with what makes one.
            if let [.., before, last] = sessions.as_slice() {
                assert!(
                    last.requests.len() >= 4,
                    "{} of {budget}: {:?} after {:?}",
                    behavior.name(),
                    last.routes(),
                    before.routes()
                );
            }
        }
    }
}

#[test]
fn later_sessions_choose_freely() {
    let town = town(3);
    for (at, behavior) in ARCHETYPES.into_iter().enumerate() {
        let sessions = life(&town, behavior, 200 + at as u32, 600);
        let shapes: std::collections::BTreeSet<Vec<String>> = sessions[1..]
            .iter()
            .map(|played| played.requests.iter().map(|r| r.route.clone()).collect())
            .collect();
        assert!(
            shapes.len() + 1 >= sessions.len() - 1,
            "{}",
            behavior.name()
        );
    }
}
