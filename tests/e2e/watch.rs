//! Module files that change while their run goes on, in all the ways in which folders and links do, and files that are none.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::{RunOf, Service, by_hand, eventually};

/// Few people, who play until they are stopped.
const CALM: &str = "--users 4 --workers 1 --delay-min 5ms --delay-max 30ms --min-request-count 10000000 \
                    --max-request-count 10000000";

/// The module by hand, with a number in its memory: another content, and the same behavior.
fn version(folder: &TempDir, number: u32) -> Vec<u8> {
    let data = format!("(data (i32.const 2048) \"{number}\")");
    fs::read(by_hand(folder, &[("data", &data)])).unwrap()
}

fn start(service: &Service, module: &Path, more: &str) -> RunOf {
    let arguments = format!("--archetype mine={} {CALM} {more}", module.display());
    let run = RunOf::start(&service.url, &arguments);
    eventually("the first requests", || {
        (service.answered_at_all() > 10).then_some(())
    });
    run
}

/// Swaps that the run has told of.
fn swaps(run: &RunOf) -> usize {
    let log = run.process.stderr() + &run.process.stdout();
    log.matches("swap of mine:").count()
}

#[test]
fn a_pipe_in_the_place_of_a_module_does_not_keep_the_run_from_its_end() {
    let folder = TempDir::new().unwrap();
    let module = folder.path().join("mine.wasm");
    fs::write(&module, version(&folder, 1)).unwrap();
    let service = Service::start();
    let run = start(&service, &module, "--duration 5s");
    fs::remove_file(&module).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(&module)
            .status()
            .unwrap()
            .success()
    );
    let played = run.played();
    assert_eq!(played.ended.code, Some(0), "{}", played.ended.stderr);
    assert_eq!(played.answered(), service.ledger(1));
}

#[test]
fn folders_that_are_made_anew_and_links_above_are_noticed_every_time() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    let make = |name: &str, number: u32| {
        fs::create_dir(at(name)).unwrap();
        fs::write(at(name).join("mine.wasm"), version(&folder, number)).unwrap();
    };
    make("dist", 0);
    symlink(at("dist"), at("link")).unwrap();
    let service = Service::start();
    let run = start(&service, &at("link").join("mine.wasm"), "");
    let mut count = 0;
    let mut taken_up = |what: &str| {
        count += 1;
        eventually(what, || (swaps(&run) == count).then_some(()));
    };
    for number in 1..4 {
        fs::remove_dir_all(at("dist")).unwrap();
        make("dist", number);
        taken_up("the folder that was made anew");
    }
    for number in 4..7 {
        let other = format!("other{number}");
        make(&other, number);
        symlink(at(&other), at("next")).unwrap();
        fs::rename(at("next"), at("link")).unwrap();
        taken_up("the link that leads elsewhere");
    }
    run.process.signal("INT");
    let played = run.played();
    assert_eq!(played.ended.code, Some(0), "{}", played.ended.stderr);
    assert_eq!(played.answered(), service.ledger(1));
}

#[test]
fn half_of_a_program_is_waited_for_and_a_mistake_is_told_in_the_end() {
    let folder = TempDir::new().unwrap();
    let toml = "name = 'NAME'\n[[step]]\nget = '/health'\n";
    let script = "import { behavior, get } from 'vespeiro';\nfunction* journey() { yield get('/health'); }\n\
                  export default behavior({ version: 'NAME', routes: { all: ['GET /health'] }, journey });\n";
    for (file, text, half) in [
        ("mine.toml", toml, "name = 'half"),
        (
            "mine.js",
            script,
            "import { behavior, get } from 'vespeiro';\nfunction* journey() {",
        ),
    ] {
        let path = folder.path().join(file);
        let write = |name: &str| fs::write(&path, text.replace("NAME", name)).unwrap();
        write("1.0.0");
        let service = Service::start();
        // A debug build reads a program within a call of the first users, too.
        let run = start(&service, &path, "--guest-timeout 10s --control 127.0.0.1:0");
        fs::write(&path, half).unwrap();
        let said = |what: &str| run.process.stderr().contains(what).then_some(());
        eventually("half of it", || said("or is not written to its end"));
        write("2.0.0");
        eventually("the whole", || (swaps(&run) == 1).then_some(()));
        assert!(said("refused").is_none(), "{}", run.process.stderr());
        // What stays half is a mistake.
        fs::write(&path, half).unwrap();
        eventually("the mistake", || said("swap of mine refused"));
        run.process.signal("INT");
        let played = run.played();
        let log = &played.ended.stderr;
        assert_eq!(played.ended.code, Some(0), "{log}");
        assert_eq!(log.matches("it is waited for").count(), 2, "{log}");
        assert_eq!(log.matches("refused").count(), 1, "{log}");
    }
}

#[test]
fn a_module_that_is_written_slowly_is_waited_for_with_one_line() {
    let folder = TempDir::new().unwrap();
    let module = folder.path().join("mine.wasm");
    fs::write(&module, version(&folder, 1)).unwrap();
    let service = Service::start();
    let run = start(&service, &module, "");
    let whole = version(&folder, 2);
    let mut file = File::create(&module).unwrap();
    for piece in whole.chunks(whole.len() / 5 + 1) {
        file.write_all(piece).unwrap();
        // As slow as a copy over a bad line: each piece rests long enough to be read.
        sleep(Duration::from_millis(800));
    }
    drop(file);
    eventually("the swap", || (swaps(&run) == 1).then_some(()));
    run.process.signal("INT");
    let played = run.played();
    let log = &played.ended.stderr;
    assert_eq!(played.ended.code, Some(0), "{log}");
    assert_eq!(log.matches("it is waited for").count(), 1, "{log}");
    assert!(!log.contains("refused"), "{log}");
    assert_eq!(played.answered(), service.ledger(1));
}
