//! A request's time is told by phases, and connections are counted: held against servers that lose their time in one known
//! place, and that count what they accept.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Certificates, Peer as Program, Played, RunOf, example};

/// What a slow place costs.
const LOST: Duration = Duration::from_millis(300);
const PIECES: u32 = 6;

/// Answers over HTTP/1.1, and counts connections.
struct Peer {
    url: String,
    accepted: Arc<AtomicUsize>,
}

impl Peer {
    /// Its answers go out as `answer` writes them. The threads end with the test's process, or with their connections.
    fn start(answer: fn(&mut TcpStream) -> std::io::Result<()>) -> Peer {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let peer = Peer {
            url: format!("http://{}", listener.local_addr().unwrap()),
            accepted: Arc::default(),
        };
        let accepted = Arc::clone(&peer.accepted);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                accepted.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || serve(stream, answer));
            }
        });
        peer
    }

    fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::SeqCst) as u64
    }
}

/// Requests without a body, one after the other.
fn serve(mut stream: TcpStream, answer: fn(&mut TcpStream) -> std::io::Result<()>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while matches!(stream.read(&mut byte), Ok(1)) {
        head.push(byte[0]);
        if head.ends_with(b"\r\n\r\n") {
            head.clear();
            if answer(&mut stream).is_err() {
                return;
            }
        }
    }
}

fn at_once(to: &mut TcpStream) -> std::io::Result<()> {
    to.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
}

fn thinks_first(to: &mut TcpStream) -> std::io::Result<()> {
    sleep(LOST);
    at_once(to)
}

fn trickles(to: &mut TcpStream) -> std::io::Result<()> {
    to.set_nodelay(true)?;
    to.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n")?;
    for _ in 0..PIECES {
        sleep(LOST / PIECES);
        to.write_all(b"x")?;
    }
    Ok(())
}

/// Closes each connection behind its answer.
fn leaves(to: &mut TcpStream) -> std::io::Result<()> {
    to.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok")?;
    to.shutdown(Shutdown::Both)
}

/// Two users with five requests each.
fn options(more: &str) -> String {
    format!(
        "--archetype first={} --users 2 --workers 1 --min-request-count 5 --max-request-count 5 \
         --delay-min 0 --delay-max 0 {more}",
        example("first").display()
    )
}

fn figure(of: &Value, phase: &str, name: &str) -> f64 {
    of["phases"][phase][name]
        .as_f64()
        .unwrap_or_else(|| panic!("{phase} {name}: {}", of["phases"]))
}

/// The phases of all requests are their service time.
#[track_caller]
fn adds_up(played: &Played) {
    let total = &played.summary["total"];
    let phases = total["phases"].as_object().unwrap();
    let service = phases.iter().filter(|(name, _)| *name != "blocked");
    let service: f64 = service.map(|(_, of)| of["sum"].as_f64().unwrap()).sum();
    let latency = total["latency"]["sum"].as_f64().unwrap();
    assert!((service - latency).abs() < 1e-6, "{service} {latency}");
}

#[test]
fn a_target_that_thinks_lets_wait_and_one_that_trickles_lets_receive() {
    let lost = LOST.as_secs_f64();
    for (answer, slow, quick) in [
        (
            thinks_first as fn(&mut TcpStream) -> _,
            "waiting",
            "receiving",
        ),
        (trickles, "receiving", "waiting"),
    ] {
        let peer = Peer::start(answer);
        let played = RunOf::fine(&peer.url, &options(""));
        let route = &played.summary["routes"][0];
        assert_eq!(figure(route, slow, "count"), 10.0);
        let least = figure(route, slow, "min");
        assert!(least > lost * 0.9, "{slow}: {least}");
        // The other one may be slow on a busy machine, but not for as long as the target was.
        let phases = route["phases"].as_object().unwrap();
        let median = phases
            .get(quick)
            .map_or(0.0, |of| of["p50"].as_f64().unwrap());
        assert!(median < lost / 2.0, "{quick}: {median}");
        adds_up(&played);
        assert!(
            played.ended.stdout.contains("where the time goes"),
            "{}",
            played.ended.stdout
        );
    }
}

