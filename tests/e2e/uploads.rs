//! Files that a plan has for behaviors to send: what is sent and shown of them, and what is told where one cannot be sent. The
//! tests of `strangers` send large ones.

use std::fs;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{RunOf, Server, example, vespeiro};

const SENDER: &str = "import { behavior, file, post } from 'vespeiro';\n\
    export default behavior({\n  routes: { upload: ['POST /form', 'POST /whole'] },\n  *journey(me) {\n\
    const photo = file(me.config.name ?? 'photo', { as: 'me.jpg', type: 'image/jpeg' });\n\
    yield post('/whole', {}, { body: photo });\n\
    yield post('/form', {}, { multipart: { name: 'Ana', photo } });\n  },\n});\n";

/// Path, `content-length` and body of what came.
type Got = Arc<Mutex<Vec<(String, String, Vec<u8>)>>>;

struct Scene {
    folder: TempDir,
    server: Server,
    got: Got,
}

impl Scene {
    fn new() -> Scene {
        async fn keep(State(got): State<Got>, uri: Uri, headers: HeaderMap, body: Bytes) {
            let length = headers["content-length"].to_str().unwrap().to_owned();
            let kept = (uri.path().to_owned(), length, body.to_vec());
            got.lock().unwrap().push(kept);
        }
        let got = Got::default();
        let app = Router::new().fallback(keep).with_state(Arc::clone(&got));
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("sender.js"), SENDER).unwrap();
        fs::write(folder.path().join("photo.jpg"), [0xff, b'a', b'b']).unwrap();
        Scene {
            folder,
            server: Server::start(app),
            got,
        }
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

/// By a script, and by a module of the Rust SDK.
#[test]
fn a_small_file_is_sent_as_a_body_and_in_a_form() {
    plays("sender.js");
    plays(example("uploads").to_str().unwrap());
}

fn plays(module: &str) {
    let scene = Scene::new();
    let plan = format!(
        "preflight = false\n[files]\nphoto = 'photo.jpg'\n[[archetype]]\nname = 'sender'\nmodule = '{module}'\n"
    );
    fs::write(scene.file("plan.toml"), plan).unwrap();
    let load = "--users 2 --min-request-count 2 --max-request-count 2 --delay-min 0 --delay-max 1 --guest-timeout 5s";
    let played = RunOf::fine(
        &scene.server.url,
        &format!("--plan {} {load}", scene.file("plan.toml")),
    );
    assert_eq!(
        (played.sent(), played.errors()),
        (4, 0),
        "{:?}",
        played.ended
    );
    let got = scene.got.lock().unwrap();
    let mut sent = 0;
    for (path, length, body) in got.iter() {
        assert_eq!(length.parse(), Ok(body.len()));
        sent += body.len() as u64;
        match &**path {
            "/whole" => assert_eq!(body, &[0xff, b'a', b'b']),
            _ => {
                let text = String::from_utf8_lossy(body);
                let part =
                    "; filename=\"me.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n\u{fffd}ab\r\n--";
                assert!(text.contains(part), "{text}");
            }
        }
    }
    let counted = &played.summary["total"]["bytes_sent"];
    assert_eq!(counted.as_u64(), Some(sent), "{}", played.summary["total"]);
    played.adds_up();
}

#[test]
fn what_cannot_be_sent_is_one_line() {
    let scene = Scene::new();
    let sender = format!("sender={}", scene.file("sender.js"));
    let run = [
        "run",
        "--no-panel",
        "--base-url",
        &scene.server.url,
        "--archetype",
        &sender,
    ];
    // Before anybody plays.
    let absent = format!("photo={}", scene.file("absent.jpg"));
    let refused = vespeiro(&[&run[..], &["--file", &absent]].concat()).orderly();
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    let fix = "give the path of a file that is to be sent; in a plan file it starts from that file's folder";
    let line = format!(
        "error: files.photo.path (--file): {} is not there; {fix}\n",
        scene.file("absent.jpg")
    );
    assert_eq!(refused.stderr, line);
    assert!(scene.got.lock().unwrap().is_empty());
    // A session that names another one.
    let other = format!("portrait={}", scene.file("photo.jpg"));
    let tried = [
        "try",
        &scene.file("sender.js"),
        "--base-url",
        &scene.server.url,
    ];
    let tried = vespeiro(&[&tried[..], &["--file", &other, "--guest-timeout", "5s"]].concat());
    let said = tried.orderly();
    let why = r#"request \"/whole\": the plan has no file \"photo\": name it in [files], or as in --file photo=PATH"#;
    assert!(said.stdout.contains(why), "{} {}", said.stdout, said.stderr);
    assert!(scene.got.lock().unwrap().is_empty());
}

#[test]
fn a_file_is_shown_by_its_name_and_length() {
    let scene = Scene::new();
    let photo = format!("photo={}", scene.file("photo.jpg"));
    let sender = scene.file("sender.js");
    let arguments = [
        "try",
        &sender,
        "--base-url",
        &scene.server.url,
        "--file",
        &photo,
        "--guest-timeout",
        "5s",
    ];
    let tried = vespeiro(&arguments).fine();
    let shown = "(file photo, 3 bytes)";
    assert_eq!(tried.stdout.matches(shown).count(), 2, "{}", tried.stdout);
    let traced = vespeiro(&[&arguments[..], &["--json"]].concat()).fine();
    let lines = traced.stdout.lines();
    let lines = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let bodies: Vec<_> = lines.filter(|line| line["body_bytes"] == 3).collect();
    assert_eq!(bodies.len(), 1, "{}", traced.stdout);
    assert_eq!(bodies[0]["body"], shown);
    // Without a plan each name has a file.
    let rehearsed = vespeiro(&["rehearse", &sender]).fine();
    assert!(
        rehearsed.stdout.contains("(file photo)"),
        "{}",
        rehearsed.stdout
    );
    let plan = vespeiro(&["plan", "--file", &photo]).fine();
    let row = |line: &str| {
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let found = plan
        .stdout
        .lines()
        .map(row)
        .find(|row| row[0] == "files.photo");
    assert_eq!(found.unwrap(), ["files.photo", "3", "bytes", "--file"]);
}
