//! One pause between two steps, within the plan's pace; longer before a form.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{LOGIN, PROFILE, SEARCH, USERS, is, run};
use crate::support::{Exchange, Log, visits};

/// What a pause may be off by at the target: below for what the proxy itself takes, above for timers and a busy machine.
const EARLY: Duration = Duration::from_millis(2);
const LATE: Duration = Duration::from_millis(20);

fn is_form(exchange: &Exchange) -> bool {
    let writes = exchange.method == "POST" || exchange.method == "PUT";
    writes && exchange.has_body && exchange.route() != "/api/v1/auth/refresh"
}

/// Gaps between the end of an answer and the next arrival; `factor` is the plan's for forms. How many were judged.
pub fn gaps_are_one_pause(log: &Log, min: u64, max: u64, factor: u64) -> usize {
    let (min, max) = (Duration::from_millis(min), Duration::from_millis(max));
    let (mut judged, mut excused) = (0, 0);
    for visit in visits(log) {
        // Of an operator who names nothing, what comes with a forged token is not known to be theirs.
        if visit.person.starts_with("session ") {
            continue;
        }
        let forged = |e: &&Exchange| e.status == 401 && !visit.is_own();
        for pair in visit.steps().windows(2) {
            let [before, now] = pair else { continue };
            if before.iter().chain(now).any(&forged) {
                continue;
            }
            if before.iter().any(|e| e.status == 429 || e.is_down()) {
                continue; // somebody waits until that is over
            }
            let answered = before.iter().map(|e| e.answered).max().unwrap();
            let gap = now[0].arrived - answered;
            let form = now.iter().any(|e| is_form(e));
            let longest = if form { max * factor as u32 } else { max };
            let told = || {
                let lines = |step: &[&Exchange]| step.iter().map(|e| e.line()).collect::<Vec<_>>();
                format!(
                    "{}: {gap:?} between {:?} and {:?}",
                    visit.person,
                    lines(before),
                    lines(now)
                )
            };
            let shortest = if form { min + (max - min) / 2 } else { min };
            let (short, long) = (gap + EARLY < shortest, gap > longest + LATE);
            // What the machine adds is not the tool's: then it was late for the proxy as well, which may have seen one
            // of several that were sent together only when it had answered the others.
            let ends = [answered, now[0].arrived];
            if ends.iter().all(|end| log.in_time(*end, LATE / 4)) {
                judged += 1;
                assert!(!short, "shorter than {shortest:?}: {}", told());
                assert!(!long, "longer than {longest:?}: {}", told());
            } else {
                excused += usize::from(short || long);
            }
        }
    }
    println!("{judged} gaps judged, {excused} too short or too long while the machine was late");
    judged
}

/// The pauses before steps that `kind` picks, as the target sees them, of each person.
fn gaps(log: &Log, kind: fn(&[&Exchange]) -> bool) -> Vec<Vec<Duration>> {
    let mut people: BTreeMap<String, Vec<Duration>> = BTreeMap::new();
    for visit in visits(log) {
        let of_person = people.entry(visit.person.clone()).or_default();
        for pair in visit.steps().windows(2) {
            let answered = pair[0].iter().map(|e| e.answered).max().unwrap();
            if kind(&pair[1]) {
                of_person.push(pair[1][0].arrived.saturating_sub(answered));
            }
        }
    }
    people.into_values().collect()
}

#[test]
fn forms_take_as_many_times_as_long_as_the_plan_says() {
    // With the usual factor of 2 the shortest would be 250 ms.
    let log = run(
        "--users 20 --workers 2 --seed 3 --min-request-count 12 --max-request-count 12 --delay-min 100 --delay-max 400 \
         --form-delay 4 --mix=off --error-mix=off",
    );
    assert!(gaps_are_one_pause(&log, 100, 400, 4) > 50);
    let forms = gaps(&log, |step| step.iter().any(|e| is_form(e))).concat();
    assert!(forms.len() > 40, "{}", forms.len());
    let shortest = forms.iter().min().unwrap();
    assert!(
        *shortest + EARLY >= Duration::from_millis(400),
        "{shortest:?}"
    );
}

