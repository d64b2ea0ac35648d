//! Plays the journey against scripted replies: `cargo test`.

use vespeiro_guest::contract::Ending;
use vespeiro_guest::harness::Harness;

use super::*;

fn harness() -> Harness {
    let login =
        json!({ "data": { "access_token": "a", "expires_in": 900, "user": { "id": "7" } } });
    Harness::new(&BEHAVIOR)
        .reply(REGISTER, 201, json!({}))
        .reply(LOGIN, 200, login)
        .reply(LIST, 200, json!({ "data": [{ "id": "7" }, { "id": "8" }] }))
        .reply(ROLES, 200, json!({ "data": [] }))
        .reply(EDIT, 200, json!({}))
        .reply(
            READ,
            200,
            json!({ "data": { "id": "7", "name": "Ana Lima" } }),
        )
        .reply(LOGOUT, 204, json!({}))
}

#[test]
fn a_newcomer_registers_looks_around_changes_their_name_and_leaves() {
    let played = harness().run();
    assert_eq!(played.ending, Ok(Ending::Completed));
    let paths = played.paths();
    assert_eq!(paths[..2], ["/api/v1/users", "/api/v1/auth/login"]);
    assert_eq!(paths.last(), Some(&"/api/v1/auth/logout"));
    assert_eq!(played.left_behind(), ["user:sim_user_testrun0_0"]);
    assert_eq!(
        played.checks,
        [("a new name reads as written".to_owned(), false)]
    );
}

#[test]
fn who_has_an_account_logs_in_with_it_and_gives_up_when_the_service_is_down() {
    let down = harness().reply_once(LOGIN, 503, json!({}));
    let played = down.ordinal(1).run();
    assert_eq!(played.ending, Ok(Ending::Abandoned));
    assert_eq!(played.paths(), ["/api/v1/auth/login"]);
}

#[test]
fn a_mistake_is_made_when_it_is_asked_for() {
    let played = harness().ordinal(1).fault(Fault::InvalidData).run();
    let wrong = played
        .requests
        .iter()
        .filter(|request| request.fault.is_some());
    assert_eq!(wrong.count(), 1);
}
