//! Behaviors that are scripts: they play as they are, what they import comes along, a saved file is swapped in, and a mistake
//! is told with its line.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::http::{HeaderMap, StatusCode, Uri};
use axum::{Json, Router, routing};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{
    RunOf, Running, Server, Service, Talked, eventually, get, post, talkative, vespeiro,
};

fn write(folder: &TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    // As an editor does it: aside, then in place.
    let aside = folder.path().join("draft");
    fs::write(&aside, text).unwrap();
    fs::rename(&aside, &path).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A script whose journey is this.
fn journey(body: &str) -> String {
    format!(
        "import {{ behavior, get }} from 'vespeiro';\nfunction* journey(me) {{\n{body}\n}}\n\
         export default behavior({{ routes: {{ watch: ['GET /health'] }}, journey }});\n"
    )
}

#[test]
fn what_new_writes_in_javascript_and_typescript_plays_without_a_build() {
    for (language, file) in [("javascript", "behavior.js"), ("typescript", "behavior.ts")] {
        let folder = TempDir::new().unwrap();
        let written = std::process::Command::new(env!("CARGO_BIN_EXE_vespeiro"))
            .args(["new", "shop", "--lang", language])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&written.stdout).into_owned();
        assert!(said.contains(&format!("shop={file}")), "{said}");
        let path = folder.path().join("shop").join(file);
        let service = Service::start();
        let load =
            "--users 4 --requests 200 --delay-min 1ms --delay-max 3ms --seed 3 --guest-timeout 5s";
        let mut played = RunOf::start(
            &service.url,
            &format!("--archetype shop={} {load}", path.display()),
        )
        .played();
        played.ended = played.ended.fine();
        assert_eq!((played.sent(), played.errors()), (200, 0));
        assert_eq!(played.answered(), service.ledger(1));
        let (passed, failed) = played.check("a new name reads as written");
        assert!(passed > 5 && failed == 0, "{passed} {failed}");
        assert!(played.sessions("shop", "completed") > 5);
        assert_eq!(played.archetype("shop")["behavior"], "shop");
    }
}

#[test]
fn a_saved_import_is_swapped_in_and_a_broken_one_is_told_and_left() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| write(&folder, "lib/names.ts", name);
    path("export const version: string = '1.0.0';\n");
    let shop = write(
        &folder,
        "shop.ts",
        "import { behavior, get, think, type Me } from 'vespeiro';\nimport { version } from './lib/names';\n\
         interface Page { size: number }\nfunction* journey(me: Me) {\n  const page: Page = { size: 1 };\n  yield think();\n  \
         (yield get('/health')).expect(200);\n  me.observe('size', page.size as number);\n}\n\
         export default behavior({ version, routes: { watch: ['GET /health'] }, journey });\n",
    );
    let service = Service::start();
    let people =
        "--users 4 --profile constant-users --delay-min 1ms --delay-max 5ms --guest-timeout 5s";
    let run = RunOf::start(
        &service.url,
        &format!("--archetype shop={shop} --control 127.0.0.1:0 {people}"),
    );
    let authority = run.authority("control: ");
    let plays = |version: &str| {
        let status = get(&authority, "/status").ok()?;
        status.contains(&format!("\"{version}\"")).then_some(())
    };
    eventually("the first one", || plays("1.0.0"));
    path("export const version = ;\n");
    eventually("the mistake", || {
        let said = run.process.stderr();
        said.contains("lib/names.ts:1: Unexpected token")
            .then_some(())
    });
    // scripts/minute times it.
    path("export const version = '2.0.0';\n");
    eventually("the second one", || plays("2.0.0"));
    assert_eq!(post(&authority, "/stop", b"").status, 200);
    let mut played = run.played();
    played.ended = played.ended.fine();
    assert_eq!(played.answered(), service.ledger(1));
}

