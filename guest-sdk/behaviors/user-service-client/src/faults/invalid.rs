//! Bodies and queries that break a rule: something is missing, too long, of the wrong type, no JSON at all, or there
//! already. What would make something lacks what it would be found by, or exists; what would change something is the
//! account's own, or this session's.

use vespeiro_guest::{Me, Route};

use super::{Standing, Wrong, says};
use crate::account::Account;
use crate::client::Client;
use crate::created::{Created, NewUser};
use crate::routes::*;

/// Longer than any name or title.
const LONG: usize = 300;
/// Longer than anything that somebody says of themselves.
const VERY_LONG: usize = 4_000;
/// What a program sends that puts its JSON together by hand.
const BROKEN: [&str; 4] = [
    "{\"name\": \"Ana\",",
    "name=Ana&email=ana",
    "{'name': 'Ana'}",
    "[",
];

pub(super) fn request<'a>(client: Client<'a>, standing: Standing<'_>) -> Wrong<'a> {
    match standing {
        Standing::Plain(account) => of_a_user(client, account),
        Standing::Admin { .. } => of_an_administrator(client, standing),
    }
}

fn of_a_user<'a>(client: Client<'a>, account: &Account) -> Wrong<'a> {
    let me = client.me();
    let own = |route: Route| client.call(route).arg(&account.id);
    let (call, body) = match me.range(0..16) {
        0 => (own(UPDATE_USER), r#"{"name":""}"#.into()),
        1 => (own(UPDATE_USER), long("name", LONG)),
        2 => (own(UPDATE_USER), r#"{"name":42}"#.into()),
        3 => (own(UPDATE_USER), broken(me)),
        4..=7 if !account.has_profile() => return query(client),
        4 => (own(UPDATE_PROFILE), long("bio", VERY_LONG)),
        5 => (
            own(UPDATE_PROFILE),
            r#"{"phone":["55","90"],"location":true}"#.into(),
        ),
        6 => (own(UPDATE_PROFILE), broken(me)),
        // There is one already.
        7 => (own(CREATE_PROFILE), r#"{"bio":"again"}"#.into()),
        // Nobody can be found by what is missing here.
        8 => (client.call(CREATE_USER), r#"{"name":"Ana"}"#.into()),
        9 => (
            client.call(CREATE_USER),
            r#"{"email":"nobody at home","password":"1"}"#.into(),
        ),
        10 => (
            client.call(CREATE_USER),
            r#"{"username":7,"email":null,"password":"SimPass123!"}"#.into(),
        ),
        11 => (client.call(CREATE_USER), broken(me)),
        // The account is there already.
        12 | 13 => return Wrong::form(client.call(CREATE_USER).json(&NewUser::myself(me))),
        _ => return query(client),
    };
    Wrong::form(says(call, body))
}

fn of_an_administrator<'a>(client: Client<'a>, standing: Standing<'_>) -> Wrong<'a> {
    let me = client.me();
    let Standing::Admin {
        users,
        roles,
        permissions,
    } = standing
    else {
        return query(client);
    };
    let (user, role, permission) = (me.pick(users), me.pick(roles), me.pick(permissions));
    let named = |thing: &Created| format!(r#"{{"name":"{}"}}"#, thing.name);
    let (call, body) = match (me.range(0..16), user, role, permission) {
        (0, ..) => (
            client.call(CREATE_PERMISSION),
            r#"{"description":"no name"}"#.into(),
        ),
        (1, ..) => (client.call(CREATE_PERMISSION), r#"{"name":5}"#.into()),
        (2, ..) => (client.call(CREATE_ROLE), r#"{"permissions":[]}"#.into()),
        (3, ..) => (
            client.call(CREATE_ROLE),
            r#"{"name":null,"permissions":"all"}"#.into(),
        ),
        (4, ..) => (client.call(CREATE_ROLE), broken(me)),
        (5, ..) => (client.call(CREATE_USER), r#"{"name":"Ana"}"#.into()),
        (6, ..) => (client.call(CREATE_USER), broken(me)),
        (7, Some(user), ..) => (
            client.call(RESET_PASSWORD).arg(&user.account.id),
            r#"{"new_password":"1"}"#.into(),
        ),
        (8, Some(user), ..) => (
            client.call(UPDATE_USER).arg(&user.account.id),
            long("name", LONG),
        ),
        // What is there already.
        (9, Some(user), ..) => {
            let name = &user.account.name;
            let again = format!(
                r#"{{"username":"{name}","email":"{name}@simulation.test","password":"SimPass123!","name":"Ana"}}"#
            );
            (client.call(CREATE_USER), again)
        }
        (10, _, Some(role), _) => (client.call(CREATE_ROLE), named(role)),
        (11, _, _, Some(permission)) => (client.call(CREATE_PERMISSION), named(permission)),
        (12, _, Some(role), _) => (
            client.call(UPDATE_ROLE).arg(&role.id),
            r#"{"permissions":["sim_no_such_permission"]}"#.into(),
        ),
        _ => return query(client),
    };
    Wrong::form(says(call, body))
}

/// A list that is asked for in a way that it is not sorted or cut.
fn query(client: Client<'_>) -> Wrong<'_> {
    let me = client.me();
    Wrong::look(match me.range(0..5) {
        0 => client.call(LIST_USERS).query("page", 0),
        1 => client.call(LIST_USERS).query("per_page", 100_000),
        2 => client.call(LIST_USERS).query("active", "perhaps"),
        3 => client
            .call(SEARCH_USERS)
            .query("q", "ana")
            .query("sort", "shoe size"),
        _ => client
            .call(SEARCH_USERS)
            .query("created_after", "yesterday"),
    })
}

/// A body that is no JSON.
fn broken(me: &Me) -> String {
    BROKEN[me.range(0..4) as usize].into()
}

/// A field that is longer than it may be.
fn long(field: &str, characters: usize) -> String {
    format!(r#"{{"{field}":"{}"}}"#, "a".repeat(characters))
}
