//! Shards that meet are one run: a behavior is swapped on all of them or on none, shard 0 prepares and tears down for all, and what
//! is asked of it, all do. What the target has seen is the oracle.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use serde_json::Value;
use tempfile::TempDir;

use crate::meeting::{own_place, read, said};
use crate::support::{Answer, Running, Server, eventually, get, post};

/// A target that answers everything, after 2 ms, and writes down what it was asked.
struct Target {
    server: Server,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Target {
    fn start(status: StatusCode) -> Target {
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&seen);
        let app = Router::new().fallback(move |method: Method, uri: Uri| {
            log.lock().unwrap().push(format!("{method} {uri}"));
            async move {
                tokio::time::sleep(Duration::from_millis(2)).await;
                (status, r#"{"id":"a7"}"#)
            }
        });
        let server = Server::start(app);
        Target { server, seen }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    fn count(&self, line: &str) -> usize {
        self.seen().iter().filter(|seen| *seen == line).count()
    }
}

/// Three shards of one run, steered at shard 0.
struct Three {
    shards: Vec<Running>,
    control: String,
    folder: TempDir,
}

impl Three {
    fn start(target: &Target, plan: &str) -> Three {
        Three::with(target, plan, "", |_| &[])
    }

    /// `env` is that of each shard.
    fn with(
        target: &Target,
        plan: &str,
        more: &str,
        env: impl Fn(usize) -> &'static [(&'static str, &'static str)],
    ) -> Three {
        let folder = TempDir::new().unwrap();
        let (place, control) = (own_place(), own_place());
        fs::write(folder.path().join("shop.js"), SHOP).unwrap();
        for (name, path) in [("old", "/old"), ("new", "/new")] {
            let text = format!("name = 'looks'\n[[step]]\nget = '{path}'\n");
            fs::write(folder.path().join(format!("{name}.toml")), text).unwrap();
        }
        let file = folder.path().join("plan.toml");
        fs::write(&file, plan).unwrap();
        let shards = (0..3).map(|index| {
            let here = folder.path().display();
            let mut all = format!(
                "run --no-panel --no-preflight --log=info --base-url {} --plan {} --meet {place} \
                 --shard {index}/3 --run-id e2emeets --seed 7 --workers 1 --journal {here}/run.journal --cleanup never \
                 --summary-json {here}/sum.json --delay-min 0 --delay-max 2ms --ramp-up 0 --guest-timeout 5s",
                target.server.url,
                file.display(),
            );
            all = match more.contains("--control") {
                true => format!("{all} {more}"),
                false => format!("{all} --control {control} {more}"),
            };
            let all: Vec<&str> = all.split_whitespace().collect();
            Running::start_in(&all, env(index))
        });
        let shards = shards.collect();
        Three {
            shards,
            control,
            folder,
        }
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn status(&self) -> Option<Value> {
        serde_json::from_str(&get(&self.control, "/status").ok()?).ok()
    }

    fn waits_for(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        eventually(what, || self.status().filter(|status| is_so(status)))
    }

    fn swap(&self, query: &str, module: &Path) -> Answer {
        let module = fs::read(module).unwrap();
        post(&self.control, &format!("/swap/one?{query}"), &module)
    }

    /// All end in order; the whole's summary, and the parts of the others.
    fn fine(self) -> (Value, Vec<Value>) {
        for shard in self.shards {
            drop(shard.ended().fine());
        }
        let read = |name: &str| read(&self.folder.path().join(name));
        let parts = ["sum-1-of-3.json", "sum-2-of-3.json"].map(read);
        (read("sum.json"), parts.into())
    }
}

const PLAN: &str = "users = 9\nduration = '60s'\ngrace = '2s'\nprofile = 'constant-users'\n\
     [[archetype]]\nname = 'one'\nmodule = 'old.toml'\n";

/// Nobody asks for this any more.
fn is_over(target: &Target, line: &str, others: &str) {
    eventually("all have left the old version", || {
        let (before, others_before) = (target.count(line), target.count(others));
        eventually("the others play", || {
            (target.count(others) > others_before + 60).then_some(())
        });
        (target.count(line) == before).then_some(())
    });
}

fn versions(of: &Value) -> BTreeMap<String, u64> {
    let versions = of["versions"].as_array().unwrap().iter();
    let each = versions.map(|one| {
        (
            one["hash"].as_str().unwrap().to_owned(),
            one["requests"].as_u64().unwrap(),
        )
    });
    each.collect()
}

#[test]
fn a_swap_under_load_is_played_by_all_shards() {
    let target = Target::start(StatusCode::OK);
    let three = Three::start(&target, PLAN);
    three.waits_for("requests of nine users", |now| {
        now["users"] == 9 && now["requests"].as_u64() > Some(50)
    });
    let swapped = three.swap("name=new.toml&mode=now", &three.file("new.toml"));
    assert_eq!(swapped.status, 200, "{}", swapped.body);
    is_over(&target, "GET /old", "GET /new");
    // One at a time: both are played in the end, in the order in which they come.
    let both = std::thread::scope(|scope| {
        let swap = |name: &'static str| {
            let three = &three;
            scope.spawn(move || three.swap(&format!("name={name}&share=50%"), &three.file(name)))
        };
        [swap("old.toml"), swap("old.toml")].map(|one| one.join().unwrap())
    });
    assert!(both.iter().all(|answer| answer.status == 200), "{both:?}");
    let before = target.count("GET /old");
    eventually("the old one plays beside the new one", || {
        (target.count("GET /old") > before + 30).then_some(())
    });
    // A file that is saved is one more swap, for all.
    fs::write(
        three.file("old.toml"),
        "name = 'looks'\n[[step]]\nget = '/saved'\n",
    )
    .unwrap();
    eventually("what was saved plays", || {
        (target.count("GET /saved") > 30).then_some(())
    });
    is_over(&target, "GET /old", "GET /saved");
    is_over(&target, "GET /new", "GET /saved");
    assert_eq!(post(&three.control, "/stop", b"").status, 200);
    let (whole, parts) = three.fine();
    let of_whole = versions(&whole);
    let requests = whole["total"]["requests"].as_u64().unwrap();
    assert_eq!(requests, target.seen().len() as u64);
    assert_eq!(
        (of_whole.len(), of_whole.values().sum::<u64>()),
        (3, requests)
    );
    for part in &parts {
        let own = versions(part);
        assert!(
            own.keys().eq(of_whole.keys()) && own.values().all(|requests| *requests > 0),
            "{own:?}"
        );
    }
    assert_eq!(
        (
            &whole["swaps"][0]["published"],
            &whole["swaps"][0]["refused"]
        ),
        (&3.into(), &0.into())
    );
}

/// What the last shard of three has for a secret.
const BAD: &str = "this one cannot";

#[test]
fn a_swap_that_one_shard_refuses_changes_nothing_on_any() {
    let target = Target::start(StatusCode::OK);
    let plan = format!("{PLAN}[secrets]\nkey = 'THE_KEY'\n");
    let three = Three::with(&target, &plan, "", |index| match index {
        2 => &[("THE_KEY", BAD)],
        _ => &[("THE_KEY", "good one")],
    });
    three.waits_for("requests of nine users", |now| {
        now["users"] == 9 && now["requests"].as_u64() > Some(50)
    });
    let refuses = three.file("refuses.js");
    let text = format!(
        "import {{ behavior, get }} from 'vespeiro';\n\
         function* journey(me) {{ if (me.secret('key') === '{BAD}') throw new Error('not here'); yield get('/new'); }}\n\
         export default behavior({{ routes: {{ look: ['GET /new'] }}, journey }});\n"
    );
    fs::write(&refuses, text).unwrap();
    let refused = three.swap("name=refuses.js&mode=now", &refuses);
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert!(
        refused.body.contains("shard 2: ") && refused.body.contains("not here"),
        "{}",
        refused.body
    );
    let broken = three.file("broken.toml");
    fs::write(&broken, "name = 'looks'\n[[step]]\ngte = '/x'\n").unwrap();
    assert_eq!(three.swap("name=broken.toml", &broken).status, 422);
    let now = three.waits_for("both refusals are counted", |now| {
        now["archetypes"][0]["swaps_refused"] == 2
    });
    assert_eq!(
        now["archetypes"][0]["versions"].as_array().unwrap().len(),
        1,
        "{now}"
    );
    let before = target.count("GET /old");
    eventually("the run goes on", || {
        (target.count("GET /old") > before + 100).then_some(())
    });
    // It is no reason not to swap to another one.
    assert_eq!(
        three
            .swap("name=new.toml&mode=now", &three.file("new.toml"))
            .status,
        200
    );
    is_over(&target, "GET /old", "GET /new");
    // One that dies meanwhile leaves nobody waiting.
    three.shards[2].signal("STOP");
    let lost = three.swap("name=old.toml&mode=now", &three.file("old.toml"));
    assert_ne!(lost.status, 200, "{}", lost.body);
    three.shards[2].signal("KILL");
    let [first, second, _] = three.shards.try_into().unwrap_or_else(|_| panic!());
    let first: Running = first;
    let aborted = first.ended().orderly();
    assert_eq!(aborted.code, Some(1), "{}", aborted.stderr);
    assert!(
        aborted.stderr.contains("lost: shards 2"),
        "{}",
        aborted.stderr
    );
    drop(second.ended().fine());
    assert_eq!(
        target
            .seen()
            .iter()
            .filter(|line| !["GET /old", "GET /new"].contains(&line.as_str()))
            .count(),
        0
    );
}

#[test]
fn what_crashes_on_other_shards_is_taken_back_on_all() {
    let target = Target::start(StatusCode::OK);
    let plan = format!("{PLAN}config = {{ mode = 'trap', after = 30 }}\n");
    let three = Three::start(&target, &plan);
    three.waits_for("requests of nine users", |now| {
        now["users"] == 9 && now["requests"].as_u64() > Some(50)
    });
    let bad = crate::support::example("misbehaving");
    let swapped = three.swap("name=bad.wasm&mode=now", &bad);
    assert_eq!(swapped.status, 200, "{}", swapped.body);
    three.waits_for("it is taken back", |now| {
        now["archetypes"][0]["swaps_rolled_back"] == 1
    });
    let before = target.count("GET /old");
    eventually("the old one plays again", || {
        (target.count("GET /old") > before + 100).then_some(())
    });
    for shard in &three.shards {
        said(shard, "rolled back");
    }
    // Who has been taken back can be swapped anew.
    assert_eq!(
        three
            .swap("name=new.toml&mode=now", &three.file("new.toml"))
            .status,
        200
    );
    is_over(&target, "GET /old", "GET /new");
    assert_eq!(post(&three.control, "/stop", b"").status, 200);
    drop(three.fine());
}

const SHOP: &str = "import { behavior, get, post, del } from 'vespeiro';\n\
     const routes = { shop: ['POST /items', 'GET /items/{id}', 'DELETE /items/{id}'] };\n\
     function* prepare(me) { const { id } = (yield post('/items', {}, { mark: 'item:a7' })).expect(200).json(); me.share({ id }); }\n\
     function* journey(me) { (yield get('/items/{id}', me.shared)).expect(200); }\n\
     function* teardown(me) { (yield del('/items/{id}', me.shared)).expect(200); me.unmark('item:a7'); }\n\
     export default behavior({ routes, prepare, journey, teardown });\n";

const LITTLE: &str = "users = 6\nmin_request_count = 5\nmax_request_count = 5\n[[archetype]]\nname = 'one'\nmodule = 'shop.js'\n";

#[test]
fn shard_0_prepares_for_all_and_tears_down_when_all_have_played() {
    let target = Target::start(StatusCode::OK);
    let three = Three::start(&target, LITTLE);
    for shard in three.shards {
        drop(shard.ended().fine());
    }
    let seen = target.seen();
    let ends = [seen.first(), seen.last()].map(|line| line.unwrap().as_str());
    assert_eq!(ends, ["POST /items", "DELETE /items/a7"]);
    // Each user of each shard has what was shared.
    assert_eq!(
        (seen.len(), target.count("GET /items/a7")),
        (32, 30),
        "{seen:?}"
    );
}

#[test]
fn where_shard_0_cannot_prepare_nobody_plays() {
    let target = Target::start(StatusCode::SERVICE_UNAVAILABLE);
    let three = Three::start(&target, LITTLE);
    let ended: Vec<_> = three
        .shards
        .into_iter()
        .map(|one| one.ended().orderly())
        .collect();
    for (index, one) in ended.iter().enumerate() {
        let why = match index {
            0 => "archetype one: its prepare was given up: nobody plays",
            _ => "shard 0 could not prepare the run: archetype one: its prepare was given up",
        };
        assert_eq!(one.code, Some(1), "{index}: {}", one.stderr);
        assert!(one.stderr.contains(why), "{index}: {}", one.stderr);
    }
    let seen = target.seen();
    assert!(seen.iter().all(|line| line == "POST /items"), "{seen:?}");
}

#[test]
fn all_shards_pause_and_go_on_and_end_by_what_all_have_counted() {
    let target = Target::start(StatusCode::OK);
    // No shard alone comes to so many: of 9 users each has three.
    let three = Three::with(&target, PLAN, "--abort-on requests>3000", |_| &[]);
    three.waits_for("requests of nine users", |now| {
        now["users"] == 9 && now["requests"].as_u64() > Some(50)
    });
    assert_eq!(post(&three.control, "/pause", b"").status, 200);
    eventually("nobody asks any more", || {
        let before = target.seen().len();
        // Three beats.
        std::thread::sleep(Duration::from_secs(3));
        (target.seen().len() == before).then_some(())
    });
    let held = target.seen().len();
    assert_eq!(post(&three.control, "/resume", b"").status, 200);
    eventually("all go on", || {
        (target.seen().len() > held + 100).then_some(())
    });
    let ended: Vec<_> = three
        .shards
        .into_iter()
        .map(|one| one.ended().orderly())
        .collect();
    let codes: Vec<_> = ended.iter().map(|one| one.code).collect();
    assert_eq!(codes, [Some(3), Some(0), Some(0)], "{}", ended[0].stderr);
    assert!(
        ended[0].stderr.contains("stopped by its own guard"),
        "{}",
        ended[0].stderr
    );
    let requests = |name: &str| {
        read(&three.folder.path().join(name))["total"]["requests"]
            .as_u64()
            .unwrap()
    };
    let whole = requests("sum.json");
    assert_eq!(whole, target.seen().len() as u64);
    assert!(
        whole > 3000 && requests("sum-1-of-3.json") < 3000,
        "{whole}"
    );
}

#[test]
fn who_has_another_token_is_not_let_in() {
    let target = Target::start(StatusCode::OK);
    let mut three = Three::with(&target, PLAN, "--control none", |index| match index {
        2 => &[("VESPEIRO_CONTROL_TOKEN", "another one of 16 characters")],
        _ => &[("VESPEIRO_CONTROL_TOKEN", "the one that shards share")],
    });
    let stranger = three.shards.pop().unwrap().ended().orderly();
    assert_eq!(stranger.code, Some(2), "{}", stranger.stderr);
    let why = "shard 0 does not let this one in: this run needs its control_token";
    assert!(stranger.stderr.contains(why), "{}", stranger.stderr);
    assert!(
        !stranger.stderr.contains("another one"),
        "{}",
        stranger.stderr
    );
    assert_eq!(target.seen().len(), 0);
}
