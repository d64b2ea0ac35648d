//! Whose failure it is: odd targets, and what a run says of them. The targets count what they were asked for.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::{NamedTempFile, TempDir};

use crate::support::{
    Certificates, Counting, Ended, Manner, Peer, Played, RunOf, Scripted, example, tool, vespeiro,
};

const MANNER: Manner = Manner {
    streams: 100,
    latency: Duration::from_millis(2),
    silent: None,
};

/// Requests of a run, unless it says otherwise.
const ASKED: u64 = 30;

/// A plan of people who ask for what `config` says, without a pause.
fn plan(config: &str) -> NamedTempFile {
    let mut plan = NamedTempFile::with_suffix(".toml").unwrap();
    write!(
        plan,
        "users = 3\nworkers = 1\nrequests = {ASKED}\ndelay_min = 0\ndelay_max = 0\nguest_timeout = \"10s\"\n\
         breaker = \"off\"\nbackoff = \"off\"\n\
         [[archetype]]\nname = \"asks\"\nmodule = \"{}\"\nconfig = {{ {config} }}\n",
        example("asks").display()
    )
    .unwrap();
    plan
}

fn played(url: &str, config: &str, options: &str) -> Played {
    let plan = plan(config);
    let played = RunOf::start(url, &format!("--plan {} {options}", plan.path().display()));
    played.played()
}

#[test]
fn what_http1_targets_do_has_its_kind_and_each_request_is_counted_once() {
    for (kind, failure) in [
        ("drop", Some(("reset", "without an answer"))),
        ("cut", Some(("reset", "within a body"))),
        ("garbage", Some(("protocol", "does not begin as HTTP"))),
        ("cookies", None),
        ("fine", None),
    ] {
        let target = Scripted::http1();
        let played = played(&target.url, &format!("kind = \"{kind}\", of = \"x\""), "");
        let failed = if failure.is_some() { ASKED } else { 0 };
        assert_eq!((played.sent(), played.errors()), (ASKED, failed), "{kind}");
        if let Some((failure, why)) = failure {
            assert_eq!(played.failed(failure), ASKED, "{kind}");
            let causes = played.causes(failure);
            assert!(
                causes.iter().all(|(cause, _)| cause.contains(why)),
                "{kind}: {causes:?}"
            );
        }
        assert_eq!(played.check("answered"), (ASKED - failed, failed), "{kind}");
        assert_eq!(target.requests(&format!("/{kind}/x")), ASKED, "{kind}");
        played.adds_up();
    }
}

#[test]
fn a_kept_connection_that_was_just_closed_costs_nobody_but_who_may_not_be_repeated() {
    // Each connection takes one request, and is closed when the next one comes.
    let target = Scripted::http1();
    let got = played(&target.url, "kind = \"stale\", of = \"x\"", "");
    assert_eq!((got.sent(), got.errors()), (ASKED, 0), "{:?}", got.ended);
    let stale = got.connections("resent_stale");
    assert!(stale > 0);
    assert_eq!(target.requests("/stale/x"), ASKED + stale);

    let target = Scripted::http1();
    let posted = played(
        &target.url,
        "kind = \"stale\", of = \"x\", body = \"b\"",
        "",
    );
    assert_eq!(posted.connections("resent_stale"), 0);
    assert_eq!(target.requests("/stale/x"), ASKED);
    assert_eq!(posted.errors(), posted.failed("reset"));
    assert!(posted.errors() > 0);
    let causes = posted.causes("reset");
    let told = |cause: &str| cause.contains("kept-alive") && cause.contains("POST");
    assert!(causes.iter().all(|(cause, _)| told(cause)), "{causes:?}");
    posted.adds_up();
}

#[test]
fn a_stream_that_is_reset_is_a_reset_and_retries_cover_it() {
    for kind in ["rst", "rstmid"] {
        for code in [1, 2, 8, 11] {
            let target = Scripted::http2(MANNER);
            let config = format!("kind = \"{kind}\", of = \"{code}\"");
            let played = played(&target.url, &config, "--http 2");
            assert_eq!(played.failed("reset"), ASKED, "{kind} {code}");
            assert_eq!(target.requests(&format!("/{kind}/{code}")), ASKED);
            // It costs its stream and not the connection.
            assert_eq!(played.connections("opened"), 1, "{kind} {code}");
        }
    }
    let target = Scripted::http2(MANNER);
    let again = played(
        &target.url,
        "kind = \"rst\", of = \"2\"",
        "--http 2 --retries 2",
    );
    assert_eq!(again.failed("reset"), ASKED);
    let retries = again.summary["regard"]["retries"].as_u64().unwrap();
    assert!((ASKED / 2..=ASKED / 3 * 2).contains(&retries), "{retries}");
    assert_eq!(target.requests("/rst/2"), ASKED);
}

