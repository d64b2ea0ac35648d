//! A run ends itself when its target is in distress, and is held to thresholds: exit codes 3 and 99, and results that
//! say why.

use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    Fickle, Played, RunOf, Service, eventually, example, free_address, get, samples, vespeiro,
};

/// People who ask for one thing over and over, without an end.
fn restless(options: &str) -> String {
    many(20, options)
}

fn many(users: u32, options: &str) -> String {
    format!(
        "--users {users} --min-request-count 1000000 --max-request-count 1000000 --delay-min 5 --delay-max 20 \
         --guest-timeout 10s --archetype first={} {options}",
        example("first").display()
    )
}

/// Play until the target has been well for a while, let it fail, and wait for what the run makes of it.
fn until_it_fails(options: &str) -> Played {
    until(&restless(options), Fickle::fail)
}

fn until(options: &str, change: fn(&Fickle)) -> Played {
    let target = Fickle::start();
    let mut run = RunOf::start(&target.url, options);
    eventually("a beginning that is well", || {
        let ended = run.process.has_ended();
        assert!(
            ended.is_none(),
            "it ended too soon: {}",
            run.process.stderr()
        );
        // Well past the windows below, however slow the machine.
        run.process
            .stderr()
            .contains("requests")
            .then(|| target.answered() > 500)
            .filter(|enough| *enough)
    });
    change(&target);
    run.played()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap()
}

#[test]
fn a_failing_target_stops_the_run_with_code_3() {
    let played = until_it_fails("--abort-on max>10m:1s --abort-on error_rate>50%:2s");
    assert_eq!(played.ended.code, Some(3), "{}", played.ended.stderr);
    let aborted = &played.summary["aborted"];
    assert_eq!(text(aborted, "cause"), "abort-on");
    assert_eq!(text(aborted, "condition"), "error_rate>50%:2s");
    assert!(aborted["achieved"].as_f64().unwrap() > 0.5);
    let said = "ABORTED         abort-on error_rate>50%:2s, error_rate ";
    assert!(
        played.ended.stdout.contains(said),
        "{}",
        played.ended.stdout
    );
    let logged = "stopped by its own guard: abort_on error_rate>50%:2s: error_rate was ";
    assert!(
        played.ended.stderr.contains(logged),
        "{}",
        played.ended.stderr
    );
    played.adds_up();
}

#[test]
fn a_target_that_was_better_at_the_beginning_stops_the_run() {
    let played = until_it_fails("--degradation 3:2s");
    assert_eq!(played.ended.code, Some(3), "{}", played.ended.stderr);
    let aborted = &played.summary["aborted"];
    assert_eq!(text(aborted, "cause"), "degradation");
    assert_eq!(text(aborted, "condition"), "error_rate>15%:1s");
    assert_eq!(aborted["baseline"].as_f64(), Some(0.0));
}

#[test]
fn a_target_that_was_quicker_at_the_beginning_stops_the_run() {
    let slow = |target: &Fickle| target.slow_down(Duration::from_millis(1500));
    // Enough of them that some seconds tell something, however late each answer is.
    let played = until(&many(150, "--degradation 3:4s"), slow);
    assert_eq!(played.ended.code, Some(3), "{}", played.ended.stderr);
    let aborted = &played.summary["aborted"];
    assert_eq!(text(aborted, "cause"), "degradation");
    let condition = text(aborted, "condition");
    assert!(condition.starts_with("p95>"), "{condition}");
    let seconds = |key: &str| aborted[key].as_f64().unwrap();
    assert!(seconds("achieved") > 1.0, "{aborted}");
    assert!(seconds("achieved") > 3.0 * seconds("baseline"), "{aborted}");
    assert_eq!(played.errors(), 0);
}

