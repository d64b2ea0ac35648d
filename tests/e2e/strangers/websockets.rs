//! A WebSocket server of Python's `websockets`: what it counts is what the run counts.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::interpreter;
use crate::project::{python, tool};
use crate::support::{Peer, RunOf, eventually, example};

const WEBSOCKETS: &str = "websockets==15.0.1";

#[test]
fn users_talk_to_a_websocket_server_of_python() {
    if !python() {
        return;
    }
    let (python, folder) = (
        interpreter("websockets", &[WEBSOCKETS]),
        TempDir::new().unwrap(),
    );
    let counts = folder.path().join("counts.json");
    let script = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = script.join("../../tests/e2e/strangers/websockets/echo.py");
    let server = Peer::start(|port| {
        let mut command = tool(python.to_str().unwrap());
        command.arg(&script).arg(port.to_string()).arg(&counts);
        command
    });
    let plan = folder.path().join("plan.toml");
    let text = format!(
        "preflight = false\n[[archetype]]\nname = 'talker'\nmodule = '{}'\nconfig = {{ mode = 'echo', messages = 7 }}\n",
        example("channels").display()
    );
    std::fs::write(&plan, text).unwrap();
    let url = format!("http://127.0.0.1:{}", server.port);
    // Three sessions each, of one request and seven messages.
    let load = "--users 5 --workers 2 --min-request-count 3 --max-request-count 3 --delay-min 0 --delay-max 5";
    let played = RunOf::fine(&url, &format!("--plan {} {load}", plan.display()));
    assert_eq!(
        (played.sent(), played.errors()),
        (15, 0),
        "{:?}",
        played.ended
    );
    assert_eq!(played.check("the answer is what was said"), (105, 0));
    assert_eq!(played.sessions("talker", "completed"), 15);
    let seen = eventually("all connections are over", || {
        let text = std::fs::read_to_string(&counts).ok()?;
        let seen: Value = serde_json::from_str(&text).unwrap();
        (seen["codes"] == json!({ "1000": 15 })).then_some(seen)
    });
    let channels = &played.summary["channels"][0];
    assert_eq!(channels["protocol"], "websocket");
    for (ours, theirs) in [
        ("opened", "connections"),
        ("sent", "received"),
        ("received", "sent"),
        ("sent_bytes", "bytes"),
    ] {
        assert_eq!(channels[ours], seen[theirs], "{channels} {seen}");
    }
    assert_eq!(
        (
            &channels["sent"],
            &channels["open"],
            &channels["broken"],
            &channels["dropped"]
        ),
        (&json!(105), &json!(0), &json!(0), &json!(0))
    );
    assert_eq!(
        (
            &channels["lasted"]["count"],
            &channels["first_message"]["count"]
        ),
        (&json!(15), &json!(15))
    );
    played.adds_up();
}
