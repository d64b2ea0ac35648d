//! How the target is connected to: each setting against a real peer whose own counts say whether it was kept.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::{
    Certificates, Counting, Ended, Peer, Played, RunOf, Service, command, example,
};

/// A run in an environment of its own, to a good end.
fn plays_in(mut run: Command, url: &str, options: &str) {
    run.args(["run", "--no-panel", "--cleanup=never"])
        .args(["--mix=off", "--error-mix=off", "--base-url", url])
        .args(options.split_whitespace());
    let output = run.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// Someone who asks for `/health` and rests; `requests` in all.
fn asking(requests: u32, options: &str) -> String {
    format!(
        "--requests {requests} --delay-min 0 --delay-max 0 --guest-timeout 10s --request-timeout 30s \
         --archetype first={} {options}",
        example("first").display()
    )
}

/// Play all of them without a failure.
fn plays(url: &str, requests: u32, options: &str) -> Played {
    let played = RunOf::fine(url, &asking(requests, options));
    assert_eq!((played.sent(), played.errors()), (requests.into(), 0));
    played
}

/// What it says where it does not come to play.
fn refused(url: &str, options: &str) -> Ended {
    let arguments = format!("run --no-panel --base-url {url} {}", asking(10, options));
    let arguments: Vec<&str> = arguments.split_whitespace().collect();
    crate::support::vespeiro(&arguments).orderly()
}

/// The run's requests by connection, without the one before the run.
fn by_connection(target: &Counting) -> Vec<usize> {
    let mut counts: Vec<usize> = target.heard().iter().map(|one| one.heads.len()).collect();
    assert_eq!(
        counts.remove(0),
        1,
        "the preflight has a connection of its own"
    );
    counts
}

#[test]
fn connections_are_reused_unless_told_otherwise() {
    let target = Counting::start();
    plays(&target.url, 40, "--users 4 --workers 2");
    let counts = by_connection(&target);
    assert!(counts.len() <= 4, "{counts:?}");
    assert_eq!(counts.iter().sum::<usize>(), 40);

    let target = Counting::start();
    plays(&target.url, 40, "--users 4 --workers 2 --no-reuse");
    assert_eq!(by_connection(&target), [1; 40]);
}

#[test]
fn max_connections_bounds_the_open_ones_and_max_in_flight_the_requests() {
    let slow = Duration::from_millis(20);
    let target = Counting::with(slow, "");
    plays(
        &target.url,
        60,
        "--users 20 --workers 2 --max-connections 3",
    );
    assert!(
        (2..=3).contains(&target.most_open()),
        "{}",
        target.most_open()
    );

    let target = Counting::with(slow, "");
    plays(
        &target.url,
        60,
        "--users 20 --workers 2 --max-in-flight 5 --max-connections 0",
    );
    assert!(
        (2..=5).contains(&target.most_open()),
        "{}",
        target.most_open()
    );

    let few = refused(&target.url, "--workers 2 --max-connections 1");
    assert_eq!(few.code, Some(2));
    assert!(
        few.stderr
            .contains("max_connections (--max-connections): 2 workers need one each"),
        "{few:?}"
    );
}

#[test]
fn users_have_connections_of_their_own_where_told_so() {
    let target = Counting::start();
    let own = "--users 4 --workers 2 --profile user-budget --connections per-user";
    let options = asking(0, own).replace("--requests 0", "");
    let budget = "--min-request-count 10 --max-request-count 10";
    RunOf::fine(&target.url, &format!("{options} {budget}"));
    // One request at a time needs one connection, and no user takes another's.
    assert_eq!(by_connection(&target), [10; 4]);

    let target = Counting::start();
    RunOf::fine(
        &target.url,
        &format!("{options} {budget} --close-between-sessions"),
    );
    assert_eq!(by_connection(&target), [1; 40]);
}

#[test]
fn no_user_has_more_connections_of_its_own_than_told() {
    for (bound, each) in [
        ("", 6),
        ("--connections-per-user 2", 2),
        ("--connections-per-user 0", 8),
    ] {
        let target = Counting::with(Duration::from_millis(20), "");
        let plan = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
        let config = format!(
            "[[archetype]]\nname = \"asks\"\nmodule = \"{}\"\nconfig = {{ kind = \"a\", of = \"b\", together = 8 }}\n",
            example("asks").display()
        );
        std::fs::write(plan.path(), config).unwrap();
        let options = format!(
            "--plan {} --users 2 --workers 1 --min-request-count 16 --max-request-count 16 --delay-min 0 --delay-max 0 \
             --guest-timeout 10s --connections per-user {bound}",
            plan.path().display()
        );
        let played = RunOf::fine(&target.url, &options);
        assert_eq!((played.sent(), played.errors()), (32, 0), "{bound}");
        let counts = by_connection(&target);
        assert_eq!(
            (counts.len(), counts.iter().sum()),
            (2 * each, 32),
            "{bound}: {counts:?}"
        );
        assert_eq!(played.connections("opened"), 2 * each as u64, "{bound}");
    }
}

#[test]
fn unused_connections_are_closed_by_us_in_time() {
    for (idle, is_new_each_time) in [("20ms", true), ("30s", false)] {
        let target = Counting::start();
        let rests = "--users 1 --workers 1 --delay-min 300ms --delay-max 300ms";
        let options = asking(4, "").replace("--delay-min 0 --delay-max 0", rests);
        let played = RunOf::fine(&target.url, &format!("{options} --idle-timeout {idle}"));
        assert_eq!(played.sent(), 4);
        let counts = by_connection(&target);
        assert_eq!(counts.len() == 4, is_new_each_time, "{counts:?}");
        assert_eq!(counts.len() == 1, !is_new_each_time, "{counts:?}");
    }
}

#[test]
fn headers_reach_the_target_and_their_values_nobody_else() {
    let target = Counting::start();
    let played = plays(
        &target.url,
        5,
        "--users 1 --workers 1 --header=Authorization:hunter2 --header=X-Two:a;b --host-header example.test:81 \
         --user-agent me/7 --compressed=gzip,zstd --log debug",
    );
    let heard = target.heard();
    let heads: Vec<_> = heard.iter().flat_map(|one| &one.heads).collect();
    assert_eq!(heads.len(), 6);
    for head in heads {
        for line in [
            "authorization: hunter2",
            "x-two: a;b",
            "host: example.test:81",
            "user-agent: me/7",
            "accept-encoding: gzip, zstd",
        ] {
            assert_eq!(
                head.iter().filter(|l| *l == line).count(),
                1,
                "{line}: {head:?}"
            );
        }
    }
    let said = format!("{:?} {}", played.ended, played.summary);
    assert!(!said.contains("hunter2"), "{said}");
    for format in ["table", "toml", "json"] {
        let plan = Command::new(env!("CARGO_BIN_EXE_vespeiro"))
            .args([
                "plan",
                "--format",
                format,
                "--header",
                "Authorization: hunter2",
            ])
            .args(["--proxy", "http://joe:hunter2@127.0.0.1:1"])
            .output()
            .unwrap();
        assert!(plan.status.success(), "{plan:?}");
        assert!(!format!("{plan:?}").contains("hunter2"), "{plan:?}");
    }
}

#[test]
fn heads_of_answers_are_bounded_by_max_headers() {
    let many: String = (0..300)
        .map(|n| format!("x-{n}: {}\r\n", "v".repeat(200)))
        .collect();
    let target = Counting::with(Duration::ZERO, &many);
    plays(&target.url, 5, "--users 1 --workers 1");
    let over = refused(&target.url, "--users 1 --max-headers 16KiB");
    assert_eq!(over.code, Some(1), "{over:?}");
    assert!(over.stderr.contains("--max-headers"), "{over:?}");
}

#[test]
fn names_are_pinned_and_connections_come_from_where_they_are_told_to() {
    let target = Counting::start();
    let port = target.port();
    let url = format!("http://example.test:{port}");
    plays(
        &url,
        20,
        &format!(
            "--users 4 --workers 1 --no-reuse --resolve example.test:{port}:127.0.0.1 --dns-ttl 1s \
             --local-address 127.0.0.2,127.0.0.3"
        ),
    );
    let heard = target.heard();
    for address in ["127.0.0.2", "127.0.0.3"] {
        let from = |one: &&crate::support::Heard| one.from.unwrap().to_string() == address;
        let count = heard.iter().filter(from).count();
        assert!((9..=12).contains(&count), "{address}: {count}");
    }
    let host = format!("host: example.test:{port}");
    assert!(
        heard.iter().all(|one| one.heads[0].contains(&host)),
        "{heard:?}"
    );

    let foreign = refused(&target.url, "--local-address 192.0.2.1");
    assert_eq!(foreign.code, Some(2), "{foreign:?}");
    assert!(
        foreign.stderr.contains("--local-address 192.0.2.1"),
        "{foreign:?}"
    );
}

#[test]
fn strangers_are_refused_whichever_way_they_are_named() {
    let unheard = Counting::start();
    let proxy = format!("--proxy {}", unheard.url);
    for (url, options, mend) in [
        (
            "http://example.test",
            "--resolve example.test:80:127.0.0.1,192.0.2.1",
            "--allow-host example.test",
        ),
        ("http://192.0.2.1", &proxy, "--allow-host 192.0.2.1"),
        ("http://localhost:1", &proxy, "--allow-host localhost"),
        (
            "http://127.0.0.1:1",
            "--proxy socks5://192.0.2.1",
            "--allow-host 192.0.2.1",
        ),
    ] {
        let ended = refused(url, options);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(mend), "{ended:?}");
    }
    assert_eq!(unheard.requests(), 0);
}

