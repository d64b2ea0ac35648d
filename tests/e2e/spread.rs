//! Requests spread over connections, streams and addresses as told, and bodies decoded: the target's counts and the run's
//! are held against each other.

use std::time::Duration;

use crate::support::{Counting, Manner, Peer, Played, RunOf, Scripted, example};

fn played(url: &str, kind: &str, options: &str) -> Played {
    let plan = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    let config = format!(
        "[[archetype]]\nname = \"asks\"\nmodule = \"{}\"\nconfig = {{ kind = \"{kind}\", of = \"x\" }}\n",
        example("asks").display()
    );
    std::fs::write(plan.path(), config).unwrap();
    RunOf::fine(
        url,
        &format!(
            "--plan {} --workers 1 --delay-min 0 --delay-max 0 --guest-timeout 10s --breaker off {options}",
            plan.path().display()
        ),
    )
}

/// Time of all requests together in a phase.
fn spent(played: &Played, phase: &str) -> f64 {
    let sum = &played.summary["total"]["phases"][phase]["sum"];
    sum.as_f64().unwrap_or(0.0)
}

#[test]
fn http2_is_spread_over_so_many_connections_with_so_many_streams() {
    let slow = |streams| {
        Scripted::http2(Manner {
            streams,
            latency: Duration::from_millis(20),
            silent: None,
        })
    };
    for (streams, options, connections, most) in [
        (100, "", 1, 20),
        (100, "--http2-connections 3", 3, 20),
        (100, "--http2-connections 3 --http2-streams 2", 3, 2),
        (100, "--http2-streams 4", 1, 4),
        // The target's own limit.
        (2, "--http2-connections 5", 5, 2),
    ] {
        let target = slow(streams);
        let options = format!("--http 2 --users 20 --requests 200 {options}");
        let played = played(&target.url, "a", &options);
        assert_eq!((played.sent(), played.errors()), (200, 0), "{options}");
        assert_eq!(target.requests("/a/x"), 200, "{options}");
        assert_eq!(played.connections("opened"), connections, "{options}");
        // The look before the run has one of its own.
        assert_eq!(target.connections() as u64, connections + 1, "{options}");
        let peak = target.most_streams();
        assert!((1..=most).contains(&peak), "{peak}: {options}");
        let served = connections as f64 * most as f64;
        if served < 20.0 {
            // Who waits for a stream is blocked, and that is not the target's time.
            let (blocked, waiting) = (spent(&played, "blocked"), spent(&played, "waiting"));
            assert!(blocked > waiting / 2.0, "{blocked} {waiting}: {options}");
            let p50 = &played.summary["total"]["phases"]["waiting"]["p50"];
            assert!(p50.as_f64().unwrap() < 0.15, "{p50}: {options}");
        }
    }
}

#[test]
fn several_addresses_are_taken_in_turn_and_told_apart() {
    let target = Counting::at("0.0.0.0:0");
    let port = target.port();
    let addresses = ["127.0.0.1", "127.0.0.2", "127.0.0.3"];
    let options = format!(
        "--users 3 --requests 60 --no-reuse --resolve a.test:{port}:{} --log debug",
        addresses.join(",")
    );
    let played = played(&format!("http://a.test:{port}"), "a", &options);
    let told = played.summary["connections"]["addresses"]
        .as_array()
        .unwrap();
    assert_eq!(told.len(), 3, "{told:?}");
    for (one, address) in told.iter().zip(addresses) {
        assert_eq!(one["address"], format!("{address}:{port}"));
        assert_eq!(
            (&one["requests"], &one["connections"]),
            (&20.into(), &20.into()),
            "{told:?}"
        );
        assert_eq!(one["errors"], 0);
        assert!(one["seconds"].as_f64().unwrap() > 0.0);
        let marked = format!("{address}:{port}, new connection");
        assert_eq!(played.ended.stderr.matches(&marked).count(), 20);
    }
    let slowest = played.summary["slowest"].as_array().unwrap();
    assert!(
        slowest.iter().all(|one| one["address"].is_string()),
        "{slowest:?}"
    );
    // To those addresses: the look before the run was one more.
    let by = |ip: &&str| {
        target
            .heard()
            .iter()
            .filter(|one| one.to.unwrap().to_string() == **ip)
            .count()
    };
    assert_eq!(addresses.iter().map(by).sum::<usize>(), 61);
}

#[test]
fn bodies_are_decoded_and_both_lengths_counted() {
    for coding in ["gzip", "br", "zstd"] {
        let target = Scripted::http1();
        let options = format!("--users 2 --requests 30 --compressed={coding}");
        let decoded = played(&target.url, coding, &options);
        assert_eq!((decoded.sent(), decoded.errors()), (30, 0), "{coding}");
        assert_eq!(target.requests(&format!("/{coding}/x")), 30);
        // "hello", whatever it was on the wire.
        assert_eq!(
            decoded.summary["total"]["bytes_received"],
            30 * 5,
            "{coding}"
        );
        let body = &decoded.summary["observed"][0];
        assert_eq!(
            (&body["count"], &body["max"]),
            (&30.into(), &5.0.into()),
            "{coding}"
        );

        let as_it_comes = played(&target.url, coding, "--users 2 --requests 30");
        let body = &as_it_comes.summary["observed"][0];
        assert_ne!(body["max"], 5.0, "{coding}");
    }
}

#[test]
fn nginx_compresses_what_is_asked_for_and_the_wire_carries_less() {
    let folder = tempfile::TempDir::new().unwrap();
    let server = format!(
        "server {{ listen 127.0.0.1:@PORT@; gzip on; gzip_types *; default_type text/plain; \
         location / {{ return 200 {}; }} }}",
        "a".repeat(3000)
    );
    let Some(nginx) = Peer::nginx(folder.path(), &server) else {
        return;
    };
    let url = format!("http://127.0.0.1:{}", nginx.port);
    let bytes = |options: &str| {
        let played = played(&url, "a", &format!("--users 2 --requests 30 {options}"));
        assert_eq!(played.summary["total"]["bytes_received"], 30 * 3000);
        played.connections("wire_received")
    };
    let (plain, coded) = (bytes(""), bytes("--compressed"));
    assert!(plain > 30 * 3000 && coded < 30 * 1000, "{plain} {coded}");
}
