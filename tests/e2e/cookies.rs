//! Cookies: a login's goes along where a browser would send it, no further and no longer than the plan says; they are bounded,
//! and nobody reads them. What the target got is the oracle.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{AppendHeaders, IntoResponse};
use tempfile::TempDir;

use crate::support::{Ended, Played, RunOf, Server, vespeiro};

/// What each request said: method and path, and its `cookie` headers.
type Got = Arc<Mutex<Vec<(String, Vec<String>)>>>;

/// A target that knows its visitors by a cookie.
struct Club {
    server: Server,
    got: Got,
}

const SECRET: &str = "s3cret-of-visit";

impl Club {
    fn start() -> Club {
        async fn answer(
            State(got): State<Got>,
            method: Method,
            uri: Uri,
            headers: HeaderMap,
        ) -> impl IntoResponse {
            let cookies = headers.get_all("cookie").into_iter();
            let cookies = cookies
                .map(|value| value.to_str().unwrap().to_owned())
                .collect();
            let number = {
                let mut got = got.lock().unwrap();
                got.push((format!("{method} {uri}"), cookies));
                got.iter().filter(|(line, _)| line == "POST /login").count()
            };
            let sets = match uri.path() {
                "/login" => vec![format!("sid={SECRET}-{number}; HttpOnly; Path=/")],
                "/flood" => (0..200)
                    .map(|n| format!("c{n}={}; Path=/", "x".repeat(1000)))
                    .collect(),
                "/odd" => vec![
                    "a=1; Domain=elsewhere.test; Path=/".into(),
                    "b=1; Domain=com; Path=/".into(),
                    "c=1; Path=/odd/below".into(),
                    "d=1; Max-Age=0; Path=/".into(),
                    "=e; Path=/".into(),
                    "f".into(),
                ],
                _ => Vec::new(),
            };
            AppendHeaders(
                sets.into_iter()
                    .map(|line| ("set-cookie", line))
                    .collect::<Vec<_>>(),
            )
        }
        let got = Got::default();
        let app = Router::new().fallback(answer).with_state(Arc::clone(&got));
        Club {
            server: Server::start(app),
            got,
        }
    }

    /// The cookies of each request in turn, but for the look at the target before a run.
    fn got(&self) -> Vec<String> {
        let got = self.got.lock().unwrap();
        let played = got.iter().filter(|(line, _)| line != "GET /health");
        played.map(|(_, cookies)| cookies.join(" | ")).collect()
    }
}

fn journey(folder: &TempDir, text: &str) -> PathBuf {
    let path = folder.path().join("visit.toml");
    fs::write(&path, text).unwrap();
    path
}

const VISIT: &str = "[[step]]\nget = '/me'\n[[step]]\npost = '/login'\n[[step]]\nget = '/me'\n";

/// One user, so many requests.
fn play(url: &str, journey: &Path, requests: u32, more: &str) -> Played {
    let arguments = format!(
        "--archetype visit={} --users 1 --workers 1 --delay-min 0 --delay-max 0 --min-request-count {requests} \
         --max-request-count {requests} {more}",
        journey.display()
    );
    RunOf::fine(url, &arguments)
}

fn sid(number: u32) -> String {
    format!("sid={SECRET}-{number}")
}

#[test]
fn a_login_lasts_as_long_as_the_plan_says() {
    let folder = TempDir::new().unwrap();
    let journey = journey(&folder, VISIT);
    let none = String::new;
    for (more, expected) in [
        ("", [none(), none(), sid(1), none(), none(), sid(2)]),
        (
            "--cookies per-session",
            [none(), none(), sid(1), none(), none(), sid(2)],
        ),
        (
            "--cookies per-user",
            [none(), none(), sid(1), sid(1), sid(1), sid(2)],
        ),
        (
            "--cookies off",
            [none(), none(), none(), none(), none(), none()],
        ),
    ] {
        let club = Club::start();
        let played = play(&club.server.url, &journey, 6, more);
        assert_eq!((played.sent(), played.errors()), (6, 0));
        assert_eq!(club.got(), expected, "{more}");
    }
}