#[test]
fn a_unix_socket_is_a_target_too() {
    let folder = TempDir::new().unwrap();
    let target = Counting::on_a_socket(&folder.path().join("x y.sock"));
    let arguments = asking(20, "--users 4 --workers 2");
    let mut all = vec![
        "run",
        "--no-panel",
        "--cleanup=never",
        "--base-url",
        &target.url,
    ];
    all.extend(["--mix=off", "--error-mix=off"]);
    all.extend(arguments.split_whitespace());
    crate::support::vespeiro(&all).fine();
    assert_eq!(target.requests(), 21);
    let heard = target.heard();
    assert!(
        heard
            .iter()
            .all(|one| one.heads[0].contains(&"host: localhost".to_owned()))
    );

    let none = refused("unix:/nowhere/x.sock", "");
    assert_eq!(none.code, Some(1));
    assert!(
        none.stderr
            .contains("there is no socket at /nowhere/x.sock"),
        "{none:?}"
    );
    let relative = refused("unix:x.sock", "");
    assert_eq!(relative.code, Some(2));
}

fn logged(folder: &Path) -> Vec<String> {
    let log = std::fs::read_to_string(folder.join("access.log")).unwrap();
    log.lines().map(str::to_owned).collect()
}

#[test]
fn tls_trusts_shows_who_we_are_and_resumes_as_told() {
    let folder = TempDir::new().unwrap();
    let here = folder.path().display().to_string();
    let certificates = Certificates::new(folder.path());
    certificates.issue("server.test");
    certificates.issue("client.test");
    let servers = format!(
        "server {{ listen 127.0.0.1:@PORT@ ssl; ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate {here}/server.test.pem; \
         ssl_certificate_key {here}/server.test.key; ssl_client_certificate {here}/ca.pem; ssl_verify_client on; \
         ssl_session_cache shared:x:1m; keepalive_requests 10000; location / {{ return 200 ok; }} }}"
    );
    let Some(nginx) = Peer::nginx(folder.path(), &servers) else {
        return;
    };
    let url = format!("https://127.0.0.1:{}", nginx.port);
    // nginx wants the name of the handshake in the Host header, where it asks for certificates.
    let trust = format!(
        "--users 2 --workers 1 --http 1 --ca-cert {here}/ca.pem --sni server.test --host-header server.test"
    );
    let us =
        format!("{trust} --client-cert {here}/client.test.pem --client-key {here}/client.test.key");

    plays(&url, 20, &us);
    let lines = logged(folder.path());
    assert_eq!(lines.len(), 21);
    assert!(
        lines
            .iter()
            .all(|line| line.ends_with("CN=client.test TLSv1.3 200")),
        "{lines:?}"
    );

    // As the variable that others know has it.
    let mut run = command(env!("CARGO_BIN_EXE_vespeiro"));
    run.env("SSL_CERT_FILE", folder.path().join("ca.pem"));
    let options = asking(20, &us).replace(&format!("--ca-cert {here}/ca.pem"), "");
    plays_in(run, &url, &options);
    assert_eq!(logged(folder.path()).len(), 2 * 21);

    // With a connection for each request, sessions go on where they may.
    for (resumption, resumes) in [("on", true), ("off", false)] {
        let before = logged(folder.path()).len();
        plays(
            &url,
            20,
            &format!("{us} --no-reuse --tls-max 1.2 --tls-resumption {resumption}"),
        );
        let lines = logged(folder.path()).split_off(before);
        assert_eq!(lines.len(), 21);
        assert!(
            lines
                .iter()
                .all(|line| line.ends_with("CN=client.test TLSv1.2 200")),
            "{lines:?}"
        );
        let resumed = lines.iter().filter(|line| line.contains(" r ")).count();
        assert_eq!(resumed > 10, resumes, "{lines:?}");
        assert_eq!(resumed == 0, !resumes, "{lines:?}");
    }

    let before = logged(folder.path()).len();
    let plain = "--users 1 --http 1 --sni server.test";
    for (options, code, why) in [
        (plain.to_owned(), 1, "--ca-cert"),
        (
            format!("--users 1 --http 1 --ca-cert {here}/ca.pem"),
            1,
            "server.test",
        ),
        (
            format!("{plain} --ca-cert {here}/none.pem"),
            2,
            "none.pem cannot be read",
        ),
        (
            format!("{trust} --client-cert {here}/client.test.pem"),
            2,
            "give --client-key",
        ),
        (format!("{trust} --tls-min 1.3 --tls-max 1.2"), 2, "tls_min"),
    ] {
        let ended = refused(&url, &options);
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.stderr.contains(why), "{why}: {ended:?}");
    }
    assert_eq!(logged(folder.path()).len(), before);
}

