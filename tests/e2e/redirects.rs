//! Redirects: followed where the plan says so and as far, with method, body and budget as they should be; each is a request,
//! counted where it went. The target's own count is the oracle.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tempfile::TempDir;

use crate::support::{Counts, Played, RunOf, Server, vespeiro};

/// A request as the target got it.
#[derive(Debug, Clone, PartialEq)]
struct Got {
    line: String,
    kind: String,
    body: String,
    cookie: String,
    authorization: String,
    status: u16,
}

type Log = Arc<Mutex<Vec<Got>>>;

/// A target that sends its visitors around.
struct Maze {
    server: Server,
    log: Log,
}

impl Maze {
    fn start() -> Maze {
        Maze::below("")
    }

    /// `/to/STATUS/WHERE` redirects; a `@` in it stands for the target's own address.
    fn below(prefix: &'static str) -> Maze {
        async fn answer(
            State((log, prefix)): State<(Log, &'static str)>,
            method: Method,
            uri: Uri,
            headers: HeaderMap,
            body: Bytes,
        ) -> Response {
            let text = |name: &str| {
                headers
                    .get(name)
                    .map_or("", |value| value.to_str().unwrap())
                    .to_owned()
            };
            let path = uri
                .path()
                .strip_prefix(prefix)
                .unwrap_or_else(|| uri.path());
            let mut parts = path.splitn(4, '/').skip(2);
            let sends = path.strip_prefix("/to/").and_then(|_| {
                let status: u16 = parts.next()?.parse().ok()?;
                let rest = parts
                    .next()?
                    .replace("%3A", ":")
                    .replace('!', "/")
                    .replace('@', &format!("http://{}", text("host")));
                Some((status, rest))
            });
            let counts = path
                .strip_prefix("/count/")
                .and_then(|n| n.parse::<u32>().ok());
            let (status, location) = match (sends, counts) {
                (Some((status, location)), _) => (status, Some(location)),
                (_, Some(n)) if n > 0 => (302, Some(format!("{prefix}/count/{}", n - 1))),
                _ if path == "/gone" => (404, None),
                _ if path == "/round" => (301, Some(format!("{prefix}/round"))),
                _ => (200, None),
            };
            log.lock().unwrap().push(Got {
                line: format!("{method} {uri}"),
                kind: text("content-type"),
                body: String::from_utf8_lossy(&body).into_owned(),
                cookie: text("cookie"),
                authorization: text("authorization"),
                status,
            });
            let mut response = (StatusCode::from_u16(status).unwrap(), "ok").into_response();
            if let Some(location) = location {
                response
                    .headers_mut()
                    .insert("location", location.parse().unwrap());
                response
                    .headers_mut()
                    .insert("set-cookie", "way=known; Path=/".parse().unwrap());
            }
            response
        }
        let log = Log::default();
        let app = Router::new()
            .fallback(answer)
            .with_state((Arc::clone(&log), prefix));
        Maze {
            server: Server::start(app),
            log,
        }
    }

    fn got(&self) -> Vec<Got> {
        let mut got = self.log.lock().unwrap().clone();
        got.retain(|got| !got.line.ends_with("/health"));
        got
    }

    fn lines(&self) -> Vec<String> {
        self.got().into_iter().map(|got| got.line).collect()
    }
}

/// One user, so many requests, with a journey of this text.
fn play(url: &str, journey: &str, requests: u32, more: &str) -> Played {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("visit.toml");
    fs::write(&path, journey).unwrap();
    run(url, &path, requests, more)
}

fn run(url: &str, behavior: &Path, requests: u32, more: &str) -> Played {
    let arguments = format!(
        "--archetype visit={} --users 1 --workers 1 --delay-min 0 --delay-max 0 --min-request-count {requests} \
         --max-request-count {requests} --breaker off {more}",
        behavior.display()
    );
    RunOf::start(url, &arguments).played()
}

fn counts(of: &[(&str, &str, u16, u64)]) -> Counts {
    let each = of.iter();
    each.map(|(method, route, status, count)| {
        (((*method).into(), (*route).into(), *status), *count)
    })
    .collect()
}

#[test]
fn a_form_leads_to_its_page_and_each_request_is_counted_where_it_went() {
    let maze = Maze::start();
    let journey = "[[step]]\npost = '/to/302/!home!7'\nform = { name = 'ana' }\nexpect = 200\n\
                   headers = { authorization = 'Bearer x' }\ncheck = { 'it is there' = 'status == 200' }\n\
                   [[step]]\nget = '/home/${user.index}'\n[[step]]\nget = '/to/303/!elsewhere'\n";
    let played = play(&maze.server.url, journey, 5, "--redirects 5");
    assert_eq!(played.ended.code, Some(0), "{:?}", played.ended);
    let got = maze.got();
    assert_eq!(
        maze.lines(),
        [
            "POST /to/302/!home!7",
            "GET /home/7",
            "GET /home/0",
            "GET /to/303/!elsewhere",
            "GET /elsewhere"
        ]
    );
    // The body stays behind, with what is said of it; who asks, and the cookie, go along.
    assert_eq!(
        (got[0].body.as_str(), got[0].kind.as_str()),
        ("name=ana", "application/x-www-form-urlencoded")
    );
    assert_eq!((got[1].body.as_str(), got[1].kind.as_str()), ("", ""));
    assert_eq!(
        (got[1].cookie.as_str(), got[1].authorization.as_str()),
        ("way=known", "Bearer x")
    );
    // By the routes of the journey, where one of them fits.
    assert_eq!(
        played.answered(),
        counts(&[
            ("POST", "/to/302/!home!7", 302, 1),
            ("GET", "/home/{user.index}", 200, 2),
            ("GET", "/to/303/!elsewhere", 303, 1),
            ("-", "other", 200, 1),
        ])
    );
    assert_eq!(played.check("it is there"), (1, 0));
    played.adds_up();
}

#[test]
fn a_method_and_its_body_are_kept_where_the_target_asks_for_that() {
    let maze = Maze::start();
    let journey = "[[step]]\nput = '/to/307/!n'\nbody = 'text'\nheaders = { content-type = 'text/plain' }\n\
                   [[step]]\npost = '/to/308/!n'\njson = { a = 1 }\n[[step]]\nhead = '/to/301/n'\n";
    play(&maze.server.url, journey, 6, "--redirects 1");
    let got = maze.got();
    let seen: Vec<_> = got
        .iter()
        .map(|got| (got.line.as_str(), got.body.as_str(), got.kind.as_str()))
        .collect();
    assert_eq!(
        seen,
        [
            ("PUT /to/307/!n", "text", "text/plain"),
            ("PUT /n", "text", "text/plain"),
            ("POST /to/308/!n", "{\"a\":1}", "application/json"),
            ("POST /n", "{\"a\":1}", "application/json"),
            ("HEAD /to/301/n", "", ""),
            ("HEAD /to/301/n", "", ""),
        ]
        .map(|(line, body, kind)| (line, body, kind))
    );
}

#[test]
fn none_is_followed_unless_the_plan_says_so() {
    let maze = Maze::start();
    let played = play(
        &maze.server.url,
        "[[step]]\nget = '/count/2'\nexpect = 302\n",
        3,
        "",
    );
    assert_eq!(played.ended.code, Some(0), "{:?}", played.ended);
    assert_eq!(maze.lines(), ["GET /count/2"; 3]);
    assert_eq!(played.answered(), counts(&[("GET", "/count/2", 302, 3)]));
}

#[test]
fn too_many_are_a_failure_of_the_last_and_the_counts_stay_the_targets() {
    let maze = Maze::start();
    // Three are followed, the fourth is one too many.
    let journey = "[[step]]\nget = '/round'\nexpect = 'any'\n";
    let played = play(&maze.server.url, journey, 8, "--redirects 3");
    assert_eq!((maze.lines().len(), played.sent()), (8, 8));
    assert_eq!(played.failed("redirects"), 2);
    let causes = played.causes("redirects");
    assert_eq!(causes.len(), 1);
    assert!(causes[0].0.contains("--redirects"), "{causes:?}");
    assert_eq!(played.answered(), counts(&[("GET", "/round", 301, 6)]));
    played.adds_up();
    // As many as it takes are fine.
    let maze = Maze::start();
    let played = play(
        &maze.server.url,
        "[[step]]\nget = '/count/3'\nexpect = 200\n",
        8,
        "--redirects 3",
    );
    assert_eq!(
        (played.sent(), played.failed("redirects"), played.errors()),
        (8, 0, 0)
    );
    assert_eq!(maze.lines().len(), 8);
}

#[test]
fn what_a_request_expects_holds_where_it_is_sent_on_to() {
    let played = |expect: &str| {
        let maze = Maze::start();
        let journey = format!("[[step]]\nget = '/to/302/!gone'\nexpect = {expect}\n");
        let played = play(&maze.server.url, &journey, 4, "--redirects 5");
        assert_eq!(
            played.answered(),
            counts(&[("GET", "/to/302/!gone", 302, 2), ("-", "other", 404, 2)])
        );
        played.adds_up();
        played
    };
    let expected = played("404");
    assert_eq!(
        (expected.errors(), expected.sessions("visit", "completed")),
        (0, 2)
    );
    let unexpected = played("200");
    assert_eq!(
        (
            unexpected.errors(),
            unexpected.sessions("visit", "completed")
        ),
        (2, 0)
    );
}

#[test]
fn another_host_gets_nothing() {
    let (maze, other) = (Maze::start(), Maze::start());
    let away = other.server.url.replace(':', "%3A").replace('/', "!");
    let journey = format!(
        "[[step]]\nget = '/to/302/{away}!x'\nexpect = 'any'\nheaders = {{ authorization = 'Bearer x' }}\n"
    );
    let played = play(&maze.server.url, &journey, 3, "--redirects 9");
    assert_eq!(other.got(), []);
    assert_eq!(
        (
            maze.lines().len(),
            played.sent(),
            played.failed("redirects")
        ),
        (3, 3, 3)
    );
    let causes = played.causes("redirects");
    assert!(causes[0].0.contains(&other.server.url), "{causes:?}");
    // The behavior is told so.
    let log = &played.ended.stderr;
    assert!(log.contains("redirects"), "{log}");
    assert_eq!(played.sessions("visit", "completed"), 0);
    // Nor does what lies beside the base URL's own path.
    let maze = Maze::below("/api");
    let base = format!("{}/api", maze.server.url);
    let played = play(
        &base,
        "[[step]]\nget = '/to/302/!apiary'\nexpect = 'any'\n[[step]]\nget = '/to/302/!api!in'\n",
        1,
        "--redirects 9",
    );
    assert_eq!(
        (maze.lines(), played.failed("redirects")),
        (vec!["GET /api/to/302/!apiary".to_owned()], 1)
    );
    let played = play(
        &base,
        "[[step]]\nget = '/to/302/!api!in'\nexpect = 200\n",
        2,
        "--redirects 9",
    );
    assert_eq!(
        (played.failed("redirects"), maze.lines().pop()),
        (0, Some("GET /api/in".to_owned()))
    );
}

#[test]
fn a_users_budget_holds_for_redirects_too() {
    let maze = Maze::start();
    let played = play(
        &maze.server.url,
        "[[step]]\nget = '/count/5'\n",
        4,
        "--redirects 9",
    );
    assert_eq!((maze.lines().len(), played.sent()), (4, 4));
    assert_eq!(
        played.answered(),
        counts(&[("GET", "/count/5", 302, 1), ("-", "other", 302, 3)])
    );
    assert_eq!(played.sessions("visit", "cut"), 1);
    let maze = Maze::start();
    let played = play(
        &maze.server.url,
        "[[step]]\nget = '/count/5'\n",
        100,
        "--redirects 9 --requests 13",
    );
    assert_eq!((maze.lines().len(), played.sent()), (13, 13));
}

#[test]
fn a_link_with_the_targets_own_address_is_a_path() {
    let maze = Maze::start();
    let next = "[[step]]\nget = '/to/200/@!items?page=2'\ncapture = { next = 'header:location' }\n\
                [[step]]\nget = '${next}'\nexpect = 200\n";
    let played = play(&maze.server.url, next, 4, "");
    assert_eq!(played.ended.code, Some(0), "{:?}", played.ended);
    let lines = maze.lines();
    assert_eq!(lines[1], "GET /items", "{lines:?}");
    assert_eq!(played.answered()[&("GET".into(), "/{next}".into(), 200)], 2);
    // And a redirect to it.
    let played = play(
        &maze.server.url,
        "[[step]]\nget = '/to/302/@!there'\nexpect = 200\n",
        2,
        "--redirects 1",
    );
    assert_eq!(
        (played.errors(), maze.lines().pop()),
        (0, Some("GET /there".to_owned()))
    );
    // Elsewhere it does not lead.
    let other = Maze::start();
    let link = "[[step]]\nget = '${to}'\n";
    let played = play(
        &maze.server.url,
        &format!("vars = {{ to = '{}/x' }}\n{link}", other.server.url),
        2,
        "",
    );
    assert_eq!((played.sent(), other.got()), (0, vec![]));
    let told = format!("lies outside of {}", maze.server.url);
    assert!(
        played.ended.stderr.contains(&told),
        "{}",
        played.ended.stderr
    );
}

#[test]
fn whoever_tries_a_behavior_sees_each_of_them() {
    let (maze, folder) = (Maze::start(), TempDir::new().unwrap());
    let path = folder.path().join("visit.toml");
    fs::write(&path, "[[step]]\nget = '/count/2'\n").unwrap();
    let journal = folder.path().join("journal");
    let flags = [
        "try",
        path.to_str().unwrap(),
        "--base-url",
        &maze.server.url,
        "--journal",
        journal.to_str().unwrap(),
    ];
    let tried = vespeiro(&[&flags[..], &["--redirects", "5"]].concat()).fine();
    for path in maze.lines() {
        assert!(tried.stdout.contains(&path), "{path}: {}", tried.stdout);
    }
    assert_eq!(maze.lines().len(), 3);
    let refused = vespeiro(&["plan", "--redirects", "101"]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.stderr.contains("give 0 to 100"),
        "{}",
        refused.stderr
    );
}
