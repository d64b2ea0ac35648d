//! `vespeiro hit`: what reaches the target is what was asked for, to the byte and to the request.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Ended, Server, free_address, vespeiro};

/// A request as the target got it.
#[derive(Debug, Clone)]
struct Got {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |it| it.to_str().unwrap())
    }
}

/// A target that keeps what it gets.
struct Target {
    server: Server,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Target {
    fn start() -> Target {
        async fn keep(
            State(got): State<Arc<Mutex<Vec<Got>>>>,
            method: Method,
            uri: Uri,
            headers: HeaderMap,
            body: Bytes,
        ) {
            let got_it = Got {
                method,
                uri,
                headers,
                body,
            };
            got.lock().unwrap().push(got_it);
        }
        let got = Arc::default();
        let app = Router::new().fallback(keep).with_state(Arc::clone(&got));
        let server = Server::start(app);
        Target { server, got }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.url)
    }

    fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }
}

fn hit(arguments: &[&str]) -> Ended {
    vespeiro(&[&["hit", "--no-panel"], arguments].concat()).orderly()
}

#[test]
fn so_many_requests_are_so_many_at_the_target_and_nothing_else() {
    let target = Target::start();
    let url = target.url("/a/../b%2e?x=1&y=%C3%A9");
    let ended = hit(&[
        &url,
        "-n",
        "200",
        "-c",
        "7",
        "-H",
        "X-Mine: 1",
        "--seed",
        "1",
    ])
    .fine();
    let got = target.got();
    assert_eq!(got.len(), 200, "{ended:?}");
    for one in &got {
        assert_eq!(one.method, Method::GET);
        assert_eq!(one.uri.to_string(), "/a/../b%2e?x=1&y=%C3%A9");
        assert_eq!(one.header("x-mine"), "1");
        assert!(one.body.is_empty());
    }
    assert!(ended.stdout.contains("200 sent"), "{}", ended.stdout);
}

#[test]
fn bodies_methods_and_logins_are_as_curl_sends_them() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("a.bin");
    std::fs::write(&file, [0, 255, 13, 10]).unwrap();
    let file = file.to_str().unwrap();
    let upload = format!("file=@{file}");
    let send = |arguments: &[&str]| {
        let target = Target::start();
        let url = target.url("/form");
        hit(&[&[url.as_str(), "-n", "1"], arguments].concat()).fine();
        let got = target.got();
        assert_eq!(got.len(), 1, "{arguments:?}");
        got[0].clone()
    };
    let form = send(&["-d", "a=1", "-d", "b=2", "-u", "ana:pw"]);
    assert_eq!(
        (form.method.as_str(), &form.body[..]),
        ("POST", &b"a=1&b=2"[..])
    );
    assert_eq!(
        form.header("content-type"),
        "application/x-www-form-urlencoded"
    );
    assert_eq!(form.header("authorization"), "Basic YW5hOnB3");
    let json = send(&[
        "-X",
        "put",
        "-d",
        "{}",
        "-H",
        "Content-Type: application/json",
    ]);
    assert_eq!((json.method.as_str(), &json.body[..]), ("PUT", &b"{}"[..]));
    assert_eq!(json.headers.get_all("content-type").iter().count(), 1);
    assert_eq!(json.header("content-type"), "application/json");
    let raw = send(&["-D", file]);
    assert_eq!(
        (raw.method.as_str(), &raw.body[..]),
        ("POST", &[0, 255, 13, 10][..])
    );
    let multipart = send(&["-F", "name=Ana", "-F", &upload]);
    let (kind, boundary) = multipart
        .header("content-type")
        .split_once("; boundary=")
        .unwrap();
    assert_eq!(kind, "multipart/form-data");
    let text = String::from_utf8_lossy(&multipart.body).into_owned();
    assert_eq!(
        text.matches(&format!("--{boundary}\r\n")).count(),
        2,
        "{text}"
    );
    assert!(text.contains("filename=\"a.bin\""), "{text}");
    assert!(
        multipart
            .body
            .windows(4)
            .any(|bytes| bytes == [0, 255, 13, 10])
    );
}

