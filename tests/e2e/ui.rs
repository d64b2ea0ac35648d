//! The live page, as its server promises it: who may look and steer, what is streamed, and that a browser that does not
//! read holds nobody up. What the page makes of it is looked at in `browser`.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::support::{RunOf, Service, eventually, example, get, send, vespeiro};

pub(crate) const MARK: &str = "X-Vespeiro-Page: 1";

/// People who never come to an end.
fn start(service: &Service, more: &str) -> (RunOf, String) {
    let run = RunOf::start(
        &service.url,
        &format!(
            "--ui 127.0.0.1:0 --workers 2 --users 10 --delay-min 5ms --delay-max 30ms --no-watch \
             --min-request-count 10000000 --max-request-count 10000000 --archetype mine={} {more}",
            example("first").display()
        ),
    );
    let authority = run.authority("ui: ");
    (run, authority)
}

/// The page is there while the behaviors are loaded: wait until their requests come, the look before the run left out.
fn begun(service: &Service) {
    eventually("the first requests", || {
        (service.answered_at_all() > 1).then_some(())
    });
}

/// The events of a stream, up to its end: name and data.
fn events(text: &str) -> Vec<(String, Value)> {
    let blocks = text.split("\n\n").filter(|block| block.contains("data:"));
    let field = |block: &str, name: &str| {
        let mut lines = block.lines();
        lines.find_map(|line| Some(line.strip_prefix(name)?.trim().to_owned()))
    };
    blocks
        .map(|block| {
            let data = field(block, "data:").unwrap();
            let data = serde_json::from_str(&data).unwrap();
            (field(block, "event:").unwrap(), data)
        })
        .collect()
}