#[test]
fn a_strangers_service_gets_no_error_on_purpose() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&seen);
    let app = Router::new().fallback(move |uri: Uri, headers: HeaderMap| {
        let injected = headers.keys().any(|name| name.as_str().contains("envoy"));
        kept.lock().unwrap().push((uri.path().to_owned(), injected));
        async { "fine" }
    });
    let server = Server::start(app);
    let folder = TempDir::new().unwrap();
    let mine = write(&folder, "mine.js", &journey("  yield get('/health');"));
    let archetype = format!("mine={mine}");
    let mut run = vec![
        "run",
        "--no-panel",
        "--base-url",
        &server.url,
        "--archetype",
        &archetype,
    ];
    run.extend(
        "--users 5 --requests 2000 --delay-max 0 --delay-min 0 --guest-timeout 5s".split(' '),
    );
    let ended = vespeiro(&run).fine();
    assert!(!ended.stdout.contains("error mix"), "{}", ended.stdout);
    let seen = seen.lock().unwrap();
    assert_eq!(
        seen.len(),
        2_001,
        "one of them looked whether the target is there"
    );
    assert!(
        seen.iter()
            .all(|(path, injected)| path == "/health" && !injected)
    );
}

#[test]
fn the_script_of_the_readme_plays() {
    let readme = include_str!("../../README.md");
    let (_, script) = readme.split_once("```js\n// shop.js").unwrap();
    let (script, _) = script.split_once("```").unwrap();
    let items = r#"{"items": [{"id": 7}]}"#;
    let app = Router::new()
        .route("/items", routing::get(move || async move { items }))
        .route("/cart", routing::post(|| async { StatusCode::CREATED }));
    let server = Server::start(app);
    let folder = TempDir::new().unwrap();
    let shop = write(&folder, "shop.js", &format!("//{script}"));
    let load =
        "--users 2 --requests 20 --delay-max 5 --delay-min 1 --guest-timeout 5s --no-preflight";
    let mut played = RunOf::start(&server.url, &format!("--archetype shop={shop} {load}")).played();
    played.ended = played.ended.fine();
    assert_eq!((played.sent(), played.errors()), (20, 0));
    assert!(played.sessions("shop", "completed") >= 9);
}

#[test]
fn a_script_can_be_sent_to_a_run() {
    let folder = TempDir::new().unwrap();
    let text = journey("  yield get('/health');");
    let one = write(&folder, "one.js", &text);
    write(&folder, "version.json", "\"2.0.0\"");
    let other = text.replace("behavior({", "behavior({ version,");
    let two = write(
        &folder,
        "other.js",
        &format!("import version from './version.json';\n{other}"),
    );
    let service = Service::start();
    let people =
        "--users 2 --profile constant-users --delay-min 1ms --delay-max 5ms --guest-timeout 5s";
    let run = RunOf::start(
        &service.url,
        &format!("--archetype shop={one} --control 127.0.0.1:0 {people}"),
    );
    let authority = run.authority("control: ");
    let swapped = vespeiro(&["swap", "--control", &authority, "shop", &two]).fine();
    assert!(swapped.stdout.contains("2.0.0#"), "{swapped:?}");
    assert_eq!(post(&authority, "/stop", b"").status, 200);
    run.played().ended.fine();
}

#[test]
fn a_script_whose_every_session_fails_cannot_play() {
    let folder = TempDir::new().unwrap();
    let path = write(&folder, "bad.js", &journey("  (yield get('/health')).a.b;"));
    let ended = Running::start(&["check", &path]).ended().orderly();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let why = "no session gets through, 5 of 5 fail: behavior: TypeError";
    assert!(ended.stderr.contains(why), "{ended:?}");
    assert!(ended.stderr.contains("bad.js:3"), "{ended:?}");
    assert!(!ended.stdout.contains("it can play"), "{ended:?}");
}

/// What `check` says of a script.
fn said(folder: &TempDir, name: &str, text: &str) -> String {
    let path = write(folder, name, text);
    let ended = Running::start(&["check", &path]).ended().orderly();
    format!("{}{}", ended.stdout, ended.stderr)
}

