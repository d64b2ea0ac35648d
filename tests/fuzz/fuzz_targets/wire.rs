//! The HTTP/1.1 decoder: any bytes, in any pieces. However they are cut, the same comes out; what is kept between two pieces
//! has a bound; nothing that is an answer has two heads.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vespeiro_http::Failure;
use vespeiro_http::codec::{Decoder, Head, Header, Receive, Refusal};

/// Small, so that the fuzzer reaches it.
const MAX_HEADERS: usize = 2048;

type Fields = Vec<(String, Vec<u8>)>;

#[derive(Debug, Default, PartialEq, Eq)]
struct Taken {
    head: Option<(u16, Fields, Option<u64>, bool)>,
    body: Vec<u8>,
    trailers: Option<Fields>,
}

impl Receive for Taken {
    fn head(&mut self, head: Head<'_>) -> Result<(), Refusal> {
        assert!(self.head.is_none(), "two heads");
        assert!((200..=999).contains(&head.status));
        assert!(!head.bodiless || head.length == Some(0));
        self.head = Some((
            head.status,
            fields(head.headers),
            head.length,
            head.bodiless,
        ));
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        assert!(self.head.is_some() && self.trailers.is_none() && !bytes.is_empty());
        self.body.extend_from_slice(bytes);
        Ok(())
    }

    fn trailers(&mut self, trailers: &[Header<'_>]) -> Result<(), Refusal> {
        assert!(self.head.is_some() && self.trailers.is_none());
        self.trailers = Some(fields(trailers));
        Ok(())
    }
}

fn fields(headers: &[Header<'_>]) -> Fields {
    let field = |header: &Header<'_>| (header.name.to_owned(), header.value.to_vec());
    headers.iter().map(field).collect()
}

/// What came of the bytes: all that was taken, and whether the connection may go on.
#[derive(Debug, PartialEq, Eq)]
enum Came {
    Complete {
        taken: Taken,
        keeps_alive: bool,
        used: usize,
    },
    Refused(Failure),
}

fn came(pieces: &[&[u8]], to_head: bool) -> Came {
    let mut decoder = Decoder::new(to_head, MAX_HEADERS);
    let mut taken = Taken::default();
    let mut kept = Vec::new();
    let mut used = 0;
    for piece in pieces {
        if decoder.is_done() {
            break;
        }
        kept.extend_from_slice(piece);
        match decoder.feed(&kept, &mut taken) {
            Ok(here) => {
                used += here;
                kept.drain(..here);
            }
            Err(refusal) => return Came::Refused(refusal.failure),
        }
        assert!(decoder.is_done() || kept.len() <= MAX_HEADERS);
    }
    if let Err(refusal) = decoder.end(&kept) {
        return Came::Refused(refusal.failure);
    }
    if let Some((_, _, Some(length), _)) = &taken.head {
        assert_eq!(*length, taken.body.len() as u64);
    }
    Came::Complete {
        keeps_alive: decoder.keeps_alive(),
        taken,
        used,
    }
}

// The first byte says whether the request was HEAD, the eight behind it where to cut what is left.
fuzz_target!(|input: &[u8]| {
    let Some((&[to_head, ref cuts @ ..], bytes)) = input.split_first_chunk::<9>() else {
        return;
    };
    let to_head = to_head == b'H';
    let place = |cut: &u8| usize::from(*cut) * (bytes.len() + 1) / 256;
    let mut cuts: Vec<usize> = cuts.iter().map(place).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    let pieces: Vec<&[u8]> = cuts.windows(2).map(|two| &bytes[two[0]..two[1]]).collect();
    let whole = came(&[bytes], to_head);
    assert_eq!(came(&pieces, to_head), whole);
    if bytes.len() < 256 {
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(came(&single, to_head), whole);
    }
});
