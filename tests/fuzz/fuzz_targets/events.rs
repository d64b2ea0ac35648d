//! The reader of event streams: any bytes, in any pieces. However they are cut, the same events come out, and none is larger
//! than it may be.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vespeiro_http::channel::{Event, EventReader, TooLong};

/// Small, so that the fuzzer reaches it.
const MOST: usize = 256;

fn read(pieces: &[&[u8]]) -> (Vec<Event>, Result<(), TooLong>) {
    let mut reader = EventReader::new(MOST);
    let mut events = Vec::new();
    for piece in pieces {
        let read = reader.feed(piece, &mut |event| events.push(event));
        if read.is_err() {
            return (events, read);
        }
    }
    (events, Ok(()))
}

// The first eight bytes say where to cut what is left.
fuzz_target!(|input: &[u8]| {
    let Some((cuts, bytes)) = input.split_first_chunk::<8>() else {
        return;
    };
    let place = |cut: &u8| usize::from(*cut) * (bytes.len() + 1) / 256;
    let mut cuts: Vec<usize> = cuts.iter().map(place).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    let pieces: Vec<&[u8]> = cuts.windows(2).map(|two| &bytes[two[0]..two[1]]).collect();
    let whole = read(&[bytes]);
    assert_eq!(read(&pieces), whole);
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(read(&single), whole);
    for event in &whole.0 {
        // A byte that is not UTF-8 takes three.
        assert!(event.data.len() <= 3 * (MOST + 1) && event.name.len() <= 3 * MOST);
    }
});
