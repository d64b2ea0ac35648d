//! What a plan, a behavior or a file names may hide characters that steer a terminal or turn the text around them: wherever
//! people read, they are made visible.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::{
    Running, Service, eventually, free_address, in_terminal, send, terminal, vespeiro,
};

/// Turns the text after it around; is no character; isolates.
const HIDDEN: &str = "\u{202e}\u{fffe}\u{2067}";

fn is_hidden(c: char) -> bool {
    HIDDEN.contains(c) || c.is_control() && c != '\n'
}

#[track_caller]
fn clean(what: &str, text: &str) {
    let hidden = text.char_indices().find(|(_, c)| is_hidden(*c));
    if let Some((at, _)) = hidden {
        let around: String = text[at..].chars().take(80).collect();
        panic!("{what}: {}", around.escape_unicode());
    }
}

/// A journey all of whose names hide something, in a file whose name does.
fn journey(folder: &TempDir, version: &str) -> String {
    let path = folder.path().join(format!("mine{HIDDEN}.toml"));
    let text = format!(
        "name = 'mine{HIDDEN}'\nversion = '{version}{HIDDEN}'\n[[step]]\nget = '/health'\n\
         category = 'looks{HIDDEN}'\nheaders = {{ x-none = '' }}\n\
         check = {{ 'fine{HIDDEN}' = 'status == 200' }}\n"
    );
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn nothing_hidden_reaches_a_terminal_a_page_or_a_file_that_people_read() {
    let folder = TempDir::new().unwrap();
    let service = Service::start();
    let module = journey(&folder, "1.0.0");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let preset = at(&format!("plan{HIDDEN}.toml"));
    fs::write(&preset, "users = 3\n").unwrap();
    let ui = free_address();
    let (mut screen, name) = terminal();
    let mut run = Running::start_on(
        &[
            "run",
            "--base-url",
            &service.url,
            "--preset",
            &preset,
            &format!("--archetype=mine={module}"),
            "--delay-min=1ms",
            "--delay-max=20ms",
            "--min-request-count=1000000",
            "--max-request-count=1000000",
            "--guest-timeout=10s",
            "--cleanup=never",
            "--log=debug",
            &format!("--ui={ui}"),
            &format!("--threshold=checks{{check=\"fine{HIDDEN}\"}}>99%"),
            "--threshold=requests{status=200}>1",
            &format!("--journal={}", at("journal")),
            &format!("--summary-json={}", at("run.json")),
            &format!("--html={}", at("page.html")),
            &format!("--junit={}", at("junit.xml")),
        ],
        Some(in_terminal(&name)),
        Some(in_terminal(&name)),
    );
    let seen = thread::spawn(move || {
        let mut all = Vec::new();
        let mut some = [0; 4096];
        // It fails once nobody has the other side any more.
        while let Ok(read @ 1..) = screen.read(&mut some) {
            all.extend_from_slice(&some[..read]);
        }
        String::from_utf8_lossy(&all).into_owned()
    });
    eventually("the first requests", || {
        (service.answered_at_all() > 10).then_some(())
    });

    // A module that is refused, under a name that hides something too, and one that is taken up.
    let mark = "X-Vespeiro-Page: 1";
    let swap = |path: &str, body: &[u8]| {
        let path = format!("/swap/mine?name={path}%E2%80%AE.toml");
        send(&ui, "POST", &path, &[mark], body).unwrap()
    };
    let refused = swap(
        "bad",
        format!("[[step]]\nget = '/${{no{HIDDEN}}}'\n").as_bytes(),
    );
    assert_eq!(refused.status, 422, "{}", refused.body);
    let told: serde_json::Value = serde_json::from_str(&refused.body).unwrap();
    clean("the refusal", told["error"].as_str().unwrap());
    assert!(refused.body.contains("u{202e}"), "{}", refused.body);
    let taken = swap("good", &fs::read(journey(&folder, "2.0.0")).unwrap());
    assert_eq!(taken.status, 200, "{}", taken.body);

    let mut page = TcpStream::connect(&ui).unwrap();
    page.set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    write!(page, "GET /events HTTP/1.1\r\nHost: {ui}\r\n\r\n").unwrap();
    let mut events = String::new();
    let mut some = [0; 4096];
    // What it says of them comes with the states that follow, the check's once its second is over.
    eventually("all that the page tells", || {
        let read = page.read(&mut some).unwrap();
        assert!(read > 0, "the page has ended: {events}");
        events.push_str(&String::from_utf8_lossy(&some[..read]));
        let parts = ["plan", "mine", "looks", "fine", "swap of mine"];
        parts.iter().all(|part| events.contains(part)).then_some(())
    });
    drop(page);
    clean("the live page", &events.replace('\r', ""));

    run.signal("INT");
    let status = eventually("the end", || run.has_ended());
    drop(run);
    let seen = seen.join().unwrap();
    // The panel moves the cursor and has colors: controls are its own.
    let hidden = seen.find(|c: char| HIDDEN.contains(c));
    assert_eq!(hidden, None, "{}", seen.escape_unicode());
    for part in ["plan", "checks", "swap of mine", "\\u{202e}"] {
        assert!(seen.contains(part), "{part}: {seen}");
    }
    // A check is known by the name that is shown: the condition about the other one has no data, which is strict here.
    assert_eq!(status.code(), Some(99), "{seen}");
    for name in ["page.html", "junit.xml"] {
        let text = fs::read_to_string(at(name)).unwrap();
        clean(name, &text);
        assert!(text.contains("\\u{202e}"), "{name}: {text}");
    }

    // And whatever looks at the module or at the result later.
    let json = at("run.json");
    let later = at("later.html");
    let other = at(&format!("no{HIDDEN}.toml"));
    for (arguments, code) in [
        (
            vec!["report", &json, "--html", &later, "--baseline", &json],
            0,
        ),
        (vec!["check", &module], 0),
        (vec!["rehearse", &module, "--requests", "3"], 0),
        (vec!["try", &module, "--base-url", &service.url], 0),
        (vec!["plan", "--preset", &preset], 0),
        (vec!["check", &other], 2),
        (vec!["run", "--plan", &other], 2),
        (vec!["report", &other], 2),
    ] {
        let ended = vespeiro(&arguments).orderly();
        let (out, error) = (&ended.stdout, &ended.stderr);
        assert_eq!(ended.code, Some(code), "{arguments:?}: {error}{out}");
        clean(&format!("{arguments:?}"), &format!("{out}{error}"));
        assert!(
            format!("{out}{error}").contains("202e"),
            "{arguments:?}: {out}{error}"
        );
    }
    clean("a later page", &fs::read_to_string(&later).unwrap());
}