#[test]
fn several_urls_take_turns() {
    let target = Target::start();
    let folder = TempDir::new().unwrap();
    let list = folder.path().join("urls");
    let lines = format!(
        "# two more\n{}\n\n{}\n",
        target.url("/b?1"),
        target.url("/c")
    );
    std::fs::write(&list, lines).unwrap();
    let urls = ["--urls", list.to_str().unwrap()];
    let ended = hit(&[
        &[target.url("/a").as_str(), "-n", "300", "-c", "4", "--json"],
        &urls[..],
    ]
    .concat());
    let ended = ended.fine();
    let got = target.got();
    for (path, route) in [("/a", "/a"), ("/b?1", "/b"), ("/c", "/c")] {
        let here = got.iter().filter(|one| one.uri == path).count();
        // Four users, each of whom may be in the midst of a round.
        assert!(here.abs_diff(100) <= 4, "{path}: {here}");
        let summary: Value = serde_json::from_str(&ended.stdout).unwrap();
        let routes = summary["routes"].as_array().unwrap();
        let told = routes.iter().find(|one| one["path"] == route).unwrap();
        assert_eq!(told["requests"], here, "{route}");
    }
    assert_eq!(got.len(), 300);
}

#[test]
fn a_rate_is_kept_for_the_time_that_was_asked_for() {
    let target = Target::start();
    let ended = hit(&[&target.url("/"), "-q", "100", "-z", "2s", "--json"]).fine();
    let summary: Value = serde_json::from_str(&ended.stdout).unwrap();
    let got = target.got().len();
    assert_eq!(summary["total"]["requests"], got);
    // 100 a second from 0 to before 2 s; the last may meet the end.
    assert!((199..=200).contains(&got), "{got}");
}

#[test]
fn what_cannot_be_hit_is_refused_in_one_line() {
    let refused = |arguments: &[&str], code: i32, parts: &[&str]| {
        let ended = hit(arguments);
        assert_eq!(ended.code, Some(code), "{arguments:?}: {ended:?}");
        let last = ended.stderr.lines().last().unwrap_or_default();
        assert!(last.starts_with("error: "), "{}", ended.stderr);
        for part in parts {
            assert!(last.contains(part), "{arguments:?}: {last}");
        }
    };
    let public = "http://192.0.2.1/x?a&b";
    let command = "vespeiro hit --no-panel 'http://192.0.2.1/x?a&b' -H '…' --allow-host 192.0.2.1";
    refused(
        &[public, "-H", "Authorization: s3cret"],
        2,
        &["--allow-host 192.0.2.1", command],
    );
    refused(
        &["http://127.0.0.1:1/", "http://127.0.0.1:2/"],
        2,
        &["two hosts", "once for each"],
    );
    refused(&["ftp://127.0.0.1/"], 2, &["neither http nor https"]);
    refused(
        &["http://127.0.0.1/", "-X", "CONNECT"],
        2,
        &["CONNECT", "GET, HEAD"],
    );
    refused(
        &["http://127.0.0.1/", "-D", "nowhere"],
        2,
        &["nowhere", "check the path"],
    );
    refused(
        &["http://127.0.0.1/", "--archetype", "power"],
        2,
        &["--archetype", "vespeiro run"],
    );
    refused(&[], 2, &["<URL>"]);
    let local = "http://127.0.0.1/";
    refused(&[local, "-D", "/dev/zero"], 2, &["/dev/zero", "16 MiB"]);
    refused(&["--urls", "/dev/zero"], 2, &["/dev/zero", "16 MiB"]);
    // Nobody listens there: the run goes to its end, and says so.
    let nobody = format!("http://{}/", free_address());
    refused(
        &[&nobody, "-n", "20"],
        1,
        &["no request was answered", "connect"],
    );
}