#[test]
fn connections_are_those_that_the_target_accepted_and_only_their_first_requests_connect() {
    // One look before the run has a connection of its own.
    let peer = Peer::start(at_once);
    let kept = RunOf::fine(&peer.url, &options(""));
    let connections = &kept.summary["connections"];
    let opened = connections["opened"].as_u64().unwrap();
    assert_eq!(opened + 1, peer.accepted());
    assert!((1..=2).contains(&opened), "{connections}");
    assert_eq!(connections["reused"], 10 - opened);
    assert_eq!(
        figure(&kept.summary["total"], "connect", "count"),
        opened as f64
    );
    adds_up(&kept);

    let peer = Peer::start(leaves);
    let left = RunOf::fine(&peer.url, &options(""));
    let connections = &left.summary["connections"];
    assert_eq!(connections["opened"], 10);
    assert_eq!(peer.accepted(), 11);
    assert_eq!(connections["reused"], 0);
    // The target closes behind its answer, in a thread of its own: what it has not closed yet is still open.
    assert_eq!(connections["closed_by_us"], 0, "{connections}");
    let closed = connections["closed_by_target"].as_u64().unwrap();
    let open = connections["open"].as_u64().unwrap();
    assert_eq!(closed + open, 10, "{connections}");
    assert!(closed > open, "{connections}");
    assert_eq!(figure(&left.summary["total"], "connect", "count"), 10.0);
    adds_up(&left);
}

#[test]
fn over_tls_each_new_connection_has_a_handshake_and_the_sum_is_exact() {
    let folder = TempDir::new().unwrap();
    let here = folder.path().display().to_string();
    Certificates::new(folder.path()).issue("server.test");
    let server = format!(
        "server {{ listen 127.0.0.1:@PORT@ ssl; ssl_certificate {here}/server.test.pem; \
         ssl_certificate_key {here}/server.test.key; location / {{ return 200 ok; }} }}"
    );
    let Some(nginx) = Program::nginx(folder.path(), &server) else {
        return;
    };
    let url = format!("https://localhost:{}", nginx.port);
    let trust = format!("--http 1 --ca-cert {here}/ca.pem --sni server.test");
    for (reuse, each) in [("--no-reuse", true), ("", false)] {
        let played = RunOf::fine(&url, &options(&format!("{trust} {reuse}")));
        let opened = played.connections("opened") as f64;
        assert_eq!(opened == 10.0, each, "{opened}");
        let total = &played.summary["total"];
        for phase in ["connect", "tls"] {
            assert_eq!(figure(total, phase, "count"), opened, "{phase}");
            assert!(figure(total, phase, "min") > 0.0, "{phase}");
        }
        let handshakes = played.connections("tls_full") + played.connections("tls_resumed");
        assert_eq!(handshakes as f64, opened);
        adds_up(&played);
    }
}

#[test]
fn under_a_rate_what_is_blocked_is_latency_and_no_service_time() {
    // One connection for arrivals that come faster than it can take them.
    let peer = Peer::start(|to| {
        sleep(LOST / 10);
        at_once(to)
    });
    let first = example("first").display().to_string();
    let options = format!(
        "--archetype first={first} --rate 50/s --duration 2s --max-users 20 --workers 1 --max-connections 1 --max-in-flight 0 \
         --delay-min 0 --delay-max 0"
    );
    let played = RunOf::fine(&peer.url, &options);
    let total = &played.summary["total"];
    let phases = total["phases"].as_object().unwrap();
    let sum = |of: &Value| of["sum"].as_f64().unwrap();
    let service = phases.iter().filter(|(name, _)| *name != "blocked");
    let service: f64 = service.map(|(_, of)| sum(of)).sum();
    let told = sum(&played.summary["arrivals"]["service"]);
    assert!((service - told).abs() < 1e-6, "{service} {told}");
    let (latency, blocked) = (sum(&total["latency"]), figure(total, "blocked", "sum"));
    assert!(blocked > service / 4.0, "{blocked} {service}");
    assert!(
        latency >= service + blocked - 1e-6,
        "{latency} {service} {blocked}"
    );
}

#[test]
fn a_threshold_on_a_phase_crosses_where_the_latency_is_lost_there() {
    let peer = Peer::start(thinks_first);
    let options =
        options("--threshold p95{phase=waiting}<200ms --threshold p95{phase=sending}<200ms");
    let played = RunOf::start(&peer.url, &options).played();
    assert_eq!(played.ended.code, Some(99), "{:?}", played.ended);
    let states: Vec<_> = played.summary["thresholds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| of["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["crossed", "ok"]);
}