#[test]
fn a_stream_that_is_refused_is_sent_three_times_more() {
    let target = Scripted::http2(MANNER);
    let refused = played(&target.url, "kind = \"rst\", of = \"7\"", "--http 2");
    assert_eq!(
        (refused.sent(), refused.failed("unprocessed")),
        (ASKED, ASKED)
    );
    assert_eq!(target.requests("/rst/7"), 4 * ASKED);
    assert_eq!(refused.connections("resent_unprocessed"), 3 * ASKED);
}

/// Requests in nginx's log, by their status.
fn logged(folder: &Path, status: &str) -> u64 {
    let log = std::fs::read_to_string(folder.join("access.log")).unwrap();
    log.lines().filter(|line| line.ends_with(status)).count() as u64
}

#[test]
fn nginx_leaves_connections_limits_streams_and_sends_long_heads_at_nobodys_cost() {
    for (server, options, connections) in [
        ("keepalive_requests 50;", "--http 2", 6),
        ("http2_max_concurrent_streams 2;", "--http 2", 1),
        ("keepalive_timeout 1ms;", "--http 1", 20),
    ] {
        let folder = TempDir::new().unwrap();
        let long = format!("add_header X-Long {};", "a".repeat(1800)).repeat(10);
        let servers = format!(
            "server {{ listen 127.0.0.1:@PORT@ {}; {server} {long} location / {{ return 200 ok; }} }}",
            if options == "--http 2" { "http2" } else { "" }
        );
        let Some(nginx) = Peer::nginx(folder.path(), &servers) else {
            return;
        };
        let url = format!("http://127.0.0.1:{}", nginx.port);
        let asked = 300;
        let options = format!("{options} --users 20 --requests {asked}");
        let played = played(&url, "kind = \"a\", of = \"b\"", &options);
        let results = &played.summary["results"];
        assert_eq!(
            (played.sent(), played.errors()),
            (asked, 0),
            "{server} {results}"
        );
        let opened = played.connections("opened");
        assert!(opened >= connections, "{opened}: {server}");
        // The look before the run is one too.
        assert_eq!(logged(folder.path(), "200"), asked + 1, "{server}");
        assert_eq!(played.check("answered"), (asked, 0), "{server}");
    }
}

#[test]
fn a_connection_that_falls_silent_is_not_waited_for_for_ever() {
    // The first is the look's before the run, the second the run's.
    let target = Scripted::http2(Manner {
        silent: Some(1),
        ..MANNER
    });
    let options = "--http 2 --request-timeout 300ms";
    let played = played(&target.url, "kind = \"a\", of = \"b\"", options);
    assert_eq!(played.sent(), ASKED);
    let late = played.failed("timeout");
    assert_eq!(played.errors(), late, "{:?}", played.ended);
    // Until the ping was not answered, each of the users waits some times; then a new connection has it.
    assert!((1..ASKED).contains(&late), "{late}");
    assert_eq!(target.connections(), 3);
}

/// What a run says that does not begin.
fn said(url: &str, options: &str) -> Ended {
    let module = format!("asks={}", example("asks").display());
    let mut all = vec![
        "run",
        "--no-panel",
        "--base-url",
        url,
        "--archetype",
        &module,
    ];
    all.extend(options.split_whitespace());
    let ended = vespeiro(&all).orderly();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    ended
}

