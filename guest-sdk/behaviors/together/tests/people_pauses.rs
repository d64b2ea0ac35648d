//! How long people take: one pause between two steps, within the plan's pace, longer before forms; and how they differ.

mod common;

use common::{ARCHETYPES, is, is_form, session, town};
use serde_json::{Value, json};
use user_service_client::routes::*;
use user_service_client::scripted::Town;
use vespeiro_guest::contract::Ending;
use vespeiro_guest::harness::{Harness, Played};
use vespeiro_guest::{Behavior, Failure, Fault};

const MIN: u32 = 100;
const MAX: u32 = 2000;

/// Every pause of the session is one pause: within the pace, or within the factor times it before a form.
#[track_caller]
fn paced(who: &str, played: &Played, factor: u32) {
    // Before the very first request of an administrator nothing has been.
    let begun = played
        .sends()
        .next()
        .is_some_and(|(step, _)| step.delay_ms == 0);
    let begun = usize::from(begun && who == "admin");
    for (step, requests) in played.sends().skip(begun) {
        let delay = step.delay_ms;
        let form = requests.iter().any(is_form);
        let bounds = match form {
            // The middle of the pace is the least, whatever the factor.
            true => (factor * MIN).max(MIN + (MAX - MIN) / 2)..=factor * MAX,
            false => MIN..=MAX,
        };
        assert!(
            bounds.contains(&delay),
            "{who}: {delay} ms before {:?} {} (form: {form})",
            requests[0].method,
            requests[0].route
        );
    }
}

fn with(config: Value) -> impl Fn(Harness) -> Harness {
    move |harness| {
        let mut all =
            json!({ "admin": { "email": "admin@example.test", "password": "Admin123!" } });
        if let (Some(all), Some(more)) = (all.as_object_mut(), config.as_object()) {
            all.extend(more.clone());
        }
        harness.config(all)
    }
}

#[test]
fn between_two_steps_lies_one_pause_and_a_form_takes_twice_as_long() {
    for (config, factor) in [
        (json!({}), 2),
        (json!({ "form_delay": 1 }), 1),
        (json!({ "form_delay": 3.0 }), 3),
    ] {
        let town = town(8);
        for behavior in ARCHETYPES {
            for index in 0..12 {
                for ordinal in 0..5 {
                    let harness = session(&town, behavior, 300 + index, ordinal);
                    let played = with(config.clone())(harness).run();
                    assert_eq!(played.ending, Ok(Ending::Completed));
                    paced(behavior.name(), &played, factor);
                }
            }
        }
    }
}

#[test]
fn who_errs_on_purpose_takes_as_long_as_anybody() {
    let town = town(8);
    for behavior in ARCHETYPES {
        for (at, fault) in Fault::ALL.into_iter().enumerate() {
            for index in 0..6 {
                let index = 500 + 10 * at as u32 + index;
                for ordinal in 0..3 {
                    let asked = (0..5)
                        .fold(session(&town, behavior, index, ordinal), |harness, _| {
                            harness.fault(fault)
                        });
                    let played = asked.run();
                    assert_eq!(played.ending, Ok(Ending::Completed), "{fault:?}");
                    paced(behavior.name(), &played, 2);
                }
            }
        }
    }
}

#[test]
fn tokens_are_renewed_in_time_without_haste_and_nothing_is_refused() {
    let town = town(8);
    for ttl in [5, 9, 30] {
        town.borrow_mut().token_ttl = ttl;
        for (at, behavior) in ARCHETYPES.into_iter().enumerate() {
            for index in 0..8 {
                let index = 1000 * ttl as u32 + 10 * at as u32 + index;
                for ordinal in 0..3 {
                    let played = session(&town, behavior, index, ordinal).run();
                    assert_eq!(played.ending, Ok(Ending::Completed), "{}", behavior.name());
                    paced(behavior.name(), &played, 2);
                }
            }
        }
    }
    let town = town.borrow();
    let refused: Vec<_> = town
        .log
        .iter()
        .filter(|asked| asked.status == 401)
        .collect();
    assert!(refused.is_empty(), "{refused:?}");
    let renewed = town.log.iter().filter(|asked| asked.route == REFRESH.path);
    assert!(renewed.count() > 500);
}

#[test]
fn a_page_that_fails_is_reloaded_after_a_second_or_so() {
    let mut waits = Vec::new();
    for index in 0..60 {
        let town = town(2);
        let played = session(&town, &newcomer::BEHAVIOR, 10 + index, 0)
            .reply_once(LIST_USERS, 503, json!({}))
            .run();
        let steps: Vec<_> = played.sends().collect();
        let at = steps.iter().position(|(_, r)| is(&r[0], LIST_USERS));
        let Some(at) = at else {
            panic!("{:?}", played.routes())
        };
        let Some((step, again)) = steps.get(at + 1).filter(|(_, r)| is(&r[0], LIST_USERS)) else {
            // The impatient ones give up.
            assert_eq!(played.ending, Ok(Ending::Abandoned));
            continue;
        };
        assert_eq!(again[0].path, steps[at].1[0].path);
        assert_eq!(played.ending, Ok(Ending::Completed));
        waits.push(step.delay_ms);
    }
    assert!(waits.len() > 30, "{}", waits.len());
    assert!(
        waits.iter().all(|wait| (700..1600).contains(wait)),
        "{waits:?}"
    );
}

