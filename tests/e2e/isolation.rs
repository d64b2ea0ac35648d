//! What a run sends and makes is known for its own, and two runs do not get in each other's way, not even by name.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};

use crate::support::{RunOf, Server, Service, example};

#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<(String, HeaderMap)>>>);

async fn note(State(seen): State<Seen>, request: Request) -> StatusCode {
    let path = request.uri().path().to_owned();
    let headers = request.headers().clone();
    seen.0.lock().unwrap().push((path, headers));
    StatusCode::OK
}

#[test]
fn every_request_says_who_sends_it() {
    let seen = Seen::default();
    let server = Server::start(Router::new().fallback(note).with_state(seen.clone()));
    let options = format!(
        "--archetype first={} --users 5 --run-id k3x9a2b7 --min-request-count 4 --max-request-count 4 \
         --delay-min 0 --delay-max 0",
        example("first").display()
    );
    let played = RunOf::fine(&server.url, &options);
    server.stop();
    let seen = seen.0.lock().unwrap();
    // The look before the run is one too.
    assert_eq!(seen.len() as u64, played.sent() + 1);
    let agent = format!("vespeiro/{}", env!("CARGO_PKG_VERSION"));
    for (path, headers) in seen.iter() {
        let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap());
        assert_eq!(header("user-agent"), Some(agent.as_str()), "{path}");
        assert_eq!(header("x-vespeiro-run"), Some("k3x9a2b7"), "{path}");
    }
}

#[test]
fn leftovers_of_an_earlier_run_are_logged_into() {
    let service = Service::start();
    // No more than a first session: who comes back may change a password, which the next run could not know.
    let options = "--archetype newcomer --users 6 --run-id k3x9a2b7 --min-request-count 8 --max-request-count 8 \
                   --delay-min 0 --delay-max 0";
    let registered = |status: u16| {
        let key = ("POST".to_owned(), "/api/v1/users".to_owned(), status);
        service.ledger(0).get(&key).copied().unwrap_or(0)
    };
    let login = ("POST".to_owned(), "/api/v1/auth/login".to_owned(), 200);
    let first = RunOf::fine(&service.url, options);
    assert_eq!((registered(201), registered(409)), (6, 0));
    assert_eq!(first.sent(), 6 * 8);
    // The same names again, after nobody has cleaned up; so few requests that the session that was refused has to go on.
    let short = options.replace("count 8", "count 2");
    let second = RunOf::fine(&service.url, &short);
    assert_eq!((registered(201), registered(409)), (6, 6));
    assert_eq!(second.sent(), 6 * 2);
    assert_eq!(second.answered()[&login], 6, "{:?}", second.answered());
    assert_eq!(second.summary["sessions"]["started"], 6);
    // Somebody else's run is not in the way.
    let other = options.replace("k3x9a2b7", "b2c4d6e8");
    RunOf::fine(&service.url, &other);
    assert_eq!((registered(201), registered(409)), (12, 6));
}
