//! A wrong set-up locks no account: logins that the target refuses come to an end by themselves, and the run says why.

use crate::support::{RunOf, Service, eventually, free_address, get, samples};

#[test]
fn a_wrong_admin_password_is_tried_a_few_times_and_no_more() {
    let (service, metrics) = (Service::start(), free_address());
    let run = RunOf::start(
        &service.url,
        &format!(
            "--archetype admin --users 40 --workers 2 --delay-min 0 --delay-max 1 \
             --admin-password wrong-1 --max-auth-failures 6 --metrics {metrics}"
        ),
    );
    eventually("the pause", || {
        run.process
            .stderr()
            .contains("logins are paused on 2")
            .then_some(())
    });
    // How many of those that are allowed, as long as they count.
    eventually("six of six on the metrics page", || {
        let page = get(&metrics, "/metrics").ok()?;
        let value = |name: &str, expected: &str| {
            let found = samples(&page, name);
            let found = found.iter().find(|s| s.label("expected") == expected);
            found.map(|sample| sample.value)
        };
        let lately = |expected| value("vespeiro_logins_refused_lately", expected);
        let bound = samples(&page, "vespeiro_logins_refused_bound");
        let all = (lately("false")?, lately("true")?, bound.first()?.value);
        (all == (6.0, 0.0, 6.0)).then_some(())
    });
    run.process.signal("TERM");
    let mut played = run.played();
    played.ended = played.ended.fine();
    let refused = ("POST".to_owned(), "/api/v1/auth/login".to_owned(), 401);
    assert_eq!(
        service.ledger(1).get(&refused),
        Some(&6),
        "{:?}",
        service.ledger(1)
    );
    assert_eq!(played.answered(), service.ledger(1));
    assert_eq!(played.summary["regard"]["refused_logins"], 6);
    assert_eq!(
        played.summary["regard"]["login_pauses"], 2,
        "one on each worker"
    );
    let text = &played.ended.stdout;
    assert!(text.contains("WARNING: logins were paused"), "{text}");
    // Those who wait for it ended at once, and nobody counts as having given up before.
    played.adds_up();
}

#[test]
fn wrong_passwords_on_purpose_pause_nothing() {
    let service = Service::start();
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal");
    let ended = crate::support::vespeiro(&[
        "run",
        "--no-panel",
        "--base-url",
        &service.url,
        "--cleanup=never",
        "--journal",
        journal.to_str().unwrap(),
        "--users",
        "10",
        "--workers",
        "1",
        "--delay-min",
        "0",
        "--delay-max",
        "1",
        "--min-request-count",
        "150",
        "--max-request-count",
        "150",
        "--error-mix",
        "success=60,client=40,server=0",
        "--max-auth-failures",
        "4",
    ])
    .fine();
    assert!(ended.stdout.contains("bad credentials"), "{}", ended.stdout);
    assert!(
        !ended.stderr.contains("logins are paused"),
        "{}",
        ended.stderr
    );
}

/// A token is renewed before it ends, before a logout too; and a session that ends with its user's requests was cut, and not
/// given up.
#[test]
fn tokens_are_renewed_before_they_expire_and_spent_budgets_cut() {
    let service = Service::with(&["--token-ttl", "5s"]);
    let played = RunOf::fine(
        &service.url,
        "--archetype newcomer --archetype active --archetype admin --archetype power --users 20 --workers 2 --seed 4 \
         --min-request-count 10 --max-request-count 60 --delay-min 50 --delay-max 500 --ramp-up 0 --guest-timeout 10s",
    );
    let answered = service.ledger(1);
    let of = |path: &str, good: bool| -> u64 {
        let these = answered
            .iter()
            .filter(|((_, route, status), _)| route.ends_with(path) && (*status < 400) == good);
        these.map(|(_, count)| *count).sum()
    };
    let refused: Vec<_> = answered.keys().filter(|key| key.2 == 401).collect();
    assert!(refused.is_empty(), "{refused:?}");
    assert!(of("/refresh", true) > 10, "{answered:?}");
    assert_eq!(of("/logout", false), 0, "{answered:?}");
    let ended = |how| -> u64 {
        let archetypes = played.archetypes();
        archetypes
            .iter()
            .map(|name| played.sessions(name, how))
            .sum()
    };
    assert!(ended("completed") > 20);
    assert_eq!(
        [ended("abandoned"), ended("failed"), ended("crashed")],
        [0; 3]
    );
}
