//! Channels of the reference service, and of targets that misbehave: what they count is what the run counts, and what goes
//! wrong is that session's.

use axum::Router;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::routing::get;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Played, RunOf, Sample, Server, Service, example};

/// One run of the behavior for channels in this mode.
fn play(url: &str, config: &str, load: &str) -> Played {
    let folder = TempDir::new().unwrap();
    let plan = folder.path().join("plan.toml");
    let module = example("channels");
    let text = format!(
        "preflight = false\n[[archetype]]\nname = 'talker'\nmodule = '{}'\nconfig = {{ {config} }}\n",
        module.display()
    );
    std::fs::write(&plan, text).unwrap();
    let load = format!(
        "--plan {} --workers 1 --delay-min 0 --delay-max 0 {load}",
        plan.display()
    );
    RunOf::start(url, &load).played()
}

/// The figures of one kind of channel.
fn channels(played: &Played, protocol: &str) -> Value {
    let all = played.summary["channels"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let of = all.into_iter().find(|one| one["protocol"] == protocol);
    of.unwrap_or_else(|| panic!("{:?}", played.ended))
}

#[test]
fn the_reference_services_channels_add_up() {
    let service = Service::start();
    let played = play(
        &service.url,
        "mode = 'service', messages = 6",
        "--users 1 --min-request-count 9 --max-request-count 9",
    );
    assert_eq!(
        (played.sent(), played.errors()),
        (9, 0),
        "{:?}",
        played.ended
    );
    for check in [
        "the stream tells of the user",
        "the note comes, and its receipt",
    ] {
        assert_eq!(played.check(check), (6, 0), "{:?}", played.ended);
    }
    let samples = service.samples("user_service_messages_total");
    let counted = |channel: &str, direction: &str| {
        let is_this =
            |one: &&Sample| one.label("channel") == channel && one.label("direction") == direction;
        json!(samples.iter().find(is_this).unwrap().value as u64)
    };
    let (events, notes) = (
        channels(&played, "event-stream"),
        channels(&played, "websocket"),
    );
    assert_eq!(events["received"], counted("events", "sent"));
    assert_eq!(notes["received"], counted("notifications", "sent"));
    assert_eq!(notes["sent"], counted("notifications", "received"));
    assert_eq!(
        (&events["received"], &notes["received"], &notes["sent"]),
        (&json!(6), &json!(12), &json!(6))
    );
}

#[test]
fn what_goes_wrong_with_a_channel_is_its_sessions_and_is_bounded() {
    let socket = |upgrade: WebSocketUpgrade| async {
        upgrade.on_upgrade(|mut socket| async move {
            for number in 0..3000 {
                if socket
                    .send(Message::Text(number.to_string().into()))
                    .await
                    .is_err()
                {
                    return;
                }
            }
            let _ = socket.send(Message::Close(None)).await;
            while let Some(Ok(_)) = socket.recv().await {}
        })
    };
    let flood = Server::start(Router::new().route("/socket", get(socket)));
    let twice = "--users 2 --min-request-count 2 --max-request-count 2";
    let once = "--users 2 --min-request-count 1 --max-request-count 1";
    // Nobody takes it: what waits is bounded, and all that came is counted.
    let played = play(&flood.url, "mode = 'slow'", once);
    let seen = channels(&played, "websocket");
    let taken = played.summary["observed"][0]["sum"].as_f64().unwrap() as u64;
    let dropped = seen["dropped"].as_u64().unwrap();
    assert_eq!(
        (&seen["opened"], &seen["received"]),
        (&json!(2), &json!(6000))
    );
    assert!(dropped > 0 && taken + dropped == 6000, "{seen} {taken}");
    // Used after it was closed.
    let played = play(&flood.url, "mode = 'closed'", once);
    assert_eq!(played.sessions("talker", "failed"), 2, "{:?}", played.ended);
    let told = "it has no channel 0: it was closed, or never opened";
    assert!(played.ended.stderr.contains(told), "{:?}", played.ended);
    // A message that is too large.
    let socket = |upgrade: WebSocketUpgrade| async {
        upgrade.on_upgrade(|mut socket| async move {
            let _ = socket.send(Message::Text("x".repeat(2000).into())).await;
            while let Some(Ok(_)) = socket.recv().await {}
        })
    };
    let large = Server::start(Router::new().route("/socket", get(socket)));
    let played = play(
        &large.url,
        "mode = 'listen', messages = 2",
        &format!("{twice} --max-body 1KiB"),
    );
    let cause = "a message is larger than --max-body allows".to_owned();
    assert_eq!(played.causes("channel"), [(cause, 4)], "{:?}", played.ended);
    assert_eq!(
        (
            &channels(&played, "websocket")["broken"],
            played.sessions("talker", "abandoned")
        ),
        (&json!(4), 2),
        "the last session of each is cut, for its user's requests are spent"
    );
    assert_eq!((played.sent(), played.errors()), (4, 0));
}