#[test]
fn how_the_target_does_against_the_beginning_is_told() {
    let (target, metrics) = (Fickle::start(), free_address());
    let options = many(60, &format!("--degradation 1000:2s --metrics {metrics}"));
    let run = RunOf::start(&target.url, &options);
    let gauge = |name: &str| {
        let page = get(&metrics, "/metrics").ok()?;
        let found = samples(&page, name);
        found.first().map(|sample| sample.value)
    };
    let beginning = eventually("a beginning that is known", || {
        gauge("vespeiro_latency_degradation")
    });
    target.slow_down(Duration::from_millis(400));
    let slower = eventually("a target that is slower", || {
        let now = gauge("vespeiro_latency_degradation")?;
        (now > 2.0 && now > 2.0 * beginning).then_some(now)
    });
    assert!(slower.is_finite());
    // Where nothing works any more, no factor keeps the run going.
    target.fail();
    let played = run.played();
    assert_eq!(played.ended.code, Some(3), "{}", played.ended.stderr);
    let told = &played.summary["degradation"];
    let number = |key: &str| told[key].as_f64().unwrap();
    // What the target itself has waited.
    assert!(number("p95_seconds") >= 0.4, "{told}");
    let times = number("p95_seconds") / number("p95_seconds_at_first");
    assert!((number("latency") / times - 1.0).abs() < 1e-9 && times > 2.0);
    assert_eq!(number("error_rate_at_first"), 0.0, "{told}");
    assert!(number("errors") > 0.5, "{told}");
    let line = played.ended.stdout.lines();
    let mut line = line.filter(|line| line.starts_with("degradation "));
    let line = line
        .next()
        .unwrap_or_else(|| panic!("{}", played.ended.stdout));
    assert!(
        line.contains("p95 ") && line.contains("unplanned errors +"),
        "{line}"
    );
}

#[test]
fn a_run_that_stops_itself_still_cleans_up() {
    let service = Service::start();
    let folder = TempDir::new().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (journal, summary) = (file("run.journal"), file("summary.json"));
    let budget = ["--min-request-count=100000", "--max-request-count=100000"];
    let ended = vespeiro(
        &[
            &[
                "run",
                "--no-panel",
                "--base-url",
                &service.url,
                "--journal",
                &journal,
            ][..],
            &[
                "--summary-json",
                &summary,
                "--users",
                "10",
                "--guest-timeout",
                "10s",
            ],
            &[
                "--delay-min",
                "5",
                "--delay-max",
                "20",
                "--abort-on",
                "requests>50:1s",
            ],
            &budget,
        ]
        .concat(),
    )
    .orderly();
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    let summary = std::fs::read_to_string(summary).unwrap();
    let cleanup = serde_json::from_str::<Value>(&summary).unwrap()["cleanup"].clone();
    assert!(cleanup["removed"].as_u64() > Some(0), "{cleanup}");
    assert_eq!(cleanup["left"].as_u64(), Some(0));
    assert!(!std::path::Path::new(&journal).exists());
}

#[test]
fn a_run_that_stops_itself_is_no_success_to_clean_up_after() {
    let service = Service::start();
    let folder = TempDir::new().unwrap();
    let journal = folder.path().join("run.journal");
    let play = |requests: &str, guard: &[&str]| {
        let run = [
            "run",
            "--no-panel",
            "--base-url",
            &service.url,
            "--journal",
            journal.to_str().unwrap(),
            "--users=5",
            "--guest-timeout=10s",
            "--delay-min=5",
            "--delay-max=20",
            "--cleanup=on-success",
            "--min-request-count",
            requests,
            "--max-request-count",
            requests,
        ];
        vespeiro(&[&run[..], guard].concat()).orderly().code
    };
    assert_eq!(play("100000", &["--abort-on", "requests>50:1s"]), Some(3));
    assert!(journal.exists());
    let left = vespeiro(&["cleanup", journal.to_str().unwrap()]).fine();
    assert!(left.stdout.contains(" 0 left"), "{}", left.stdout);
    assert_eq!(play("20", &[]), Some(0));
    assert!(!journal.exists());
}

