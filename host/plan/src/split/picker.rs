//! The archetypes of a load profile's users, one user after the other. Used by `deal.rs`, and by whatever counts users of an
//! archetype.

use crate::archetypes::Archetype;

/// The archetype of each user in turn, without end, as indices into the plan's archetypes. Spread by smooth weighted
/// round robin, so that any run of consecutive users, however short, is as close to the weights as whole numbers allow.
#[derive(Debug, Clone)]
pub struct ArchetypePicker {
    archetypes: Vec<u16>,
    weights: Vec<i64>,
    credit: Vec<i64>,
    /// How many of each there have been.
    cast: Vec<u32>,
}

impl ArchetypePicker {
    /// Of some of the plan's archetypes.
    pub fn of(plan: &[Archetype], archetypes: &[u16]) -> Self {
        let weight = |archetype: &u16| i64::from(plan[usize::from(*archetype)].weight);
        Self {
            archetypes: archetypes.to_vec(),
            weights: archetypes.iter().map(weight).collect(),
            credit: vec![0; archetypes.len()],
            cast: vec![0; archetypes.len()],
        }
    }

    /// How many users so far play one of these.
    pub fn so_far(&self, archetypes: &[u16]) -> u32 {
        let each = self.archetypes.iter().zip(&self.cast);
        each.filter(|(archetype, _)| archetypes.contains(archetype))
            .map(|(_, cast)| cast)
            .sum()
    }
}

impl ArchetypePicker {
    /// The next user: the place of its archetype among these, the archetype itself, and how many users of it came before.
    pub fn pick(&mut self) -> Option<(usize, u16, u32)> {
        let total: i64 = self.weights.iter().sum();
        for (credit, weight) in self.credit.iter_mut().zip(&self.weights) {
            *credit += weight;
        }
        let mut chosen = 0;
        for (index, credit) in self.credit.iter().enumerate() {
            if *credit > self.credit[chosen] {
                chosen = index;
            }
        }
        *self.credit.get_mut(chosen)? -= total;
        let before = self.cast[chosen];
        self.cast[chosen] = before.saturating_add(1);
        Some((chosen, *self.archetypes.get(chosen)?, before))
    }

    /// How many of the first `users` play each of these. What the weights repeat is not played through.
    pub fn counts(&self, users: u32) -> Vec<u32> {
        let common = self.weights.iter().copied().fold(0, gcd).max(1);
        let weights: Vec<i64> = self.weights.iter().map(|weight| weight / common).collect();
        let round = weights.iter().sum::<i64>().max(1);
        let (rounds, rest) = (i64::from(users) / round, i64::from(users) % round);
        let mut last = Self {
            archetypes: self.archetypes.clone(),
            credit: vec![0; weights.len()],
            cast: vec![0; weights.len()],
            weights,
        };
        last.by_ref().take(rest as usize).for_each(drop);
        let whole = last.weights.iter().map(|weight| (weight * rounds) as u32);
        whole.zip(&last.cast).map(|(of, rest)| of + rest).collect()
    }
}

impl Iterator for ArchetypePicker {
    type Item = u16;

    /// `None` only where there is nobody to choose from.
    fn next(&mut self) -> Option<u16> {
        self.pick().map(|(_, archetype, _)| archetype)
    }
}

/// The greatest common divisor.
fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Module;
    use proptest::prelude::*;

    fn archetype_of(archetypes: &[Archetype], users: u32) -> Vec<u16> {
        let all: Vec<u16> = (0..archetypes.len() as u16).collect();
        let picker = ArchetypePicker::of(archetypes, &all);
        picker.take(users as usize).collect()
    }

    fn archetypes(weights: &[u32]) -> Vec<Archetype> {
        weights
            .iter()
            .map(|&weight| {
                let module = Module::BuiltIn("active".into());
                Archetype::new(&format!("a{weight}"), weight, module)
            })
            .collect()
    }

    #[test]
    fn ten_users_hold_the_default_weights_exactly() {
        let of = archetype_of(&archetypes(&[20, 50, 10, 20]), 10);
        let count = |a| of.iter().filter(|&&x| x == a).count();
        assert_eq!([count(0), count(1), count(2), count(3)], [2, 5, 1, 2]);
    }

    proptest! {
        #[test]
        fn every_prefix_is_within_one_user_per_archetype_of_its_share(
            weights in prop::collection::vec(1u32..100, 1..6), users in 1u32..300,
        ) {
            let all = archetypes(&weights);
            let total: u32 = weights.iter().sum();
            let of = archetype_of(&all, users);
            for (index, weight) in weights.iter().enumerate() {
                let got = of.iter().filter(|&&x| x as usize == index).count() as f64;
                let want = f64::from(users) * f64::from(*weight) / f64::from(total);
                prop_assert!((got - want).abs() <= weights.len() as f64, "{got} of {want}");
            }
        }
    }
}