#[test]
fn tls_says_what_is_wrong_and_what_to_do_and_nothing_else() {
    let folder = TempDir::new().unwrap();
    let here = folder.path().display().to_string();
    let certificates = Certificates::new(folder.path());
    certificates.issue("right.test");
    certificates.issue("wrong.test");
    certificates.expired("right.test", "old");
    let Some(openssl) = tool("openssl", "openssl") else {
        return;
    };
    let trust = format!("--ca-cert {here}/ca.pem --sni right.test");
    for (name, server, options, why) in [
        (
            "right.test",
            "",
            "--sni right.test",
            "of an unknown issuer: trust its CA with --ca-cert",
        ),
        ("old", "", &*trust, "expired on Wed, 03 Feb 2021"),
        (
            "wrong.test",
            "",
            &*trust,
            "is for wrong.test, not for right.test",
        ),
        (
            "right.test",
            "-tls1_2",
            &*format!("{trust} --tls-min 1.3"),
            "speaks no TLS version that is asked for",
        ),
        (
            "right.test",
            "-Verify 1",
            &*format!("{trust} --insecure"),
            "demands a client certificate",
        ),
    ] {
        let peer = Peer::openssl(&openssl, folder.path(), name, server);
        let ended = said(&format!("https://127.0.0.1:{}", peer.port), options);
        assert!(ended.stderr.contains(why), "{why}: {ended:?}");
        // Nobody is told to do what he has done.
        let told = ended.stderr.matches("--insecure").count();
        assert!(
            told <= usize::from(!options.contains("--insecure")),
            "{ended:?}"
        );
        assert_eq!(ended.stderr.trim().lines().count(), 1, "{ended:?}");
    }
}

#[test]
fn a_run_whose_handshakes_fail_says_why_in_its_log_and_in_its_summary() {
    let folder = TempDir::new().unwrap();
    let here = folder.path().display().to_string();
    let certificates = Certificates::new(folder.path());
    certificates.issue("right.test");
    certificates.expired("right.test", "old");
    let Some(openssl) = tool("openssl", "openssl") else {
        return;
    };
    let trust = format!("--ca-cert {here}/ca.pem");
    for (file, options, why) in [
        ("right.test", "--sni right.test", "of an unknown issuer"),
        (
            "old",
            &*format!("{trust} --sni right.test"),
            "expired on Wed, 03 Feb 2021",
        ),
        (
            "right.test",
            &*format!("{trust} --sni wrong.test"),
            "not for wrong.test",
        ),
    ] {
        let peer = Peer::openssl(&openssl, folder.path(), file, "");
        let url = format!("https://127.0.0.1:{}", peer.port);
        let options = format!("{options} --http 1 --no-preflight --log debug");
        let failed = played(&url, "kind = \"a\", of = \"b\"", &options);
        assert_eq!((failed.sent(), failed.failed("tls")), (ASKED, ASKED));
        let causes = failed.causes("tls");
        assert!(
            causes.iter().all(|(cause, _)| cause.contains(why)),
            "{causes:?}"
        );
        failed.adds_up();
        let logged = failed.ended.stderr.lines();
        let logged = logged.filter(|line| line.contains("-> tls (") && line.contains(why));
        assert_eq!(logged.count() as u64, ASKED, "{:?}", failed.ended);
        assert!(failed.ended.stdout.contains(why), "{:?}", failed.ended);
        // It is also the reason for which the run ends as it does.
        let last = failed.ended.stderr.lines().next_back().unwrap();
        assert!(
            last.starts_with("error: no request was answered") && last.contains(why),
            "{last}"
        );
    }
}

/// What OpenSSL's server says of itself is held against what the run says.
#[test]
fn openssls_server_counts_the_handshakes_that_a_run_counts() {
    let folder = TempDir::new().unwrap();
    let here = folder.path().display().to_string();
    Certificates::new(folder.path()).issue("right.test");
    let Some(openssl) = tool("openssl", "openssl") else {
        return;
    };
    for resumption in ["on", "off"] {
        // It closes each connection behind its page.
        let peer = Peer::openssl(&openssl, folder.path(), "right.test", "-tls1_2");
        let url = format!("https://127.0.0.1:{}", peer.port);
        let options = format!(
            "--ca-cert {here}/ca.pem --sni right.test --http 1 --tls-resumption {resumption}"
        );
        let got = played(&url, "kind = \"a\", of = \"b\"", &options);
        assert_eq!((got.sent(), got.errors()), (ASKED, 0), "{:?}", got.ended);
        let (full, resumed) = (got.connections("tls_full"), got.connections("tls_resumed"));
        assert_eq!((full + resumed, got.connections("opened")), (ASKED, ASKED));
        assert_eq!(resumed > 0, resumption == "on", "{resumed}");
        // The look before the run, and this one.
        let page = ask_openssl(&openssl, peer.port);
        assert_eq!(
            figure(&page, "server accepts that finished"),
            ASKED + 2,
            "{page}"
        );
        let hits = figure(&page, "session cache hits");
        assert!((resumed..=resumed + 1).contains(&hits), "{resumed}: {page}");
    }
}

