//! People stay who they are, and search and leaf through pages as people do.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{LOGIN, PROFILE, SEARCH, USER, USERS, is};
use crate::support::{Log, visits};

/// What a person tells stays of one piece: the name begins as it began, the telephone is of one city, the birthday is one.
pub fn people_stay_who_they_are(log: &Log) {
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut known: BTreeMap<(String, &str), String> = BTreeMap::new();
    let mut password: BTreeMap<String, String> = BTreeMap::new();
    let mut renamed: BTreeMap<&str, u32> = BTreeMap::new();
    let (mut edits, mut changes) = (0, 0);
    let visits = visits(log);
    for visit in visits.iter().filter(|visit| visit.is_own()) {
        let who = &visit.person;
        for e in visit
            .exchanges
            .iter()
            .filter(|e| e.is_good() && !visit.is_operators(e))
        {
            if is(e, "POST", USERS) {
                let name = e.body["name"].as_str().unwrap().to_owned();
                password.insert(who.clone(), e.body["password"].as_str().unwrap().into());
                assert!(names.insert(who.clone(), BTreeSet::from([name])).is_none());
            } else if is(e, "PUT", USER) {
                let name = e.body["name"].as_str().unwrap();
                let names = names.get_mut(who).unwrap();
                let first = names.first().unwrap();
                assert!(
                    name.starts_with(first.as_str()),
                    "{who}: {first} became {name}"
                );
                names.insert(name.into());
                assert!(names.len() < 5, "{names:?}");
                *renamed.entry(who).or_default() += 1;
            } else if e.route() == PROFILE && (e.method == "POST" || e.method == "PUT") {
                let fields = e.body.as_object().unwrap();
                if e.method == "PUT" {
                    assert!((1..=2).contains(&fields.len()), "{}", e.body);
                    edits += 1;
                }
                let mut same = |field: &'static str, text: &str| {
                    let known = known.entry((who.clone(), field)).or_insert(text.into());
                    assert_eq!(known, text, "{who}: {field}");
                };
                let text = |field: &str| fields.get(field).and_then(Value::as_str);
                if let Some(phone) = text("phone") {
                    let area: Vec<&str> = phone.split(' ').take(2).collect();
                    same("phone", &area.join(" "));
                }
                if let Some(birth) = text("birth_date") {
                    same("birth", birth);
                }
                if let Some(place) = text("location") {
                    same("city", place.split(',').next().unwrap());
                }
            } else if is(e, "PUT", "/api/v1/users/{id}/change-password") {
                let new = e.body["new_password"].as_str().unwrap();
                assert_ne!(e.body["current_password"], new);
                password.insert(who.clone(), new.into());
                changes += 1;
            } else if is(e, "POST", LOGIN) && e.body["email"].as_str().unwrap().starts_with("sim_")
            {
                assert_eq!(password[who], e.body["password"].as_str().unwrap(), "{who}");
            }
        }
    }
    let most = renamed.values().max().copied().unwrap_or_default();
    println!(
        "{edits} edits of profiles, {changes} passwords changed, nobody renamed more than {most} times"
    );
    assert!(most < 10, "{renamed:?}");
    assert!(edits > 0 && changes > 0);
    let phones = known.iter().filter(|((_, field), _)| *field == "phone");
    let brazilian = phones
        .clone()
        .filter(|(_, area)| area.starts_with("+55"))
        .count();
    assert!(brazilian > 0 && brazilian < phones.count(), "two locales");
}

/// Searches find somebody about as often as not, and always by login name or address; pages come in order.
pub fn searches_and_pages_are_a_persons(log: &Log) {
    let (mut by_name, mut found, mut narrower) = (0, 0, 0);
    let mut last: BTreeMap<&str, String> = BTreeMap::new();
    let mut page: BTreeMap<(&str, String), (u64, u64)> = BTreeMap::new();
    for e in log.exchanges.iter().filter(|e| e.is_good()) {
        let total = || e.reply["meta"]["total"].as_u64().unwrap();
        if is(e, "GET", SEARCH) {
            let query = e.query();
            if let Some(text) = query.get("q").or(query.get("name")) {
                by_name += 1;
                found += u64::from(total() > 0);
                let before = last.insert(&e.token, text.clone());
                narrower += u64::from(before.is_some_and(|b| text.starts_with(&format!("{b} "))));
            } else if query.contains_key("username") || query.contains_key("email") {
                assert!(total() > 0, "nobody: {}", e.line());
            }
        }
        if is(e, "GET", USERS) {
            let mut query = e.query();
            let now: u64 = query.remove("page").map_or(1, |page| page.parse().unwrap());
            let pages = e.reply["meta"]["total_pages"].as_u64().unwrap();
            // It may change while somebody leafs through them: what was told last counts.
            let before = page.insert((&e.token, format!("{query:?}")), (now, pages));
            let told = before.map_or(1, |(_, pages)| pages.max(1));
            let before = before.map(|(before, _)| before);
            assert!(
                now == 1 || before == Some(now - 1),
                "page {now} after {before:?}"
            );
            assert!(now == 1 || now <= told, "page {now} of {told}");
        }
    }
    let share = found as f64 / by_name as f64;
    println!(
        "{by_name} searches by name, {share:.2} found, {narrower} narrower than the one before"
    );
    assert!((0.3..0.7).contains(&share), "{share}");
    assert!(5 * narrower > by_name, "{narrower} of {by_name}");
}
