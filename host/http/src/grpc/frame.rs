//! The frame around each message of gRPC: one byte that says whether it is compressed, four with its length, the most
//! significant first. Pure functions of bytes.
//!
//! What must stay true: nothing of a message is kept here, whatever its frame says of its length.

/// Bytes before a message.
pub const FRAME: usize = 5;

/// A message with its frame, not compressed; `None`: a frame cannot say its length.
pub fn framed(message: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(message.len()).ok()?;
    let mut bytes = Vec::with_capacity(FRAME + message.len());
    bytes.push(0);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(message);
    Some(bytes)
}

/// Reads the one message of an answer, in whatever pieces it comes.
#[derive(Debug, Default)]
pub struct Frames {
    head: [u8; FRAME],
    /// Bytes of it that have come.
    come: usize,
    /// Bytes of the message that have not.
    left: u32,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// The message begins, and has so many bytes.
    Begins(u32),
    /// Bytes of it, never none.
    Bytes(&'a [u8]),
}

/// Why bytes are not one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("the answer's message is compressed, which was not asked for")]
    Compressed,
    #[error("the answer's message has a frame of no known kind")]
    Unknown,
    #[error("the answer has more than one message")]
    Second,
    #[error("the answer's message is cut short")]
    Cut,
    #[error("the answer has no message")]
    Missing,
}

impl Frames {
    /// The next part of what has come; `None` once all of it is read.
    pub fn next<'a>(&mut self, bytes: &mut &'a [u8]) -> Result<Option<Part<'a>>, Broken> {
        if bytes.is_empty() {
            return Ok(None);
        }
        if self.left > 0 {
            let most = usize::try_from(self.left).unwrap_or(usize::MAX);
            let (part, rest) = bytes.split_at(bytes.len().min(most));
            // No more than is left.
            self.left -= part.len() as u32;
            *bytes = rest;
            return Ok(Some(Part::Bytes(part)));
        }
        if self.come == FRAME {
            return Err(Broken::Second);
        }
        let (part, rest) = bytes.split_at(bytes.len().min(FRAME - self.come));
        self.head[self.come..self.come + part.len()].copy_from_slice(part);
        self.come += part.len();
        *bytes = rest;
        match self.head[0] {
            0 => {}
            1 => return Err(Broken::Compressed),
            _ => return Err(Broken::Unknown),
        }
        if self.come < FRAME {
            return Ok(None);
        }
        let [_, length @ ..] = self.head;
        self.left = u32::from_be_bytes(length);
        Ok(Some(Part::Begins(self.left)))
    }

    /// All has come: whether it was one message.
    pub fn finish(&self) -> Result<(), Broken> {
        match (self.come, self.left) {
            (0, _) => Err(Broken::Missing),
            (FRAME, 0) => Ok(()),
            _ => Err(Broken::Cut),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What comes of bytes in pieces of this size.
    fn read(bytes: &[u8], piece: usize) -> Result<Vec<u8>, Broken> {
        let (mut frames, mut message) = (Frames::default(), Vec::new());
        for mut piece in bytes.chunks(piece) {
            while let Some(part) = frames.next(&mut piece)? {
                match part {
                    Part::Begins(_) => assert!(message.is_empty()),
                    Part::Bytes(bytes) => message.extend_from_slice(bytes),
                }
            }
            assert!(piece.is_empty());
        }
        frames.finish().map(|()| message)
    }

    #[test]
    fn what_is_not_one_message_is_told() {
        let one = framed(b"message").unwrap();
        assert_eq!(one, b"\0\0\0\0\x07message");
        for (bytes, broken) in [
            (b"".to_vec(), Broken::Missing),
            (one[..3].to_vec(), Broken::Cut),
            (one[..5].to_vec(), Broken::Cut),
            (one[..9].to_vec(), Broken::Cut),
            (b"\x01\0\0\0\x01x".to_vec(), Broken::Compressed),
            (b"<html>".to_vec(), Broken::Unknown),
            ([&one[..], &one].concat(), Broken::Second),
            ([&one[..], b"\0"].concat(), Broken::Second),
        ] {
            for piece in 1..8 {
                assert_eq!(read(&bytes, piece), Err(broken), "{bytes:?} {piece}");
            }
        }
        assert_eq!(read(b"\0\0\0\0\0", 2), Ok(Vec::new()));
    }

    #[test]
    fn a_length_costs_nothing() {
        let mut frames = Frames::default();
        let mut bytes = &b"\0\xff\xff\xff\xffx"[..];
        assert_eq!(frames.next(&mut bytes), Ok(Some(Part::Begins(u32::MAX))));
        assert_eq!(frames.next(&mut bytes), Ok(Some(Part::Bytes(b"x"))));
        assert_eq!(frames.finish(), Err(Broken::Cut));
    }

    proptest! {
        #[test]
        fn any_message_in_any_pieces(message: Vec<u8>, piece in 1..64usize) {
            let bytes = framed(&message).unwrap();
            prop_assert_eq!(read(&bytes, piece), Ok(message));
        }

        #[test]
        fn any_bytes_are_the_same_in_any_pieces(mut bytes: Vec<u8>, small: bool, piece in 1..64usize) {
            if let (true, [flag, a, b, c, _, ..]) = (small, &mut bytes[..]) {
                (*flag, *a, *b, *c) = (*flag & 1, 0, 0, 0);
            }
            prop_assert_eq!(read(&bytes, piece), read(&bytes, bytes.len().max(1)));
        }
    }
}
