//! Which row of a data feed is whose next one: a pure function of the plan, the user, and how many rows of that feed the user
//! has had. So workers need not talk about it, and it does not depend on how many there are.
//!
//! What must stay true: in the order `once` no row is anybody's twice; in turn, a user has every row before it has one
//! again, and users who keep step use all rows alike.

use crate::seed::{Stream, derive, within};
use vespeiro_plan::{ArchetypePicker, Feed, FeedOrder, Plan};

/// How the rows of one feed are dealt out.
#[derive(Debug)]
pub(crate) struct Assignment {
    order: FeedOrder,
    per_user: Option<u32>,
    rows: u64,
    /// Told from those of other feeds by its name.
    chance: u64,
    archetypes: Vec<u16>,
    /// Users that the plan knows and that it is for.
    users: u64,
    /// Of them, by workload.
    parts: Vec<WorkloadUsers>,
}

/// The users of one workload.
#[derive(Debug)]
struct WorkloadUsers {
    /// Those of the workloads before.
    before: u64,
    users: u64,
}

impl Assignment {
    pub(crate) fn new(plan: &Plan, feed: &Feed, rows: usize) -> Self {
        let mut users = 0;
        let part = |workload: vespeiro_plan::Workload| {
            let all = workload.profile.usual_users();
            let mut picker = ArchetypePicker::of(&plan.archetypes, &workload.archetypes);
            picker.by_ref().take(all as usize).for_each(drop);
            let before = users;
            let own = u64::from(picker.so_far(&feed.archetypes));
            users += own;
            WorkloadUsers { before, users: own }
        };
        let parts = plan.workloads().into_iter().map(part).collect();
        Self {
            order: feed.order,
            per_user: feed.per_user,
            rows: rows as u64,
            chance: hash(&feed.name),
            archetypes: feed.archetypes.clone(),
            users,
            parts,
        }
    }

    /// The archetypes that it is for.
    pub(crate) fn archetypes(&self) -> &[u16] {
        &self.archetypes
    }

    /// The number of a user among all that it is for: first those whom the plan knows, then those who come later. `before`
    /// of its workload come before it.
    pub(crate) fn number(&self, workload: usize, before: u32) -> u64 {
        let before = u64::from(before);
        let Some(part) = self.parts.get(workload) else {
            return 0;
        };
        match before.checked_sub(part.users) {
            None => part.before + before,
            Some(late) => self.users + late * self.parts.len() as u64 + workload as u64,
        }
    }

    /// The next row of a user that has had `taken` of them; `None` when it has had all of its own.
    pub(crate) fn row(&self, number: u64, taken: u64, seed: u64) -> Option<u64> {
        let Self { rows, users, .. } = *self;
        let last = rows.checked_sub(1)?;
        let row = match (self.order, self.per_user) {
            (FeedOrder::InTurn, _) => {
                // Where the users' number and that of the rows have a common factor, a user would come round to the same
                // few rows: each time it does, it moves on by one.
                let factor = common_factor(users, rows);
                let shift = taken / (rows / factor) % factor;
                let turns = (taken % rows) * (users % rows);
                (number % rows + turns + shift) % rows
            }
            (FeedOrder::Random, _) => {
                let seed = derive(seed, Stream::Feed, self.chance);
                u64::from(within(seed, Stream::Feed, taken, 0, last as u32))
            }
            (FeedOrder::Once, Some(most)) => {
                let most = u64::from(most);
                let first = number.checked_mul(most).filter(|_| taken < most)?;
                first.checked_add(taken)?
            }
            // Whoever comes later would take what is another's.
            (FeedOrder::Once, None) => {
                let turns = taken.checked_mul(users).filter(|_| number < users)?;
                number.checked_add(turns)?
            }
        };
        (row < rows).then_some(row)
    }
}

/// Euclid's; of 0 and a number, that number.
fn common_factor(a: u64, b: u64) -> u64 {
    match a {
        0 => b.max(1),
        _ => common_factor(b % a, a),
    }
}