/// How two kinds of people go about things: the median of their pauses before pages, in the middle of them all, and how far
/// people are from each other: deviations of those medians' logarithms, and of the share of what they look up.
fn ways(archetype: &str, config: &str) -> (f64, f64, f64) {
    let log = run(&format!(
        "--archetype {archetype} --behavior-config {config} --users 16 --workers 2 --seed 11 --run-id ways0001 \
         --min-request-count 80 --max-request-count 80 --delay-min 40 --delay-max 640 --ramp-up 0 --mix=off \
         --error-mix=off"
    ));
    let is_page = |step: &[&Exchange]| {
        let [page] = step else { return false };
        page.method == "GET" && page.route() != SEARCH
    };
    let median = |gaps: &mut Vec<Duration>| {
        gaps.sort_unstable();
        gaps[gaps.len() / 2].as_secs_f64()
    };
    let people = gaps(&log, is_page).into_iter();
    let mut people: Vec<_> = people.filter(|gaps| gaps.len() >= 8).collect();
    assert!(people.len() >= 12, "{archetype}: {}", people.len());
    let medians = people.iter_mut().map(|gaps| median(gaps).ln());
    let paces = deviation(&medians.collect::<Vec<_>>());
    let mut looks: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for visit in visits(&log) {
        let (looked, all) = looks.entry(visit.person.clone()).or_default();
        for e in visit.exchanges {
            *all += 1.0;
            let of_users = e.route().starts_with(USERS) && e.route() != PROFILE;
            *looked += f64::from(e.method == "GET" && of_users);
        }
    }
    let shares: Vec<f64> = looks.values().map(|(looked, all)| looked / all).collect();
    (median(&mut people.concat()), paces, deviation(&shares))
}

fn deviation(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares = values.iter().map(|value| (value - mean).powi(2));
    (squares.sum::<f64>() / values.len() as f64).sqrt()
}

#[test]
fn people_and_archetypes_differ_as_the_plan_says() {
    let [alike, wide, power] = [
        ("newcomer", "off"),
        ("newcomer", "pace=1,taste=1"),
        ("power", "off"),
    ]
    .map(|(archetype, config)| std::thread::spawn(move || ways(archetype, config)))
    .map(|playing| playing.join().unwrap());
    println!("newcomers alike {alike:.3?}, apart {wide:.3?}; power users alike {power:.3?}");
    // Newcomers are 0.3 deviations of a pause slower than most, power users as much quicker: a factor of 1.5 between them.
    assert!(alike.0 > 1.2 * power.0);
    assert!(wide.1 > 1.4 * alike.1 && wide.1 > 0.3);
    assert!(wide.2 > 1.3 * alike.2);
}

/// Whoever reloads a page that has failed takes a second or so, or the longer half of the plan's pace.
#[test]
fn a_reload_after_a_failure_takes_about_a_second() {
    let log = run(
        "--users 20 --workers 2 --seed 3 --min-request-count 12 --max-request-count 12 --delay-min 400 --delay-max 1200 \
         --mix=off --error-mix success=80,client=0,server=20 --faults server-error=1 --breaker=off",
    );
    let mut reloads = 0;
    for visit in visits(&log) {
        for pair in visit.exchanges.windows(2) {
            let [before, now] = pair else { continue };
            // With another body it is one of a batch.
            let asked = |e: &Exchange| (e.method.clone(), e.path.clone(), e.body.clone());
            let again = asked(before) == asked(now);
            if before.status < 500 || !again {
                continue;
            }
            let Some(gap) = now.arrived.checked_sub(before.answered) else {
                continue; // sent together
            };
            let ends = [before.answered, now.arrived];
            if !ends.iter().all(|end| log.in_time(*end, LATE / 4)) {
                continue; // as above
            }
            reloads += 1;
            let told = || format!("{}: {gap:?} before {}", visit.person, now.line());
            assert!(gap > Duration::from_millis(650), "{}", told());
            // Somebody who has given up comes back to the login after some more pauses.
            if !is(now, "POST", LOGIN) {
                assert!(gap < Duration::from_millis(1_650), "{}", told());
            }
        }
    }
    assert!(reloads > 20, "{reloads}");
}
