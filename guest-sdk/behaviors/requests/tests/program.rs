//! What a list of requests makes of a session.

#![allow(clippy::unwrap_used)]

use requests::load;
use serde_json::json;
use vespeiro_guest::contract::{Ending, Method};
use vespeiro_guest::harness::Harness;

fn program(requests: serde_json::Value, bodies: &str) -> Vec<u8> {
    format!("{}\n{bodies}", json!({ "requests": requests })).into_bytes()
}

#[test]
fn requests_take_turns_until_the_budget_is_spent_whatever_the_target_says() {
    let list = program(
        json!([
            {"method": "GET", "path": "/a?x={1}", "headers": [], "body": null},
            {"method": "POST", "path": "/b", "headers": [["h", "v"]], "body": 3},
            {"method": "PUT", "path": "/b", "headers": [], "body": 2},
        ]),
        "onehi",
    );
    let behavior = load("list", &list).unwrap();
    let played = Harness::new(behavior)
        .user(1)
        .budget(5)
        .otherwise(500, json!({}))
        .run();
    assert_eq!(played.ending, Ok(Ending::Completed));
    assert_eq!(
        played.routes(),
        [
            (Method::Post, "/b"),
            (Method::Put, "/b"),
            (Method::Get, "/a"),
            (Method::Post, "/b"),
            (Method::Put, "/b"),
        ]
    );
    assert_eq!(played.requests[2].path, "/a?x={1}");
    assert_eq!(played.requests[0].body.as_deref(), Some(&b"one"[..]));
    assert_eq!(played.requests[1].body.as_deref(), Some(&b"hi"[..]));
    assert_eq!(played.requests[0].headers, [("h".into(), "v".into())]);
    assert_eq!(behavior.routes().len(), 3);
}

#[test]
fn what_is_no_list_is_refused() {
    for (text, part) in [
        ("nothing".into(), "no list"),
        (program(json!([]), ""), "no request"),
        (
            program(
                json!([{"method": "LOOK", "path": "/", "headers": [], "body": null}]),
                "",
            ),
            "LOOK",
        ),
    ] {
        let refused = load("list", &text).unwrap_err();
        assert!(refused.contains(part), "{refused}");
    }
}