#[test]
fn a_mistake_is_told_with_file_line_and_way_out() {
    let folder = TempDir::new().unwrap();
    write(
        &folder,
        "lib.js",
        "\n\nexport const broken = (reply) => reply.a.b;\n",
    );
    let of_lib = journey("  broken(yield get('/health'));").replace(
        "from 'vespeiro';",
        "from 'vespeiro'; import { broken } from './lib.js';",
    );
    let is_async = "import { behavior } from 'vespeiro';\nexport default behavior({ routes: {}, async journey() {} });\n";
    let nameless = journey("  yield get('/health');").replace("behavior({", "behavior({ name: 7,");
    let cases: [(String, &[&str]); 10] = [
        (
            journey("  const reply = yield get('/health');\n\n  reply.a.b;"),
            &["TypeError", "bad.js:5"],
        ),
        (of_lib, &["TypeError", "lib.js:3"]),
        (journey("  let x = ;"), &["bad.js:3: Unexpected token"]),
        (
            journey("  yield fetch('/');"),
            &["bad.js:3", "has no fetch: yield get("],
        ),
        (
            journey("  process.exit();"),
            &["bad.js:3", "has no process", "me.config"],
        ),
        (
            journey("  yield Promise.resolve();"),
            &["write function* for async, and yield for await"],
        ),
        (nameless, &["name has to be a text, and not 7"]),
        (is_async.into(), &["journey has to be a generator"]),
        (
            "import axios from 'axios';\n".into(),
            &["bad.js imports \"axios\"", "vespeiro new"],
        ),
        (
            "export const a = 1;\n".into(),
            &["bad.js has no behavior as its default export"],
        ),
    ];
    for (text, parts) in cases {
        let said = said(&folder, "bad.js", &text);
        for part in parts {
            assert!(said.contains(part), "{part}: {said}\n{text}");
        }
    }
}

#[test]
fn a_script_reads_nothing_that_lies_elsewhere() {
    let folder = TempDir::new().unwrap();
    write(&folder, "secret.js", "export const key = 'hush';\n");
    for path in ["../secret.js", "../../../../../etc/passwd", "./link.js"] {
        let text = format!(
            "import {{ key }} from '{path}';\n{}",
            journey("  yield get('/' + key);")
        );
        let inner = write(&folder, "inner/mine.js", &text);
        let link = Path::new(&inner).with_file_name("link.js");
        if !link.is_symlink() {
            std::os::unix::fs::symlink(folder.path().join("secret.js"), &link).unwrap();
        }
        let ended = Running::start(&["check", &inner]).ended().orderly();
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains("which is not there"), "{ended:?}");
    }
}

#[test]
fn half_a_character_is_told_as_an_unknown_one_and_harms_nobody() {
    let folder = TempDir::new().unwrap();
    let half = r"
  me.log('log \ud800');
  me.check('check \ud800', true);
  me.mark('user:\ud800');
  me.observe('metric \ud800', 1);
  me.remember({ note: '\ud800' });
  (yield get('/health', {}, { headers: { 'x-half': '\ud800' }, bearer: '\udfff', mark: 'user:\udc00' }));
";
    let fine = write(&folder, "fine.js", &journey(half));
    let told = vespeiro(&["rehearse", &fine]).fine().stdout;
    for said in [
        "\"log \u{fffd}\"",
        "\"check \u{fffd}\": passed",
        "completed",
    ] {
        assert!(told.contains(said), "{said}: {told}");
    }
    let body = r"  yield get('/health'); throw 'half \ud800';";
    let failing = write(&folder, "failing.js", &journey(body));
    let told = vespeiro(&["rehearse", &failing]).orderly();
    assert!(told.stdout.contains("half \u{fffd}"), "{told:?}");
    assert!(!told.stdout.contains("crashed"), "{told:?}");
}

const TALKER: &str = "import { all, behavior, open, type Channel, type Me } from 'vespeiro';
function* journey(me: Me) {
  const chat: Channel = yield* open('websocket', '/chat');
  for (let n = 0; n < 4; n += 1) {
    const text = `${me.user.username} disse “não” ${n}`;
    const bytes = new TextEncoder().encode(text);
    const [, [answer]] = yield* all([chat.send(n % 2 === 0 ? text : bytes), chat.receive({ within: 10_000 })]);
    me.check('the answer is what was said', answer.text() === text && answer.binary === (n % 2 === 1));
  }
  yield chat.close();
  const events = yield* open('event-stream', '/events');
  const told = yield* events.receive({ atMost: 10, within: 10_000 });
  me.check('the stream tells all', told.map((one) => one.text()).join() === 'one,{\"n\":2},ção' && events.ended);
  me.check('names and ids', told[1].event === 'note' && told[1].id === '7' && told[1].json().n === 2);
}
export default behavior({ version: '1.0.0', routes: { talk: ['GET /chat', 'GET /events'] }, journey });
";

