//! The executor from outside, through the harness: how journeys become steps. Every test is one promise that authors
//! of journeys rely on.

use serde_json::{Value, json};
use vespeiro_guest::contract::{Action, Context, Ending, Outcome, Request, Response, Setup};
use vespeiro_guest::harness::Harness;
use vespeiro_guest::host::Host;
use vespeiro_guest::prelude::*;
use vespeiro_guest::{Behavior, Session};

const A: Route = Route::get("/a/{id}/b/{name}", "query");
const B: Route = Route::post("/b", "mutation");
const LOGIN: Route = Route::post("/login", "auth");
const REFRESH: Route = Route::post("/refresh", "auth");
const LOGOUT: Route = Route::post("/logout", "auth");
const ROUTES: &[Route] = &[A, B, LOGIN, REFRESH, LOGOUT];
static AUTH: vespeiro_guest::Auth = Auth::new(LOGIN).refresh(REFRESH).logout(LOGOUT);

/// A behavior of one journey, for one test.
macro_rules! playing {
    ($journey:path) => {{
        static BEHAVIOR: Behavior = Behavior::new("test", "0.0.0", ROUTES, |me| {
            Box::pin(async move { $journey(&me).await })
        });
        Harness::new(&BEHAVIOR).otherwise(200, json!({}))
    }};
}

fn sizes(steps: &[vespeiro_guest::contract::Step]) -> Vec<usize> {
    let size = |action: &Action| match action {
        Action::Requests(requests) => requests.len(),
        Action::Done(_) => 0,
    };
    steps.iter().map(|step| size(&step.action)).collect()
}

