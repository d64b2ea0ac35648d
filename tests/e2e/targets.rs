//! Several services in one run: each request goes to its own, with that one's headers and certificate, links and redirects
//! find theirs, and each is counted and spared by itself. The services' own counts are the oracle.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Played, RunOf, Server, vespeiro};

/// Path and `authorization` of each request.
type Log = Arc<Mutex<Vec<(String, String)>>>;

/// A service whose `/link` and `/go` lead to another one, and whose `/broken` is.
struct Shop {
    server: Server,
    log: Log,
}

impl Shop {
    fn start(elsewhere: &str) -> Shop {
        async fn answer(
            State((log, elsewhere)): State<(Log, String)>,
            uri: Uri,
            headers: HeaderMap,
        ) -> Response {
            let who = headers.get("authorization").map(|it| it.to_str().unwrap());
            let path = uri.path();
            if !path.ends_with("/health") {
                let line = (uri.to_string(), who.unwrap_or_default().to_owned());
                log.lock().unwrap().push(line);
            }
            match path.rsplit('/').next() {
                Some("link") => {
                    format!("{{\"next\": \"{elsewhere}/invoices?page=2\"}}").into_response()
                }
                Some("go") => {
                    let location = [("location", format!("{elsewhere}/from-there"))];
                    (axum::http::StatusCode::FOUND, location).into_response()
                }
                Some("broken") => axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response(),
                _ => "{}".into_response(),
            }
        }
        let log = Log::default();
        let app = Router::new()
            .fallback(answer)
            .with_state((Arc::clone(&log), elsewhere.to_owned()));
        Shop {
            server: Server::start(app),
            log,
        }
    }

    fn got(&self) -> Vec<(String, String)> {
        self.log.lock().unwrap().clone()
    }
}

fn pair(path: &str, who: &str) -> (String, String) {
    (path.to_owned(), who.to_owned())
}

/// One user plays this journey against `main`, by a plan with these further lines.
fn play(folder: &Path, main: &Shop, journey: &str, plan: &str, arguments: &str) -> Played {
    let (visit, file) = (folder.join("visit.toml"), folder.join("plan.toml"));
    fs::write(&visit, journey).unwrap();
    fs::write(&file, plan).unwrap();
    let arguments = format!(
        "--plan {} --archetype visit={} --users 1 --workers 1 --delay-min 0 --delay-max 0 {arguments}",
        file.display(),
        visit.display(),
    );
    RunOf::start(&main.server.url, &arguments).played()
}

fn target<'a>(played: &'a Played, name: &str) -> &'a Value {
    let mut targets = played.summary["targets"].as_array().unwrap().iter();
    targets.find(|target| target["name"] == name).unwrap()
}

#[test]
fn each_request_goes_to_its_own_target_and_is_counted_there() {
    let folder = TempDir::new().unwrap();
    let billing = Shop::start("");
    let below = format!("{}/v1", billing.server.url);
    let main = Shop::start(&below);
    let journey = "[[step]]\nget = '/link'\ncapture = { next = '/next' }\n\
                   [[step]]\nget = '${next}'\n\
                   [[step]]\ntarget = 'billing'\nget = '/invoices/${user.index}'\n\
                   [[step]]\nget = '/go'\nheaders = { authorization = 'Bearer own' }\n\
                   [[step]]\ntarget = 'billing'\nget = '/broken'\nexpect = 'any'\n";
    let plan = format!(
        "header = {{ authorization = 'Bearer main' }}\n[targets.billing]\nbase_url = '{below}'\n\
         header = {{ authorization = 'Bearer billing' }}\n"
    );
    let played = play(
        folder.path(),
        &main,
        journey,
        &plan,
        "--redirects 3 --min-request-count 6 --max-request-count 6 \
         --threshold errors{target=billing}<1 --threshold errors{target=main}<1",
    );
    assert_eq!(
        main.got(),
        [pair("/link", "Bearer main"), pair("/go", "Bearer own")]
    );
    assert_eq!(
        billing.got(),
        [
            pair("/v1/invoices?page=2", "Bearer billing"),
            pair("/v1/invoices/0", "Bearer billing"),
            // Who asks at the one is not told to the other.
            pair("/v1/from-there", "Bearer billing"),
            pair("/v1/broken", "Bearer billing"),
        ]
    );
    for (name, requests, errors) in [("main", 2, 0), ("billing", 4, 1)] {
        let of = target(&played, name);
        assert_eq!(
            (&of["requests"], &of["errors"]),
            (&requests.into(), &errors.into())
        );
    }
    assert_eq!(target(&played, "billing")["url"], below.as_str());
    let answered = played.answered();
    let count = |method: &str, path: &str, status| {
        let key = (method.to_owned(), path.to_owned(), status);
        answered.get(&key).copied().unwrap_or_default()
    };
    assert_eq!(count("GET", "/link", 200) + count("GET", "/go", 302), 2);
    assert_eq!(count("GET", "billing:/invoices/{user.index}", 200), 1);
    assert_eq!(count("-", "billing:other", 200), 2, "{answered:?}");
    assert_eq!(count("GET", "billing:/broken", 500), 1);
    // One of the two thresholds is crossed.
    assert_eq!(played.ended.code, Some(99), "{:?}", played.ended);
    let text = &played.ended.stdout;
    assert!(
        text.contains("targets (") && text.contains("billing (http"),
        "{text}"
    );
}

