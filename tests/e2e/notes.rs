//! What users keep and say: notes of one session are there in the next, whichever version of the behavior plays it; and why
//! sessions are given up is counted, as often as the target has given cause.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::json;
use tempfile::TempDir;

use crate::support::{RunOf, Server, eventually, get, post as send, vespeiro};

/// A visitor that knows by its notes how often it was here. The `name` of its check tells the versions apart.
fn script(version: &str, name: &str) -> String {
    format!(
        "import {{ behavior, post, think }} from 'vespeiro';\n\
         function* journey(me) {{\n\
         const {{ visits }} = me.remembered() ?? {{ visits: 0 }};\n\
         me.check('{name}', visits === me.ordinal);\n\
         me.remember({{ visits: visits + 1 }});\n\
         yield think();\n\
         (yield post('/pay')).expect(201);\n\
         }}\n\
         export default behavior({{ version: '{version}', routes: {{ shop: ['POST /pay'] }}, journey }});\n"
    )
}

#[test]
fn notes_stay_with_their_user_over_sessions_and_a_swap_and_reasons_are_counted() {
    let refused = Arc::new(AtomicU64::new(0));
    let (counted, tries) = (Arc::clone(&refused), Arc::new(AtomicU64::new(0)));
    let pay = move || {
        let is_refused = tries.fetch_add(1, Ordering::Relaxed) % 3 == 2;
        counted.fetch_add(u64::from(is_refused), Ordering::Relaxed);
        async move {
            match is_refused {
                true => StatusCode::PAYMENT_REQUIRED,
                false => StatusCode::CREATED,
            }
        }
    };
    let server = Server::start(Router::new().route("/pay", post(pay)));
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("shop.js");
    fs::write(&path, script("1.0.0", "before the swap")).unwrap();
    let load = "--users 4 --workers 2 --profile constant-users --delay-min 1ms --delay-max 5ms --no-preflight \
                --max-request-count 10000 --min-request-count 10000 --guest-timeout 5s --control 127.0.0.1:0";
    let archetype = format!("--archetype shop={}", path.display());
    let run = RunOf::start(&server.url, &format!("{archetype} {load}"));
    let authority = run.authority("control: ");
    let plays = |version: &str| {
        let status = get(&authority, "/status").ok()?;
        status.contains(&format!("\"{version}\"")).then_some(())
    };
    eventually("the first one", || plays("1.0.0"));
    // Nobody is in their first session any more.
    let paid = |least| (refused.load(Ordering::Relaxed) > least).then_some(());
    eventually("visits", || paid(10));
    let aside = folder.path().join("draft");
    fs::write(&aside, script("2.0.0", "after the swap")).unwrap();
    fs::rename(&aside, &path).unwrap();
    eventually("the second one", || plays("2.0.0"));
    let before = refused.load(Ordering::Relaxed);
    eventually("visits", || paid(before + 10));
    assert_eq!(send(&authority, "/stop", b"").status, 200);
    let mut played = run.played();
    played.ended = played.ended.fine();
    for check in ["before the swap", "after the swap"] {
        let (passed, failed) = played.check(check);
        assert!(passed > 8 && failed == 0, "{check}: {passed} {failed}");
    }
    let given_up = played.sessions("shop", "abandoned");
    assert_eq!(given_up, refused.load(Ordering::Relaxed));
    let reason = json!([{
        "archetype": "shop",
        "reason": "POST /pay: unexpected status 402",
        "place": "shop.js:7",
        "count": given_up,
    }]);
    assert_eq!(played.summary["abandoned"], reason);
    assert!(
        played.ended.stdout.contains("shop.js:7"),
        "{:?}",
        played.ended
    );
}

#[test]
fn a_rehearsal_keeps_notes_too_and_too_many_are_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("shop.js");
    let path = path.to_str().unwrap();
    fs::write(path, script("1.0.0", "notes")).unwrap();
    let said = vespeiro(&["rehearse", path, "--sessions", "3"]).stdout;
    assert_eq!(said.matches("check \"notes\": passed").count(), 3, "{said}");
    let strict = script("1.0.0", "notes").replace("expect(201)", "expect(204)");
    fs::write(path, strict).unwrap();
    let said = vespeiro(&["rehearse", path]).stdout;
    let why = "gives up: \"POST /pay: unexpected status 201\" at \"shop.js:7\"";
    assert!(said.contains(why), "{said}");
    let much = script("1.0.0", "notes").replace("visits: visits + 1", "visits: 'x'.repeat(5000)");
    fs::write(path, much).unwrap();
    let told = vespeiro(&["rehearse", path]).stdout;
    assert!(
        told.contains("are over the 4096 that are allowed"),
        "{told}"
    );
}
