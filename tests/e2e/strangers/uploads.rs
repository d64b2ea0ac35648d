//! Files of the plan, sent to Starlette over HTTP/1.1 and HTTP/2: what its parser has read is what was on the disk, byte for byte,
//! and no more of a file is in memory than what is sent next.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::interpreter;
use crate::project::{python, tool};
use crate::support::{Peer, Played, RunOf, eventually};

const PACKAGES: [&str; 3] = [
    "hypercorn==0.17.3",
    "starlette==0.50.0",
    "python-multipart==0.0.20",
];

const SIZE: usize = 20_000_000;

/// Four sessions.
const LOAD: &str = "--users 4 --workers 2 --min-request-count 4 --max-request-count 4";

fn source(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/e2e/strangers/uploads")
        .join(file)
}

/// The server, and a plan beside a file.
struct Scene {
    folder: TempDir,
    server: Peer,
    sha256: String,
}

impl Scene {
    /// `None`: there is no Python.
    fn new(size: usize) -> Option<Scene> {
        if !python() {
            return None;
        }
        let (python, folder) = (interpreter("uploads", &PACKAGES), TempDir::new().unwrap());
        let log = folder.path().join("uploads.log");
        let server = Peer::start(|port| {
            let mut command = tool(python.to_str().unwrap());
            command
                .arg(source("app.py"))
                .arg(port.to_string())
                .env("UPLOADS", &log)
                .env("PYTHONDONTWRITEBYTECODE", "1");
            command
        });
        let content: Vec<u8> = (0..size as u64).map(|at| (at * at % 251) as u8).collect();
        fs::write(folder.path().join("photo.jpg"), &content).unwrap();
        let sha256 = hex(&Sha256::digest(&content));
        let plan = format!(
            "preflight = false\nredirects = 3\nrequest_timeout = '60s'\nguest_timeout = '10s'\n[files]\nphoto = 'photo.jpg'\n\
             [[archetype]]\nname = 'sender'\nmodule = '{}'\nconfig = {{ sha256 = '{sha256}' }}\n",
            source("sender.js").display()
        );
        fs::write(folder.path().join("plan.toml"), plan).unwrap();
        Some(Scene {
            folder,
            server,
            sha256,
        })
    }

    fn start(&self, load: &str) -> RunOf {
        let plan = self.folder.path().join("plan.toml");
        let url = format!("http://127.0.0.1:{}", self.server.port);
        RunOf::start(
            &url,
            &format!(
                "--plan {} --delay-min 0 --delay-max 5 {load}",
                plan.display()
            ),
        )
    }

    fn photo(&self) -> PathBuf {
        self.folder.path().join("photo.jpg")
    }

    /// What the server has said of what came.
    fn seen(&self) -> Vec<Value> {
        let log = fs::read_to_string(self.folder.path().join("uploads.log")).unwrap_or_default();
        log.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Wait for its end, with the most memory that it had, in bytes.
fn watched(mut run: RunOf) -> (Played, u64) {
    let status = format!("/proc/{}/status", run.process.id());
    let mut most = 0;
    eventually("the end of the run", || {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        most = most.max(peak.unwrap_or_default() << 10);
        run.process.has_ended()
    });
    (run.played(), most)
}

#[test]
fn a_large_file_arrives_as_it_is_over_either_protocol() {
    // One that is read while it is sent, and fits into the memory of any run.
    let Some(small) = Scene::new(300_000) else {
        return;
    };
    let usual = ["1", "2"].map(|http| {
        let load = format!("--http {http} {LOAD}");
        let (played, most) = watched(small.start(&load));
        assert_eq!(
            (played.sent(), played.errors()),
            (16, 0),
            "{:?}",
            played.ended
        );
        most
    });
    let Some(scene) = Scene::new(SIZE) else {
        return;
    };
    let mut seen = 0;
    for (at, (http, version)) in [("1", "1.1"), ("2", "2")].into_iter().enumerate() {
        let load = format!("--http {http} {LOAD}");
        let (played, most) = watched(scene.start(&load));
        let all = scene.seen().split_off(seen);
        seen += all.len();
        // A session of each: three requests, and the one that the redirect leads to.
        assert_eq!(
            (played.sent(), played.errors()),
            (16, 0),
            "{:?}",
            played.ended
        );
        assert_eq!(played.check("the form arrived"), (4, 0));
        assert_eq!(played.check("the file arrived"), (8, 0));
        let (forms, wholes): (Vec<_>, Vec<_>) =
            all.iter().partition(|one| one["files"].is_object());
        assert_eq!((forms.len(), wholes.len()), (4, 8));
        for form in forms {
            assert_eq!(form["fields"], json!({ "name": "Ana ção" }));
            let file = json!(["my photo.jpg", "image/jpeg", SIZE, scene.sha256]);
            assert_eq!(form["files"], json!({ "photo": file }));
            let length: usize = form["length"].as_str().unwrap().parse().unwrap();
            assert!((SIZE + 200..SIZE + 600).contains(&length), "{length}");
        }
        for whole in wholes {
            assert_eq!(
                (&whole["size"], &whole["sha256"], &whole["length"]),
                (&json!(SIZE), &json!(scene.sha256), &json!(SIZE.to_string()))
            );
        }
        assert!(all.iter().all(|one| one["http"] == version), "{all:?}");
        // Four users send 20 MB at a time, of which each holds 128 KiB: much is left for how an allocator feels.
        let room = most.saturating_sub(usual[at]);
        assert!(
            room < 16_000_000,
            "{most} over HTTP/{http}, and {} of a small file",
            usual[at]
        );
        // What has left is what came, and what was redirected.
        let came = all
            .iter()
            .map(|one| one["length"].as_str().unwrap().parse::<u64>().unwrap());
        let sent = came.sum::<u64>() + 4 * SIZE as u64;
        let counted = &played.summary["total"]["bytes_sent"];
        assert_eq!(counted.as_u64(), Some(sent));
        played.adds_up();
    }
}

#[test]
fn a_file_that_is_cut_off_fails_its_requests_and_not_the_run() {
    let Some(scene) = Scene::new(SIZE) else {
        return;
    };
    let run = scene.start("--users 2 --workers 1 --duration 4s");
    eventually("a file that has arrived", || {
        (!scene.seen().is_empty()).then_some(())
    });
    let file = fs::File::options().write(true).open(scene.photo()).unwrap();
    file.set_len(1000).unwrap();
    let (played, _) = watched(run);
    let causes = played.summary["causes"].to_string();
    assert!(
        causes.contains("the file photo has another size than when the run began"),
        "{causes} {:?}",
        played.ended
    );
    // Whatever has arrived has arrived whole.
    for one in scene.seen() {
        let sha256 = one["sha256"]
            .as_str()
            .or_else(|| one["files"]["photo"][3].as_str());
        assert_eq!(sha256, Some(&*scene.sha256), "{one}");
    }
    played.adds_up();
}
