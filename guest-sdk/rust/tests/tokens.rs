//! The token holder, through the harness: when it logs in, renews and logs out, and what it makes of a 401.

#[macro_use]
mod common;

use common::{B, LOGIN, LOGOUT, REFRESH, ROUTES, sizes};
use serde_json::{Value, json};
use vespeiro_guest::Behavior;
use vespeiro_guest::contract::Ending;
use vespeiro_guest::harness::{Harness, Sent};
use vespeiro_guest::prelude::*;

static AUTH: Auth = Auth::new(LOGIN).refresh(REFRESH).logout(LOGOUT);

fn grant(access: &str, seconds: u64) -> Value {
    json!({ "data": { "access_token": access, "refresh_token": format!("r-{access}"), "expires_in": seconds } })
}

fn bearers(requests: &[Sent]) -> Vec<&str> {
    let value = |request: &'_ Sent| {
        request
            .headers
            .iter()
            .position(|(name, _)| name == "authorization")
    };
    requests
        .iter()
        .map(|request| value(request).map_or("-", |at| &request.headers[at].1))
        .collect()
}

#[test]
fn a_holder_does_not_log_in_where_the_host_is_not_told_so() {
    static SILENT: Behavior = Behavior::new("silent", "0.0.0", &[B, QUIET], |me| {
        Box::pin(async move {
            static QUIETLY: Auth = Auth::new(QUIET);
            let tokens = Tokens::new(&QUIETLY, "me@simulation.test", "secret");
            me.call(B).bearer(&tokens).send().await.map(drop)
        })
    });
    const QUIET: Route = Route::post("/login", "auth");
    let played = Harness::new(&SILENT).otherwise(200, json!({})).run();
    let why = played.ending.unwrap_err();
    assert!(why.contains("/login") && why.contains(".login()"), "{why}");
    assert!(played.requests.is_empty());
}

async fn three_with_pauses(me: &Me) -> Result<()> {
    let tokens = Tokens::new(&AUTH, "me@simulation.test", "secret");
    for _ in 0..3 {
        me.call(B).bearer(&tokens).send().await?.expect_success()?;
        me.wait_ms(6000).await;
    }
    tokens.logout(me).await
}

#[test]
fn tokens_log_in_when_needed_and_renew_before_they_expire() {
    let played = playing!(three_with_pauses)
        .reply(LOGIN, 200, grant("one", 10))
        .reply_once(REFRESH, 200, grant("two", 10))
        .reply_once(REFRESH, 200, grant("three", 10))
        .run();
    assert_eq!(played.ending, Ok(Ending::Completed));
    assert_eq!(
        played.paths(),
        ["/login", "/b", "/b", "/refresh", "/b", "/logout"]
    );
    assert_eq!(
        bearers(&played.requests)[3..],
        ["-", "Bearer two", "Bearer two"]
    );
    assert_eq!(
        played.body(0),
        json!({ "email": "me@simulation.test", "password": "secret" })
    );
    assert_eq!(played.body(3), json!({ "refresh_token": "r-one" }));
}

#[test]
fn a_refused_token_logs_in_again_once() {
    async fn two_at_once(me: &Me) -> Result<()> {
        let tokens = Tokens::new(&AUTH, "me", "secret");
        tokens.login(me).await?;
        let replies = me
            .batch(
                (0..2)
                    .map(|_| me.call(B).json(&1).bearer(&tokens))
                    .collect(),
            )
            .await;
        for reply in replies {
            reply?.expect_success()?;
        }
        // One that is wrong on purpose is not repaired.
        me.check(
            "fault",
            me.call(B)
                .bearer(&tokens)
                .fault(Fault::BadCredentials)
                .send()
                .await?
                .status
                == 401,
        );
        me.call(B)
            .bearer(&tokens)
            .send()
            .await?
            .expect_success()
            .map(drop)
    }
    let played = playing!(two_at_once)
        .reply_once(LOGIN, 200, grant("old", 900))
        .reply(LOGIN, 200, grant("new", 900))
        .reply_once(B, 401, json!({}))
        .reply_once(B, 401, json!({}))
        .reply_once(B, 200, json!({}))
        .reply_once(B, 200, json!({}))
        .reply(B, 401, json!({}))
        .run();
    assert_eq!(
        played.ending,
        Ok(Ending::Abandoned),
        "a second 401 is the journey's to judge"
    );
    assert_eq!(played.checks, [("fault".to_owned(), true)]);
    assert_eq!(
        played.paths(),
        [
            "/login", "/b", "/b", "/login", "/b", "/b", "/b", "/b", "/login", "/b"
        ]
    );
    let bearers = bearers(&played.requests);
    assert_eq!(
        bearers[1..6],
        ["Bearer old", "Bearer old", "-", "Bearer new", "Bearer new"]
    );
    assert_eq!(played.body(4), json!(1), "the request is repeated whole");
}