fn open(authority: &str, host: &str) -> TcpStream {
    let mut stream = TcpStream::connect(authority).unwrap();
    let timeout = Some(Duration::from_secs(60));
    stream.set_read_timeout(timeout).unwrap();
    write!(stream, "GET /events HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
    stream
}

/// The status of an answer, without waiting for its body.
fn status(mut stream: &TcpStream) -> u16 {
    let mut head = [0; 12];
    stream.read_exact(&mut head).unwrap();
    let text = std::str::from_utf8(&head).unwrap();
    text.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_run_is_watched_and_steered_from_its_page() {
    let service = Service::start();
    let (run, authority) = start(&service, "");
    let page = get(&authority, "/").unwrap();
    assert!(page.contains("<title>vespeiro</title>"), "{page}");
    let watcher = std::thread::spawn({
        let authority = authority.clone();
        move || send(&authority, "GET", "/events", &[], b"").unwrap()
    });
    let posted = |path: &str, body: &[u8]| send(&authority, "POST", path, &[MARK], body).unwrap();
    assert_eq!(posted("/users", b"{\"users\": 4}").status, 200);
    let module = std::fs::read(example("rounds")).unwrap();
    let swapped = posted("/swap/mine?name=rounds.wasm", &module);
    assert_eq!(swapped.status, 200, "{}", swapped.body);
    let refused = posted("/swap/mine?name=broken.wasm", b"nothing");
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("broken.wasm"), "{}", refused.body);
    assert_eq!(posted("/pause", b"").status, 200);
    assert_eq!(posted("/resume", b"").status, 200);
    assert_eq!(posted("/stop", b"").status, 200);
    let mut played = run.played();
    played.ended = played.ended.fine();
    assert_eq!(played.answered(), service.ledger(1));

    let events = events(&watcher.join().unwrap().body);
    assert_eq!(events[0].0, "facts");
    assert_eq!(events[0].1["run"], played.summary["run"]["id"]);
    assert_eq!(events[1].0, "points");
    let (last, end) = events.last().unwrap();
    assert_eq!((last.as_str(), &end["why"]), ("end", &"stopped".into()));
    // The last figures are those of the summary.
    assert_eq!(end["requests"], played.sent());
    let versions = end["archetypes"][0]["versions"].as_array().unwrap();
    let names: Vec<&Value> = versions.iter().map(|v| &v["behavior"]).collect();
    assert_eq!(names, ["rounds", "first"]);
    let news = end["news"].as_array().unwrap();
    assert_eq!((news.len(), &news[1]["bad"]), (2, &true.into()));
}

#[test]
fn a_run_that_waits_for_its_moment_can_be_stopped() {
    let service = Service::start();
    let (run, authority) = start(&service, "--start-at +10m");
    eventually("the run waits", || {
        run.process
            .stderr()
            .contains("the run starts at")
            .then_some(())
    });
    let mut stream = open(&authority, &authority);
    let mut said = [0; 4096];
    let mut text = String::new();
    while !text.contains("event: facts") {
        let length = stream.read(&mut said).unwrap();
        assert!(length > 0, "{text}");
        text += std::str::from_utf8(&said[..length]).unwrap();
    }
    assert!(!text.contains("event: state"), "{text}");
    let stopped = send(&authority, "POST", "/stop", &[MARK], b"").unwrap();
    assert_eq!(stopped.status, 200);
    let mut played = run.played();
    played.ended = played.ended.fine();
    assert_eq!((played.sent(), service.ledger(1).len()), (0, 0));
}

#[test]
fn a_page_of_another_site_can_neither_look_nor_steer() {
    let service = Service::start();
    let (run, authority) = start(&service, "");
    begun(&service);
    let asked =
        |method, path, headers: &[&str]| send(&authority, method, path, headers, b"").unwrap();
    // A form, or a fetch without asking, cannot send the mark.
    assert_eq!(asked("POST", "/stop", &[]).status, 403);
    let stranger = [MARK, "Origin: http://evil.test"];
    assert_eq!(asked("POST", "/stop", &stranger).status, 403);
    assert_eq!(asked("GET", "/", &["Origin: null"]).status, 403);
    // A preflight is answered by nobody, so that a browser does not go on.
    assert_eq!(asked("OPTIONS", "/stop", &stranger).status, 403);
    // A name that its owner made point here.
    assert_eq!(status(&open(&authority, "evil.test")), 403);
    assert_eq!(status(&open(&authority, "localhost")), 200);
    assert_eq!(asked("GET", "/status", &[]).status, 404);
    let itself = format!("Origin: http://{authority}");
    assert_eq!(asked("POST", "/stop", &[MARK, &itself]).status, 200);
    let played = run.played();
    assert_eq!(played.answered(), service.ledger(1));
}

#[test]
fn where_there_is_a_token_it_is_wanted() {
    let service = Service::start();
    let (run, authority) = start(&service, "--control-token hush-hush");
    begun(&service);
    let asked =
        |method, path, headers: &[&str]| send(&authority, method, path, headers, b"").unwrap();
    // The page itself holds nothing that is secret, and asks for the token.
    assert_eq!(asked("GET", "/", &[]).status, 200);
    assert_eq!(asked("GET", "/events", &[]).status, 401);
    let wrong = [MARK, "Authorization: Bearer hush"];
    assert_eq!(asked("POST", "/stop", &wrong).status, 401);
    let right = [MARK, "Authorization: Bearer hush-hush"];
    assert_eq!(asked("POST", "/stop", &right).status, 200);
    assert!(!run.played().ended.stderr.contains("hush"));

    let refused = vespeiro(&[
        "run",
        "--ui",
        "0.0.0.0:0",
        "--base-url",
        "http://127.0.0.1:9",
    ]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("ui 0.0.0.0:0"),
        "{}",
        refused.stderr
    );
    assert!(
        refused.stderr.contains("control_token"),
        "{}",
        refused.stderr
    );
}

#[test]
fn browsers_that_do_not_read_hold_nobody_up_and_are_not_without_number() {
    let service = Service::start();
    let (run, authority) = start(&service, "");
    let deaf: Vec<TcpStream> = (0..32).map(|_| open(&authority, &authority)).collect();
    deaf.iter()
        .for_each(|stream| assert_eq!(status(stream), 200));
    assert_eq!(status(&open(&authority, &authority)), 503);
    let before = service.answered_at_all();
    eventually("the run goes on", || {
        (service.answered_at_all() > before + 500).then_some(())
    });
    // Whoever closes a page makes room for another.
    drop(deaf.into_iter().take(4).collect::<Vec<_>>());
    eventually("room for one more", || {
        (status(&open(&authority, &authority)) == 200).then_some(())
    });
    assert_eq!(
        send(&authority, "POST", "/stop", &[MARK], b"")
            .unwrap()
            .status,
        200
    );
    let mut played = run.played();
    played.ended = played.ended.fine();
    assert_eq!(played.answered(), service.ledger(1));
}
