//! Transactions: named spans of sessions over several steps, and requests with all that they were redirected to. What the target
//! has answered is what they add up to, and its own delays are in their times.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::{get, post};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Played, RunOf, Server, vespeiro};

/// How long the till takes.
const TAKES: Duration = Duration::from_millis(40);
/// How long somebody looks at the cart.
const LOOKS: f64 = 0.15;

/// A shop that redirects to its cart and refuses every fourth payment; and what it has taken and refused.
fn shop() -> (Server, Arc<[AtomicU64; 2]>) {
    let counts = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
    let (counted, tries) = (Arc::clone(&counts), Arc::new(AtomicU64::new(0)));
    let pay = move || {
        let refused = tries.fetch_add(1, Ordering::Relaxed) % 4 == 3;
        counted[usize::from(refused)].fetch_add(1, Ordering::Relaxed);
        async move {
            tokio::time::sleep(TAKES).await;
            match refused {
                true => StatusCode::PAYMENT_REQUIRED,
                false => StatusCode::CREATED,
            }
        }
    };
    let app = Router::new()
        .route("/old", get(|| async { Redirect::to("/cart") }))
        .route("/cart", get(|| async { "a cart" }))
        .route("/pay", post(pay));
    (Server::start(app), counts)
}

fn script(folder: &TempDir, journey: &str) -> String {
    let path = folder.path().join("shop.js");
    let text = format!(
        "import {{ behavior, get, post, wait }} from 'vespeiro';\nfunction* journey(me) {{\n{journey}\n}}\n\
         export default behavior({{ routes: {{ shop: ['GET /old', 'POST /pay'] }}, journey }});\n"
    );
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

const BUYS: &str = "me.begin('visit');\nyield* me.transaction('checkout', function* () {\n(yield get('/old')).expect();\n\
     yield wait(150);\n(yield post('/pay')).expect(201);\n});\nme.end('visit');";

fn transaction(played: &Played, name: &str) -> Value {
    let all = played.summary["transactions"].as_array().unwrap();
    let of = all.iter().find(|one| one["name"] == name).unwrap();
    of.clone()
}

#[test]
fn transactions_are_counted_by_their_end_timed_with_and_without_pauses_and_judged() {
    let folder = TempDir::new().unwrap();
    let shop_js = script(&folder, BUYS);
    let (server, counts) = shop();
    // Five visits of three requests, and a sixth that the budget ends at its first.
    let load = "--users 4 --min-request-count 16 --max-request-count 16 --workers 2 --delay-min 0 --delay-max 10ms \
         --redirects 3 --no-preflight --guest-timeout 5s --threshold p95{transaction=checkout}<10ms \
         --threshold p50{transaction=checkout,pauses=with}>=190ms --threshold transactions{transaction=visit}>=20 \
         --threshold failed_transactions{transaction=visit}<=25%";
    let played = RunOf::start(&server.url, &format!("--archetype shop={shop_js} {load}")).played();
    assert_eq!(played.ended.code, Some(99), "{:?}", played.ended);
    let [paid, refused] = [0, 1].map(|at| counts[at].load(Ordering::Relaxed));
    assert_eq!((paid, refused), (15, 5));
    for name in ["visit", "checkout"] {
        let of = transaction(&played, name);
        let ends = ["passed", "failed", "cut"].map(|end| &of[end]);
        assert_eq!(ends, [&json!(paid), &json!(refused), &json!(4)], "{name}");
        let sum = |times: &str| of[times]["sum"].as_f64().unwrap();
        let (pauses, visits) = (sum("duration") - sum("active"), (paid + refused) as f64);
        assert!(pauses >= LOOKS * visits, "{of}");
        assert!(sum("active") >= TAKES.as_secs_f64() * visits, "{of}");
        assert_eq!(of["active_by_outcome"]["failure"]["count"], json!(refused));
    }
    let chain = transaction(&played, "redirects: GET /old");
    assert_eq!(chain["passed"], json!(paid + refused));
    let crossed: Vec<&Value> = played.summary["thresholds"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["state"] != "ok")
        .map(|one| &one["condition"])
        .collect();
    assert_eq!(crossed, ["p95{transaction=checkout}<10ms"]);
    let said = &played.ended.stdout;
    assert!(said.contains("shop: checkout"), "{said}");
}

#[test]
fn who_tries_or_rehearses_sees_transactions_and_a_wrong_end_is_told() {
    let folder = TempDir::new().unwrap();
    let shop_js = script(&folder, BUYS);
    let (server, _) = shop();
    let tried = vespeiro(&[
        "try",
        &shop_js,
        "--base-url",
        &server.url,
        "--redirects",
        "3",
        "--guest-timeout",
        "5s",
    ])
    .fine();
    let rehearsed = vespeiro(&["rehearse", &shop_js]).fine();
    for said in [&tried.stdout, &rehearsed.stdout] {
        assert!(said.contains("transaction \"visit\": begins"), "{said}");
        assert!(
            said.contains("transaction \"checkout\": passed after 0."),
            "{said}"
        );
    }
    let wrong = script(&folder, "me.begin('a');\nme.end('b');\nyield get('/old');");
    let told = vespeiro(&["rehearse", &wrong]);
    let line = r#"it ends the transaction \"b\", which is not open"#;
    assert!(told.stdout.contains(line), "{told:?}");
}
