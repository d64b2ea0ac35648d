//! The trace context that a request carries, so that a slow one can be found in the target's traces (W3C Trace Context,
//! version 00). Used by `exchange.rs` when the plan asks for it.
//!
//! What must stay true: the ids follow from run, seed, user and the user's count of requests, so that the same run gives
//! the same ones, and another run with the same seed does not.

use std::num::NonZeroU128;

use crate::seed::{Stream, derive};
use crate::vu::state::VuState;
use vespeiro_metrics::TraceId;
use vespeiro_plan::Plan;

/// The trace of one request, and the request's own place in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trace {
    pub(crate) id: TraceId,
    span: u64,
}

impl Trace {
    /// That of the user's next request.
    pub(crate) fn next(plan: &Plan, vu: &VuState) -> Self {
        let n = vu.traced.replace(vu.traced.get().wrapping_add(1));
        Self::of(&plan.run_id, vu.seed, u64::from(n))
    }

    fn of(run: &str, seed: u64, n: u64) -> Self {
        // A run's identifier is 8 bytes.
        let run = run.bytes();
        let run = run.fold(0u64, |number, byte| (number << 8) | u64::from(byte));
        let seed = seed ^ derive(run, Stream::Trace, 0);
        let [high, low, span] = [0, 1, 2].map(|part| derive(seed, Stream::Trace, 3 * n + part));
        let id = (u128::from(high) << 64) | u128::from(low);
        Self {
            // All zeros is what the standard has for no trace.
            id: TraceId(NonZeroU128::new(id).unwrap_or(NonZeroU128::MIN)),
            span: span.max(1),
        }
    }

    /// The header's value: sampled, since the target is to keep it. By hand, for every request has one.
    pub(crate) fn parent(&self) -> [u8; 55] {
        let mut value = *b"00-00000000000000000000000000000000-0000000000000000-01";
        let id = self.id.0.get();
        write_hex(&mut value[3..19], (id >> 64) as u64);
        write_hex(&mut value[19..35], id as u64);
        write_hex(&mut value[36..52], self.span);
        value
    }
}

/// All digits of the number.
fn write_hex(digits: &mut [u8], number: u64) {
    let halves = [(number >> 32) as u32, number as u32];
    for (eight, half) in digits.as_chunks_mut().0.iter_mut().zip(halves) {
        *eight = hex(half);
    }
}

/// Eight digits at once: a byte for each four bits, then what makes a digit or a letter of it.
fn hex(number: u32) -> [u8; 8] {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let spread = u64::from(number);
    let spread = (spread | spread << 16) & 0x0000_ffff_0000_ffff;
    let spread = (spread | spread << 8) & 0x00ff_00ff_00ff_00ff;
    let spread = (spread | spread << 4) & (EACH * 0xf);
    let letters = ((spread + EACH * 6) >> 4) & EACH;
    (spread + EACH * u64::from(b'0') + letters * u64::from(b'a' - b'9' - 1)).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids_follow_from_run_user_and_request() {
        let parent = |run, seed, n| Trace::of(run, seed, n).parent();
        let one = parent("abcdefgh", 7, 0);
        assert_eq!(one, parent("abcdefgh", 7, 0));
        for other in [
            parent("abcdefgi", 7, 0),
            parent("abcdefgh", 8, 0),
            parent("abcdefgh", 7, 1),
        ] {
            assert_ne!(one[3..35], other[3..35]);
            assert_ne!(one[36..52], other[36..52]);
        }
    }

    proptest! {
        #[test]
        fn digits_are_those_of_the_number(number: u64) {
            let mut digits = [0; 16];
            write_hex(&mut digits, number);
            prop_assert_eq!(digits.to_vec(), format!("{number:016x}").into_bytes());
        }
    }

    #[test]
    fn the_header_has_the_standards_form() {
        let trace = Trace::of("abcdefgh", 7, 3);
        let parent = String::from_utf8(trace.parent().to_vec()).unwrap();
        assert_eq!(parent, format!("00-{}-{:016x}-01", trace.id, trace.span));
        let parts: Vec<String> = parent.split('-').map(str::to_owned).collect();
        assert_eq!((parts[0].as_str(), parts[3].as_str()), ("00", "01"));
        assert_eq!(parts[1], trace.id.to_string());
        let hexadecimal = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        assert!(parts[1].len() == 32 && hexadecimal(&parts[1]));
        assert!(parts[2].len() == 16 && hexadecimal(&parts[2]));
    }
}