#[test]
fn a_refresh_that_is_refused_becomes_a_login() {
    let played = playing!(three_with_pauses)
        .reply(LOGIN, 200, grant("any", 5))
        .reply(REFRESH, 401, json!({}))
        .run();
    assert_eq!(played.ending, Ok(Ending::Completed));
    assert_eq!(
        played.paths()[..5],
        ["/login", "/b", "/refresh", "/login", "/b"]
    );
}

#[test]
fn several_holders_do_not_mix() {
    async fn two(me: &Me) -> Result<()> {
        let (one, two) = (
            Tokens::new(&AUTH, "one", "1"),
            Tokens::new(&AUTH, "two", "2"),
        );
        let (a, b) = join(
            me.call(B).bearer(&one).send(),
            me.call(B).bearer(&two).send(),
        )
        .await;
        a.and(b).map(drop)
    }
    let played = playing!(two)
        .answer(LOGIN, |request| {
            let body: Value = serde_json::from_slice(request.body.as_deref().unwrap()).unwrap();
            (200, json!({ "access_token": body["email"] })) // bare, and without an end
        })
        .run();
    assert_eq!(
        bearers(&played.requests),
        ["-", "-", "Bearer one", "Bearer two"]
    );
    assert_eq!(sizes(&played.steps), [2, 2, 0]);
}

#[test]
fn tokens_of_a_lasting_account_are_marked_while_they_live() {
    async fn renewed(me: &Me) -> Result<()> {
        let tokens = Tokens::new(&AUTH, "admin", "secret").lasting();
        tokens.login(me).await?;
        tokens.refresh(me).await?;
        tokens.login(me).await?;
        tokens.logout(me).await
    }
    let played = playing!(renewed)
        .reply_once(LOGIN, 200, grant("one", 60))
        .reply_once(REFRESH, 200, grant("two", 60))
        .reply_once(LOGIN, 200, grant("three", 60))
        .reply(LOGOUT, 204, Value::Null)
        .run();
    assert_eq!(played.ending, Ok(Ending::Completed));
    assert_eq!(
        played.marks,
        ["token:Bearer one", "token:Bearer two", "token:Bearer three"]
    );
    // A second login leaves the session of the first one alive.
    assert_eq!(played.left_behind(), ["token:Bearer two"]);
}

#[test]
fn a_token_that_is_granted_anew_keeps_its_mark_until_it_is_logged_out() {
    async fn renewed(me: &Me) -> Result<()> {
        let tokens = Tokens::new(&AUTH, "admin", "secret").lasting();
        tokens.login(me).await?;
        tokens.refresh(me).await?;
        me.check("signed in", tokens.is_logged_in());
        tokens.logout(me).await
    }
    for (status, stays) in [(204, false), (503, true)] {
        let played = playing!(renewed)
            .reply(LOGIN, 200, grant("one", 60))
            .reply(REFRESH, 200, grant("one", 60))
            .reply(LOGOUT, status, Value::Null)
            .run();
        assert_eq!(!played.left_behind().is_empty(), stays, "{status}");
    }
}

