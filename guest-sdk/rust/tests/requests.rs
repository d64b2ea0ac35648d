//! What journeys say to the host, through the harness: requests as they were built, and everything beside requests.

#[macro_use]
mod common;

use common::{A, B, ROUTES};
use serde_json::{Value, json};
use vespeiro_guest::Behavior;
use vespeiro_guest::contract::Ending;
use vespeiro_guest::harness::{Harness, Played, Sent};
use vespeiro_guest::prelude::*;

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
            .expect(&[200, 404, 409])
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
    let Sent {
        headers,
        body,
        category,
        timeout_ms,
        mark,
        fault,
        expect,
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
    assert_eq!(expect, &[404, 409]);
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
fn a_page_that_fails_is_reloaded_a_while_later_and_not_for_ever() {
    async fn twice(me: &Me) -> Result<()> {
        let reply = me.call(B).json(&1).reload(2, 900).send().await?;
        me.check("the last answer", reply.status == 200);
        Ok(())
    }
    let delays = |played: &Played| {
        let delays = played.steps.iter().map(|step| step.delay_ms);
        delays.collect::<Vec<_>>()
    };
    let played = playing!(twice)
        .reply_once(B, 503, json!({}))
        .fail_once(B, Failure::Reset)
        .run();
    assert_eq!(played.requests.len(), 3);
    assert_eq!(delays(&played), [0, 900, 900, 0]);
    assert_eq!(played.checks, [("the last answer".to_owned(), true)]);
    assert_eq!(played.requests[0].body, played.requests[2].body);
    // Patience ends; and what is refused is not tried again.
    for (status, requests) in [(500, 3), (404, 1), (429, 1)] {
        let played = playing!(twice).reply(B, status, json!({})).run();
        assert_eq!(played.requests.len(), requests, "{status}");
        assert_eq!(played.checks, [("the last answer".to_owned(), false)]);
    }

    async fn on_purpose(me: &Me) -> Result<()> {
        let call = me.call(B).reload(2, 900).fault(Fault::NotFound);
        call.send().await.map(drop)
    }
    let played = playing!(on_purpose).reply(B, 503, json!({})).run();
    assert_eq!(played.requests.len(), 1);
}

#[test]
fn what_is_not_liked_is_not_chosen() {
    async fn journey(me: &Me) -> Result<()> {
        let choices = [
            Choice::new("a", 1.0, "query"),
            Choice::new("b", 1.0, "query"),
            Choice::new("c", 1.0, "mutation"),
        ];
        let liking = |choice: &Choice<&str>| match choice.what {
            "a" => 0.0,
            "b" => 3.0,
            _ => 1.0,
        };
        let (mut counts, rounds) = ([0u32; 3], 4000);
        for _ in 0..rounds {
            match me.choose_with(&choices, liking) {
                Some("a") => counts[0] += 1,
                Some("b") => counts[1] += 1,
                _ => counts[2] += 1,
            }
        }
        me.check("never", counts[0] == 0);
        me.check("three in four", (2850..3150).contains(&counts[1]));
        me.check("none", me.choose_with(&choices, |_| 0.0).is_none());
        Ok(())
    }
    let played = playing!(journey).run();
    assert_eq!(played.checks.len(), 3);
    assert!(
        played.checks.iter().all(|(_, held)| *held),
        "{:?}",
        played.checks
    );
}

#[test]
fn forms_and_files_are_bodies_with_their_types() {
    async fn uploads(me: &Me) -> Result<()> {
        let form = [("name", "Ana & co"), ("q", "1")];
        me.call(B).form(form).send().await?;
        me.call(B)
            .header("content-type", "image/png")
            .file("photo")
            .send()
            .await?;
        let form = Multipart::new().text("name", "Ana").file("cv", "photo");
        me.call(B).multipart(form).reload(1, 0).send().await?;
        Ok(())
    }
    let played = playing!(uploads)
        .reply_once(B, 200, json!({}))
        .reply_once(B, 200, json!({}))
        .reply_once(B, 503, json!({}))
        .reply(B, 200, json!({}))
        .run();
    let text = |at: usize| String::from_utf8(played.requests[at].body.clone().unwrap()).unwrap();
    let types: Vec<_> = played
        .requests
        .iter()
        .map(|one| one.headers[0].1.as_str())
        .collect();
    assert_eq!(types[0], "application/x-www-form-urlencoded");
    assert_eq!(text(0), "name=Ana%20%26%20co&q=1");
    assert_eq!((types[1], &*text(1)), ("image/png", "(file photo)"));
    let boundary = types[2]
        .strip_prefix("multipart/form-data; boundary=")
        .unwrap();
    assert!(text(2).starts_with(&format!("--{boundary}\r\n")));
    assert!(text(2).ends_with(&format!("(file photo)\r\n--{boundary}--\r\n")));
    assert_eq!(
        (types[2], text(2)),
        (types[3], text(3)),
        "it is repeated whole"
    );
}