#[test]
fn a_script_talks_over_channels_and_both_sides_count_the_same() {
    let heard = Arc::new(Talked::default());
    let server = Server::start(talkative(&heard));
    let folder = TempDir::new().unwrap();
    let talker = write(&folder, "talker.ts", TALKER);
    let load = "--users 5 --workers 2 --min-request-count 6 --max-request-count 6 --delay-min 0 --delay-max 0 --guest-timeout 5s";
    let played = RunOf::start(&server.url, &format!("--archetype talker={talker} {load}")).played();
    assert_eq!(
        (played.sent(), played.errors()),
        (30, 0),
        "{:?}",
        played.ended
    );
    assert_eq!(played.sessions("talker", "completed"), 15);
    assert_eq!(played.check("the answer is what was said"), (60, 0));
    assert_eq!(played.check("the stream tells all"), (15, 0));
    assert_eq!(played.check("names and ids"), (15, 0));
    heard.agrees(&played);
    played.adds_up();
}

const SIGNER: &str = "import { base64, basic, behavior, graphql, hex, hmacSha256, post, sha256 } from 'vespeiro';
function* journey(me) {
  const body = 'what do ya want for nothing?';
  const headers = {
    authorization: basic('Aladdin', 'open sesame'),
    'x-signature': hex(hmacSha256('Jefe', body)),
    'x-digest': base64(sha256(body)),
  };
  (yield post('/signed', {}, { body, headers })).expect(200);
  const person = yield graphql('/graphql', 'query Person($id: ID!) { person(id: $id) { name } }', { id: me.ordinal });
  me.check('a person has a name', person.graphql().person.name === `number ${me.ordinal}`);
}
export default behavior({ routes: { api: ['POST /signed', 'POST /graphql'] }, journey });
";

#[test]
fn a_script_signs_and_asks_as_services_want_it() {
    // RFC 4231 case 2, RFC 7617, and what `openssl dgst -sha256` says of the body.
    let wanted = [
        ("authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        (
            "x-signature",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        ("x-digest", "s4Hn/sZT/Dq5sXgnI2a4rIf+2NMcsl7R0OHzMYZEyJw="),
    ];
    let signed = routing::post(move |headers: HeaderMap| async move {
        let fits =
            |(name, value): &(&str, &str)| headers.get(*name).is_some_and(|own| own == value);
        match wanted.iter().all(fits) {
            true => StatusCode::OK,
            false => StatusCode::UNAUTHORIZED,
        }
    });
    // Number 2 is not there, as GraphQL tells it: with 200.
    let person = routing::post(|Json(asked): Json<Value>| async move {
        let known = asked["query"]
            .as_str()
            .is_some_and(|query| query.starts_with("query Person("));
        match &asked["variables"]["id"] {
            Value::Number(two) if two.as_u64() == Some(2) => {
                Json(json!({ "data": null, "errors": [{ "message": "nobody has the number 2" }] }))
            }
            id if known => {
                Json(json!({ "data": { "person": { "name": format!("number {id}") } } }))
            }
            _ => Json(json!({})),
        }
    });
    let server = Server::start(
        Router::new()
            .route("/signed", signed)
            .route("/graphql", person),
    );
    let folder = TempDir::new().unwrap();
    let signer = write(&folder, "signer.js", SIGNER);
    // Three sessions and the first request of a fourth.
    let load = "--users 5 --min-request-count 7 --max-request-count 7 --delay-min 0 --delay-max 0 --no-preflight --guest-timeout 10s";
    let played = RunOf::fine(&server.url, &format!("--archetype signer={signer} {load}"));
    assert_eq!(
        (played.sent(), played.errors()),
        (35, 0),
        "{:?}",
        played.ended
    );
    assert_eq!(played.check("a person has a name"), (10, 0));
    assert_eq!(played.sessions("signer", "abandoned"), 5);
    let said = &played.ended.stdout;
    assert!(said.contains("nobody has the number 2"), "{said}");
}
