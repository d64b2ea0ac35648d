//! Who may look at a run and steer it: not a page in a browser, not a name that somebody made point at this machine, not
//! somebody who guesses, and nobody who only holds connections.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, Instant};

use crate::support::{RunOf, Service, eventually, get, send, vespeiro};

fn run(service: &Service, more: &str) -> RunOf {
    RunOf::start(
        &service.url,
        &format!(
            "--users 2 --workers 1 --delay-min 5ms --delay-max 30ms --no-watch --min-request-count 10000000 \
             --max-request-count 10000000 {more}"
        ),
    )
}

/// What a request under this name gets, with one more line of its head.
fn under(authority: &str, host: &str, path: &str, line: &str) -> u16 {
    let mut stream = TcpStream::connect(authority).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    write!(
        stream,
        "{path} HTTP/1.1\r\nHost: {host}\r\n{line}Content-Length: 0\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn no_page_and_no_borrowed_name_reaches_any_route() {
    let service = Service::start();
    let run = run(
        &service,
        "--control 127.0.0.1:0 --ui 127.0.0.1:0 --metrics 127.0.0.1:0 --log info",
    );
    let control = run.authority("control: ");
    let page = run.authority("ui: ");
    let metrics = run.authority("metrics at ");
    eventually("the first figures", || get(&control, "/status").ok());
    let routes = [
        (&control, "GET /status"),
        (&control, "POST /stop"),
        (&control, "POST /pause"),
        (&control, "POST /resume"),
        (&control, "POST /users"),
        (&control, "POST /swap/active"),
        (&control, "GET /nothing"),
        (&page, "GET /"),
        (&page, "GET /events"),
        (&page, "POST /stop"),
        (&page, "POST /swap/active"),
        (&metrics, "GET /metrics"),
    ];
    for (authority, route) in routes {
        assert_eq!(under(authority, "evil.test", route, ""), 403, "{route}");
        let origin = "Origin: http://evil.test\r\n";
        assert_eq!(under(authority, authority, route, origin), 403, "{route}");
        assert_eq!(
            under(authority, authority, route, "Origin: null\r\n"),
            403,
            "{route}"
        );
    }
    for name in ["localhost", "127.0.0.1", "[::1]:80"] {
        assert_eq!(under(&control, name, "GET /status", ""), 200, "{name}");
        assert_eq!(under(&metrics, name, "GET /metrics", ""), 200, "{name}");
    }
    assert_eq!(under(&control, "localhost", "POST /stop", ""), 200);
    assert_eq!(run.played().ended.code, Some(0));
}

#[test]
fn whoever_only_holds_connections_does_not_keep_the_control_from_its_owner() {
    let service = Service::start();
    let run = run(&service, "--control 127.0.0.1:0");
    let control = run.authority("control: ");
    eventually("the first figures", || get(&control, "/status").ok());
    let held: Vec<TcpStream> = (0..256)
        .map(|at| {
            let mut stream = TcpStream::connect(&control).unwrap();
            // Some say nothing, the others never come to the end of their head.
            if at % 2 == 0 {
                write!(stream, "GET /status HTTP/1.1\r\nHost: localhost\r\nX: ").unwrap();
            }
            stream
        })
        .collect();
    let asked = Instant::now();
    let stopped = send(&control, "POST", "/stop", &[], b"").unwrap();
    assert_eq!(stopped.status, 200);
    assert!(
        asked.elapsed() < Duration::from_secs(40),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(run.played().ended.code, Some(0));
    drop(held);
}

#[test]
fn tokens_are_long_where_others_can_try_them_and_each_wrong_one_waits_longer() {
    let refused = vespeiro(&[
        "run",
        "--control",
        "0.0.0.0:0",
        "--control-token",
        "too-short-15-ch",
        "--base-url",
        "http://127.0.0.1:9",
    ]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    let line = refused.stderr.lines().last().unwrap();
    assert!(line.contains("a control_token of 15 characters"), "{line}");
    assert!(!line.contains("too-short"), "{line}");

    let service = Service::start();
    let run = run(&service, "--control 127.0.0.1:0 --control-token short");
    let control = run.authority("control: ");
    let asked = |token: &str| {
        let bearer = format!("Authorization: Bearer {token}");
        let began = Instant::now();
        let status = send(&control, "POST", "/resume", &[&bearer], b"")
            .unwrap()
            .status;
        (status, began.elapsed())
    };
    let waits: Vec<Duration> = (0..4)
        .map(|_| {
            let (status, wait) = asked("wrong");
            assert_eq!(status, 401);
            wait
        })
        .collect();
    for (at, wait) in waits.iter().enumerate() {
        assert!(*wait >= Duration::from_millis(100 << at), "{waits:?}");
    }
    assert_eq!(asked("short").0, 200);
    assert_eq!(
        send(&control, "POST", "/resume", &[], b"").unwrap().status,
        401
    );
    run.process.signal("TERM");
    run.played();
}

#[test]
fn the_memory_of_a_run_is_neither_dumped_nor_shown_unless_asked_for() {
    let service = Service::start();
    for (more, dumps) in [("", false), ("--core-dumps", true)] {
        let run = run(&service, &format!("{more} --control 127.0.0.1:0"));
        run.authority("control: ");
        let proc = format!("/proc/{}", run.process.id());
        let limits = std::fs::read_to_string(format!("{proc}/limits")).unwrap();
        let core = limits
            .lines()
            .find(|line| line.starts_with("Max core file size"));
        let mut words = core.unwrap().split_whitespace().skip(4);
        let (soft, hard) = (words.next().unwrap(), words.next().unwrap());
        assert_eq!(soft, if dumps { hard } else { "0" }, "{limits}");
        // The files of a process that shows nothing belong to root, so that its user is refused as well.
        let owner = std::fs::metadata(format!("{proc}/environ")).unwrap().uid();
        let own = std::fs::metadata("/proc/self/environ").unwrap().uid();
        assert_eq!(owner, if dumps { own } else { 0 });
        run.process.signal("TERM");
        run.played();
    }
}
