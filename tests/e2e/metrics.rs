//! `--metrics` serves the run to Prometheus while it goes on.

use std::net::TcpListener;

use crate::support::{RunOf, Service, eventually, get, samples};

#[test]
fn a_scrape_during_the_run_shows_it() {
    let service = Service::with(&["--latency", "5ms"]);
    // Free a moment ago; nothing tells the port when the run picks it.
    let address = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let run = RunOf::start(
        &service.url,
        &format!(
            "--metrics {address} --users 20 --min-request-count 100000 --max-request-count 100000 \
             --delay-min 1 --delay-max 20"
        ),
    );
    let page = eventually("requests on the metrics page", || {
        let page = get(&address, "/metrics").ok()?;
        let counted: f64 = samples(&page, "vespeiro_requests_total")
            .iter()
            .map(|sample| sample.value)
            .sum();
        (counted > 100.0).then_some(page)
    });
    let requests = samples(&page, "vespeiro_requests_total");
    for archetype in ["newcomer", "active", "admin", "power"] {
        let shown = requests.iter().any(|s| s.label("archetype") == archetype);
        assert!(shown, "{archetype}: {page}");
    }
    let active: f64 = samples(&page, "vespeiro_users_active")
        .iter()
        .map(|sample| sample.value)
        .sum();
    assert_eq!(active, 20.0);
    let timed = samples(&page, "vespeiro_request_duration_seconds_count");
    assert_eq!(
        timed.iter().map(|s| s.value).sum::<f64>(),
        requests.iter().map(|s| s.value).sum::<f64>()
    );
    assert!(page.contains("# HELP vespeiro_requests_total "), "{page}");

    run.process.signal("INT");
    let played = run.played();
    assert_eq!(played.ended.code, Some(0), "{}", played.ended.stderr);
    assert_eq!(played.answered(), service.ledger(1));
    assert!(
        get(&address, "/metrics").is_err(),
        "nothing is left running"
    );
}
