//! Rows over swaps: a user's count goes on, whatever version of its behavior asks.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use super::{nobody_twice, people, plan, registered_people, without_rows};
use crate::support::{RunOf, Service, by_hand, eventually, example, post, send, vespeiro};

#[test]
fn users_who_come_later_get_rows_of_their_own_and_a_swap_goes_on_counting() {
    let folder = TempDir::new().unwrap();
    people(&folder, 450);
    let service = Service::start();
    // Six requests each, then somebody new comes. Each of the swaps may cost a row: taken, and its session ended.
    let settings = "profile = \"constant-users\"\nusers = 4\nworkers = 2\nmin_request_count = 6\nmax_request_count = 6\n\
        control = \"127.0.0.1:0\"";
    let arguments = plan(&folder, settings, "order = \"once\"\nper_user = 9");
    let run = RunOf::start(&service.url, &arguments);
    let control = run.authority("control: ");
    let module = std::fs::read(example("registrar")).unwrap();
    for number in 0..3u8 {
        // Other content: one more custom section.
        let other = [&module[..], &[0, 2, 1, b'v' + number]].concat();
        assert_eq!(post(&control, "/swap/mine?mode=now", &other).status, 200);
    }
    // 50 users have rows; whoever comes after them has none.
    eventually("people of all of them, and somebody without any", || {
        let ledger = service.ledger(1);
        (ledger.get(&registered_people())? >= &300 && ledger.get(&without_rows())? > &30)
            .then_some(())
    });
    run.process.signal("INT");
    let played = run.played();
    let answered = played.answered();
    assert_eq!(answered, service.ledger(1));
    assert_eq!(answered[&registered_people()], 50 * 6);
    assert!(nobody_twice(&answered), "{answered:?}");
}

#[test]
fn sessions_that_move_to_another_version_take_their_rows_along() {
    move_on_from(&example("registrar"));
}

/// The same module, kept from the time when its contract was the newest.
#[test]
fn sessions_of_the_contract_0_1_play_and_move_to_what_is_built_today() {
    let kept = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/e2e/guests/contract-0.1/registrar.wasm"
    );
    let checked = vespeiro(&["check", kept]).orderly();
    let said = format!("{}{}", checked.stdout, checked.stderr);
    assert!(said.contains("vespeiro:behavior/behavior@0.1.0"), "{said}");
    move_on_from(Path::new(kept));
}

fn move_on_from(first: &Path) {
    let folder = TempDir::new().unwrap();
    people(&folder, 10_000);
    let service = Service::start();
    let settings = "users = 3\nworkers = 2\nramp_up = 0\nmin_request_count = 1000000\nmax_request_count = 1000000\n\
        control = \"127.0.0.1:0\"";
    let arguments = plan(&folder, settings, "order = \"once\"");
    // One session without end for each user.
    let path = folder.path().join("plan.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let endless = "feed = \"people\", people = 1000000";
    let slow = text.replace(
        "delay_min = 0\ndelay_max = 1",
        "delay_min = 20\ndelay_max = 40",
    );
    let slow = slow.replace("feed = \"people\"", endless);
    let [today, first] = [&example("registrar"), first].map(|path| format!("{path:?}"));
    assert!(slow.contains(&today), "{slow}");
    std::fs::write(&path, slow.replace(&today, &first)).unwrap();
    let run = RunOf::start(&service.url, &arguments);
    let control = run.authority("control: ");
    let module = std::fs::read(example("registrar")).unwrap();
    for number in 0..3u8 {
        let other = [&module[..], &[0, 2, 1, b'v' + number]].concat();
        assert_eq!(
            post(&control, "/swap/mine?mode=migrate", &other).status,
            200
        );
    }
    let so_far = |service: &Service| service.ledger(1).get(&registered_people()).copied();
    let before = so_far(&service).unwrap_or(0);
    eventually("people after the swaps", || {
        (so_far(&service)? > before + 60).then_some(())
    });
    run.process.signal("INT");
    let played = run.played();
    let answered = played.answered();
    assert_eq!(answered, service.ledger(1));
    assert!(nobody_twice(&answered), "{answered:?}");
    assert_eq!(answered.get(&without_rows()), None);
    // Every session went on where it was.
    assert_eq!(played.summary["sessions"]["started"], 3);
}

#[test]
fn users_who_come_back_from_a_quarantine_go_on_with_their_rows() {
    let folder = TempDir::new().unwrap();
    people(&folder, 200);
    let service = Service::start();
    // Takes a row in each session, sends a request and crashes.
    let feed = r#"(import "vespeiro:behavior/host@0.1.0" "feed" (func $feed (param i32 i32 i32)))"#;
    let bad = by_hand(
        &folder,
        &[
            ("imports", feed),
            ("data", r#"(data (i32.const 600) "people")"#),
            (
                "begin",
                "(call $feed (i32.const 600) (i32.const 6) (i32.const 640))",
            ),
            ("next again", "(unreachable)"),
        ],
    );
    // The others keep the run going, as long as nobody stops it.
    let text = format!(
        "workers = 2\ncontrol = \"127.0.0.1:0\"\ndelay_min = 1\ndelay_max = 5\n\
         [[archetype]]\nname = \"mine\"\nmodule = {bad:?}\nusers = 20\nconfig = {{ feed = \"people\" }}\n\
         min_request_count = 15\nmax_request_count = 15\n\
         [[archetype]]\nname = \"others\"\nmodule = {:?}\nusers = 1\nprofile = \"constant-users\"\n\
         [feeds.people]\nfile = \"people.csv\"\norder = \"once\"\narchetypes = [\"mine\"]\n",
        example("first")
    );
    let path = folder.path().join("plan.toml");
    std::fs::write(&path, text).unwrap();
    let run = RunOf::start(&service.url, &format!("--plan {}", path.display()));
    let control = run.authority("control: ");
    let mine = || {
        let status = send(&control, "GET", "/status", &[], b"").unwrap();
        let status: Value = serde_json::from_str(&status.body).unwrap();
        status["archetypes"][0].clone()
    };
    eventually("all of them to be sent away", || {
        (mine()["requests"].as_u64()? >= 20 && mine()["users"] == 0).then_some(())
    });
    let good = std::fs::read(example("registrar")).unwrap();
    assert_eq!(post(&control, "/swap/mine", &good).status, 200);
    eventually("their budgets to be spent", || {
        (mine()["requests"] == 20 * 15 && mine()["users"] == 0).then_some(())
    });
    run.process.signal("INT");
    let played = run.played();
    let versions = played.summary["versions"].as_array().unwrap();
    let bad = versions
        .iter()
        .find(|version| version["behavior"] == "by-hand");
    let crashed = bad.unwrap()["sessions"]["started"].as_u64().unwrap();
    assert!(crashed >= 20, "{crashed}");
    // 10 rows are each user's, and what it lost in crashes does not come again.
    assert_eq!(played.answered()[&registered_people()], 200 - crashed);
    assert_eq!(played.answered(), service.ledger(1));
}