#[test]
fn requests_are_built_as_said() {
    async fn journey(me: &Me) -> Result<()> {
        me.call(A)
            .arg("ção /?&")
            .arg(7)
            .query("q", "a b&c=d")
            .query("n", 1)
            .send()
            .await?;
        me.call(B)
            .header("x-one", "1")
            .json(&json!({ "x": [1, 2] }))
            .category("auth")
            .timeout_ms(250)
            .mark("thing:1")
            .fault(Fault::NotFound)
            .capture_body()
            .capture_headers()
            .send()
            .await?;
        Ok(())
    }
    let played = playing!(journey).run();
    assert_eq!(played.ending, Ok(Ending::Completed));
    assert_eq!(
        played.requests[0].path,
        "/a/%C3%A7%C3%A3o%20%2F%3F%26/b/7?q=a%20b%26c%3Dd&n=1"
    );
    assert_eq!(played.requests[0].route, "/a/{id}/b/{name}");
    assert!(played.requests[0].body.is_none() && played.requests[0].headers.is_empty());
    let Request {
        headers,
        body,
        category,
        timeout_ms,
        mark,
        fault,
        capture,
        ..
    } = &played.requests[1];
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        headers,
        &[
            header("x-one", "1"),
            header("content-type", "application/json")
        ]
    );
    assert_eq!(body.as_deref(), Some(&br#"{"x":[1,2]}"#[..]));
    assert_eq!((category.as_str(), *timeout_ms), ("auth", Some(250)));
    assert_eq!(
        (mark.as_deref(), *fault, capture.bits()),
        (Some("thing:1"), Some(Fault::NotFound), 3)
    );
}

#[test]
fn a_wrong_path_is_the_behaviors_mistake() {
    async fn too_few(me: &Me) -> Result<()> {
        me.call(A).arg(1).send().await.map(drop)
    }
    async fn too_many(me: &Me) -> Result<()> {
        me.call(B).arg(1).send().await.map(drop)
    }
    assert!(
        playing!(too_few)
            .run()
            .ending
            .unwrap_err()
            .contains("lacks an argument for `{name}`")
    );
    assert!(
        playing!(too_many)
            .run()
            .ending
            .unwrap_err()
            .contains("no placeholder for `1`")
    );
}

#[test]
fn a_pause_and_what_follows_are_one_step() {
    async fn journey(me: &Me) -> Result<()> {
        me.wait_ms(30).await;
        me.wait_ms(12).await;
        me.call(B).send().await?;
        me.think().await;
        me.call(B).send().await?;
        me.wait_ms(5).await;
        Ok(())
    }
    let played = playing!(journey).pace(700, 700).run();
    let delays: Vec<u32> = played.steps.iter().map(|step| step.delay_ms).collect();
    assert_eq!(
        (delays, sizes(&played.steps)),
        (vec![42, 700, 5], vec![1, 1, 0])
    );
    assert_eq!(played.elapsed_ms, 42 + 1 + 700 + 1 + 5);
}

#[test]
fn what_is_sent_together_is_one_step_and_comes_back_in_order() {
    async fn journey(me: &Me) -> Result<()> {
        let calls = (0..3)
            .map(|n| me.call(A).arg(n).arg("x").capture_body())
            .collect();
        let values: Vec<u32> = me
            .batch(calls)
            .await
            .iter()
            .map(|reply| reply.as_ref().unwrap().json().unwrap())
            .collect();
        me.check("in order", values == [0, 1, 2]);
        let (one, other) = join(me.call(B).send(), async {
            me.wait_ms(50).await;
            me.call(A).arg(9).arg(9).send().await
        })
        .await;
        one.and(other).map(drop)
    }
    let mut n = 0;
    let played = playing!(journey)
        .answer(A, move |_| {
            n += 1;
            (200, json!(n - 1))
        })
        .run();
    assert_eq!(played.ending, Ok(Ending::Completed));
    assert!(played.checks[0].1);
    assert_eq!(sizes(&played.steps), [3, 1, 1, 0]);
    assert_eq!(
        played.steps[2].delay_ms, 49,
        "the other's pause began with the first request, which took 1 ms"
    );
}

#[test]
fn pauses_keep_within_the_pace() {
    async fn journey(me: &Me) -> Result<()> {
        for _ in 0..100 {
            me.think().await;
            me.call(B).send().await?;
            me.think_long().await;
            me.call(B).send().await?;
            me.think_briefly().await;
            me.call(B).send().await?;
            me.think_between(10..=400).await;
            me.call(B).send().await?;
        }
        Ok(())
    }
    let played = playing!(journey).pace(100, 2000).run();
    for four in played.steps[..400].chunks(4) {
        assert!((100..=2000).contains(&four[0].delay_ms));
        assert!((1050..=2000).contains(&four[1].delay_ms));
        assert!((100..=290).contains(&four[2].delay_ms));
        assert!((100..=400).contains(&four[3].delay_ms));
    }
    let stress = playing!(journey).pace(0, 0).run();
    assert!(stress.steps.iter().all(|step| step.delay_ms == 0));
}

#[test]
fn empty_pauses_cannot_spin() {
    async fn journey(me: &Me) -> Result<()> {
        for _ in 0..1000 {
            me.think().await;
        }
        Ok(())
    }
    let played = playing!(journey).pace(0, 0).run();
    assert_eq!(played.ending, Ok(Ending::Completed));
    assert!(
        (10..20).contains(&played.steps.len()),
        "{}",
        played.steps.len()
    );
}

#[test]
fn long_pauses_add_up_to_steps_of_an_hour_at_most() {
    async fn journey(me: &Me) -> Result<()> {
        for _ in 0..3 {
            me.wait_ms(2_000_000).await;
        }
        Ok(())
    }
    let played = playing!(journey).run();
    assert_eq!(played.ending, Ok(Ending::Completed));
    assert_eq!(played.elapsed_ms, 6_000_000);
}

#[test]
fn a_spent_budget_ends_the_session_quietly() {
    async fn stubborn(me: &Me) -> Result<()> {
        loop {
            let _ = me.call(B).send().await;
        }
    }
    async fn batches(me: &Me) -> Result<()> {
        me.batch((0..5).map(|_| me.call(B)).collect()).await;
        Ok(())
    }
    let played = playing!(stubborn).budget(3).run();
    assert_eq!(
        (played.ending, played.requests.len()),
        (Ok(Ending::Abandoned), 3)
    );
    let played = playing!(batches).budget(3).run();
    assert_eq!(
        (played.ending, sizes(&played.steps)),
        (Ok(Ending::Abandoned), vec![3, 0])
    );
    let stopped = playing!(stubborn).fail_once(B, Failure::Stopped).run();
    assert_eq!(
        (stopped.ending, stopped.requests.len()),
        (Ok(Ending::Abandoned), 1)
    );
}

#[test]
fn errors_end_the_session_as_they_should() {
    async fn insists(me: &Me) -> Result<()> {
        me.call(B)
            .capture_body()
            .send()
            .await?
            .expect_status(201)?
            .json::<Vec<u8>>()
            .map(drop)
    }
    let end = |harness: Harness| harness.run();
    assert_eq!(end(playing!(insists)).ending, Ok(Ending::Abandoned));
    assert_eq!(
        end(playing!(insists).fail_once(B, Failure::Timeout)).ending,
        Ok(Ending::Abandoned)
    );
    let odd = end(playing!(insists).reply(B, 201, json!({ "not": "a list" })));
    assert_eq!(odd.ending, Ok(Ending::Abandoned));
    assert!(
        odd.logs[0].1.starts_with("/b: unexpected body: "),
        "{:?}",
        odd.logs
    );
    async fn misread(me: &Me) -> Result<()> {
        me.config::<u32>().map(drop)
    }
    assert!(
        playing!(misread)
            .run()
            .ending
            .unwrap_err()
            .starts_with("config: ")
    );
}

fn grant(access: &str, seconds: u64) -> Value {
    json!({ "data": { "access_token": access, "refresh_token": format!("r-{access}"), "expires_in": seconds } })
}

fn bearers(requests: &[Request]) -> Vec<&str> {
    let value = |request: &'_ Request| {
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
fn what_the_host_offers_arrives() {
    async fn journey(me: &Me) -> Result<()> {
        let row: Option<Value> = me.feed("people")?;
        me.check("row", row == Some(json!({ "n": 1 })));
        me.check("no feed", me.feed::<Value>("none")?.is_none());
        me.observe("size", 4.5);
        me.mark("thing:a");
        me.mark("thing:b");
        me.unmark("thing:a");
        me.log(Level::Info, "said");
        me.check(
            "wanted",
            (me.wanted("auth"), me.wanted("query"), me.wanted("?")) == (2.5, 0.0, 0.0),
        );
        me.check(
            "fault",
            me.fault() == Some(Fault::Forbidden) && me.fault().is_none(),
        );
        Ok(())
    }
    let played = playing!(journey)
        .feed("people", [json!({ "n": 1 })])
        .wanted("auth", 2.5)
        .fault(Fault::Forbidden)
        .run();
    assert!(
        played.checks.iter().all(|(_, held)| *held),
        "{:?}",
        played.checks
    );
    assert_eq!(played.observed, [("size".to_owned(), 4.5)]);
    assert_eq!(played.left_behind(), ["thing:b"]);
    assert_eq!(played.logs, [(Level::Info, "said".to_owned())]);
}

#[test]
fn choices_follow_their_weights_and_the_mix() {
    async fn journey(me: &Me) -> Result<()> {
        let choices = [
            Choice::new('q', 3.0, "query"),
            Choice::new('a', 1.0, "auth"),
            Choice::new('n', 0.0, "query"),
        ];
        let drawn: Vec<char> = (0..4000).filter_map(|_| me.choose(&choices)).collect();
        me.observe(
            "q",
            drawn.iter().filter(|&&c| c == 'q').count() as f64 / 4000.0,
        );
        me.check("never", !drawn.contains(&'n'));
        me.check(
            "nothing",
            me.weighted(&[('x', 0.0)]).is_none() && me.pick::<u8>(&[]).is_none(),
        );
        Ok(())
    }
    let share = |harness: Harness| {
        let played = harness.run();
        assert!(played.checks.iter().all(|(_, held)| *held));
        played.observed[0].1
    };
    assert!((share(playing!(journey)) - 0.75).abs() < 0.03);
    assert!(share(playing!(journey).wanted("auth", 6.0)) < 0.35);
}

#[test]
fn a_route_that_is_not_declared_is_refused() {
    async fn journey(me: &Me) -> Result<()> {
        me.call(Route::get("/elsewhere", "query"))
            .send()
            .await
            .map(drop)
    }
    assert!(
        playing!(journey)
            .run()
            .ending
            .unwrap_err()
            .contains("/elsewhere: not among the behavior's routes")
    );
}

#[test]
fn waiting_for_nothing_is_an_error_and_not_a_hang() {
    async fn journey(_: &Me) -> Result<()> {
        std::future::pending().await
    }
    assert!(
        playing!(journey)
            .run()
            .ending
            .unwrap_err()
            .contains("neither a request nor a pause")
    );
}

#[test]
fn the_contract_is_held_on_the_other_side_too() {
    struct Deaf;
    impl Host for Deaf {
        fn log(&self, _: Level, _: &str) {}
        fn check(&self, _: &str, _: bool) {}
        fn observe(&self, _: &str, _: f64) {}
        fn mark(&self, _: &str) {}
        fn unmark(&self, _: &str) {}
        fn feed(&self, _: &str) -> Option<String> {
            None
        }
    }
    async fn journey(me: &Me) -> Result<()> {
        me.call(B).send().await.map(drop)
    }
    static BEHAVIOR: Behavior = Behavior::new("test", "0.0.0", ROUTES, |me| {
        Box::pin(async move { journey(&me).await })
    });
    let user = vespeiro_guest::contract::User {
        index: 0,
        seed: 0,
        username: "u".into(),
        email: "e".into(),
        password: "p".into(),
        name: "n".into(),
    };
    let setup = Setup {
        user,
        ordinal: 0,
        seed: 0,
        purpose: vespeiro_guest::contract::Purpose::Journey,
        pace: vespeiro_guest::contract::Pace {
            delay_min_ms: 0,
            delay_max_ms: 0,
        },
        run: "r".into(),
        config: "{}".into(),
    };
    let context = || Context {
        elapsed_ms: 0,
        requests_left: 9,
        mix: vec![],
        fault: None,
    };
    let outcome = || {
        Outcome::Response(Response {
            status: 200,
            headers: vec![],
            body: vec![],
            latency_us: 1,
        })
    };
    let session = Session::begin(&BEHAVIOR, setup.clone(), Box::new(Deaf));
    assert!(matches!(
        session.next(context(), vec![]).unwrap().action,
        Action::Requests(_)
    ));
    assert!(matches!(
        session.next(context(), vec![outcome()]).unwrap().action,
        Action::Done(Ending::Completed)
    ));
    assert_eq!(
        session.next(context(), vec![]).unwrap_err(),
        "the session is over"
    );
    let session = Session::begin(&BEHAVIOR, setup, Box::new(Deaf));
    session.next(context(), vec![]).unwrap();
    assert_eq!(
        session.next(context(), vec![]).unwrap_err(),
        "0 outcomes came for 1 requests"
    );
}
