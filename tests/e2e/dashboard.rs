//! `vespeiro dashboard`: a real Prometheus scrapes a demo, and every query of every panel, annotation and alert has data.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Prometheus, Running, eventually, free_address, tool, vespeiro};

fn printed(arguments: &[&str]) -> String {
    vespeiro(&[&["dashboard"], arguments].concat())
        .fine()
        .stdout
}

/// Title and query of everything on the dashboard.
fn queries(dashboard: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    panels
        .filter(|panel| panel["type"] != "row")
        .flat_map(|panel| {
            let targets = panel["targets"].as_array().unwrap().iter();
            targets.map(|target| (text(&panel["title"]), text(&target["expr"])))
        })
        .collect()
}

/// Alerts: name and expression.
fn alerts(rules: &str) -> Vec<(String, String)> {
    let value = |line: &str, key: &str| line.trim_start().strip_prefix(key).map(str::to_owned);
    let names = rules.lines().filter_map(|line| value(line, "- alert: "));
    let expressions = rules.lines().filter_map(|line| value(line, "expr: "));
    let plain = |text: String| text.trim_matches('\'').replace("''", "'");
    names.zip(expressions.map(plain)).collect()
}

/// What Grafana puts in the place of its variables.
fn filled(query: &str) -> String {
    let query = query.replace("$__rate_interval", "5s");
    let query = query.replace("$job", ".*").replace("$instance", ".*");
    assert!(!query.contains('$'), "{query}");
    query
}

fn seconds_since_1970() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs_f64()
}

/// Whoever of a demo uses channels and transactions: notes to oneself over a WebSocket.
const TALKER: &str = "import { behavior, open, post } from 'vespeiro';
function* journey(me) {
  const { username, email, password, name } = me.user;
  if (me.ordinal === 0) {
    (yield post('/api/v1/users', {}, { json: { username, email, password, name } })).expect(201);
  }
  const bearer = me.tokens(email, password);
  const chat = yield open('websocket', '/api/v1/notifications', {}, { bearer });
  yield* me.transaction('note', function* () {
    yield chat.sendJson({ to: username, text: 'Remember.' });
    yield chat.receive({ atMost: 2, within: 5000 });
  });
  yield chat.close();
}
const auth = { login: 'POST /api/v1/auth/login' };
const routes = { auth: ['POST /api/v1/users', auth.login], talk: ['GET /api/v1/notifications'] };
export default behavior({ routes, auth, journey });
";

/// A demo that goes on until it is stopped, quick enough to have had everything soon.
fn demo(folder: &TempDir, arguments: &[&str]) -> Running {
    let talker = folder.path().join("talker.js");
    std::fs::write(&talker, TALKER).unwrap();
    let talker = format!("--archetype=talker={}:20", talker.display());
    let demo = [
        "demo",
        "--no-panel",
        "--duration=120",
        "--delay-min=20",
        "--delay-max=60",
        "--max-request-count=100000",
        "--cleanup=never",
        "--threshold=p95<5s",
        "--guest-timeout=5s",
        "--archetype=newcomer",
        "--archetype=active",
        "--archetype=admin",
        "--archetype=power",
        &talker,
    ];
    Running::start(&[&demo, arguments].concat())
}

fn every_query_has_data(prometheus: &Prometheus, native: bool) {
    let flag: &[&str] = if native {
        &["--native-histograms"]
    } else {
        &[]
    };
    let dashboard: Value = serde_json::from_str(&printed(flag)).unwrap();
    let queries = queries(&dashboard);
    assert!(queries.len() > 40, "{}", queries.len());
    for (title, query) in queries {
        let query = filled(&query);
        eventually(&format!("data for {title}: {query}"), || {
            let result = prometheus.query(&query, None);
            (!result.is_empty()).then_some(())
        });
    }
    for (name, rule) in alerts(&printed(&[&["--alerts"], flag].concat())) {
        let (expression, _) = rule.rsplit_once(['>', '<']).unwrap();
        let expression = expression.replace("[1m]", "[5s]").replace("[15m]", "[5s]");
        eventually(&format!("data for {name}: {expression}"), || {
            let result = prometheus.query(&expression, None);
            (!result.is_empty()).then_some(())
        });
        // The rule as it stands, and with a bound that everything is above of.
        prometheus.query(&rule, None);
        assert!(
            !prometheus
                .query(&format!("{expression} > -1e12"), None)
                .is_empty(),
            "{name}"
        );
    }
}

