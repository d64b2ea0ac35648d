//! People take their time: they come one after the other, they pause before forms and between sessions, and hurry through
//! a search. What a busy machine adds makes a pause longer and never shorter: bounds are from below, and kinds of pauses
//! are held against each other.

use std::time::Duration;

use crate::support::{Moody, Recording, RunOf, example};

const SHORTEST: Duration = Duration::from_millis(30);
const LONGEST: Duration = Duration::from_millis(240);

fn quantile(sorted: &[Duration], share: f64) -> Duration {
    sorted[(share * (sorted.len() - 1) as f64) as usize]
}

/// The times between two requests of one user for which `kind` holds, sorted.
fn pauses(moments: &[Vec<(Duration, String)>], kind: fn(&str, &str) -> bool) -> Vec<Duration> {
    let pairs = moments.iter().flat_map(|user| user.windows(2));
    let mut pauses: Vec<Duration> = pairs
        .filter(|pair| kind(&pair[0].1, &pair[1].1))
        .map(|pair| pair[1].0 - pair[0].0)
        .collect();
    pauses.sort_unstable();
    pauses
}

fn searches(line: &str) -> bool {
    line.starts_with("GET /api/v1/users/search")
}

fn is_form(line: &str) -> bool {
    let writes = line.starts_with("PUT ") || line.starts_with("POST ");
    writes && line.contains("/api/v1/users/")
}

#[test]
fn requests_come_as_people_send_them() {
    let target = Recording::start();
    let played = RunOf::fine(
        &target.url,
        "--archetype active --users 30 --workers 2 --seed 7 --min-request-count 40 --max-request-count 40 \
         --delay-min 30 --delay-max 240 --guest-timeout 10s",
    );
    assert_eq!(played.sent(), 30 * 40);
    let moments = target.moments();
    let began = moments.values().map(|user| user[0].0).min().unwrap();
    let moments: Vec<Vec<(Duration, String)>> = moments
        .into_values()
        .map(|user| {
            let after = user.into_iter().map(|(at, line)| (at - began, line));
            after.collect()
        })
        .collect();
    let burst = pauses(&moments, |before, now| searches(before) && searches(now));
    let browsing = pauses(&moments, |_, now| now.starts_with("GET ") && !searches(now));
    let forms = pauses(&moments, |_, now| is_form(now));
    let sessions = pauses(&moments, |before, now| {
        before.starts_with("POST /api/v1/auth/logout") && now.starts_with("POST /api/v1/auth/login")
    });
    let kinds = [
        ("search after search", &burst),
        ("browsing", &browsing),
        ("forms", &forms),
        ("sessions", &sessions),
    ];
    let mut before = Duration::ZERO;
    for (kind, pauses) in kinds {
        let [least, median] = [0.0, 0.5].map(|share| quantile(pauses, share));
        println!("{kind}: {} pauses, {least:?}, {median:?}", pauses.len());
        assert!(pauses.len() >= 20, "{kind}: {}", pauses.len());
        assert!(median > before, "{kind}: {median:?} after {before:?}");
        before = median;
    }
    assert!(burst[0] >= SHORTEST, "{:?}", burst[0]);
    let middle = SHORTEST + (LONGEST - SHORTEST) / 2;
    assert!(forms[0] >= middle, "{:?}", forms[0]);
    assert!(sessions[0] >= LONGEST, "{:?}", sessions[0]);
}

#[test]
fn a_ramp_up_lets_users_come_one_after_the_other() {
    const USERS: u32 = 40;
    let ramp_up = Duration::from_secs(2);
    let target = Moody::start(|_| (200, None));
    let played = RunOf::fine(
        &target.url,
        &format!(
            "--archetype one={} --users {USERS} --workers 2 --ramp-up 2 --min-request-count 1 --max-request-count 1",
            example("first").display()
        ),
    );
    assert_eq!(played.sent(), u64::from(USERS));
    let seen = target.seen();
    // The look before the run is the first, and nobody comes before it.
    let came: Vec<Duration> = seen[1..].iter().map(|(at, _)| *at - seen[0].0).collect();
    assert_eq!(came.len(), USERS as usize);
    for share in [0.25, 0.5, 0.75, 1.0] {
        let due = ramp_up.mul_f64(share * f64::from(USERS - 1) / f64::from(USERS));
        let at = quantile(&came, share);
        println!("{share}: {at:?}");
        // The rank is rounded down, to one user before.
        assert!(
            at >= due - ramp_up / USERS,
            "{share}: {at:?}, due at {due:?}"
        );
        // A busy machine is late; users who all wait for the end of the ramp are not that.
        assert!(
            share > 0.5 || at < due + ramp_up / 2,
            "{share}: {at:?}, due at {due:?}"
        );
    }
}