#[test]
fn crossed_thresholds_are_code_99_and_stand_in_every_result() {
    let service = Service::start();
    let folder = TempDir::new().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (junit, rows) = (file("junit.xml"), file("rows.csv"));
    let run = RunOf::start(
        &service.url,
        &format!(
            "--users 10 --duration 3s --delay-min 5 --delay-max 20 --guest-timeout 10s --junit {junit} \
             --timeseries {rows} --threshold p95{{archetype=admin}}<1us --threshold requests>5 \
             --threshold error_rate<=100%:1s"
        ),
    );
    let played = run.played();
    assert_eq!(played.ended.code, Some(99), "{}", played.ended.stderr);
    let thresholds = played.summary["thresholds"].as_array().unwrap();
    let states: Vec<&str> = thresholds.iter().map(|t| text(t, "state")).collect();
    assert_eq!(states, ["crossed", "ok", "ok"]);
    let line = |start: &str| {
        let found = played
            .ended
            .stdout
            .lines()
            .find(|line| line.starts_with(start));
        found
            .unwrap_or_else(|| panic!("{}", played.ended.stdout))
            .to_owned()
    };
    assert!(line("p95{archetype=admin}<1us ").ends_with("CROSSED"));
    assert!(line("requests>5 ").ends_with("ok"));

    let junit = std::fs::read_to_string(junit).unwrap();
    assert!(junit.contains(
        "<testsuite name=\"thresholds\" tests=\"3\" skipped=\"0\" errors=\"0\" failures=\"1\""
    ));
    assert!(junit.contains("classname=\"newcomer\""), "checks: {junit}");

    // Nothing is lost: the rows add up to the summary.
    let rows = std::fs::read_to_string(rows).unwrap();
    let mut lines = rows.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let at = |name: &str| names.iter().position(|n| *n == name).unwrap();
    let lines: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    let sum = |name: &str| -> u64 {
        let column = lines
            .iter()
            .map(|line| line[at(name)].parse::<u64>().unwrap());
        column.sum()
    };
    assert!(lines.len() >= 3, "{rows}");
    assert_eq!(sum("requests"), played.sent());
    assert_eq!(sum("errors"), played.errors());
    let received = played.summary["total"]["bytes_received"].as_u64();
    assert_eq!(Some(sum("received_bytes")), received);
    assert!(lines.iter().all(|line| line.len() == names.len()));
}

#[test]
fn a_threshold_may_stop_the_run() {
    let target = Fickle::start();
    let folder = TempDir::new().unwrap();
    let plan = folder.path().join("plan.toml");
    std::fs::write(
        &plan,
        "[thresholds]\nrate = \">=1000000/s:1s abort\"\nerror_rate = [\"<1%\", \"<2%:5s\"]\n",
    )
    .unwrap();
    let options = format!("--lang pt-BR --plan {}", plan.display());
    let played = RunOf::start(&target.url, &restless(&options)).played();
    assert_eq!(played.ended.code, Some(99), "{}", played.ended.stderr);
    assert_eq!(text(&played.summary["aborted"], "cause"), "threshold");
    let said = &played.ended.stdout;
    assert!(
        said.contains("ABORTADA        limiar rate>=1000000/s:1s"),
        "{said}"
    );
    assert!(said.contains("VIOLADO"), "{said}");
}

#[test]
fn a_threshold_that_never_had_data_warns_and_fails_where_it_has_to_be_judged() {
    let target = Fickle::start();
    target.fail();
    let folder = TempDir::new().unwrap();
    let junit = folder.path().join("junit.xml");
    let play = |more: &str| {
        // Every answer is a 500, so that no check is ever made.
        let options = format!(
            "--users 5 --duration 1s --breaker off --delay-min 5 --delay-max 20 --guest-timeout 10s --threshold checks>99% \
             --threshold requests>0 {more}"
        );
        RunOf::start(&target.url, &options).played()
    };
    let warned = "WARNING: never judged, since there was no data: checks>99%";
    let lenient = play("");
    assert_eq!(lenient.ended.code, Some(0), "{}", lenient.ended.stderr);
    assert!(
        lenient.ended.stdout.contains(warned),
        "{}",
        lenient.ended.stdout
    );
    for strict in [
        "--thresholds strict",
        &format!("--junit {}", junit.display()),
    ] {
        let played = play(strict);
        assert_eq!(
            played.ended.code,
            Some(99),
            "{strict}: {}",
            played.ended.stderr
        );
        assert!(
            played.ended.stdout.contains(warned),
            "{}",
            played.ended.stdout
        );
        assert_eq!(text(&played.summary["thresholds"][0], "state"), "no-data");
        assert_eq!(played.summary["thresholds"][0]["strict"], true);
    }
    let cases = std::fs::read_to_string(&junit).unwrap();
    let counts =
        "<testsuite name=\"thresholds\" tests=\"2\" skipped=\"0\" errors=\"0\" failures=\"1\"";
    assert!(cases.contains(counts), "{cases}");
    let lenient = play(&format!("--junit {} --thresholds lenient", junit.display()));
    assert_eq!(lenient.ended.code, Some(0), "{}", lenient.ended.stderr);
    let cases = std::fs::read_to_string(&junit).unwrap();
    let counts =
        "<testsuite name=\"thresholds\" tests=\"2\" skipped=\"1\" errors=\"0\" failures=\"0\"";
    assert!(cases.contains(counts), "{cases}");
}

