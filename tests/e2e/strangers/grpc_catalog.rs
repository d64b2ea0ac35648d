//! A gRPC server of Python's `grpcio`, and nginx, which knows nothing of gRPC here: what they count is what the run counts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::interpreter;
use crate::project::{python, tool};
use crate::support::{Peer, Played, RunOf, eventually, example, vespeiro};

const GRPCIO: [&str; 1] = ["grpcio==1.85.3"];

/// Installed once, however many tests want it at once.
fn server() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| interpreter("grpcio", &GRPCIO))
}

/// The server, and where it counts.
struct Catalog {
    server: Peer,
    folder: TempDir,
}

impl Catalog {
    fn start() -> Option<Catalog> {
        if !python() {
            return None;
        }
        let python = server();
        let folder = TempDir::new().unwrap();
        let counts = folder.path().join("counts.json");
        let script = Path::new(env!("CARGO_MANIFEST_DIR"));
        let script = script.join("../../tests/e2e/strangers/grpc_catalog/server.py");
        let server = Peer::start(|port| {
            let mut command: Command = tool(python.to_str().unwrap());
            command.arg(&script).arg(port.to_string()).arg(&counts);
            command
        });
        Some(Catalog { server, folder })
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.server.port)
    }

    fn seen(&self) -> Value {
        let text = std::fs::read_to_string(self.folder.path().join("counts.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

/// A plan that plays this module with this configuration.
fn plan(folder: &TempDir, module: &Path, config: &str) -> PathBuf {
    let plan = folder.path().join("plan.toml");
    let text = format!(
        "preflight = false\n[[archetype]]\nname = 'shopper'\nmodule = '{}'\nconfig = {{ {config} }}\n",
        module.display()
    );
    std::fs::write(&plan, text).unwrap();
    plan
}

fn play(url: &str, module: &Path, config: &str, load: &str) -> Played {
    let folder = TempDir::new().unwrap();
    let plan = plan(&folder, module, config);
    let load = format!(
        "--plan {} --delay-min 0 --delay-max 5 {load}",
        plan.display()
    );
    let mut played = RunOf::start(url, &load).played();
    played.ended = played.ended.fine();
    played
}

/// Requests by method and code, as the run has counted them.
fn coded(played: &Played) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for series in played.summary["series"].as_array().unwrap() {
        let method = series["path"].as_str().unwrap().rsplit('/').next().unwrap();
        for result in series["results"].as_array().unwrap() {
            let Some(code) = result["grpc"].as_str() else {
                continue;
            };
            *counts.entry(format!("{method} {code}")).or_default() +=
                result["count"].as_u64().unwrap();
        }
    }
    counts
}

#[test]
fn users_call_a_grpc_server_of_python() {
    let Some(catalog) = Catalog::start() else {
        return;
    };
    // Three sessions each, of four calls.
    let load =
        "--users 5 --workers 2 --min-request-count 12 --max-request-count 12 --request-timeout 20s";
    let played = play(&catalog.url(), &example("grpc"), "mode = 'shop'", load);
    for check in [
        "its name comes back",
        "metadata comes with it",
        "it is not there",
    ] {
        assert_eq!(played.check(check), (15, 0), "{check}: {:?}", played.ended);
    }
    let seen = catalog.seen();
    let theirs: BTreeMap<String, u64> = serde_json::from_value(seen["codes"].clone()).unwrap();
    assert_eq!(coded(&played), theirs);
    assert_eq!(
        json!(theirs),
        json!({ "Find OK": 15, "Find NOT_FOUND": 30, "Remove PERMISSION_DENIED": 15 })
    );
    // One of the two that find nothing has expected so, and what may not be is an error.
    assert_eq!((played.sent(), played.errors()), (60, 30));
    let results = played.summary["results"].as_array().unwrap();
    let accepted = results.iter().filter(|result| result["accepted"] == true);
    let accepted: Vec<_> = accepted.map(|one| (&one["grpc"], &one["count"])).collect();
    assert_eq!(accepted, [(&json!("NOT_FOUND"), &json!(15))]);
    // The last session of each user is cut, for its requests are spent.
    assert_eq!(played.sessions("shopper", "abandoned"), 10);
    // It was told the time, and who we are.
    let longest = seen["longest"].as_f64().unwrap();
    assert!(longest > 10.0 && longest <= 20.0, "{longest}");
    let agent = seen["metadata"]["user-agent"].as_str().unwrap();
    assert!(agent.starts_with("vespeiro"), "{agent}");
    // Each message has five bytes more on the way.
    let bytes = seen["bytes"].as_u64().unwrap();
    assert_eq!(played.summary["total"]["bytes_sent"], bytes + 5 * 60);
    let said = &played.ended.stdout;
    assert!(said.contains("PERMISSION_DENIED: 15"), "{said}");
    assert!(said.contains("15 × the status of a gRPC call"), "{said}");
    played.adds_up();
}

#[test]
fn a_script_calls_a_grpc_server_with_bytes_and_who_tries_it_sees_codes() {
    let Some(catalog) = Catalog::start() else {
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = script.join("../../tests/e2e/strangers/grpc_catalog/shop.js");
    let load =
        "--users 2 --workers 1 --min-request-count 6 --max-request-count 6 --guest-timeout 10s";
    let played = play(&catalog.url(), &script, "", load);
    for check in ["it is found", "metadata comes with it", "it is not there"] {
        assert_eq!(played.check(check), (4, 0), "{check}: {:?}", played.ended);
    }
    let theirs: BTreeMap<String, u64> =
        serde_json::from_value(catalog.seen()["codes"].clone()).unwrap();
    assert_eq!(coded(&played), theirs);
    assert_eq!((played.sent(), played.errors()), (12, 4));
    played.adds_up();

    let script = script.to_str().unwrap();
    let url = catalog.url();
    let tried = vespeiro(&["try", script, "--base-url", &url, "--no-preflight"]);
    let told = &tried.stdout;
    for line in ["← OK (#1:", "← NOT_FOUND (#2:", "← PERMISSION_DENIED (#3:"] {
        assert!(told.contains(line), "{tried:?}");
    }
    assert!(told.contains("no \u{e9}clair, 100%"), "{told}");
    let checked = vespeiro(&["check", script]).fine();
    let route = "gRPC POST /shop.v1.Catalog/Find (query)";
    assert!(checked.stdout.contains(route), "{checked:?}");
}

#[test]
fn a_grpc_call_that_takes_too_long_or_answers_too_much_ends_so() {
    let Some(catalog) = Catalog::start() else {
        return;
    };
    let (url, module) = (catalog.url(), example("grpc"));
    let load = "--users 4 --workers 2 --min-request-count 2 --max-request-count 2";
    let late = play(&url, &module, "mode = 'late'", load);
    assert_eq!(late.check("it is too late"), (8, 0), "{:?}", late.ended);
    assert_eq!(
        coded(&late),
        [("Wait DEADLINE_EXCEEDED".to_owned(), 8)].into()
    );
    assert_eq!((late.sent(), late.errors()), (8, 8));
    // The server was told how long it may take.
    eventually("the server counts", || {
        let seen = catalog.seen();
        let longest = seen["longest"].as_f64().unwrap();
        assert!(longest <= 0.3, "{seen}");
        (seen["codes"]["Wait DEADLINE_EXCEEDED"] == 8).then_some(())
    });
    late.adds_up();

    // A message of 1000 bytes and five more that say what it is.
    let fits = format!("{load} --max-body 1005");
    let fits = play(&url, &module, "mode = 'large', size = 1000", &fits);
    assert_eq!(fits.check("it is as large"), (8, 0), "{:?}", fits.ended);
    assert_eq!(fits.errors(), 0);
    let over = format!("{load} --max-body 1004");
    let over = play(&url, &module, "mode = 'large', size = 1000", &over);
    assert_eq!((over.failed("too-large"), over.errors()), (8, 8));
    assert_eq!(over.sessions("shopper", "abandoned"), 4);
    over.adds_up();
}

#[test]
fn a_server_that_knows_no_grpc_is_an_error_by_its_status() {
    let folder = TempDir::new().unwrap();
    let answers = "server { listen 127.0.0.1:@PORT@ http2; location / { return 404 'none'; } \
                   location /shop.v1.Catalog/Remove { return 503; } \
                   location /shop.v1.Catalog/Large { default_type text/plain; return 200 'some text'; } }";
    let Some(nginx) = Peer::nginx(folder.path(), answers) else {
        return;
    };
    let url = format!("http://127.0.0.1:{}", nginx.port);
    let load = "--users 2 --workers 1 --min-request-count 1 --max-request-count 1";
    let module = example("grpc");
    for (config, code) in [
        ("mode = 'shop'", "Find UNIMPLEMENTED"),
        ("mode = 'large'", "Large UNKNOWN"),
    ] {
        let played = play(&url, &module, config, load);
        assert_eq!(coded(&played), [(code.to_owned(), 2)].into(), "{config}");
        assert_eq!((played.sent(), played.errors()), (2, 2));
        played.adds_up();
    }
    let log = std::fs::read_to_string(folder.path().join("access.log")).unwrap();
    assert_eq!(log.lines().count(), 4, "{log}");
}
