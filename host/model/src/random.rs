//! SplitMix64: the one mixing function that all of the host's own randomness is made with. Used by the engine's seeds and
//! by the WASI of `behavior`.
//!
//! What must stay true: the outputs never change, so that a seed repeats a run in every later version.

/// What the generator's state grows by with each draw.
pub const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Spreads every bit of `x` over the whole result. One to one: different inputs give different results.
pub fn scramble(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Moves the generator's state on and returns its next value.
pub fn draw(state: &mut u64) -> u64 {
    *state = state.wrapping_add(STEP);
    scramble(*state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_values_are_those_of_the_published_generator() {
        let mut state = 1_234_567;
        let drawn: Vec<u64> = (0..3).map(|_| draw(&mut state)).collect();
        assert_eq!(
            drawn,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }
}