#[test]
fn sessions_that_fail_are_a_condition_a_test_case_and_a_warning() {
    let service = Service::start();
    let folder = TempDir::new().unwrap();
    let (plan, junit) = (
        folder.path().join("plan.toml"),
        folder.path().join("junit.xml"),
    );
    let module = example("misbehaving");
    // The host refuses its batches of more than 256 requests: 43 sessions fail, and one is cut.
    let lines = format!(
        "users = 1\nmin_request_count = 300\nmax_request_count = 300\ndelay_min = 0\ndelay_max = 1\n\
         threshold = [\"failed_sessions<1%\", \"completed_sessions>90%\", \"crashed_sessions<1%\"]\nthresholds = \"lenient\"\n\
         [[archetype]]\nname = \"mine\"\nmodule = \"{}\"\nconfig = {{ mode = \"huge-batch\", after = 1 }}\n",
        module.display()
    );
    std::fs::write(&plan, lines).unwrap();
    let options = format!("--plan {} --junit {}", plan.display(), junit.display());
    let played = RunOf::start(&service.url, &options).played();
    assert_eq!(played.ended.code, Some(99), "{}", played.ended.stderr);
    assert_eq!(played.sessions("mine", "failed"), 43);
    let thresholds = played.summary["thresholds"].as_array().unwrap();
    let states: Vec<&str> = thresholds.iter().map(|t| text(t, "state")).collect();
    assert_eq!(states, ["crossed", "crossed", "ok"]);
    let said =
        "WARNING: 43 sessions failed and 0 crashed, 100.0% of those that ended by themselves";
    assert!(
        played.ended.stdout.contains(said),
        "{}",
        played.ended.stdout
    );
    let cases = std::fs::read_to_string(&junit).unwrap();
    let suite =
        "<testsuite name=\"sessions\" tests=\"1\" skipped=\"0\" errors=\"0\" failures=\"1\"";
    assert!(cases.contains(suite), "{cases}");
}

#[test]
fn a_stage_has_figures_of_its_own_and_conditions_about_it() {
    let service = Service::start();
    let options = format!(
        "--archetype first={} --rate 20/s --stage 2s:20/s --stage 0s:60/s --stage 2s:60/s \
         --threshold rate{{stage=1}}<30/s --threshold rate{{stage=3}}>40/s --threshold requests{{stage=3,status!=5xx}}>60 \
         --threshold requests{{stage=1}}>60",
        example("first").display()
    );
    for (more, says) in [
        ("rate{route=/nowhere*}>1/s", "requests that nobody makes"),
        ("p95{stage=2}<1s", "a stage that never plays"),
        ("p95{stage=4}<1s", "a stage that never plays"),
    ] {
        let run = RunOf::start(&service.url, &format!("{options} --threshold {more}"));
        let bad = run.process.ended().orderly();
        assert_eq!(bad.code, Some(2), "{}", bad.stderr);
        assert!(bad.stderr.contains(says), "{}", bad.stderr);
    }
    let run = RunOf::start(&service.url, &options);
    let played = run.played();
    assert_eq!(played.ended.code, Some(99), "{}", played.ended.stderr);
    let thresholds = played.summary["thresholds"].as_array().unwrap();
    let states: Vec<&str> = thresholds.iter().map(|t| text(t, "state")).collect();
    assert_eq!(states, ["ok", "ok", "ok", "crossed"]);
    // Nothing is in two stages, and nothing in none: what the target has counted is what they add up to.
    let stages = played.summary["timeline"]["stages"].as_array().unwrap();
    let asked: Vec<&str> = stages.iter().map(|stage| text(stage, "asked")).collect();
    assert_eq!(asked, ["2s:20", "2s:60"]);
    let sum = |what: &str| {
        stages
            .iter()
            .map(|it| it[what].as_u64().unwrap())
            .sum::<u64>()
    };
    let seen: u64 = service.ledger(1).values().sum();
    assert_eq!((sum("sent"), sum("requests")), (seen, seen));
    let line = played
        .ended
        .stdout
        .lines()
        .find(|line| line.starts_with("3  2s:60 "));
    assert!(line.is_some(), "{}", played.ended.stdout);
}
