//! Archetypes with load profiles of their own play side by side in one run, each as exactly as it would alone.

use crate::support::{Played, RunOf, Service, eventually, example, get, samples, vespeiro};

/// A behavior that asks for one thing and rests.
fn first() -> String {
    example("first").display().to_string()
}

fn number(value: &serde_json::Value) -> u64 {
    value.as_u64().unwrap()
}

/// What the service had of a run is what the run says; the rest of its figures fit to that.
#[track_caller]
fn holds_against(played: &Played, service: &Service) {
    assert_eq!(played.answered(), service.ledger(1));
    assert_eq!(number(&played.summary["arrivals"]["dropped"]), 0);
    played.adds_up();
}

#[test]
fn a_rate_a_ramp_and_a_total_in_one_plan_are_each_what_they_say() {
    let service = Service::start();
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("plan.toml");
    let text = format!(
        "delay_min = 5\ndelay_max = 20\nworkers = 2\n\
         [[archetype]]\nname = \"steady\"\nmodule = {module:?}\nrate = \"50/s\"\nduration = \"3s\"\n\
         [[archetype]]\nname = \"ramp\"\nmodule = {module:?}\nmin_request_count = 1000000\nmax_request_count = 1000000\n\
         [[archetype.stage]]\nduration = \"1s\"\nusers = 6\n[[archetype.stage]]\nduration = \"5m\"\nusers = 6\n\
         [[archetype]]\nname = \"total\"\nmodule = \"builtin:active\"\nusers = 3\nrequests = 301\n",
        module = first()
    );
    std::fs::write(&plan, text).unwrap();
    let arguments = format!("--plan {} --metrics 127.0.0.1:0 --log info", plan.display());
    let run = RunOf::start(&service.url, &arguments);
    let page = run.authority("metrics at ");
    let of = |family: &str, archetype: &str| -> u64 {
        let page = get(&page, "/metrics").unwrap_or_default();
        let all = samples(&page, family);
        let own = all.iter().filter(|s| s.label("archetype") == archetype);
        own.map(|sample| sample.value as u64).sum()
    };
    eventually("all that is to be had of the three", || {
        (of("vespeiro_users_active", "ramp") == 6
            && of("vespeiro_requests_total", "steady") == 150
            && of("vespeiro_requests_total", "total") == 301)
            .then_some(())
    });
    assert_eq!(of("vespeiro_archetype_users_target", "ramp"), 6);
    eventually("the users of what is over to leave", || {
        let left = of("vespeiro_users_active", "steady") + of("vespeiro_users_active", "total");
        (left == 0).then_some(())
    });
    run.process.signal("INT");
    let played = run.played();
    assert_eq!(
        (played.sent_by("steady"), played.sent_by("total")),
        (150, 301)
    );
    assert_eq!(number(&played.summary["arrivals"]["due"]), 150);
    // Nobody spends a budget there: those who came are those who were wanted.
    assert_eq!(number(&played.archetype("ramp")["users"]), 6);
    assert_eq!(number(&played.archetype("total")["users"]), 3);
    assert_eq!(played.summary["run"]["profile"], "per-archetype");
    assert_eq!(played.archetype("steady")["profile"], "constant-rate");
    let said = &played.ended.stdout;
    assert!(
        said.contains("steady (first 0.1.0, constant-rate)"),
        "{said}"
    );
    holds_against(&played, &service);
}

#[test]
fn a_run_ends_when_all_of_its_profiles_have_ended() {
    let service = Service::start();
    let played = RunOf::fine(
        &service.url,
        &format!(
            "--archetype one={} --archetype active --archetype power --workers 2 --delay-min 1 --delay-max 5 \
             --rate one=40/s --duration one=1s --requests active=61 --users active=2 \
             --users 3 --min-request-count power=7 --max-request-count power=7",
            first()
        ),
    );
    let sent = ["one", "active", "power"].map(|name| played.sent_by(name));
    assert_eq!(sent, [40, 61, 3 * 7]);
    holds_against(&played, &service);
}

#[test]
fn an_archetype_that_does_not_play_has_no_profile() {
    let ended = vespeiro(&["run", "--rate", "pwoer=5/s"]).orderly();
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    let said = "rate (--rate): no archetype named \"pwoer\" plays; did you mean \"power\"?";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
}