#[test]
fn an_archetype_shows_a_certificate_of_its_own() {
    let folder = TempDir::new().unwrap();
    let here = folder.path().display().to_string();
    let certificates = Certificates::new(folder.path());
    for name in ["server.test", "run.test", "clerk.test"] {
        certificates.issue(name);
    }
    let servers = format!(
        "server {{ listen 127.0.0.1:@PORT@ ssl; ssl_certificate {here}/server.test.pem; ssl_certificate_key {here}/server.test.key; \
         ssl_client_certificate {here}/ca.pem; ssl_verify_client on; location / {{ return 200 ok; }} }}"
    );
    let Some(nginx) = Peer::nginx(folder.path(), &servers) else {
        return;
    };
    let url = format!("https://127.0.0.1:{}", nginx.port);
    let identity = |whose: &str, name: &str| {
        format!("--client-cert {whose}{here}/{name}.pem --client-key {whose}{here}/{name}.key")
    };
    let first = example("first").display().to_string();
    for sharing in ["shared", "per-user"] {
        let _ = std::fs::write(folder.path().join("access.log"), "");
        let options = format!(
            "--users 4 --workers 1 --delay-min 0 --delay-max 0 --guest-timeout 10s --min-request-count 10 --max-request-count 10 \
             --http 1 --ca-cert {here}/ca.pem --sni server.test --host-header server.test --connections {sharing} \
             --archetype anyone={first} --archetype clerk={first} {} {}",
            identity("", "run.test"),
            identity("clerk=", "clerk.test"),
        );
        let played = RunOf::fine(&url, &options);
        assert_eq!((played.sent(), played.errors()), (40, 0));
        let lines = logged(folder.path());
        let seen = |name: &str| {
            let of = lines
                .iter()
                .filter(|line| line.contains(&format!("CN={name} ")));
            of.count() as u64
        };
        // The look before the run is done as the first archetype's users do.
        assert_eq!(seen("run.test"), played.sent_by("anyone") + 1, "{lines:?}");
        assert_eq!(seen("clerk.test"), played.sent_by("clerk"), "{lines:?}");
        assert!(played.sent_by("clerk") > 0);
        // One connection is never two people's.
        let mut owners = std::collections::BTreeMap::new();
        for line in &lines {
            let (connection, rest) = line.split_once(' ').unwrap();
            let owner = owners.entry(connection).or_insert(rest.contains("clerk"));
            assert_eq!(*owner, rest.contains("clerk"), "{lines:?}");
        }
    }
    let half = refused(&url, &format!("--client-cert first={here}/run.test.pem"));
    assert_eq!(half.code, Some(2), "{half:?}");
    let why = "archetype.first.client_cert (--client-cert): it goes with client_key";
    assert!(half.stderr.contains(why), "{half:?}");
}

