//! Simulated sessions under a governor: whatever the weights and the journeys, the whole run comes to the plan's shares.

use proptest::prelude::*;

use super::super::seed::{Stream, unit};
use super::{Errors, FaultRequest, Mix};
use vespeiro_model::{Failure, FaultKind, Outcome};
use vespeiro_plan::{ErrorMix, FaultMix};

const CATEGORIES: usize = 6;
/// The category of logins, logouts and the like: journeys make them unasked.
const FIXED: u16 = 0;
const REQUESTS: usize = 10_000;

/// A world of sessions that can all do the same.
#[derive(Debug, Clone)]
struct World {
    seed: u64,
    sessions: usize,
    /// Choices between login and logout.
    journey: usize,
    /// The plan's shares, in percent.
    shares: Vec<f64>,
    /// For each category, twice over: a weight, how many requests of it follow each other, and another category on the way.
    choices: Vec<(f64, usize, Option<u16>)>,
    /// Does a session commit a fault at a choice where it could?
    obedience: f64,
    errors: (f64, f64),
}

fn world() -> impl Strategy<Value = World> {
    // A plain way and a rarer one with something else on the way: the other category can never be drowned by it.
    let choice = (1.0..20.0f64, 1..4usize, 0.0..0.1f64, 1..4usize);
    (
        any::<u64>(),
        5..80usize,
        10..20usize,
        prop::collection::vec(1.0..5.0f64, CATEGORIES),
        prop::collection::vec(choice, CATEGORIES),
        (0.3..1.0f64, 0.0..20.0f64, 0.0..8.0f64),
    )
        .prop_map(|(seed, sessions, journey, parts, choices, errors)| {
            // Nobody can log in less often than journeys begin.
            let fixed = 25.0;
            let rest: f64 = parts[1..].iter().sum();
            let share = |part: &f64| (100.0 - fixed) * part / rest;
            let next = |at: usize| ((at + 1) % CATEGORIES) as u16;
            let plain = choices.iter().map(|c| (c.0, c.1, None));
            let rarer = choices.iter().enumerate();
            let rarer = rarer.map(|(at, c)| (c.0 * c.2, c.3, Some(next(at))));
            // Nobody can err more often than they have the choice to: of at most 4 requests each, besides a login and a
            // logout. Nine tenths of it, for a share at the very bound is reached by nobody's luck.
            let (obedience, all) = (errors.0, journey as f64);
            let erring = 100.0 * all * obedience / (2.0 + all * (4.0 - 3.0 * obedience));
            World {
                seed,
                sessions,
                journey,
                shares: std::iter::once(fixed)
                    .chain(parts[1..].iter().map(share))
                    .collect(),
                choices: plain.chain(rarer).collect(),
                obedience,
                errors: (errors.1.min(0.9 * erring), errors.2),
            }
        })
}

#[derive(Default, Clone)]
struct Simulated {
    queue: Vec<u16>,
    choices_left: usize,
    asked: Option<FaultRequest>,
}

/// What a run came to: requests by category, and success, client and server errors.
struct Came {
    categories: [usize; CATEGORIES],
    outcomes: [usize; 3],
}

fn play(world: &World) -> Came {
    let mut draws = 0;
    let mut draw = || {
        draws += 1;
        unit(world.seed, Stream::Session, draws)
    };
    let (client, server) = world.errors;
    let mut mix = Mix::new(
        world.shares.iter().copied().map(Some).collect(),
        world.sessions,
    );
    let mut errors = Errors::new(
        ErrorMix {
            success: 100.0 - client - server,
            client,
            server,
        },
        FaultMix::default(),
        1,
    );
    let mut sessions = vec![Simulated::default(); world.sessions];
    let mut came = Came {
        categories: [0; CATEGORIES],
        outcomes: [0; 3],
    };
    while came.categories.iter().sum::<usize>() < REQUESTS {
        let session = &mut sessions[(draw() * world.sessions as f64) as usize];
        session.asked = session.asked.or_else(|| errors.request(0, usize::MAX));
        let mut outcome = Outcome::Status(200);
        if session.queue.is_empty() && session.choices_left == 0 {
            session.queue = vec![FIXED, FIXED];
            session.choices_left = world.journey;
        } else if session.queue.is_empty() {
            session.choices_left -= 1;
            if let Some(ask) = session.asked.filter(|_| draw() < world.obedience) {
                session.asked = None;
                outcome = Outcome::Status(404);
                session.queue.push((draw() * CATEGORIES as f64) as u16);
                errors.committed(0, ask, true);
            } else {
                let wanted = mix.wanted(0..CATEGORIES as u16);
                choose(world, &wanted, draw(), &mut session.queue);
            }
        }
        let category = session.queue.remove(0);
        mix.made(category);
        came.categories[usize::from(category)] += 1;
        if outcome == Outcome::Status(200)
            && draw() < 0.5
            && let Some(kind) = errors.inject(true)
        {
            outcome = match kind {
                FaultKind::Timeout => Outcome::Failed(Failure::Timeout),
                _ => Outcome::Status(503),
            };
            errors.injected(kind, true);
        }
        errors.record_outcome(outcome);
        let class = match outcome {
            Outcome::Status(200) => 0,
            Outcome::Status(404) => 1,
            _ => 2,
        };
        came.outcomes[class] += 1;
    }
    came
}

/// The guests' rule: by weight, steered by e^(wanted / 3).
fn choose(world: &World, wanted: &[f32], draw: f64, queue: &mut Vec<u16>) {
    let steered = world.choices.iter().enumerate().map(|(at, choice)| {
        let steer = f64::from(wanted[at % CATEGORIES] / 3.0).exp();
        choice.0 * steer.clamp(0.01, 100.0)
    });
    let mut rest = draw * steered.clone().sum::<f64>();
    let chosen = steered.enumerate().find(|(_, weight)| {
        rest -= weight;
        rest <= 0.0
    });
    let at = chosen.map_or(0, |(at, _)| at);
    let (_, times, other) = world.choices[at];
    queue.extend(std::iter::repeat_n((at % CATEGORIES) as u16, times));
    queue.extend(other);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_weights_and_journeys_come_to_the_plans_shares(world in world()) {
        let came = play(&world);
        let percent = |count: usize| 100.0 * count as f64 / REQUESTS as f64;
        let off = came.categories.iter().zip(&world.shares).map(|(n, share)| (percent(*n) - share).abs());
        let distance = off.sum::<f64>() / 2.0;
        prop_assert!(distance <= 2.0, "total variation {distance}: {:?}", came.categories);
        let (client, server) = world.errors;
        for (count, share) in came.outcomes.iter().zip([100.0 - client - server, client, server]) {
            prop_assert!((percent(*count) - share).abs() <= 1.5, "{:?}", came.outcomes);
        }
    }

    #[test]
    fn the_same_history_gives_the_same_decisions(world in world()) {
        prop_assert_eq!(play(&world).categories, play(&world).categories);
    }
}