#[test]
fn every_query_has_data_in_a_scraped_demo() {
    let address = free_address();
    let Some(prometheus) = Prometheus::start(Some(&address)) else {
        return;
    };
    let folder = TempDir::new().unwrap();
    let demo = demo(&folder, &["--metrics", &address]);
    every_query_has_data(&prometheus, false);

    let dashboard: Value = serde_json::from_str(&printed(&[])).unwrap();
    let marks = dashboard["annotations"]["list"].as_array().unwrap();
    let query = |name: &str| {
        let mark = marks.iter().find(|mark| mark["name"] == name).unwrap();
        filled(mark["expr"].as_str().unwrap())
    };
    let started = prometheus.query(&query("Start"), None);
    let at: f64 = started[0]["value"][1].as_str().unwrap().parse().unwrap();
    let ago = seconds_since_1970() - at / 1000.0;
    assert!((0.0..300.0).contains(&ago), "{started:?}");
    assert_eq!(started[0]["metric"]["scenario"], "mixed", "{started:?}");

    for mark in marks {
        // Each can be asked, whether or not its event has happened.
        prometheus.query(&query(mark["name"].as_str().unwrap()), None);
    }

    demo.signal("INT");
    demo.ended().fine();
    let scraped = prometheus.query("vespeiro_run_info[5m]", None);
    let last = scraped[0]["values"].as_array().unwrap().last().unwrap()[0].clone();
    let last = last.as_f64().unwrap();
    eventually("the mark of the end", || {
        // At that time, a minute ago was the last moment at which the run was seen.
        let result = prometheus.query(&query("End"), Some(last + 60.1));
        let one = result.first()?;
        assert_eq!(one["value"][1], "1");
        Some(())
    });

    for variable in dashboard["templating"]["list"].as_array().unwrap() {
        if variable["type"] == "query" {
            let query = variable["query"]["query"].as_str().unwrap();
            let (selector, label) = query
                .strip_prefix("label_values(")
                .and_then(|rest| rest.strip_suffix(')')?.rsplit_once(", "))
                .unwrap();
            let values = prometheus.query(&filled(selector), Some(last));
            assert!(values[0]["metric"][label].is_string(), "{query}");
        }
    }
}

#[test]
fn every_query_has_data_in_a_demo_that_pushes_native_histograms() {
    let Some(prometheus) = Prometheus::start(None) else {
        return;
    };
    let folder = TempDir::new().unwrap();
    let demo = demo(
        &folder,
        &[
            "--native-histograms",
            "--push-interval=1s",
            "--remote-write",
            &prometheus.url,
        ],
    );
    every_query_has_data(&prometheus, true);
    demo.signal("INT");
    demo.ended().fine();
}

#[test]
fn the_alert_rules_are_right() {
    let Some(promtool) = tool("promtool", "prometheus") else {
        return;
    };
    for flag in [&["--alerts"][..], &["--alerts", "--native-histograms"]] {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("rules.yml");
        std::fs::write(&file, printed(flag)).unwrap();
        let said = Command::new(&promtool)
            .args(["check", "rules", "--lint-fatal"])
            .arg(&file)
            .output()
            .unwrap();
        let text = [said.stdout, said.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        assert!(
            said.status.success() && text.contains("rules found"),
            "{text}"
        );
    }
}
