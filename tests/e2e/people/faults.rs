//! Failures on purpose, by kind, as the target counts them: as the plan splits them, wherever they can happen, and no more
//! wrong passwords than the target may be given.

use super::errors::{
    server_errors_are_of_every_kind, wrong_passwords, wrong_passwords_in_a_minute,
};
use super::run;

/// Fast people, many errors.
const MANY: &str = "--users 20 --workers 2 --seed 3 --min-request-count 100 --max-request-count 100 --delay-min 1 \
     --delay-max 4 --mix=off";

#[test]
fn server_errors_are_of_every_kind_and_on_every_kind_of_request() {
    let log = run(&format!(
        "{MANY} --error-mix success=80,client=0,server=20 --faults timeout=1,server-error=9"
    ));
    server_errors_are_of_every_kind(&log);
    let all = log.exchanges.iter().filter(|e| e.status >= 500).count();
    // A fifth of all requests failed so, a tenth of those of a time-out.
    let share = all as f64 / log.exchanges.len() as f64;
    assert!((0.14..0.22).contains(&share), "{share}");
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
    let (_, wrong) = wrong_passwords(&log);
    assert!(wrong > 0);
    assert!(wrong_passwords_in_a_minute(&log) <= 5);
    let client = |e: &&crate::support::Exchange| (400..500).contains(&e.status);
    let share = log.exchanges.iter().filter(client).count() as f64 / log.exchanges.len() as f64;
    println!("{wrong} wrong passwords, client errors {share:.3}");
    assert!((0.16..0.22).contains(&share), "{share}");
}