#[test]
fn a_socks5_proxy_leads_to_the_target() {
    let target = Counting::start();
    let Some(proxy) = Peer::microsocks(&["-u", "joe", "-P", "hunter2", "-b", "127.0.0.4"]) else {
        return;
    };
    let at = format!("127.0.0.1:{}", proxy.port);
    let played = plays(
        &target.url,
        20,
        &format!("--users 4 --workers 1 --proxy socks5://joe:hunter2@{at}"),
    );
    let heard = target.heard();
    assert!(
        heard
            .iter()
            .all(|one| one.from.unwrap().to_string() == "127.0.0.4"),
        "{heard:?}"
    );
    assert_eq!(target.requests(), 21);
    let said = format!("{:?} {}", played.ended, played.summary);
    assert!(!said.contains("hunter2"), "{said}");

    let wrong = refused(&target.url, &format!("--proxy socks5://joe:hunter3@{at}"));
    assert_eq!(wrong.code, Some(1));
    assert!(
        wrong.stderr.contains("does not take this user") && !wrong.stderr.contains("hunter3"),
        "{wrong:?}"
    );
}

#[test]
fn no_proxy_is_taken_from_the_environment() {
    let (target, unheard) = (Counting::start(), Counting::start());
    let mut run = command(env!("CARGO_BIN_EXE_vespeiro"));
    for name in [
        "http_proxy",
        "HTTP_PROXY",
        "https_proxy",
        "all_proxy",
        "ALL_PROXY",
    ] {
        run.env(name, &unheard.url);
    }
    plays_in(run, &target.url, &asking(20, "--users 2 --workers 1"));
    assert_eq!((target.requests(), unheard.most_open()), (21, 0));
}

