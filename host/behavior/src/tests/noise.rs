//! The loader against bytes that nobody would send on purpose: it refuses them, or it takes them; it never panics.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use vespeiro_model::Clock;

use super::*;

/// Enough to find what is easily found, in a time that does not depend on the machine.
const LONG_ENOUGH: Duration = Duration::from_secs(4);

/// As many cases as fit into the time.
fn for_a_while<S: Strategy>(strategy: S, mut hold: impl FnMut(S::Value)) {
    let mut runner = TestRunner::deterministic();
    let began = Clock::system().now();
    while began.elapsed() < LONG_ENOUGH {
        let tree = strategy.new_tree(&mut runner).unwrap();
        hold(proptest::strategy::ValueTree::current(&tree));
    }
}

#[test]
fn arbitrary_bytes_are_refused() {
    let preamble = prop_oneof![
        Just(Vec::new()),
        Just(b"\0asm\x01\0\0\0".to_vec()),
        Just(b"\0asm\x0d\0\x01\0".to_vec()),
    ];
    let bytes = (preamble, prop::collection::vec(any::<u8>(), 0..256));
    for_a_while(bytes, |(mut bytes, more)| {
        bytes.extend(more);
        // An empty component or module is a valid one.
        assert!(load(&bytes).is_err(), "{bytes:?}");
    });
}

#[test]
fn a_module_with_wrong_bytes_loads_or_is_refused() {
    let whole = by_hand(&[]);
    let length = whole.len();
    let wrong = prop::collection::vec((0..length, any::<u8>()), 1..4);
    for_a_while((wrong, 0..=length), |(wrong, cut)| {
        let mut bytes = whole.clone();
        for (at, byte) in wrong {
            bytes[at] = byte;
        }
        // Half of them whole, the others cut short.
        bytes.truncate(if cut % 2 == 0 { length } else { cut });
        let Ok(behavior) = load(&bytes) else { return };
        let Ok(begun) = Slot::new(behavior, 1).begin(setup(1), Feeder::default()) else {
            return;
        };
        let mut session = begun.session;
        let _ = next(&mut session, 0);
        let _ = session.end();
    });
}

#[test]
fn a_component_with_wrong_bytes_loads_or_is_refused() {
    let (whole, _) = super::super::componentize::componentize(engine().inner(), &by_hand(&[]))
        .map(|(c, f)| (c.into_owned(), f))
        .unwrap();
    let length = whole.len();
    for_a_while((0..length, any::<u8>()), |(at, byte)| {
        let mut bytes = whole.clone();
        bytes[at] = byte;
        let _ = load(&bytes);
    });
}
