//! Who people are, over many sessions and at the service's side: a person stays one, an edit changes a field or two, a
//! changed password is another one, searches grow narrower and find somebody about as often as not, pages are turned.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{ARCHETYPES, life, session, town};
use serde_json::{Value, json};
use user_service_client::Person;
use user_service_client::routes::*;
use user_service_client::scripted::{Asked, split};
use vespeiro_guest::contract::Ending;
use vespeiro_guest::{Method, Route};

fn is(asked: &Asked, route: Route) -> bool {
    asked.method == route.method && asked.route == route.path
}

fn body(asked: &Asked) -> String {
    asked.body.to_string()
}

#[test]
fn a_person_stays_one_and_has_a_reason_for_an_edit() {
    let town = town(5);
    for (at, behavior) in ARCHETYPES.into_iter().enumerate() {
        for user in 0..6 {
            let index = 100 * (at as u32 + 1) + user;
            life(&town, behavior, index, 250);
            let name = format!("sim_user_testrun0_{index}");
            let person = Person::of(index);
            let town = town.borrow();
            let own = |asked: &&Asked| asked.account == name && asked.fault.is_none();
            let registered = town.log.iter().find(|a| own(a) && is(a, CREATE_USER));
            if behavior.name() == "admin" {
                assert!(registered.is_none()); // they have an account already
                continue;
            }
            assert_eq!(registered.unwrap().body["name"], person.name());
            let mut names = BTreeSet::new();
            let mut edits = 0;
            for asked in town.log.iter().filter(own).filter(|a| is(a, UPDATE_USER)) {
                let fields = asked.body.as_object().unwrap();
                assert_eq!(fields.len(), 1, "{}", body(asked));
                let new = asked.body["name"].as_str().unwrap();
                assert!(new.starts_with(&person.name()), "{new}: {}", person.name());
                names.insert(new.to_owned());
                edits += 1;
            }
            assert!(names.len() <= 3, "{names:?}");
            println!("{} {index}: {edits} edits of the name", behavior.name());
            // The profile: a whole one at first, then a field or two at a time, all of the same person.
            let mut profiles = town.log.iter().filter(own).filter(|a| {
                a.route == CREATE_PROFILE.path && matches!(a.method, Method::Post | Method::Put)
            });
            let first = profiles.next().unwrap();
            assert_eq!(first.body, json!(person.profile()));
            let phone = |profile: &Value| {
                let phone = profile["phone"].as_str().unwrap_or_default();
                phone.split(' ').take(2).collect::<Vec<_>>().join(" ")
            };
            for asked in profiles {
                if asked.method == Method::Put {
                    let fields = asked.body.as_object().unwrap();
                    assert!((1..=2).contains(&fields.len()), "{}", body(asked));
                }
                if asked.body["phone"].is_string() {
                    assert_eq!(phone(&asked.body), phone(&first.body));
                }
                if let (Some(now), Some(then)) = (
                    asked.body["birth_date"].as_str(),
                    first.body["birth_date"].as_str(),
                ) {
                    assert_eq!(now, then);
                }
            }
        }
    }
}

#[test]
fn a_changed_password_is_another_one_and_the_next_login_uses_it() {
    let town = town(0);
    let mut changes = 0;
    for index in 0..20 {
        life(&town, &active::BEHAVIOR, index, 400);
    }
    let town = town.borrow();
    let mut password: BTreeMap<String, String> = BTreeMap::new();
    for asked in &town.log {
        assert_ne!(asked.status, 401, "{asked:?}");
        if is(asked, CREATE_USER) || is(asked, LOGIN) {
            let given = asked.body["password"].as_str().unwrap();
            let known = password.entry(asked.account.clone());
            assert_eq!(known.or_insert(given.into()), given);
        }
        if is(asked, CHANGE_PASSWORD) {
            let (old, new) = (
                asked.body["current_password"].as_str().unwrap(),
                asked.body["new_password"].as_str().unwrap(),
            );
            assert_ne!(old, new);
            assert_eq!(
                password.insert(asked.account.clone(), new.into()).unwrap(),
                old
            );
            changes += 1;
        }
    }
    // Every fourth to eighth session of 20 people with some 20 sessions each.
    assert!((40..160).contains(&changes), "{changes}");
}

#[test]
fn whoever_does_not_know_their_password_has_it_after_one_wrong_login() {
    let town = town(0);
    let mut doubts = 0;
    for index in 0..30 {
        for ordinal in 0..12 {
            // The change comes about, and nobody hears of it.
            let silent = std::rc::Rc::clone(&town);
            let played = session(&town, &active::BEHAVIOR, index, ordinal)
                .answer(CHANGE_PASSWORD, move |request| {
                    let (_, body) = silent.borrow_mut().answer(request);
                    (500, body)
                })
                .run();
            assert!(played.ending.is_ok());
            let log = std::mem::take(&mut town.borrow_mut().log);
            let logins: Vec<u16> = log
                .iter()
                .filter(|a| is(a, LOGIN))
                .map(|a| a.status)
                .collect();
            assert!(
                matches!(logins.as_slice(), [200, ..] | [401, 200, ..]),
                "user {index}, session {ordinal}: {logins:?}"
            );
            doubts += u32::from(logins[0] == 401);
        }
    }
    assert!(doubts > 20, "{doubts}");
}