#[test]
fn a_plan_file_and_the_environment_say_it_too() {
    let folder = TempDir::new().unwrap();
    let journey = journey(&folder, VISIT);
    let plan = folder.path().join("plan.toml");
    let rest = format!(
        "users = 1\nmin_request_count = 4\nmax_request_count = 4\ndelay_min = 0\ndelay_max = 0\n[[archetype]]\nname = 'visit'\nmodule = '{}'\n",
        journey.display()
    );
    fs::write(&plan, format!("cookies = 'per-user'\n{rest}")).unwrap();
    for (variable, expected) in [(None, sid(1)), (Some("off"), String::new())] {
        let club = Club::start();
        let mut command = crate::support::command(env!("CARGO_BIN_EXE_vespeiro"));
        command.args([
            "run",
            "--no-panel",
            "--base-url",
            &club.server.url,
            "--plan",
            plan.to_str().unwrap(),
        ]);
        command.env("XDG_STATE_HOME", folder.path());
        command.envs(variable.map(|value| ("VESPEIRO_COOKIES", value)));
        let ended = command.output().unwrap();
        assert!(
            ended.status.success(),
            "{}",
            String::from_utf8_lossy(&ended.stderr)
        );
        assert_eq!(club.got().last(), Some(&expected), "{variable:?}");
    }
    let ended = vespeiro(&["plan", "--cookies", "sometimes"]);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.contains("per-session, per-user, off"),
        "{}",
        ended.stderr
    );
}

#[test]
fn what_the_behavior_or_the_plan_sets_wins_name_by_name() {
    let folder = TempDir::new().unwrap();
    let own = journey(
        &folder,
        "[[step]]\npost = '/login'\n[[step]]\nget = '/me'\nheaders = { cookie = 'seen=yes; sid=mine' }\n\
         [[step]]\nget = '/me'\nheaders = { cookie = 'seen=yes' }\n[[step]]\nget = '/me'\nheaders = { cookie = '' }\n[[step]]\nget = '/me'\n",
    );
    let club = Club::start();
    play(&club.server.url, &own, 5, "--header cookie:from=plan");
    let both = format!("from=plan; {}", sid(1));
    let merged = format!("seen=yes; {}", sid(1));
    assert_eq!(
        club.got(),
        ["from=plan", "seen=yes; sid=mine", &merged, "", &both]
    );
}

#[test]
fn cookies_of_others_and_gone_ones_are_not_sent_and_a_flood_is_bounded() {
    let folder = TempDir::new().unwrap();
    let odd = journey(
        &folder,
        "[[step]]\nget = '/odd'\n[[step]]\nget = '/me'\n[[step]]\nget = '/odd/below/x'\n",
    );
    let club = Club::start();
    play(&club.server.url, &odd, 3, "");
    assert_eq!(club.got(), ["", "", "c=1"]);

    let flood = journey(&folder, "[[step]]\nget = '/flood'\n[[step]]\nget = '/me'\n");
    let club = Club::start();
    let played = play(&club.server.url, &flood, 20, "--cookies per-user");
    assert_eq!((played.sent(), played.errors()), (20, 0));
    for cookies in &club.got()[1..] {
        assert!(
            (10_000..33_000).contains(&cookies.len()),
            "{}",
            cookies.len()
        );
        assert!(cookies.contains("c199="), "the newest are kept");
    }
    let told = played
        .ended
        .stderr
        .matches("more cookies than a user keeps")
        .count();
    assert_eq!(told, 1, "{}", played.ended.stderr);
}

#[test]
fn nobody_reads_a_cookie() {
    let folder = TempDir::new().unwrap();
    let journey = journey(&folder, VISIT);
    let club = Club::start();
    let tape = folder.path().join("tape.jsonl");
    let more = format!("--log debug --trace-record {}", tape.display());
    let played = play(&club.server.url, &journey, 6, &more);
    let shown = |ended: &Ended| assert!(!format!("{ended:?}").contains(SECRET), "{ended:?}");
    shown(&played.ended);
    assert!(!fs::read_to_string(&tape).unwrap().contains(SECRET));
    assert!(!played.summary.to_string().contains(SECRET));
    for more in [&["--json"][..], &[]] {
        let journal = folder.path().join("journal");
        let flags = [
            "try",
            journey.to_str().unwrap(),
            "--base-url",
            &club.server.url,
        ];
        let tried =
            vespeiro(&[&flags[..], &["--journal", journal.to_str().unwrap()], more].concat())
                .fine();
        shown(&tried);
        assert!(tried.stdout.contains("cookie"), "{}", tried.stdout);
    }
    assert!(club.got().iter().any(|cookies| cookies.contains(SECRET)));
}
