//! What a behavior does once in a run: before anybody plays, whose share all sessions have, and after all have. The target's own
//! list of requests is the oracle.

use std::fs;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use tempfile::TempDir;

use crate::support::{RunOf, Server, vespeiro};

type Log = Arc<Mutex<Vec<String>>>;

/// Makes items, and says how many it has been asked to make.
fn target(makes: StatusCode) -> (Server, Log) {
    let log = Log::default();
    let kept = Arc::clone(&log);
    let app = Router::new().fallback(move |method: Method, uri: Uri| {
        let line = format!("{method} {uri}");
        let status = match method {
            Method::POST => makes,
            _ => StatusCode::OK,
        };
        kept.lock().unwrap().push(line);
        async move { (status, r#"{"id":"a7"}"#) }
    });
    (Server::start(app), log)
}

const SCRIPT: &str = "import { behavior, get, post, del } from 'vespeiro';\n\
     const routes = { shop: ['POST /items', 'GET /items/{id}', 'DELETE /items/{id}'] };\n\
     function* prepare(me) { const { id } = (yield post('/items', {}, { mark: 'item:a7' })).expect(201).json(); me.share({ id }); }\n\
     function* journey(me) { (yield get('/items/{id}', me.shared)).expect(200); }\n\
     function* teardown(me) { (yield del('/items/{id}', me.shared)).expect(200); me.unmark('item:a7'); }\n\
     export default behavior({ routes, prepare, journey, teardown });\n";

const LOAD: &str = "--users 4 --workers 2 --min-request-count 5 --max-request-count 5 --delay-min 0 --delay-max 1ms --no-preflight \
     --guest-timeout 5s";

#[test]
fn a_run_is_prepared_once_before_all_and_torn_down_once_after_all() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("shop.js");
    fs::write(&path, SCRIPT).unwrap();
    let archetype = format!("--archetype shop={}", path.display());
    let (server, log) = target(StatusCode::CREATED);
    let played = RunOf::fine(&server.url, &format!("{archetype} {LOAD}"));
    let seen = log.lock().unwrap().clone();
    let journeys = seen.iter().filter(|line| *line == "GET /items/a7").count();
    assert_eq!((seen.len(), journeys), (22, 20), "{seen:?}");
    let ends = [seen.first(), seen.last()].map(|line| line.unwrap().as_str());
    assert_eq!(ends, ["POST /items", "DELETE /items/a7"]);
    assert_eq!((played.sent(), played.errors()), (20, 0), "in no figure");
    assert_eq!(played.summary["cleanup"]["left"], 0, "{:?}", played.ended);
    for line in [
        "prepare: archetype shop, requests 1",
        "teardown: archetype shop, requests 1",
    ] {
        assert!(played.ended.stderr.contains(line), "{:?}", played.ended);
    }
    // Whoever tries it has it too.
    let path = path.to_str().unwrap();
    let tried = vespeiro(&[
        "try",
        path,
        "--base-url",
        &server.url,
        "--guest-timeout",
        "5s",
    ])
    .fine();
    assert!(tried.stdout.contains("GET /items/a7"), "{tried:?}");
    assert_eq!(log.lock().unwrap().last().unwrap(), "DELETE /items/a7");
    assert!(
        vespeiro(&["check", path])
            .fine()
            .stdout
            .contains("it can play")
    );
}

#[test]
fn who_cannot_prepare_plays_nothing_and_shards_cannot_share_it() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("shop.js");
    fs::write(&path, SCRIPT).unwrap();
    let (server, log) = target(StatusCode::SERVICE_UNAVAILABLE);
    let archetype = format!("shop={}", path.display());
    let mut run = vec![
        "run",
        "--no-panel",
        "--base-url",
        &server.url,
        "--archetype",
        &archetype,
    ];
    run.extend(LOAD.split_whitespace());
    let journal = folder.path().join("run.journal");
    run.extend(["--cleanup", "never", "--journal", journal.to_str().unwrap()]);
    let ended = vespeiro(&run);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let line = "archetype shop: its prepare was given up: nobody plays";
    assert!(ended.stderr.contains(line), "{ended:?}");
    let seen = log.lock().unwrap().clone();
    assert!(seen.iter().all(|line| line == "POST /items"), "{seen:?}");
    run.extend(["--shard", "0/2", "--run-id", "abcd1234", "--seed", "1"]);
    let ended = vespeiro(&run);
    let line = "shop has a prepare, which is played once in a run, and shards that do not meet cannot share it";
    assert!(
        ended.code == Some(2) && ended.stderr.contains(line),
        "{ended:?}"
    );
    assert_eq!(log.lock().unwrap().len(), seen.len());
    // In a journey it is too late to share anything.
    let late = SCRIPT.replace(
        "function* journey(me) {",
        "function* journey(me) { me.share(1);",
    );
    fs::write(&path, late).unwrap();
    let told = vespeiro(&["rehearse", path.to_str().unwrap()]);
    let line = "it shares something outside of prepare, which is over";
    assert!(told.stdout.contains(line), "{told:?}");
}

#[test]
fn a_teardown_that_fails_is_told_fails_the_run_and_keeps_its_figures() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("shop.js");
    fs::write(
        &path,
        SCRIPT.replace(
            "del('/items/{id}', me.shared)).expect(200)",
            "del('/items/{id}', me.shared)).expect(418)",
        ),
    )
    .unwrap();
    let (server, log) = target(StatusCode::CREATED);
    let archetype = format!("--archetype shop={}", path.display());
    let played = RunOf::start(&server.url, &format!("{archetype} {LOAD}")).played();
    let ended = &played.ended;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("archetype shop: its teardown was given up"),
        "{ended:?}"
    );
    assert_eq!(
        (played.sent(), played.errors()),
        (20, 0),
        "its figures are kept"
    );
    assert_eq!(log.lock().unwrap().last().unwrap(), "DELETE /items/a7");
    // What it was to remove is in the journal still.
    assert_eq!(
        played.summary["cleanup"]["left"], 1,
        "{}",
        played.summary["cleanup"]
    );
}
