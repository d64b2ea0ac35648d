//! Listens to a connection's bytes on their way to and from the library, which keeps some of what it reads to itself: how
//! many there are, the last stream that a GOAWAY lets live, headers that are too large, why a read failed.
//!
//! What must stay true: what passes is not changed, and however it is cut into pieces, the same is heard. Where the target
//! takes no more, all that it has said before is still read: it may be a GOAWAY, or why TLS ended.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::dial::tls_cause;

const HEAD: usize = 9;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

const ACK: u8 = 1;
const END_STREAM: u8 = 1;

/// What was heard.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// Bytes.
    pub(super) sent: Cell<u64>,
    /// Bytes.
    pub(super) received: Cell<u64>,
    /// The target's settings came.
    pub(super) settings: Cell<bool>,
    /// The last stream that a GOAWAY lets live.
    pub(super) last_stream: Cell<Option<u32>>,
    /// Streams whose headers are over the limit even as they are compressed.
    pub(super) too_large: RefCell<VecDeque<u32>>,
    /// Frames of data that hold none and end nothing: the library takes a hundred of them and no more.
    pub(super) empty: Cell<usize>,
    /// Why reading or writing failed: the library keeps no more of it than its kind.
    pub(super) broke: RefCell<Option<io::Error>>,
    /// The target ended the stream of bytes.
    pub(super) ended: Cell<bool>,
}

/// Streams with too large headers that are kept in mind: more than are open at a time, for each is asked for when it ends.
const TOO_LARGE: usize = 1000;

impl Heard {
    fn note_too_large(&self, stream: u32) {
        let mut too_large = self.too_large.borrow_mut();
        if too_large.back() != Some(&stream) {
            if too_large.len() == TOO_LARGE {
                too_large.pop_front();
            }
            too_large.push_back(stream);
        }
    }

    /// Whether this stream's headers were too large.
    pub(super) fn is_too_large(&self, stream: u32) -> bool {
        self.too_large.borrow().contains(&stream)
    }
}

/// A stream that is listened to.
#[derive(Debug)]
pub(super) struct Tap<S> {
    stream: S,
    heard: Rc<Heard>,
    frames: Frames,
    /// A write has failed: what is written is dropped, until reading comes to its end.
    is_deaf: bool,
}

impl<S> Tap<S> {
    pub(super) fn new(stream: S, max_headers: u32, heard: Rc<Heard>) -> Self {
        Self {
            stream,
            heard,
            is_deaf: false,
            frames: Frames {
                max_headers: max_headers.into(),
                head: [0; HEAD],
                have: 0,
                left: 0,
                block: 0,
            },
        }
    }

    /// The first error is the cause of the others, but for one that TLS explains.
    fn keep(&self, error: io::Error) -> io::Error {
        let kind = error.kind();
        let mut broke = self.heard.broke.borrow_mut();
        if broke.is_none() || tls_cause(&error).is_some() {
            *broke = Some(error);
        }
        kind.into()
    }
}

/// Where in its frames a connection is.
#[derive(Debug)]
struct Frames {
    max_headers: u64,
    head: [u8; HEAD],
    /// Bytes of the head that came, and of a GOAWAY's first eight.
    have: usize,
    /// Bytes of the payload that are still to come.
    left: usize,
    /// Bytes of the header block so far.
    block: u64,
}

impl Frames {
    fn parse(&mut self, mut bytes: &[u8], heard: &Heard) {
        while !bytes.is_empty() {
            if self.have < HEAD {
                let more = bytes.len().min(HEAD - self.have);
                self.head[self.have..self.have + more].copy_from_slice(&bytes[..more]);
                self.have += more;
                bytes = &bytes[more..];
                if self.have < HEAD {
                    return;
                }
                self.begin(heard);
            }
            let here = bytes.len().min(self.left);
            if self.kind() == GOAWAY {
                self.last_stream(&bytes[..here], heard);
            }
            self.left -= here;
            bytes = &bytes[here..];
            if self.left == 0 {
                if self.kind() == SETTINGS && self.flags() & ACK == 0 {
                    heard.settings.set(true);
                }
                self.have = 0;
            }
        }
    }

    fn begin(&mut self, heard: &Heard) {
        let length = u32::from_be_bytes([0, self.head[0], self.head[1], self.head[2]]);
        self.left = length as usize;
        match self.kind() {
            HEADERS | PUSH_PROMISE => self.block = length.into(),
            CONTINUATION => self.block += u64::from(length),
            DATA if length == 0 && self.flags() & END_STREAM == 0 => {
                heard.empty.set(heard.empty.get() + 1);
            }
            _ => {}
        }
        if matches!(self.kind(), HEADERS | CONTINUATION) && self.block > self.max_headers {
            heard.note_too_large(self.stream());
        }
        if self.kind() == GOAWAY {
            // Nobody asks for a GOAWAY's own stream, which is always 0: the bytes behind it are collected in its place.
            self.head[5..].fill(0);
        }
    }

