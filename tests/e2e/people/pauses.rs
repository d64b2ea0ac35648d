//! One pause between two steps, within the plan's pace; longer before a form.

use std::time::Duration;

use super::{LOGIN, is, run};
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
            if before.iter().any(|e| matches!(e.status, 429 | 500..)) {
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