#[test]
fn a_login_that_fails_is_tried_again_and_a_stress_test_knows_no_patience() {
    let town = town(2);
    let broken = |pace: u32| {
        session(&town, &active::BEHAVIOR, 10, 1)
            .pace(pace, 10 * pace)
            .config(json!({ "behavior_config": { "patience": 0 } }))
            .fail_once(LOGIN, Failure::Timeout)
            .run()
    };
    let first = session(&town, &active::BEHAVIOR, 10, 0);
    assert!(first.run().ending.is_ok());
    let played = broken(100);
    assert_eq!(played.ending, Ok(Ending::Completed));
    assert!((700..1600).contains(&played.steps[1].delay_ms));
    let played = broken(0);
    assert_eq!(played.ending, Ok(Ending::Abandoned));
    assert_eq!(played.elapsed_ms, 1);
}

/// Median of the pauses that are neither a form's nor part of a burst.
fn usual_pause(behavior: &'static Behavior, index: u32, config: &Value) -> f64 {
    let town = Town::new();
    let mut pauses: Vec<u32> = (0..12)
        .flat_map(|ordinal| {
            let harness = session(&town, behavior, index, ordinal);
            let played = with(config.clone())(harness).run();
            let sent: Vec<_> = played
                .sends()
                .filter(|(_, r)| {
                    is(&r[0], WHOAMI)
                        || is(&r[0], GET_USER)
                        || is(&r[0], LIST_ROLES)
                        || is(&r[0], GET_PROFILE)
                        || is(&r[0], GET_USER_BY_EMAIL)
                })
                .map(|(step, _)| step.delay_ms)
                .collect();
            sent
        })
        .collect();
    pauses.sort_unstable();
    f64::from(pauses[pauses.len() / 2])
}

#[test]
fn people_differ_in_pace_and_keep_their_own() {
    let spread = |config: &Value| {
        let mut medians: Vec<f64> = (0..60)
            .map(|index| usual_pause(&active::BEHAVIOR, index, config).ln())
            .collect();
        medians.sort_unstable_by(f64::total_cmp);
        // From the 16th to the 84th of a hundred: two deviations.
        (medians[50] - medians[9]) / 2.0
    };
    let (alike, usual, wide) = (
        spread(&json!({ "behavior_config": { "pace": 0 } })),
        spread(&json!({})),
        spread(&json!({ "behavior_config": { "pace": 1 } })),
    );
    println!("deviations of the medians' logarithms: {alike:.2}, {usual:.2}, {wide:.2}");
    // What is left at 0 is the noise of some 30 pauses each.
    assert!(alike < 0.25 && usual > alike + 0.08 && wide > usual + 0.1);
}

#[test]
fn people_differ_in_what_they_like_and_how_long_they_stay() {
    let share = |index: u32, config: &Value| {
        let town = Town::new();
        let (mut looks, mut all, mut sessions) = (0, 0, 0);
        for ordinal in 0..20 {
            let harness = session(&town, &active::BEHAVIOR, index, ordinal);
            let played = with(config.clone())(harness).run();
            let asked = played.requests.iter();
            looks += asked.filter(|r| r.category == "user-query").count();
            all += played.requests.len();
            sessions += 1;
        }
        (looks as f64 / all as f64, all as f64 / f64::from(sessions))
    };
    let deviation = |values: Vec<f64>| {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let squares = values.iter().map(|value| (value - mean).powi(2));
        (squares.sum::<f64>() / values.len() as f64).sqrt()
    };
    let of = |config: Value| {
        let people: Vec<(f64, f64)> = (0..40).map(|index| share(index, &config)).collect();
        let (looks, lengths) = people.into_iter().unzip();
        (deviation(looks), deviation(lengths))
    };
    let alike = of(json!({ "behavior_config": { "taste": 0, "patience": 0 } }));
    let usual = of(json!({}));
    println!("alike {alike:.3?}, usual {usual:.3?}");
    assert!(usual.0 > 1.3 * alike.0 && usual.1 > 1.5 * alike.1);
}

#[test]
fn a_config_that_makes_no_sense_is_refused_by_name() {
    for (config, said) in [
        (
            json!({ "form_delay": 0.5 }),
            "`form_delay` is 0.5: give a number from 1 to 100",
        ),
        (
            json!({ "behavior_config": { "taste": 7 } }),
            "`behavior_config.taste` is 7: give a number from 0 to 1",
        ),
    ] {
        for behavior in ARCHETYPES {
            let town = Town::new();
            let played = with(config.clone())(session(&town, behavior, 1, 0)).run();
            let error = played.ending.unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
