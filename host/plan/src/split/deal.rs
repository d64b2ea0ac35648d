//! Which worker plays which of a load profile's users: the j-th user of an archetype goes to the worker that j and the
//! archetype's offset name. Used by the users' pools, and by whatever is shared out as the users are.
//!
//! What must stay true: at any count of users each archetype is within one user of its share on every worker, and so
//! the workers' users differ by no more than there are archetypes.

use std::cmp::Reverse;

use super::picker::ArchetypePicker;
use crate::archetypes::Archetype;

/// How the users of one load profile are dealt to the workers. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Deal {
    picker: ArchetypePicker,
    /// Of each archetype of the profile: where its first user goes.
    offsets: Vec<usize>,
    workers: usize,
}

impl Deal {
    /// Of some of the plan's archetypes.
    pub fn new(plan: &[Archetype], archetypes: &[u16], workers: usize) -> Self {
        let weight = |position: &usize| plan[usize::from(archetypes[*position])].weight;
        // In the order in which they first come, so that the first users go to different workers.
        let mut order: Vec<usize> = (0..archetypes.len()).collect();
        order.sort_by_key(|position| Reverse(weight(position)));
        let mut offsets = vec![0; archetypes.len()];
        for (rank, position) in order.into_iter().enumerate() {
            offsets[position] = rank;
        }
        Self {
            picker: ArchetypePicker::of(plan, archetypes),
            offsets,
            workers: workers.max(1),
        }
    }

    /// How many of the first `users` each worker plays.
    pub fn shares(&self, users: u32) -> impl Fn(usize) -> usize {
        let counts = self.picker.counts(users);
        let workers = self.workers;
        move |worker| {
            let each = counts.iter().zip(&self.offsets);
            each.map(|(count, offset)| {
                let first = (worker + workers - offset % workers) % workers;
                let count = *count as usize;
                count / workers + usize::from(first < count % workers)
            })
            .sum()
        }
    }

    /// How many of the first `users` one worker plays.
    pub fn share(&self, users: u32, worker: usize) -> usize {
        self.shares(users)(worker)
    }

    /// All users in turn, and who plays them.
    pub fn dealt(&self) -> Dealt {
        Dealt {
            deal: self.clone(),
            next: 0,
        }
    }
}

/// A user as it is dealt out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DealtUser {
    /// Its number among all that play by this profile.
    pub n: u32,
    pub archetype: u16,
    pub worker: usize,
}

/// The users of a load profile, without end.
#[derive(Debug)]
pub struct Dealt {
    deal: Deal,
    next: u32,
}

impl Dealt {
    /// How many users so far, the last one included, play one of these.
    pub fn so_far(&self, archetypes: &[u16]) -> u32 {
        self.deal.picker.so_far(archetypes)
    }
}

impl Iterator for Dealt {
    type Item = DealtUser;

    /// `None` only where there is nobody to choose from.
    fn next(&mut self) -> Option<DealtUser> {
        let Deal {
            picker,
            offsets,
            workers,
        } = &mut self.deal;
        let (position, archetype, before) = picker.pick()?;
        let n = self.next;
        self.next = n.saturating_add(1);
        Some(DealtUser {
            n,
            archetype,
            worker: (before as usize + offsets[position]) % *workers,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    
    use super::*;
    use crate::{LoadOverrides, Module};

    fn archetypes(weights: &[u32]) -> Vec<Archetype> {
        let of = |&weight: &u32| Archetype {
            name: format!("a{weight}"),
            weight,
            module: Module::BuiltIn("active".into()),
            config: serde_json::json!({}),
            overrides: LoadOverrides::default(),
            identity: None,
        };
        weights.iter().map(of).collect()
    }

    fn deal(weights: &[u32], workers: usize) -> Deal {
        let all: Vec<u16> = (0..weights.len() as u16).collect();
        Deal::new(&archetypes(weights), &all, workers)
    }

    #[test]
    fn ten_workers_play_all_archetypes_and_two_have_half_of_the_admins_each() {
        let weights = [20, 50, 10, 20];
        for (workers, most) in [(2, 5), (10, 1)] {
            let users: Vec<DealtUser> = deal(&weights, workers).dealt().take(100).collect();
            let admins = |worker| {
                let own = users.iter().filter(|user| user.worker == worker);
                own.filter(|user| user.archetype == 2).count()
            };
            assert!((0..workers).all(|worker| admins(worker) == most));
        }
    }

    proptest! {
        #[test]
        fn every_worker_has_its_part_of_every_archetype_at_any_count(
            weights in prop::collection::vec(1u32..60, 1..6),
            workers in 1usize..12,
            users in 1usize..300,
        ) {
            let deal = deal(&weights, workers);
            let mut counts = vec![vec![0usize; weights.len()]; workers];
            for (n, user) in deal.dealt().take(users).enumerate() {
                prop_assert_eq!(user.n as usize, n);
                counts[user.worker][usize::from(user.archetype)] += 1;
                for archetype in 0..weights.len() {
                    let own = || counts.iter().map(|of| of[archetype]);
                    let share = own().sum::<usize>() as f64 / workers as f64;
                    prop_assert!(own().all(|own| (own as f64 - share).abs() < 1.0), "{counts:?}");
                }
                let totals = || counts.iter().map(|of| of.iter().sum::<usize>());
                let spread = totals().max().unwrap() - totals().min().unwrap();
                prop_assert!(spread <= weights.len(), "{counts:?}");
            }
            // What is shared out as the users are agrees with who plays them.
            let shares: Vec<usize> = (0..workers).map(|w| deal.share(users as u32, w)).collect();
            let dealt: Vec<usize> = counts.iter().map(|of| of.iter().sum()).collect();
            prop_assert_eq!(shares, dealt);
        }

        #[test]
        fn shares_of_any_number_add_up(
            weights in prop::collection::vec(1u32..2000, 1..6), workers in 1usize..40, users: u32,
        ) {
            let deal = deal(&weights, workers);
            let shares = (0..workers).map(|worker| deal.share(users, worker));
            prop_assert_eq!(shares.sum::<usize>(), users as usize);
        }
    }
}
