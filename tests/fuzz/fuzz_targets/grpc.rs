//! The reader of gRPC's frames, and of `grpc-message`: any bytes, in any pieces. However they are cut, the same message comes out,
//! of the length that its frame says, or the same is said to be wrong.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vespeiro_http::grpc::{Broken, Frames, Part, framed, unescaped};

fn read(pieces: &[&[u8]]) -> Result<Vec<u8>, Broken> {
    let (mut frames, mut message, mut length) = (Frames::default(), Vec::new(), None);
    for piece in pieces {
        let mut rest = *piece;
        while let Some(part) = frames.next(&mut rest)? {
            match part {
                Part::Begins(told) => assert!(length.replace(told).is_none()),
                Part::Bytes(bytes) => {
                    assert!(!bytes.is_empty());
                    message.extend_from_slice(bytes);
                }
            }
            assert!(message.len() as u64 <= u64::from(length.unwrap()));
        }
        assert!(rest.is_empty());
    }
    frames.finish()?;
    assert_eq!(Some(message.len() as u64), length.map(u64::from));
    Ok(message)
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
    if let Ok(message) = whole {
        assert_eq!(framed(&message).as_deref(), Some(bytes));
    }
    assert!(unescaped(bytes).len() <= 3 * bytes.len());
});
