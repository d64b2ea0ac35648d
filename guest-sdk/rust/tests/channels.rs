//! Channels as journeys have them, played by the harness.
#![allow(clippy::unwrap_used)]

use serde_json::json;
use vespeiro_guest::Behavior;
use vespeiro_guest::contract::{Action, Content, Ending, Operation};
use vespeiro_guest::harness::Harness;
use vespeiro_guest::prelude::*;

const CHAT: Route = Route::get("/chat/{room}", "chat");
const NEWS: Route = Route::get("/news", "chat");
const READ: Route = Route::get("/read", "chat");
const ROUTES: &[Route] = &[CHAT, NEWS, READ];

#[macro_use]
mod common;

async fn chats(me: &Me) -> Result<()> {
    let chat = me.call(CHAT).arg("a b").websocket().await?;
    chat.send("one").await?;
    let one = chat.next(1000).await?.unwrap();
    assert_eq!((one.text(), chat.opened().status), (Some("one"), 101));
    // Together in one step, in this order.
    let (read, (sent, two)) = join(
        me.call(READ).send(),
        join(chat.send_bytes([2]), chat.next(1000)),
    )
    .await;
    assert_eq!((read?.status, two?.unwrap().bytes()), (200, &[2][..]));
    sent?;
    assert_eq!(chat.next(50).await?, None);
    chat.send_json(&json!({ "a": 1 })).await?;
    let three = chat.next(0).await?.unwrap();
    assert_eq!(three.json(), Some(json!({ "a": 1 })));
    chat.end().await?;
    assert_eq!(chat.receive(9, 1000).await?, []);
    assert!(chat.has_ended());
    chat.close().await
}

#[test]
fn a_socket_is_straight_line_code() {
    let played = playing!(chats).reply(CHAT, 101, json!({})).run();
    assert_eq!(played.ending, Ok(Ending::Completed));
    assert_eq!(played.paths(), ["/chat/a%20b", "/read"]);
    let sent = [
        Content::Text("one".into()),
        Content::Binary(vec![2]),
        Content::Text("{\"a\":1}".into()),
        Content::End,
    ];
    assert_eq!(played.messages, sent);
    let together = played.steps.iter().filter_map(|step| match &step.action {
        Action::Operations(all) if all.len() == 3 => Some(&all[..]),
        _ => None,
    });
    let together: Vec<_> = together.collect();
    assert!(matches!(
        together[..],
        [[
            Operation::Request(_),
            Operation::Send(_),
            Operation::Receive(_)
        ]]
    ));
}

async fn listens(me: &Me) -> Result<()> {
    let news = me.call(NEWS).events().await?;
    let first = news.receive(2, 1000).await?;
    let texts: Vec<_> = first.iter().filter_map(|one| one.text()).collect();
    assert_eq!(texts, ["a", "b"]);
    assert_eq!(news.next(30).await?, None);
    Ok(())
}

#[test]
fn events_come_as_the_script_says() {
    let played = playing!(listens).messages(NEWS, ["a", "b"]).run();
    assert_eq!(played.ending, Ok(Ending::Completed));
    // Each step takes a millisecond, and the last one its time, since nothing comes.
    assert_eq!(played.elapsed_ms, 3 + 30);
}

async fn reuses(me: &Me) -> Result<()> {
    let chat = me.call(CHAT).arg(1).websocket().await?;
    chat.close().await?;
    chat.send("again").await
}

async fn opens(me: &Me) -> Result<()> {
    me.call(CHAT).arg(1).websocket().await.map(drop)
}

#[test]
fn what_a_host_would_refuse_is_refused_and_answers_that_open_nothing_are_told() {
    let played = playing!(reuses).reply(CHAT, 101, json!({})).run();
    assert_eq!(
        played.ending,
        Err("it has no channel 0: it was closed, or never opened".into())
    );
    let played = playing!(opens).reply(CHAT, 401, json!({})).run();
    assert_eq!(played.ending, Ok(Ending::Abandoned));
    let played = playing!(opens).fail_once(CHAT, Failure::Connect).run();
    assert_eq!(played.ending, Ok(Ending::Abandoned));
    let played = playing!(opens).reply(CHAT, 101, json!({})).budget(0).run();
    assert_eq!(
        (played.requests.len(), played.ending),
        (0, Ok(Ending::Abandoned))
    );
}
