//! Django's admin: a login with a form, a token in a cookie and in the page, redirects, changes that are saved.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::interpreter;
use crate::project::{python, succeed, tool};
use crate::support::{Counts, Peer, RunOf};

const DJANGO: &str = "django==5.2.8";

fn source(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/e2e/strangers/django")
        .join(file)
}

fn site(python: &Path, folder: &TempDir) -> Command {
    let mut command = tool(python.to_str().unwrap());
    command.arg(source("site.py")).env("SITE", folder.path());
    command
}

/// What Django's own log says of requests: by method, route and status.
fn logged(folder: &TempDir) -> Counts {
    let log = std::fs::read_to_string(folder.path().join("requests.log")).unwrap();
    let mut counts: Counts = BTreeMap::new();
    for line in log.lines() {
        // "GET /admin/ HTTP/1.1" 200 1234
        let mut parts = line.split('"').skip(1);
        let (asked, told) = (
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
        );
        let [method, path, "HTTP/1.1"] = asked.split(' ').collect::<Vec<_>>()[..] else {
            continue;
        };
        let path = path.split('?').next().unwrap();
        let parts = path.split('/').map(|part| match part.parse::<u64>() {
            Ok(_) => "{id}",
            Err(_) => part,
        });
        let route = parts.collect::<Vec<_>>().join("/");
        let status = told.split_whitespace().next().unwrap().parse().unwrap();
        *counts
            .entry((method.to_owned(), route, status))
            .or_default() += 1;
    }
    counts
}

#[test]
fn somebody_logs_in_to_djangos_admin_and_changes_something() {
    if !python() {
        return;
    }
    let (python, folder) = (interpreter("django", &[DJANGO]), TempDir::new().unwrap());
    succeed(site(&python, &folder).arg("prepare"));
    let django = Peer::start(|port| {
        let mut command = site(&python, &folder);
        command.args(["runserver", &format!("127.0.0.1:{port}"), "--noreload"]);
        command
    });
    let plan = folder.path().join("plan.toml");
    let behavior = source("admin.js");
    let text = format!(
        "redirects = 5\npreflight = false\n[[archetype]]\nname = 'clerk'\nmodule = '{}'\nconfig = {{ password = 'opensesame' }}\n",
        behavior.display()
    );
    std::fs::write(&plan, text).unwrap();
    let url = format!("http://127.0.0.1:{}", django.port);
    // Two sessions each, of eleven requests, four of which are redirects that are followed.
    let load = "--users 3 --workers 2 --min-request-count 22 --max-request-count 22 --delay-min 0 --delay-max 5 \
                --guest-timeout 10s --request-timeout 60s";
    let played = RunOf::fine(&url, &format!("--plan {} {load}", plan.display()));
    assert_eq!(
        (played.sent(), played.errors()),
        (66, 0),
        "{:?}",
        played.ended
    );
    for check in ["logged in", "made a group", "changed it", "is out"] {
        assert_eq!(played.check(check), (6, 0), "{check}: {:?}", played.ended);
    }
    assert_eq!(played.answered(), logged(&folder));
    played.adds_up();
    // What was saved is there.
    let groups = site(&python, &folder).arg("groups").output().unwrap();
    let groups = String::from_utf8(groups.stdout).unwrap();
    assert_eq!(groups.matches("changed").count(), 6, "{groups}");
}