/// The page that `s_server -www` gives of itself.
fn ask_openssl(openssl: &Path, port: u16) -> String {
    let mut command = Command::new(openssl);
    command.args([
        "s_client",
        "-quiet",
        "-connect",
        &format!("127.0.0.1:{port}"),
    ]);
    let mut client = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = client.stdin.take().unwrap();
    input.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let output = client.wait_with_output().unwrap();
    drop(input);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The number before these words.
fn figure(page: &str, words: &str) -> u64 {
    let line = page.lines().find(|line| line.contains(words));
    let line = line.unwrap_or_else(|| panic!("{words}: {page}"));
    line.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn a_head_over_max_headers_is_a_failure_that_says_so() {
    for (target, options) in [
        (Scripted::http1(), "--http 1"),
        (Scripted::http2(MANNER), "--http 2"),
    ] {
        let config = "kind = \"headers\", of = \"x\"";
        let taken = played(&target.url, config, options);
        assert_eq!((taken.sent(), taken.errors()), (ASKED, 0), "{options}");
        let over = played(
            &target.url,
            config,
            &format!("{options} --max-headers 16KiB"),
        );
        assert_eq!(
            (over.sent(), over.failed("headers")),
            (ASKED, ASKED),
            "{options}"
        );
        let causes = over.causes("headers");
        assert!(
            causes
                .iter()
                .all(|(cause, _)| cause.contains("--max-headers")),
            "{causes:?}"
        );
        over.adds_up();
        assert_eq!(target.requests("/headers/x"), 2 * ASKED, "{options}");
    }
}

#[test]
fn paths_leave_as_asked_and_what_a_base_url_encloses_is_not_left() {
    let raw = r"/a/../%2e%2E/b\c//?d=..&e=%5c";
    let target = Scripted::http1();
    let plan = plan("raw = true");
    let path = plan.path().display().to_string();
    let got = RunOf::fine(&target.url, &format!("--plan {path}"));
    assert_eq!((got.sent(), target.requests(raw)), (ASKED, ASKED));
    let routes = got.summary["routes"].as_array().unwrap();
    assert_eq!(routes.len(), 1, "{routes:?}");
    let module = example("asks").display().to_string();
    let rehearsed = vespeiro(&["rehearse", &module, "--config", "{\"raw\": true}"]).fine();
    assert!(rehearsed.stdout.contains(raw), "{rehearsed:?}");

    let prefixed = format!("{}/api", target.url);
    let refused = RunOf::start(&prefixed, &format!("--plan {path} --duration 2s")).played();
    assert_eq!((refused.sent(), target.requests(raw)), (0, ASKED));
    let why = r#"would leave "/api", which the base URL ends with"#;
    assert!(refused.ended.stderr.contains(why), "{:?}", refused.ended);
}

#[test]
fn the_bytes_of_a_header_survive_both_ways() {
    // Latin-1, text beyond it, and UTF-8 whose bytes are written as characters.
    for value in ["J\u{fc}rgen", "5 \u{20ac}", "J\u{c3}\u{bc}rgen"] {
        for (target, options) in [
            (Scripted::http1(), "--http 1"),
            (Scripted::http2(MANNER), "--http 2"),
        ] {
            let config = format!(
                "kind = \"echo\", of = \"x\", echo = \"X-Name\", headers = {{ \"X-Name\" = \"{value}\" }}"
            );
            let played = played(&target.url, &config, options);
            assert_eq!(played.errors(), 0, "{value} {options}");
            // As bytes they are another text, which the answer has too, and it is read as UTF-8.
            let echoes = if value.contains('\u{c3}') {
                (0, ASKED)
            } else {
                (ASKED, 0)
            };
            assert_eq!(played.check("echoed"), echoes, "{value} {options}");
        }
    }
}

#[test]
fn headers_of_a_behavior_win_but_for_those_that_frame_a_message() {
    let target = Counting::start();
    let config = "kind = \"a\", of = \"b\", headers = { Host = \"other.test:81\", User-Agent = \"browser/1\", X-A = \"own\" }";
    let played = played(
        &target.url,
        config,
        "--header=X-A:plan --user-agent plan/1 --host-header plan.test",
    );
    assert_eq!((played.sent(), played.errors()), (ASKED, 0));
    let heard = target.heard();
    let heads = heard.iter().flat_map(|one| &one.heads);
    let own: Vec<_> = heads
        .filter(|head| head[0].starts_with("get /a/b"))
        .collect();
    assert_eq!(own.len() as u64, ASKED);
    for head in own {
        for (name, value) in [
            ("host", "other.test:81"),
            ("user-agent", "browser/1"),
            ("x-a", "own"),
        ] {
            let of: Vec<_> = head
                .iter()
                .filter(|l| l.starts_with(&format!("{name}:")))
                .collect();
            assert_eq!(of, [&format!("{name}: {value}")], "{head:?}");
        }
    }
}

#[test]
fn headers_that_frame_a_message_are_refused_and_nothing_asked_is_no_success() {
    let target = Scripted::http1();
    for name in [
        "TE",
        "Trailer",
        "Keep-Alive",
        "Proxy-Connection",
        "Connection",
        "Transfer-Encoding",
    ] {
        let config = format!("kind = \"a\", of = \"b\", headers = {{ {name} = \"x\" }}");
        let none = played(&target.url, &config, "--duration 1s");
        assert_eq!(none.sent(), 0, "{name}");
        assert_eq!(none.ended.code, Some(1), "{:?}", none.ended);
        let log = &none.ended.stderr;
        let refused = format!(
            r#"the header "{}" is the host's to set"#,
            name.to_lowercase()
        );
        assert!(log.contains(&refused), "{log}");
        assert!(log.contains("no request was sent: all"), "{log}");
        assert!(
            none.summary["total"]["success_share"].is_null(),
            "{}",
            none.summary["total"]
        );
        assert!(
            !none.ended.stdout.contains("100.0%, errors"),
            "{}",
            none.ended.stdout
        );
    }
    assert_eq!(target.requests("/a/b"), 0);
}

/// In a network with few local ports, each of which a closed connection keeps for a minute.
#[test]
fn a_machine_without_local_ports_is_its_own_failure() {
    let Some(unshare) = tool("unshare", "util-linux") else {
        return;
    };
    let permitted = Command::new(&unshare).args(["-rn", "true"]).status();
    if !permitted.is_ok_and(|status| status.success()) {
        eprintln!("*** SKIPPED: unshare -rn is not permitted: this test has shown nothing ***");
        return;
    }
    let folder = TempDir::new().unwrap();
    let summary = folder.path().join("summary.json");
    let binary = env!("CARGO_BIN_EXE_vespeiro");
    // The service says where it listens once it does.
    let script = format!(
        "ip link set lo up || exit 3; echo 60000 60009 > /proc/sys/net/ipv4/ip_local_port_range\n\
         {binary} serve --port 9000 --latency 300ms > {here}/serve 2>&1 & service=$!\n\
         until grep -q http {here}/serve; do sleep 0.05; done\n\
         {binary} run --no-panel --base-url http://127.0.0.1:9000 --cleanup=never --mix=off --error-mix=off \
         --archetype first={first} --users 40 --workers 1 --requests 120 --delay-min 0 --delay-max 0 \
         --guest-timeout 10s --backoff off --summary-json {summary} $1\n\
         code=$?; kill $service; exit $code",
        here = folder.path().display(),
        first = example("first").display(),
        summary = summary.display(),
    );
    for (options, fails) in [
        ("", true),
        (
            "--local-address 127.0.0.2,127.0.0.3,127.0.0.4,127.0.0.5,127.0.0.6",
            false,
        ),
    ] {
        let output = Command::new(&unshare)
            .args(["-rn", "sh", "-c", &script, "sh", options])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_ne!(output.status.code(), Some(3), "{said}");
        let summary: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(&summary).unwrap()).unwrap();
        let generator = summary["results"].as_array().unwrap().iter();
        let generator = generator
            .filter(|result| result["failure"] == "generator")
            .count();
        assert_eq!(generator == 1, fails, "{said}");
        assert_eq!(output.status.code(), Some(i32::from(fails)), "{said}");
        let told = said
            .matches("this machine is the limit, not the target: no local port is free")
            .count();
        assert_eq!(told, usize::from(fails), "{said}");
        assert!(!said.contains("circuit breaker"), "{said}");
    }
}
