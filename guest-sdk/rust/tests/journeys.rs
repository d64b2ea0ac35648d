//! The executor from outside, through the harness: how journeys become steps. Every test is one promise that authors
//! of journeys rely on.

#[macro_use]
mod common;

use common::{A, B, ROUTES, sizes};
use serde_json::json;
use vespeiro_guest::contract::{
    Action, Context, Ending, Outcome, Pace, Purpose, Response, Setup, User,
};
use vespeiro_guest::harness::Harness;
use vespeiro_guest::host::Host;
use vespeiro_guest::prelude::*;
use vespeiro_guest::{Behavior, Session};

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
fn a_transaction_passes_with_its_steps_and_the_host_is_told_of_nothing_else() {
    async fn journey(me: &Me) -> Result<()> {
        me.begin("visit");
        let read = async { me.call(B).send().await?.expect_status(200) };
        me.transaction("read", read).await?;
        let again = async { me.call(B).send().await?.expect_status(200) };
        let failed = me.transaction("read again", again).await;
        assert_eq!(failed.unwrap_err().status(), Some(503));
        me.end("visit", true);
        me.begin("left open");
        Ok(())
    }
    let played = playing!(journey)
        .reply_once(B, 200, json!({}))
        .reply_once(B, 503, json!({}))
        .run();
    assert_eq!(played.ending, Ok(Ending::Completed));
    let told = [
        ("visit", Some(true)),
        ("read", Some(true)),
        ("read again", Some(false)),
    ];
    let told = told.into_iter().chain([("left open", None)]);
    let told: Vec<_> = told
        .map(|(name, passed)| (name.to_owned(), passed))
        .collect();
    assert_eq!(played.transactions, told);

    async fn wrong(me: &Me) -> Result<()> {
        me.end("visit", true);
        Ok(())
    }
    let said = playing!(wrong).run().ending.unwrap_err();
    assert_eq!(said, "the transaction `visit` is not open");
}

#[test]
fn what_a_run_is_prepared_with_is_there_in_its_sessions() {
    async fn prepare(me: &mut Me) -> Result<()> {
        me.call(B).send().await?.expect_status(200)?;
        me.share(&7)
    }
    async fn journey(me: &mut Me) -> Result<()> {
        me.check("prepared", me.shared()? == Some(7));
        me.call(B).send().await.map(drop)
    }
    async fn teardown(me: &mut Me) -> Result<()> {
        me.call(A)
            .arg(me.shared::<u32>()?.unwrap_or(0))
            .arg(0)
            .send()
            .await
            .map(drop)
    }
    behavior! {
        name: "test", version: "0.0.0", routes: ROUTES, journey: journey, prepare: prepare, teardown: teardown
    }
    let harness = || Harness::new(&BEHAVIOR).otherwise(200, json!({}));
    let prepared = harness().prepare().run();
    assert_eq!(
        (prepared.ending, prepared.shared.as_deref()),
        (Ok(Ending::Completed), Some("7"))
    );
    let shared = json!(7);
    let played = harness().shared(&shared).run();
    assert_eq!(played.checks, [("prepared".to_owned(), true)]);
    assert_eq!(
        harness().shared(&shared).teardown().run().paths(),
        ["/a/7/b/0"]
    );
}

#[test]
fn a_user_remembers_and_says_why_it_gives_up() {
    async fn journey(me: &Me) -> Result<()> {
        let visits: u32 = me.remembered()?.unwrap_or(0);
        me.remember(&(visits + 1))?;
        if visits == 3 {
            return Err(Error::gave_up("three times is enough"));
        }
        me.call(B).send().await?.expect_status(200).map(drop)
    }
    let first = playing!(journey).reply(B, 503, json!({})).run();
    assert_eq!(first.remembered.as_deref(), Some("1"));
    assert_eq!(
        first.gave_up,
        Some(("/b: unexpected status 503".into(), None))
    );
    let fourth = playing!(journey).remembered(&json!(3)).run();
    assert_eq!(fourth.ending, Ok(Ending::Abandoned));
    let (why, place) = fourth.gave_up.unwrap();
    assert_eq!(why, "three times is enough");
    assert!(place.unwrap().contains("journeys.rs:"));
    let other = playing!(journey).remembered(&json!({})).run();
    assert!(
        other
            .ending
            .unwrap_err()
            .contains("what was remembered does not fit")
    );
    async fn chatters(me: &Me) -> Result<()> {
        me.remember(&"x".repeat(5000))
    }
    let refused = playing!(chatters).run().ending.unwrap_err();
    assert_eq!(
        refused,
        "notes of 5002 bytes are over the 4096 that are allowed"
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
        fn begin(&self, _: &str) {}
        fn end(&self, _: &str, _: bool) {}
        fn abandoned(&self, _: &str, _: Option<&str>) {}
        fn share(&self, _: &str) {}
        fn shared(&self) -> Option<String> {
            None
        }
        fn remember(&self, _: &str) {}
        fn remembered(&self) -> Option<String> {
            None
        }
        fn mark(&self, _: &str) {}
        fn unmark(&self, _: &str) {}
        fn feed(&self, _: &str) -> Option<String> {
            None
        }
        fn secret(&self, _: &str) -> Option<String> {
            None
        }
    }
    async fn journey(me: &Me) -> Result<()> {
        me.call(B).send().await.map(drop)
    }
    static BEHAVIOR: Behavior = Behavior::new("test", "0.0.0", ROUTES, |me| {
        Box::pin(async move { journey(&me).await })
    });
    let user = User {
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
        purpose: Purpose::Journey,
        pace: Pace {
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
            grpc: None,
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
