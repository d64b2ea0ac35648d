//! What a journey file makes of a session, and how its mistakes are told.

#![allow(clippy::unwrap_used)]

use std::thread;

use journey::load;
use serde_json::json;
use vespeiro_guest::contract::{Ending, Method};
use vespeiro_guest::harness::{Harness, Played};
use vespeiro_guest::{Behavior, Route};

/// Play it on a thread of its own: a module has one program, and so has a thread here.
fn playing(file: &'static str, world: fn(Harness) -> Harness) -> Played {
    let played = thread::spawn(move || {
        let behavior: &'static Behavior = load("shop/journey.toml", file.as_bytes()).unwrap();
        world(Harness::new(behavior)).run()
    });
    played.join().unwrap()
}

fn mistakes(file: &str) -> String {
    load("journey.toml", file.as_bytes()).unwrap_err()
}

const SHOP: &str = r#"
pause = "none"
feeds = ["people"]

[vars]
size = 20

[headers]
accept = "application/json"

[[step]]
post = "/login"
json = { email = "${people.email}", age = "${people.age}", tags = ["a", "x-${run}"] }
expect = [200, 201]
capture = { token = "/data/token", total = "/data/total" }
check = { "got a token" = "token", "many" = "total >= 3" }

[[step]]
get = "/items?page=${round}&size=${size}&q=${people.name}"
headers = { authorization = "Bearer ${token}" }
repeat = 2
capture = { id = "/0/id" }

[[step]]
when = "total == 3 "
pause = "2s"
  [[step.step]]
  put = "/items/${id}"
  form = { name = "a&b", from = "${user.username}" }

[[step]]
  [[step.choose]]
  weight = 0
  step = [{ delete = "/never" }]
  [[step.choose]]
  when = "not token"
  step = [{ delete = "/never" }]
  [[step.choose]]
  weight = 2
  step = [{ get = "/chosen", expect = "any" }]
"#;

fn shop(harness: Harness) -> Harness {
    let items = Route::get("/items", "request");
    harness
        .feed("people", [json!({"email": "a@b", "age": 7, "name": "Zé"})])
        .reply(
            Route::post("/login", "request"),
            201,
            json!({"data": {"token": "k", "total": 3}}),
        )
        .reply(items, 200, json!([{"id": 42}]))
        .reply(Route::get("/chosen", "request"), 503, json!({}))
        .otherwise(204, json!({}))
}

#[test]
fn a_journey_is_played_as_it_is_written() {
    let played = playing(SHOP, shop);
    assert_eq!(played.ending, Ok(Ending::Completed));
    assert_eq!(
        played.paths(),
        [
            "/login",
            "/items?page=1&size=20&q=Z%C3%A9",
            "/items?page=2&size=20&q=Z%C3%A9",
            "/items/42",
            "/chosen",
        ]
    );
    assert_eq!(
        played.routes(),
        [
            (Method::Post, "/login"),
            (Method::Get, "/items"),
            (Method::Get, "/items"),
            (Method::Put, "/items/{id}"),
            (Method::Get, "/chosen"),
        ]
    );
    let tags = json!(["a", "x-testrun0"]);
    assert_eq!(
        played.body(0),
        json!({"email": "a@b", "age": 7, "tags": tags})
    );
    let bearer = ("authorization".to_owned(), "Bearer k".to_owned());
    assert!(played.requests[1].headers.contains(&bearer));
    let form = String::from_utf8(played.requests[3].body.clone().unwrap()).unwrap();
    assert!(
        form.starts_with("from=sim_user_") && form.ends_with("&name=a%26b"),
        "{form}"
    );
    assert_eq!(
        played.checks,
        [("got a token".to_owned(), true), ("many".to_owned(), true)]
    );
}

#[test]
fn what_is_captured_is_told_where_it_is_asked_for_and_secrets_are_not() {
    let played = playing(SHOP, |harness| {
        shop(harness).config(json!({"explain": true}))
    });
    let lines: Vec<&str> = played.logs.iter().map(|(_, line)| &**line).collect();
    let id = "captured id = 42";
    let captured = ["captured token = (withheld)", "captured total = 3", id, id];
    assert_eq!(lines, captured);
    assert!(playing(SHOP, shop).logs.is_empty());
}

#[test]
fn a_status_that_is_not_expected_ends_the_session_and_is_told_as_a_check() {
    let played = playing(
        "[[step]]\nget = \"/a/${user.index}\"\n[[step]]\nget = \"/b\"",
        |harness| harness.otherwise(404, json!({})),
    );
    assert_eq!(played.ending, Ok(Ending::Abandoned));
    assert_eq!(played.requests.len(), 1);
    assert_eq!(
        played.checks,
        [("GET /a/{user.index} answers below 400".to_owned(), false)]
    );
    let played = playing(
        "[[step]]\nget = \"/a\"\ncapture = { id = \"/id\" }",
        |harness| harness.otherwise(200, json!({})),
    );
    assert_eq!(played.ending, Ok(Ending::Abandoned));
    assert_eq!(played.checks, [("GET /a has /id for id".to_owned(), false)]);
}

#[test]
fn mistakes_are_told_with_line_and_way_out() {
    for (file, parts) in [
        (
            "[[step]]\ngte = \"/\"",
            vec!["line 2: unknown field `gte`", "get"],
        ),
        (
            "[[step]]\nget = 5",
            vec!["line 2", "expected a string", "get = 5"],
        ),
        (
            "[[step]]\nget = \"/${tokne}\"",
            vec!["line 2", "`tokne` names nothing", "user.email"],
        ),
        (
            "[[step]]\nget = \"x\"",
            vec!["line 2", "begins with a slash"],
        ),
        (
            "[[step]]\nget = \"/\"\npost = \"/\"",
            vec!["line 1", "one thing"],
        ),
        (
            "[[step]]\nget = \"/\"\nexpect = \"ok\"",
            vec!["line 3", "\"any\""],
        ),
        ("[[step]]\nget = \"/\"\nexpect = 20", vec!["line 3"]),
        (
            "[[step]]\nget = \"/\"\npause = \"soon\"",
            vec!["line 3", "1s..3s"],
        ),
        (
            "[[step]]\nget = \"/\"\npause = \"3s..1s\"",
            vec!["ends before it begins"],
        ),
        (
            "[[step]]\nget = \"/\"\nwhen = \"a b\"",
            vec!["line 3", "count > 3"],
        ),
        (
            "[[step]]\nget = \"/\"\ncapture = { a = \"data\" }",
            vec!["line 3", "JSON pointer"],
        ),
        (
            "[[step]]\npost = \"/\"\njson = '{'",
            vec!["line 3", "no JSON"],
        ),
        ("[[step]]\njson = { a = 1 }", vec!["`json` is of a request"]),
        ("[[step]]\n", vec!["does nothing"]),
        ("name = \"x\"", vec!["there is no [[step]]"]),
        ("[[step]]\nget = \"/", vec!["line 2"]),
    ] {
        let told = mistakes(file);
        for part in parts {
            assert!(told.contains(part), "{file:?}: {told}");
        }
    }
    let all = mistakes("[[step]]\nget = \"/${a}\"\n[[step]]\nget = \"b\"");
    assert_eq!(all.lines().count(), 2, "{all}");
}
