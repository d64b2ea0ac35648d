//! The report's page in a browser: of a real run with a swap in it, in both languages, and of a summary whose names are
//! hostile.

use serde_json::{Value, json};
use tempfile::TempDir;

use super::chromium::Chromium;
use super::support::{Running, by_hand, eventually, free_address, vespeiro};

/// A name that would run as a script wherever it is not escaped.
const HOSTILE: &str =
    "</script><img src=x onerror='window.harmed=1'>\"><svg onload=window.harmed=2>&lt;{{7*7}}";

#[test]
fn the_page_of_a_run_is_drawn_sorted_and_read() {
    let Some(chromium) = Chromium::ready() else {
        return;
    };
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let url = |name: &str| url::Url::from_file_path(path(name)).unwrap().to_string();
    let module = by_hand(&folder, &[]);
    played(
        module.to_str().unwrap(),
        &path("run.html"),
        &path("run.json"),
        &path("run.journal"),
    );

    let again = |summary: &str, page: &str, language: &str| {
        let (summary, page) = (path(summary), path(page));
        vespeiro(&["report", &summary, "--html", &page, "--lang", language]).fine();
    };
    again("run.json", "pt.html", "pt-BR");
    let mut summary: Value =
        serde_json::from_str(&std::fs::read_to_string(path("run.json")).unwrap()).unwrap();
    poison(&mut summary);
    std::fs::write(path("hostile.json"), summary.to_string()).unwrap();
    again("hostile.json", "hostile.html", "en");

    compared(&folder, &summary);

    let facts = [
        ("VESPEIRO_PAGE", url("run.html")),
        ("VESPEIRO_PAGE_PT", url("pt.html")),
        ("VESPEIRO_PAGE_HOSTILE", url("hostile.html")),
        ("VESPEIRO_PAGE_COMPARED", url("compared.html")),
        ("VESPEIRO_HOSTILE", HOSTILE.to_owned()),
    ];
    let facts: Vec<(&str, &str)> = facts.iter().map(|(k, v)| (*k, v.as_str())).collect();
    chromium.run("report.mjs", &facts);
}

/// A short run against the embedded service, one behavior of which is swapped.
fn played(module: &str, page: &str, summary: &str, journal: &str) {
    let control = free_address();
    let mut run = Running::start(&[
        "demo",
        "--no-panel",
        "--users=8",
        "--min-request-count=1000",
        "--max-request-count=1000",
        "--delay-min=0",
        "--delay-max=40",
        "--duration=6s",
        "--threshold=p99<30s",
        "--control",
        &control,
        "--html",
        page,
        "--summary-json",
        summary,
        "--journal",
        journal,
    ]);
    eventually("a swap", || {
        assert!(run.has_ended().is_none(), "{}", run.stderr());
        let swap = vespeiro(&["swap", "power", module, "--control", &control]);
        (swap.code == Some(0)).then_some(())
    });
    eventually("the end of the run", || run.has_ended());
    let _ = run.ended().orderly();
}

/// The page of a run that is held against itself, had it had other errors.
fn compared(folder: &TempDir, summary: &Value) {
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let with_errors = |name: &str, of: &str, at: usize| {
        let mut summary = summary.clone();
        let requests = &mut summary[of];
        let requests = match at {
            0 => requests,
            at => &mut requests[at],
        };
        requests["errors"] = json!(requests["requests"].as_u64().unwrap() / 2);
        std::fs::write(path(name), summary.to_string()).unwrap();
    };
    with_errors("then.json", "archetypes", 1);
    with_errors("now.json", "total", 0);
    let (then, now, page) = (path("then.json"), path("now.json"), path("compared.html"));
    vespeiro(&["report", &now, "--baseline", &then, "--html", &page]).fine();
}

/// Put the name wherever a summary has one that strangers choose.
fn poison(summary: &mut Value) {
    summary["run"]["scenario"] = json!(HOSTILE);
    summary["run"]["target"] = json!(HOSTILE);
    summary["routes"][0]["path"] = json!(HOSTILE);
    summary["routes"][0]["method"] = json!(HOSTILE);
    summary["archetypes"][0]["name"] = json!(HOSTILE);
    summary["archetypes"][0]["behavior"] = json!(HOSTILE);
    summary["mix"][0]["category"] = json!(HOSTILE);
    summary["timeline"]["categories"][0] = json!(HOSTILE);
    summary["timeline"]["events"] =
        json!([{"at": 1.0, "kind": "swapped", "archetype": HOSTILE, "detail": HOSTILE}]);
    let points = summary["timeline"]["points"].as_array_mut().unwrap();
    points[1].as_object_mut().unwrap().remove("latency");
    summary["checks"] = json!([{"archetype": HOSTILE, "name": HOSTILE, "passed": 1, "failed": 0}]);
    summary["thresholds"][0]["condition"] = json!(HOSTILE);
}
