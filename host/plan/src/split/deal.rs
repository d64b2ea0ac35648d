//! Which part plays which of a load profile's users: the j-th user of an archetype goes to the part that j and the archetype's
//! offset name. Used by the users' pools, and by whatever is shared out as the users are.
//!
//! What must stay true: at any count of users each archetype is within one user of its share on every shard and every worker,
//! and so their users differ by no more than there are archetypes.

use std::cmp::Reverse;

use super::part::{Part, Place};
use super::picker::ArchetypePicker;
use crate::archetypes::Archetype;

/// How the users of one load profile are dealt out. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Deal {
    picker: ArchetypePicker,
    /// Of each archetype of the profile: where its first user goes.
    offsets: Vec<usize>,
}

impl Deal {
    /// Of some of the plan's archetypes.
    pub fn new(plan: &[Archetype], archetypes: &[u16]) -> Self {
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
        }
    }

    /// How many of the first `users` are in each part.
    pub fn shares(&self, users: u32) -> impl Fn(Part) -> usize {
        let counts = self.picker.counts(users);
        move |part| {
            let each = counts.iter().zip(&self.offsets);
            each.map(|(count, offset)| part.of_those_from(*offset, *count as usize))
                .sum()
        }
    }

    /// How many of the first `users` are in one part.
    pub fn share(&self, users: u32, part: Part) -> usize {
        self.shares(users)(part)
    }

    /// What falls to a place of a total that is shared out as the first `users` are.
    pub fn share_of_total(&self, total: u64, users: u32, place: Place) -> u64 {
        let share = self.shares(users);
        let Place { shard, worker, .. } = place;
        let shards = (0..shard.index).map(|index| Part::new(index, shard.shards));
        let workers = (0..worker).map(|worker| Place { worker, ..place }.part());
        let before: usize = shards.chain(workers).map(&share).sum();
        let up_to = |users_before: usize| {
            let part = u128::from(total) * users_before as u128 / u128::from(users.max(1));
            // No part is more than the whole.
            part as u64
        };
        up_to(before + share(place.part())) - up_to(before)
    }

    /// The part of what arrives that falls to a place: those share it who may have one of `users`. `None` for the others.
    pub fn share_of_arrivals(&self, users: u32, place: Place) -> Option<Part> {
        let share = self.shares(users);
        let among = |outer: Part, own: usize, all: usize| {
            let mut may = (0..all).filter(|one| share(outer.part(Part::new(*one, all))) > 0);
            let at = may.clone().position(|one| one == own)?;
            Some(Part::new(at, may.by_ref().count()))
        };
        let Place {
            shard,
            worker,
            workers,
        } = place;
        let shards = among(Part::WHOLE, shard.index, shard.shards)?;
        Some(shards.part(among(shard.whole().part(), worker, workers)?))
    }

    /// All users in turn, and where they go.
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
    /// What tells its [`Part`].
    pub slot: usize,
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
        let Deal { picker, offsets } = &mut self.deal;
        let (position, archetype, before) = picker.pick()?;
        let n = self.next;
        self.next = n.saturating_add(1);
        Some(DealtUser {
            n,
            archetype,
            slot: before as usize + offsets[position],
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::part::Shard;
    use super::super::part::tests::places;
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

    fn deal(weights: &[u32]) -> Deal {
        let all: Vec<u16> = (0..weights.len() as u16).collect();
        Deal::new(&archetypes(weights), &all)
    }

    #[test]
    fn ten_parts_play_all_archetypes_and_two_have_half_of_the_admins_each() {
        for (parts, most) in [(2, 5), (10, 1)] {
            let users: Vec<DealtUser> = deal(&[20, 50, 10, 20]).dealt().take(100).collect();
            let admins = |first| {
                let part = Part::new(first, parts);
                let own = users.iter().filter(|user| part.has(user.slot));
                own.filter(|user| user.archetype == 2).count()
            };
            assert!((0..parts).all(|first| admins(first) == most));
        }
    }

    proptest! {
        #[test]
        fn every_shard_and_every_worker_has_its_part_of_every_archetype_at_any_count(
            weights in prop::collection::vec(1u32..60, 1..6),
            shards in 1usize..12,
            workers in 1usize..5,
            users in 1usize..300,
        ) {
            let deal = deal(&weights);
            let shard = |index| Shard { index, shards };
            let all: [Vec<Part>; 2] = [
                (0..shards).map(|index| shard(index).whole().part()).collect(),
                places(&vec![workers; shards]).into_iter().map(Place::part).collect(),
            ];
            for parts in all {
                let mut counts = vec![vec![0usize; weights.len()]; parts.len()];
                for (n, user) in deal.dealt().take(users).enumerate() {
                    prop_assert_eq!(user.n as usize, n);
                    let who = parts.iter().position(|part| part.has(user.slot)).unwrap();
                    counts[who][usize::from(user.archetype)] += 1;
                    for archetype in 0..weights.len() {
                        let own = || counts.iter().map(|of| of[archetype]);
                        let share = own().sum::<usize>() as f64 / parts.len() as f64;
                        prop_assert!(own().all(|own| (own as f64 - share).abs() < 1.0), "{counts:?}");
                    }
                    let totals = || counts.iter().map(|of| of.iter().sum::<usize>());
                    let spread = totals().max().unwrap() - totals().min().unwrap();
                    prop_assert!(spread <= weights.len(), "{counts:?}");
                }
                // What is shared out as the users are agrees with who plays them.
                let shares: Vec<usize> = parts.iter().map(|part| deal.share(users as u32, *part)).collect();
                let dealt: Vec<usize> = counts.iter().map(|of| of.iter().sum()).collect();
                prop_assert_eq!(shares, dealt);
            }
        }

        #[test]
        fn shares_of_any_number_add_up_over_shards_with_different_workers(
            weights in prop::collection::vec(1u32..2000, 1..6),
            workers in prop::collection::vec(1usize..7, 1..9),
            users: u32,
            total: u64,
        ) {
            let deal = deal(&weights);
            let places = places(&workers);
            let shares = places.iter().map(|place| deal.share(users, place.part()));
            prop_assert_eq!(shares.sum::<usize>(), users as usize);
            let of = |place: Place| deal.share_of_total(total, users, place);
            if users > 0 {
                prop_assert_eq!(places.iter().map(|p| u128::from(of(*p))).sum::<u128>(), u128::from(total));
            }
            for place in &places {
                prop_assert!(of(*place) == 0 || deal.share(users, place.part()) > 0);
            }
            // A shard's own part is that of its workers together.
            for (index, workers) in workers.iter().enumerate() {
                let shard = Shard { index, shards: places[0].shard.shards };
                let own = (0..*workers).map(|worker| of(shard.place(worker, *workers)));
                prop_assert_eq!(own.sum::<u64>(), of(shard.whole()));
            }
        }

        #[test]
        fn every_arrival_falls_to_one_worker_who_may_have_users(
            weights in prop::collection::vec(1u32..60, 1..6),
            workers in prop::collection::vec(1usize..5, 1..7),
            users in 1u32..40,
            arrivals in 0usize..100,
        ) {
            let deal = deal(&weights);
            let places = places(&workers);
            let parts: Vec<_> = places.iter().map(|place| deal.share_of_arrivals(users, *place)).collect();
            for (place, part) in places.iter().zip(&parts) {
                prop_assert_eq!(part.is_some(), deal.share(users, place.part()) > 0);
            }
            for arrival in 0..arrivals {
                let takers = parts.iter().flatten().filter(|part| part.has(arrival));
                prop_assert_eq!(takers.count(), 1);
            }
        }
    }
}