#[test]
fn a_logout_that_fails_leaves_its_mark() {
    async fn once(me: &Me) -> Result<()> {
        let tokens = Tokens::new(&AUTH, "admin", "secret").lasting();
        tokens.login(me).await?;
        tokens.logout(me).await
    }
    for (status, left) in [(204, 0), (401, 0), (503, 1)] {
        let played = playing!(once)
            .reply(LOGIN, 200, grant("one", 60))
            .reply(LOGOUT, status, Value::Null)
            .run();
        assert_eq!(played.left_behind().len(), left, "{status}");
    }
}

#[test]
fn a_cleanup_logs_out_the_tokens_among_its_marks_and_gets_the_others() {
    async fn tidy(me: &Me) -> Result<()> {
        let others = AUTH.log_out_marked(me).await;
        me.check("the others", others == ["user:a", "role:b"]);
        Ok(())
    }
    static BEHAVIOR: Behavior =
        Behavior::new("test", "0.0.0", ROUTES, |_| Box::pin(async { Ok(()) }))
            .with_cleanup(|me| Box::pin(async move { tidy(&me).await }));
    let played = Harness::new(&BEHAVIOR)
        .cleanup([
            "user:a",
            "token:Bearer a",
            "token:Bearer b",
            "token:Bearer c",
            "token:Bearer d",
            "role:b",
        ])
        .reply_once(LOGOUT, 204, json!({}))
        .reply_once(LOGOUT, 503, json!({}))
        .reply_once(LOGOUT, 401, json!({}))
        .reply_once(LOGOUT, 429, json!({}))
        .run();
    assert_eq!(played.ending, Ok(Ending::Completed));
    assert_eq!(played.checks, [("the others".to_owned(), true)]);
    assert_eq!(sizes(&played.steps), [4, 0], "they go together");
    assert_eq!(bearers(&played.requests)[3], "Bearer d");
    assert_eq!(played.unmarks, ["token:Bearer a", "token:Bearer c"]);
    let told: Vec<Level> = played.logs.iter().map(|(level, _)| *level).collect();
    assert_eq!(told, [Level::Warn, Level::Debug]);
    assert!(played.logs.iter().all(|(_, line)| !line.contains("Bearer")));
}

#[test]
fn a_token_that_is_about_to_expire_is_renewed_before_a_logout() {
    async fn late(me: &Me) -> Result<()> {
        let tokens = Tokens::new(&AUTH, "admin", "secret").lasting();
        tokens.login(me).await?;
        me.check("fresh", !tokens.is_due_within(me, 7_000));
        me.check("due in 8 s", tokens.is_due_within(me, 8_000));
        me.wait_ms(9_000).await;
        tokens.logout(me).await
    }
    let played = playing!(late)
        .reply(LOGIN, 200, grant("one", 10))
        .reply(REFRESH, 200, grant("two", 10))
        .reply(LOGOUT, 204, Value::Null)
        .run();
    assert_eq!(played.ending, Ok(Ending::Completed));
    assert!(
        played.checks.iter().all(|(_, held)| *held),
        "{:?}",
        played.checks
    );
    assert_eq!(played.paths(), ["/login", "/refresh", "/logout"]);
    assert_eq!(bearers(&played.requests)[2], "Bearer two");
    assert!(played.left_behind().is_empty());
    // One that cannot be renewed is over; one that nobody knows how to renew is logged out as it is.
    for (status, paths, left) in [
        (401, &["/login", "/refresh"][..], 0),
        (503, &["/login", "/refresh", "/logout"], 0),
    ] {
        let played = playing!(late)
            .reply(LOGIN, 200, grant("one", 10))
            .reply(REFRESH, status, Value::Null)
            .reply(LOGOUT, 204, Value::Null)
            .run();
        assert_eq!(played.ending, Ok(Ending::Completed), "{status}");
        assert_eq!(played.paths(), paths, "{status}");
        assert_eq!(played.left_behind().len(), left, "{status}");
    }
}