#[test]
fn a_target_that_fails_holds_back_its_own_requests_alone() {
    let folder = TempDir::new().unwrap();
    let (main, billing) = (Shop::start(""), Shop::start(""));
    let journey =
        "[[step]]\nget = '/fine'\n[[step]]\ntarget = 'billing'\nget = '/broken'\nexpect = 'any'\n";
    let plan = format!("[targets]\nbilling = '{}'\n", billing.server.url);
    let played = play(
        folder.path(),
        &main,
        journey,
        &plan,
        "--breaker-volume 5 --breaker-cool-down 5m --min-request-count 100 --max-request-count 100",
    );
    let (fine, broken) = (main.got().len(), billing.got().len());
    assert_eq!((fine + broken, broken), (100, 5), "{:?}", played.ended);
    assert_eq!(target(&played, "main")["requests"], 95);
    assert_eq!(played.sent(), 100);
}

#[test]
fn a_target_that_cannot_be_meant_is_one_line() {
    let folder = TempDir::new().unwrap();
    let main = Shop::start("");
    let journey = "[[step]]\ntarget = 'biling'\nget = '/x'\n";
    let said = |commands: &[&str], plan: &str, told: &str| {
        let (visit, file) = (
            folder.path().join("visit.toml"),
            folder.path().join("plan.toml"),
        );
        fs::write(&visit, journey).unwrap();
        fs::write(&file, plan).unwrap();
        for &command in commands {
            let archetype = format!("visit={}", visit.display());
            let mut flags = vec![
                command,
                "--plan",
                file.to_str().unwrap(),
                "--base-url",
                &main.server.url,
            ];
            match command {
                "run" => flags.extend(["--no-panel", "--users", "1", "--archetype", &archetype]),
                _ => flags.push(visit.to_str().unwrap()),
            }
            let ended = vespeiro(&flags);
            assert_ne!(ended.code, Some(0), "{ended:?}");
            let lines = ended
                .stderr
                .lines()
                .filter(|line| line.contains(told))
                .count();
            assert_eq!(lines, 1, "{told}: {ended:?}");
        }
    };
    let both = ["run", "try"];
    said(
        &both,
        "[targets]\nbilling = 'http://127.0.0.1:9'\npreflight = false\n",
        "targets.preflight",
    );
    said(
        &both,
        "preflight = false\n[targets]\nbilling = 'http://127.0.0.1:9'\n",
        "is at the target \"biling\", which the plan does not declare: add [targets.biling]",
    );
    said(
        &both,
        "[targets]\nbiling = 'http://192.0.2.1:9'\n",
        "--allow-host 192.0.2.1",
    );
    said(
        &["run"],
        "[targets]\nbiling = 'http://127.0.0.1:9'\n",
        "the target biling (http://127.0.0.1:9) does not answer",
    );
    assert_eq!(main.got(), []);
}
