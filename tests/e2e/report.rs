//! `vespeiro report` prints what the run printed, from its file alone, and refuses what is no such file.

use tempfile::TempDir;

use crate::support::vespeiro;

#[test]
fn a_run_s_summary_is_printed_again_from_its_file() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (file, journal) = (path("summary.json"), path("run.journal"));
    let run = vespeiro(&[
        "demo",
        "--no-panel",
        "--users=3",
        "--duration=2",
        "--summary-json",
        &file,
        "--journal",
        &journal,
    ]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let again = vespeiro(&["report", &file]);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert!(again.stdout.lines().count() > 10, "{}", again.stdout);
    assert!(
        run.stdout.contains(&again.stdout),
        "{}\n---\n{}",
        run.stdout,
        again.stdout
    );

    let portuguese = vespeiro(&["report", &file, "--lang=pt-BR"]);
    assert_eq!(portuguese.code, Some(0), "{}", portuguese.stderr);
    assert_ne!(portuguese.stdout, again.stdout);
}

#[test]
fn what_is_no_summary_is_refused_in_one_line() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("other.json");
    for (text, part) in [
        ("{\"schema\": 99}", "schema 99"),
        ("{\"schema\": 1}", "missing field"),
        ("[", "not a summary"),
    ] {
        std::fs::write(&file, text).unwrap();
        let ended = vespeiro(&["report", file.to_str().unwrap()]);
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
        assert!(ended.stderr.contains(part), "{}", ended.stderr);
    }
}
