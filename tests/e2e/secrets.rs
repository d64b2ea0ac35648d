//! Credentials and tokens show nowhere, not even where every request has its line of log.

use std::fs;
use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};

use crate::support::{Running, Server, Service, eventually, free_address, get};

/// Of the service's administrator, whom two of the archetypes log in as.
const SECRET: &str = "Admin123!";

#[test]
fn no_output_of_a_debug_run_shows_a_secret() {
    let service = Service::start();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (summary, journal) = (file("summary.json"), file("run.journal"));
    let address = free_address();
    let run = Running::start(&[
        "run",
        "--scenario",
        "development",
        "--no-panel",
        "--base-url",
        &service.url,
        "--admin-password",
        SECRET,
        "--delay-min",
        "0",
        "--delay-max",
        "100",
        "--min-request-count",
        "60",
        "--max-request-count",
        "60",
        "--cleanup",
        "never",
        "--summary-json",
        &summary,
        "--journal",
        &journal,
        "--metrics",
        &address,
    ]);
    let page = eventually("a page with requests", || {
        let page = get(&address, "/metrics").ok()?;
        page.contains("vespeiro_requests_total{").then_some(page)
    });
    let ended = run.ended().fine();
    // The lines are there, in every detail that they may have.
    let told = ended
        .stderr
        .lines()
        .filter(|l| l.contains("/api/v1/auth/login -> 200 ("))
        .count();
    assert!(told > 0, "{}", ended.stderr);
    let plan = Command::new(env!("CARGO_BIN_EXE_vespeiro"))
        .args(["plan", "--admin-password", SECRET])
        .output()
        .unwrap();
    let outputs = [
        ("stdout", ended.stdout),
        ("stderr", ended.stderr),
        ("metrics", page),
        ("summary", std::fs::read_to_string(summary).unwrap()),
        ("journal", std::fs::read_to_string(journal).unwrap()),
        ("plan", String::from_utf8(plan.stdout).unwrap()),
    ];
    for (name, text) in &outputs {
        assert!(!text.is_empty(), "{name}");
        for secret in [SECRET, "SimPass123!", "Bearer "] {
            let line = text.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{name}");
        }
    }
}

/// With what JSON, a URL and a form have to write in another way.
const KEY: &str = "k3yvault \"of/billing&co";
/// The parts of it that are in each form.
const PARTS: [&str; 2] = ["k3yvault", "billing&co"];

/// A behavior takes it wherever it can, and the target says it all again.
const LEAKY: &str = "[[step]]\nput = '/items/${run}?key=${secret.api-key}'\n\
    headers = { x-key = '${secret.api-key}', x-note = 'it is ${secret.from-file}' }\n\
    json = { note = 'my ${secret.api-key}' }\nmark = 'item:${run}:${secret.api-key}'\n\
    capture = { said = '/said', all = 'body' }\n\
    [[step]]\npost = '/form'\nform = { note = 'a ${secret.api-key}' }\n\
    check = { 'it came' = 'status == 200' }\n\
    [[step]]\nget = '${said}'\n";

#[test]
fn a_secret_of_the_plan_reaches_the_target_and_nobody_else() {
    type Log = Arc<Mutex<Vec<String>>>;
    async fn answer(State(log): State<Log>, uri: Uri, headers: HeaderMap, body: Bytes) -> String {
        let of = |name: &str| headers.get(name).map(|value| value.to_str().unwrap());
        let (key, note) = (of("x-key"), of("x-note"));
        let body = String::from_utf8_lossy(&body).into_owned();
        log.lock()
            .unwrap()
            .push(format!("{uri} {key:?} {note:?} {body}"));
        // What it says is no path, so that the run has something to say of it.
        let said = format!("said {}", key.unwrap_or_default());
        serde_json::json!({ "said": said, "body": body }).to_string()
    }
    let log = Log::default();
    let app = Router::new().fallback(answer).with_state(Arc::clone(&log));
    let server = Server::start(app);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    fs::write(file("leaky.toml"), LEAKY).unwrap();
    fs::write(file("key.txt"), "f1le-secret\n").unwrap();
    let plan = "base_url = '@'\npreflight = false\nlog = 'debug'\ndelay_min = 0\ndelay_max = 0\nusers = 1\nworkers = 1\n\
        cleanup = 'never'\nrun_id = 'abcdefgh'\nmin_request_count = 4\nmax_request_count = 4\n\
        [[archetype]]\nname = 'leaky'\nmodule = 'leaky.toml'\nconfig = { explain = true }\n\
        [secrets]\napi-key = 'BILLING_KEY'\n[secrets.from-file]\nfile = 'key.txt'\n";
    fs::write(file("plan.toml"), plan.replace('@', &server.url)).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vespeiro"));
        let command = command.args(arguments).env("BILLING_KEY", KEY);
        let ended = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (text(ended.stdout), text(ended.stderr))
    };
    let planned = file("plan.toml");
    let files = [
        "journal",
        "summary.json",
        "page.html",
        "tape.jsonl",
        "series.csv",
    ];
    let [journal, summary, page, tape, series] = files.map(file);
    let (out, err) = run(&[
        "run",
        "--no-panel",
        "--plan",
        &planned,
        "--journal",
        &journal,
        "--summary-json",
        &summary,
        "--html",
        &page,
        "--trace-record",
        &tape,
        "--timeseries",
        &series,
    ]);
    let sent = log.lock().unwrap().clone();
    assert_eq!(
        sent.first().map_or("nothing", String::as_str),
        "/items/abcdefgh?key=k3yvault%20%22of%2Fbilling%26co Some(\"k3yvault \\\"of/billing&co\") Some(\"it is f1le-secret\") \
         {\"note\":\"my k3yvault \\\"of/billing&co\"}",
        "{err}"
    );
    assert!(err.contains("(secret api-key)"), "{err}");
    let leaky = file("leaky.toml");
    let journal_of_try = file("journal-of-try");
    let tried = run(&[
        "try",
        &leaky,
        "--plan",
        &planned,
        "--journal",
        &journal_of_try,
    ]);
    let lines = run(&[
        "try",
        &leaky,
        "--plan",
        &planned,
        "--journal",
        &journal_of_try,
        "--json",
    ]);
    assert!(tried.0.contains("(secret api-key)"), "{tried:?}");
    let checked = run(&["rehearse", &leaky]);
    let shown = ["table", "toml", "json"]
        .map(|form| run(&["plan", "--plan", &planned, "--format", form]).0);
    let mut told = vec![
        out, err, tried.0, tried.1, lines.0, lines.1, checked.0, checked.1,
    ];
    told.extend(shown);
    for written in fs::read_dir(folder.path()).unwrap() {
        let path = written.unwrap().path();
        if path.file_name().unwrap() != "key.txt" {
            told.push(fs::read_to_string(path).unwrap());
        }
    }
    assert!(told.len() > 15);
    for text in &told {
        for secret in PARTS.iter().chain(&["billing%26co", "f1le-secret"]) {
            let line = text.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{secret}");
        }
    }
    let mut unset = Command::new(env!("CARGO_BIN_EXE_vespeiro"));
    let unset = unset.args(["plan", "--plan", &planned]).output().unwrap();
    let said = String::from_utf8(unset.stderr).unwrap();
    assert!(
        said.contains("secrets.api-key.env") && said.contains("the environment has no BILLING_KEY"),
        "{said}"
    );
}
