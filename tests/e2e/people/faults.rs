//! Failures on purpose, by kind, as the target counts them: as the plan splits them, wherever they can happen, and no more
//! wrong passwords than the target may be given.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{LOGIN, is, run};

/// Fast people, many errors.
const MANY: &str = "--users 20 --workers 2 --seed 3 --min-request-count 100 --max-request-count 100 --delay-min 1 \
     --delay-max 4 --mix=off";

#[test]
fn server_errors_are_of_every_kind_and_on_every_kind_of_request() {
    let log = run(&format!(
        "{MANY} --error-mix success=80,client=0,server=20 --faults timeout=1,server-error=9"
    ));
    let mut statuses: BTreeMap<u16, u32> = BTreeMap::new();
    let mut methods: BTreeMap<&str, u32> = BTreeMap::new();
    for e in log.exchanges.iter().filter(|e| e.status >= 500) {
        *statuses.entry(e.status).or_default() += 1;
        *methods.entry(&e.method).or_default() += 1;
    }
    println!("{statuses:?} {methods:?}");
    assert!(statuses.keys().eq([&500, &502, &503, &504]), "{statuses:?}");
    let all: u32 = statuses.values().sum();
    // A fifth of all requests failed so, a tenth of those of a time-out.
    let share = f64::from(all) / log.exchanges.len() as f64;
    assert!((0.14..0.22).contains(&share), "{share}");
    for (status, count) in statuses {
        assert!(6 * count > all, "{status}: {count} of {all}");
    }
    for method in ["GET", "POST", "PUT"] {
        assert!(methods.contains_key(method), "{methods:?}");
    }
    let failed = |e: &&crate::support::Exchange| e.status >= 500;
    assert!(
        log.exchanges
            .iter()
            .filter(failed)
            .any(|e| is(e, "POST", LOGIN))
    );
}

#[test]
fn faults_are_of_the_kinds_that_the_plan_gives_weights_to() {
    let log = run(&format!(
        "{MANY} --error-mix success=80,client=20,server=0 --faults not-found=3,forbidden=1"
    ));
    let count = |status| log.exchanges.iter().filter(|e| e.status == status).count();
    let [not_found, forbidden] = [404, 403].map(count);
    println!("{not_found} not found, {forbidden} forbidden");
    assert_eq!([400, 401, 422, 429].map(count), [0; 4]);
    let share = not_found as f64 / (not_found + forbidden) as f64;
    assert!((0.65..0.85).contains(&share), "{share}");
}

#[test]
fn wrong_passwords_take_half_of_what_may_be_refused_and_other_kinds_the_rest() {
    let log = run(&format!(
        "{MANY} --error-mix success=80,client=20,server=0 --faults bad-credentials=9,not-found=1 --max-auth-failures 10"
    ));
    let wrong = |e: &&crate::support::Exchange| is(e, "POST", LOGIN) && e.status == 401;
    let wrong: Vec<_> = log.exchanges.iter().filter(wrong).collect();
    let minute = Duration::from_secs(60);
    for (at, first) in wrong.iter().enumerate() {
        let within = wrong[at..]
            .iter()
            .filter(|e| e.arrived - first.arrived < minute);
        assert!(within.count() <= 5, "in a minute");
    }
    assert!(!wrong.is_empty());
    let client = |e: &&crate::support::Exchange| (400..500).contains(&e.status);
    let share = log.exchanges.iter().filter(client).count() as f64 / log.exchanges.len() as f64;
    println!("{} wrong passwords, client errors {share:.3}", wrong.len());
    assert!((0.16..0.22).contains(&share), "{share}");
}
