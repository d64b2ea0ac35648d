//! Plays the journey and the cleanup against scripted replies: `cargo test`.

use vespeiro_guest::contract::Ending;
use vespeiro_guest::harness::Harness;

use super::*;

fn harness() -> Harness {
    let login =
        json!({ "data": { "access_token": "a", "expires_in": 900, "user": { "id": "1" } } });
    Harness::new(&BEHAVIOR)
        .config(json!({ "admin": { "email": "admin@example.test", "password": "secret" } }))
        .reply(LOGIN, 200, login)
        .reply(LIST, 200, json!({ "data": [{ "id": "7" }, { "id": "8" }] }))
        .reply(CREATE, 201, json!({ "data": { "id": "9" } }))
        .reply(EDIT, 200, json!({}))
        .reply(
            READ,
            200,
            json!({ "data": { "id": "9", "name": "Ana Lima" } }),
        )
        .reply(ROLES, 200, json!({ "data": [] }))
        .reply(DEACTIVATE, 200, json!({}))
        .reply(REMOVE, 204, json!({}))
        .answer(FIND, |request| match request.path.ends_with("gone") {
            true => (404, json!({})),
            false => (200, json!({ "data": { "id": "9" } })),
        })
        .reply(LOGOUT, 204, json!({}))
}

#[test]
fn an_administrator_adds_edits_and_removes_a_user_and_leaves_nothing_behind() {
    let played = harness().run();
    assert_eq!(played.ending, Ok(Ending::Completed));
    assert_eq!(played.paths()[0], "/api/v1/auth/login");
    assert_eq!(
        played.unmarks,
        ["user:sim_user_testrun0_0_0", "token:Bearer a"]
    );
    assert!(played.left_behind().is_empty());
}

#[test]
fn cleanup_removes_what_is_there_and_forgets_what_is_gone() {
    let played = harness()
        .cleanup(["user:sim_user_x", "user:gone", "role:x", "token:Bearer cut"])
        .run();
    assert_eq!(played.ending, Ok(Ending::Completed));
    assert_eq!(
        played.unmarks,
        [
            "token:Bearer cut",
            "user:gone",
            "user:sim_user_x",
            "token:Bearer a"
        ]
    );
}

#[test]
fn without_an_account_in_the_config_the_session_fails_and_says_what_to_write() {
    let played = harness().config(json!({})).run();
    assert!(played.ending.unwrap_err().contains("`admin` is missing"));
}