/// FNV-1a.
fn hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use vespeiro_plan::{Deal, FeedFormat, Flags, Shard, Sources, resolve};

    fn feed(order: FeedOrder, per_user: Option<u32>, archetypes: &[u16]) -> Feed {
        Feed {
            name: "people".into(),
            file: "people.csv".into(),
            format: FeedFormat::Csv,
            order,
            per_user,
            archetypes: archetypes.to_vec(),
        }
    }

    /// The four built-in archetypes, two of which may have a profile of their own.
    fn plan(users: u32, own: [Option<u32>; 2]) -> Plan {
        let mut flags = Flags::default();
        flags.set("users", users.to_string(), "test");
        for (archetype, users) in ["active", "power"].into_iter().zip(own) {
            if let Some(users) = users {
                flags.set_override(archetype, "users", &users.to_string(), "test");
            }
        }
        let sources = Sources {
            base: None,
            flags,
            env: [],
        };
        resolve(sources).unwrap().plan
    }

    /// The numbers of the users that the plan knows and of some who come later, as the workers of shards would find them.
    fn numbers(
        plan: &Plan,
        assignment: &Assignment,
        workers: &[usize],
        later: u32,
    ) -> Vec<(usize, u32, u64)> {
        let mut found = Vec::new();
        for (at, workload) in plan.workloads().into_iter().enumerate() {
            let users = workload.profile.usual_users() + later;
            let deal = Deal::new(&plan.archetypes, &workload.archetypes);
            let shards = workers.len();
            let shards = workers
                .iter()
                .enumerate()
                .map(|(index, all)| (Shard { index, shards }, *all));
            let parts =
                shards.flat_map(|(shard, all)| (0..all).map(move |w| shard.place(w, all).part()));
            for part in parts {
                let mut dealt = deal.dealt();
                while let Some(user) = dealt.find(|user| part.has(user.slot)) {
                    if user.n >= users {
                        break;
                    }
                    if assignment.archetypes().contains(&user.archetype) {
                        let before = dealt.so_far(assignment.archetypes()) - 1;
                        found.push((at, user.n, assignment.number(at, before)));
                    }
                }
            }
        }
        found.sort_unstable();
        found
    }

    proptest! {
        #[test]
        fn once_hands_no_row_out_twice_whoever_comes_and_however_often(
            users in 1u32..40,
            own in [prop::option::of(1u32..9), prop::option::of(1u32..9)],
            workers in prop::collection::vec(1usize..5, 1..5),
            readers in prop::sample::subsequence(vec![0u16, 1, 2, 3], 1..=4),
            rows in 1usize..400,
            per_user in prop::option::of(1u32..6),
            takes in 1u64..30,
            later in 0u32..50,
        ) {
            let plan = plan(users, own);
            let assignment = Assignment::new(&plan, &feed(FeedOrder::Once, per_user, &readers), rows);
            let who = numbers(&plan, &assignment, &workers, later);
            prop_assert_eq!(&who, &numbers(&plan, &assignment, &[1], later));
            let mut seen = BTreeSet::new();
            for (_, _, number) in &who {
                for taken in 0..takes {
                    if let Some(row) = assignment.row(*number, taken, 0) {
                        prop_assert!(row < rows as u64);
                        prop_assert!(seen.insert(row), "row {} twice", row);
                    }
                }
            }
            // Those whom the plan knows leave none over that they could have had.
            if per_user.is_none() && assignment.users > 0 {
                let most = (assignment.users * takes).min(rows as u64);
                prop_assert_eq!(seen, (0..most).collect::<BTreeSet<_>>());
            }
        }

        #[test]
        fn in_turn_everybody_has_all_rows_before_one_again(
            users in 1u32..60,
            rows in 1usize..60,
            number in 0u64..200,
            laps in 1u64..4,
        ) {
            let plan = plan(users, [None, None]);
            let assignment = Assignment::new(&plan, &feed(FeedOrder::InTurn, None, &[0, 1, 2, 3]), rows);
            prop_assert_eq!(assignment.users, u64::from(users));
            let rows = rows as u64;
            for lap in 0..laps {
                let had: BTreeSet<u64> = (lap * rows..(lap + 1) * rows)
                    .map(|taken| assignment.row(number, taken, 0).unwrap())
                    .collect();
                prop_assert_eq!(had.len() as u64, rows);
                // And in the same order each time.
                let again = assignment.row(number, lap * rows + 1, 0);
                prop_assert_eq!(again, assignment.row(number, 1, 0));
            }
            // The first of the first users are the first rows, in their order.
            let first: Vec<u64> = (0..assignment.users).map(|n| assignment.row(n, 0, 0).unwrap()).collect();
            prop_assert_eq!(first, (0..assignment.users).map(|n| n % rows).collect::<Vec<_>>());
        }

        #[test]
        fn users_in_step_use_all_rows_alike(users in 1u32..60, rows in 1usize..60) {
            let plan = plan(users, [None, None]);
            let assignment = Assignment::new(&plan, &feed(FeedOrder::InTurn, None, &[0, 1, 2, 3]), rows);
            let mut used = vec![0u32; rows];
            // Until whole rounds of the users are whole rounds of the rows.
            for taken in 0..rows as u64 {
                for number in 0..assignment.users {
                    used[assignment.row(number, taken, 0).unwrap() as usize] += 1;
                }
            }
            prop_assert!(used.iter().all(|count| *count == users), "{:?}", used);
        }

        #[test]
        fn random_rows_are_within_and_follow_the_seed(seed: u64, taken: u64, rows in 1usize..5_000_000) {
            let plan = plan(10, [None, None]);
            let assignment = Assignment::new(&plan, &feed(FeedOrder::Random, None, &[0]), rows);
            let row = assignment.row(3, taken, seed);
            prop_assert!(row.unwrap() < rows as u64);
            prop_assert_eq!(row, assignment.row(3, taken, seed));
        }

        #[test]
        fn no_number_is_too_large(number: u64, taken: u64, users in 1u32..u32::MAX, per_user in prop::option::of(1u32..)) {
            for order in [FeedOrder::InTurn, FeedOrder::Random, FeedOrder::Once] {
                let assignment = Assignment {
                    order,
                    per_user,
                    rows: 4_000_000,
                    chance: 1,
                    archetypes: vec![0],
                    users: u64::from(users),
                    parts: Vec::new(),
                };
                let row = assignment.row(number, taken, 1);
                prop_assert!(row.is_none_or(|row| row < 4_000_000));
            }
        }
    }

    #[test]
    fn random_rows_are_spread_evenly_and_differ_by_user_and_feed() {
        let plan = plan(10, [None, None]);
        let assignment = Assignment::new(&plan, &feed(FeedOrder::Random, None, &[0]), 10);
        let mut drawn = [0u32; 10];
        for taken in 0..10_000 {
            drawn[assignment.row(0, taken, 7).unwrap() as usize] += 1;
        }
        assert!(
            drawn.iter().all(|count| (850..1150).contains(count)),
            "{drawn:?}"
        );
        let draws = |assignment: &Assignment, seed| {
            (0..20)
                .map(|n| assignment.row(0, n, seed))
                .collect::<Vec<_>>()
        };
        assert_ne!(draws(&assignment, 7), draws(&assignment, 8));
        let named = Feed {
            name: "others".into(),
            ..feed(FeedOrder::Random, None, &[0])
        };
        assert_ne!(
            draws(&assignment, 7),
            draws(&Assignment::new(&plan, &named, 10), 7)
        );
    }
}