    /// The first four bytes of a GOAWAY.
    fn last_stream(&mut self, bytes: &[u8], heard: &Heard) {
        for byte in bytes {
            let at = self.have - HEAD;
            if at >= 4 {
                return;
            }
            self.head[5 + at] = *byte;
            self.have += 1;
            if at == 3 {
                heard.last_stream.set(Some(self.stream()));
            }
        }
    }

    fn kind(&self) -> u8 {
        self.head[3]
    }

    fn flags(&self) -> u8 {
        self.head[4]
    }

    fn stream(&self) -> u32 {
        let [.., a, b, c, d] = self.head;
        u32::from_be_bytes([a & 0x7f, b, c, d])
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        let room = buffer.remaining();
        match Pin::new(&mut this.stream).poll_read(cx, buffer) {
            Poll::Ready(Ok(())) => {
                let new = &buffer.filled()[before..];
                if new.is_empty() && room > 0 {
                    this.heard.ended.set(true);
                }
                let received = &this.heard.received;
                received.set(received.get() + new.len() as u64);
                this.frames.parse(new, &this.heard);
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(this.keep(error))),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncWrite + Unpin> Tap<S> {
    fn wrote(
        &mut self,
        all: usize,
        write: impl FnOnce(Pin<&mut S>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if self.is_deaf {
            return Poll::Ready(Ok(all));
        }
        match write(Pin::new(&mut self.stream)) {
            Poll::Ready(Ok(count)) => {
                let sent = &self.heard.sent;
                sent.set(sent.get() + count as u64);
                Poll::Ready(Ok(count))
            }
            Poll::Ready(Err(error)) => {
                self.keep(error);
                self.is_deaf = true;
                Poll::Ready(Ok(all))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn ended(
        &mut self,
        end: impl FnOnce(Pin<&mut S>) -> Poll<io::Result<()>>,
    ) -> Poll<io::Result<()>> {
        if self.is_deaf {
            return Poll::Ready(Ok(()));
        }
        let ended = end(Pin::new(&mut self.stream));
        ended.map(|ended| {
            ended.or_else(|error| {
                self.keep(error);
                self.is_deaf = true;
                Ok(())
            })
        })
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.wrote(bytes.len(), |stream| stream.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let all = slices.iter().map(|slice| slice.len()).sum();
        self.wrote(all, |stream| stream.poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.ended(|stream| stream.poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.ended(|stream| stream.poll_shutdown(cx))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut frame = length[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        frame
    }

    fn heard(pieces: &[&[u8]]) -> Heard {
        let heard = Heard::default();
        let mut tap = Tap::new((), 100, Rc::default());
        for piece in pieces {
            tap.frames.parse(piece, &heard);
        }
        heard
    }

    fn all() -> Vec<u8> {
        [
            frame(SETTINGS, ACK, 0, &[]),
            frame(DATA, 0, 1, &[]),
            frame(DATA, END_STREAM, 1, &[]),
            frame(HEADERS, 0, 7, &[0; 60]),
            frame(CONTINUATION, 4, 7, &[0; 41]),
            frame(HEADERS, 4, 9, &[0; 99]),
            frame(GOAWAY, 0, 0, &[0x80, 0, 0, 5, 0, 0, 0, 2, 9, 9]),
            frame(SETTINGS, 0, 0, &[0; 12]),
        ]
        .concat()
    }

    #[test]
    fn frames_are_told_apart() {
        let heard = heard(&[&all()]);
        assert_eq!(heard.empty.get(), 1);
        assert_eq!(*heard.too_large.borrow(), [7]);
        assert_eq!(heard.last_stream.get(), Some(5));
        assert!(heard.settings.get());
        assert!(!self::heard(&[&frame(SETTINGS, ACK, 0, &[])]).settings.get());
        let short = frame(GOAWAY, 0, 0, &[0, 0, 1]);
        assert_eq!(self::heard(&[&short]).last_stream.get(), None);
    }

    proptest! {
        #[test]
        fn the_same_is_heard_in_any_pieces(cuts in prop::collection::vec(0..260usize, 0..30)) {
            let all = all();
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(all.len())).collect();
            cuts.extend([0, all.len()]);
            cuts.sort_unstable();
            let pieces: Vec<_> = cuts.windows(2).map(|ends| &all[ends[0]..ends[1]]).collect();
            let (whole, cut) = (heard(&[&all]), heard(&pieces));
            prop_assert_eq!(format!("{whole:?}"), format!("{cut:?}"));
        }

        #[test]
        fn anything_is_heard(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            heard(&[&bytes]);
        }
    }
}