#[test]
fn an_http_proxy_connects_to_the_target() {
    let folder = TempDir::new().unwrap();
    let target = Counting::start();
    let Some(proxy) = Peer::tinyproxy(folder.path(), "BasicAuth joe hunter2") else {
        return;
    };
    let at = format!("127.0.0.1:{}", proxy.port);
    plays(
        &target.url,
        20,
        &format!("--users 3 --workers 1 --no-reuse --proxy http://joe:hunter2@{at}"),
    );
    assert_eq!(target.requests(), 21);
    let log = std::fs::read_to_string(folder.path().join("tinyproxy.log")).unwrap();
    assert_eq!(log.matches("CONNECT 127.0.0.1:").count(), 21, "{log}");

    let missing = refused(&target.url, &format!("--proxy http://{at}"));
    assert_eq!(missing.code, Some(1));
    assert!(
        missing.stderr.contains("demands a user and a password"),
        "{missing:?}"
    );
}

/// A run of so many requests by 100 users within a limit of the shell: how it ended, and what it said.
fn limited(ulimit: &str, url: &str, requests: u32) -> (Option<i32>, String) {
    let arguments = format!(
        "{ulimit}; exec {} run --no-panel --base-url {url} --cleanup=never --mix=off --error-mix=off {}",
        env!("CARGO_BIN_EXE_vespeiro"),
        asking(requests, "--users 100 --workers 1")
    );
    let output = Command::new("sh")
        .args(["-c", &arguments])
        .env_clear()
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), said)
}

#[test]
fn what_this_machine_ran_out_of_is_told_and_fails_the_run() {
    let target = Service::with(&["--latency", "200ms"]);
    let (code, said) = limited("ulimit -n 60", &target.url, 400);
    assert_eq!(code, Some(1), "{said}");
    assert_eq!(
        said.matches("this machine is the limit, not the target")
            .count(),
        1,
        "{said}"
    );
    assert!(said.contains("the limit is 60 (ulimit -n)"), "{said}");
    assert!(said.contains("failures of the kind generator"), "{said}");
    assert!(!said.contains("circuit breaker"), "{said}");
}

#[test]
fn the_soft_limit_of_open_files_is_raised() {
    let target = Counting::with(Duration::from_millis(50), "");
    let (code, said) = limited("ulimit -Sn 60", &target.url, 300);
    assert_eq!(code, Some(0), "{said}");
    assert!(target.most_open() > 60, "{}", target.most_open());
}
