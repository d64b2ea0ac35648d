//! The live page steers a real run: what a person did in the browser is what the run and the service counted.

use super::Chromium;
use super::support::{RunOf, Service, example};

#[test]
fn a_person_watches_a_run_swaps_a_behavior_and_stops_it() {
    let Some(chromium) = Chromium::ready() else {
        return;
    };
    let service = Service::start();
    let module = example("first");
    let run = RunOf::start(
        &service.url,
        &format!(
            "--ui 127.0.0.1:0 --workers 2 --users 10 --delay-min 10ms --delay-max 50ms --no-watch \
             --min-request-count 10000000 --max-request-count 10000000 --archetype mine={}",
            module.display()
        ),
    );
    let page = format!("http://{}", run.authority("ui: "));
    chromium.run(
        "live.check.mjs",
        &[
            ("VESPEIRO_PAGE", &page),
            ("VESPEIRO_MODULE", example("rounds").to_str().unwrap()),
        ],
    );
    let mut played = run.played();
    played.ended = played.ended.fine();
    assert_eq!(played.answered(), service.ledger(1));
    let swaps = &played.summary["swaps"][0];
    assert_eq!(
        (&swaps["published"], &swaps["refused"]),
        (&2.into(), &1.into())
    );
    assert_eq!(played.summary["versions"].as_array().unwrap().len(), 2);
}

/// Copied to `host/docs/images/live-page.png` where the page has changed; a release build has figures to be proud of.
#[test]
fn the_picture_of_the_readme_can_be_taken() {
    let Some(chromium) = Chromium::ready() else {
        return;
    };
    let service = Service::start();
    let run = RunOf::start(
        &service.url,
        "--ui 127.0.0.1:0 --users 60 --duration 5m --ramp-up 8s --delay-min 50ms --delay-max 600ms --preset mixed",
    );
    let page = format!("http://{}", run.authority("ui: "));
    chromium.run("readme.mjs", &[("VESPEIRO_PAGE", &page)]);
    run.process.signal("TERM");
    let played = run.played();
    assert!(played.answered().values().sum::<u64>() > 800);
}