#[test]
fn searches_grow_narrower_and_find_somebody_about_as_often_as_not() {
    let town = town(60);
    let mut lives = 0;
    for behavior in [&newcomer::BEHAVIOR, &active::BEHAVIOR, &power::BEHAVIOR] {
        for _ in 0..6 {
            lives += 1;
            life(&town, behavior, 60 + lives, 200);
        }
    }
    life(&town, &admin::BEHAVIOR, 99, 400);
    let town = town.borrow();
    let searches: Vec<(&Asked, BTreeMap<String, String>)> = town
        .log
        .iter()
        .filter(|asked| is(asked, SEARCH_USERS))
        .map(|asked| (asked, split(&asked.path).1))
        .collect();
    let by_name = |query: &BTreeMap<String, String>| query.get("q").or(query.get("name")).cloned();
    let (mut found, mut of_names, mut narrower, mut accounts) = (0, 0, 0, 0);
    let mut last: BTreeMap<&str, String> = BTreeMap::new();
    for (asked, query) in &searches {
        if let Some(text) = by_name(query) {
            of_names += 1;
            found += u32::from(asked.total > Some(0));
            let before = last.insert(&asked.token, text.clone());
            narrower += u32::from(before.is_some_and(|b| text.starts_with(&format!("{b} "))));
            if text.contains(' ') {
                assert!(
                    town.log.iter().any(|a| a.token == asked.token
                        && by_name(&split(&a.path).1)
                            .is_some_and(|t| text.starts_with(&format!("{t} ")))),
                    "{text} was never less"
                );
            }
        }
        for field in ["username", "email"] {
            if query.contains_key(field) && !query.contains_key("q") {
                accounts += 1;
                assert!(asked.total > Some(0), "nobody by {field} in {}", asked.path);
            }
        }
    }
    let share = f64::from(found) / f64::from(of_names);
    println!(
        "{of_names} searches by name, {share:.2} found, {narrower} narrower; {accounts} by account"
    );
    assert!((0.4..0.6).contains(&share), "{share}");
    assert!(4 * narrower > of_names, "{narrower} of {of_names}");
    assert!(accounts > 50);
}

#[test]
fn pages_are_turned_in_order_and_not_beyond_the_last() {
    let town = town(34);
    for (at, behavior) in ARCHETYPES.into_iter().enumerate() {
        life(&town, behavior, 40 + at as u32, 700);
    }
    let town = town.borrow();
    // By what is listed in which session: the page that is open.
    let mut open: BTreeMap<(String, String), u32> = BTreeMap::new();
    let mut turned = 0;
    for asked in town.log.iter().filter(|a| is(a, LIST_USERS)) {
        let (_, mut query) = split(&asked.path);
        let number = |text: Option<String>| text.map_or(1, |text| text.parse().unwrap());
        let page: u32 = number(query.remove("page"));
        let size = number(query.get("per_page").cloned());
        let key = (asked.token.clone(), format!("{query:?}"));
        let before = open.insert(key, page);
        assert!(
            page == 1 || before == Some(page - 1),
            "page {page} after {before:?}"
        );
        let pages = (asked.total.unwrap() as u32).div_ceil(size).max(1);
        assert!(page <= pages, "page {page} of {pages}");
        turned += u32::from(page > 1);
    }
    assert!(turned > 30, "{turned}");
}

#[test]
fn nothing_is_refused_that_nobody_meant_to_be() {
    for ttl in [900, 20] {
        let town = town(10);
        town.borrow_mut().token_ttl = ttl;
        for (at, behavior) in ARCHETYPES.into_iter().enumerate() {
            for user in 0..5 {
                let sessions = life(&town, behavior, 100 * (at as u32 + 1) + user, 300);
                let last = sessions.len() - 1;
                for played in &sessions[..last] {
                    assert_eq!(played.ending, Ok(Ending::Completed), "{}", behavior.name());
                }
            }
        }
        let town = town.borrow();
        let refused: Vec<_> = town
            .log
            .iter()
            .filter(|asked| asked.status >= 400)
            .collect();
        assert!(refused.is_empty(), "{refused:?}");
        // The administrators have left nothing but users who never end.
        assert_eq!(town.holds()[1..], [1, 1]);
    }
}

#[test]
fn a_run_has_people_of_two_languages() {
    let spoken: BTreeSet<_> = (0..12).map(|index| Person::of(index).language()).collect();
    assert_eq!(spoken, BTreeSet::from(["en", "pt-BR"]));
}
