//! One request and its answer over one stream. Writing and reading overlap: an answer that comes while a body is still
//! being sent is taken, and the connection given up.
//!
//! What must stay true: whatever was written and read is counted as it happens, so that the counts are right even when
//! the exchange is dropped in the middle.

use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, Bytes};
use http::Method;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::unconstrained;

use super::buffers::Buffers;
use crate::Failure;
use crate::call::Call;
use crate::codec::{Added, Decoder, Refusal};
use crate::dial::broken;
use crate::outcome::{Answer, Flaw, Phase, Taking, Traffic, Watch};
use crate::pieces::BodyReader;

/// A body of up to so many bytes is written in one piece with its head.
const TOGETHER: usize = 32 << 10;

/// What moved over the wire for one call, in all of its attempts.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Flow {
    pub(crate) sent: Traffic,
    pub(crate) received: Traffic,
}

/// The state of the exchange under way; used again for the next attempt.
#[derive(Debug)]
pub(crate) struct Exchange {
    writing: Writing,
    decoder: Decoder,
    taking: Taking,
    /// Bytes that were read and not decoded yet: an incomplete head.
    carried: Vec<u8>,
    /// Bytes of the head, known once it is encoded.
    head: u64,
    /// Bytes of this attempt.
    written: u64,
    read: u64,
    leftover: bool,
    /// The target has closed the connection.
    ended: bool,
}

/// What is still to be written.
#[derive(Debug)]
enum Writing {
    /// All of it.
    All,
    /// The rest, in memory of its own; empty where only TLS has some left.
    Rest {
        head: Vec<u8>,
        body: Bytes,
        /// What comes behind `body`, of one in pieces.
        more: Option<Box<BodyReader>>,
    },
    Done,
    /// The target reads no more of the request; it may still have answered.
    Broken,
}

/// Why a request was not written to its end.
enum Unwritten {
    /// The target takes no more of it.
    Broken,
    /// There is no more of it.
    Unread(Flaw),
}

impl From<io::Error> for Unwritten {
    fn from(_: io::Error) -> Self {
        Self::Broken
    }
}

/// What an exchange needs of its worker and its call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExchangeInput<'a> {
    pub(crate) call: &'a Call,
    pub(crate) buffers: &'a Buffers,
    pub(crate) max_headers: usize,
    pub(crate) max_body: u64,
    /// The connection is to carry no other request.
    pub(crate) last: bool,
}

impl Exchange {
    pub(crate) fn new() -> Self {
        Self {
            writing: Writing::Done,
            decoder: Decoder::new(false, 0),
            taking: Taking::default(),
            carried: Vec::new(),
            head: 0,
            written: 0,
            read: 0,
            leftover: false,
            ended: false,
        }
    }

    /// Send and read to the end. The watch is in [`Phase::Sending`].
    pub(crate) async fn play<S>(
        &mut self,
        input: ExchangeInput<'_>,
        stream: &mut S,
        watch: &mut Watch,
        flow: &mut Flow,
    ) -> Result<(), Flaw>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let head = input.call.head();
        self.writing = Writing::All;
        self.decoder = Decoder::new(head.method() == Method::HEAD, input.max_headers);
        self.taking = Taking::new(input.call, input.max_body, watch.clock());
        self.carried = Vec::new();
        (self.head, self.written, self.read) = (0, 0, 0);
        (self.leftover, self.ended) = (false, false);
        poll_fn(|context| self.poll(input, stream, watch, flow, context)).await
    }

    /// The answer, once it is complete.
    pub(crate) fn answer(&mut self, flow: &mut Flow) -> Result<Answer, Flaw> {
        let before = self.taking.received();
        let answer = self.taking.finish()?;
        // Decoders hold the last of it back.
        flow.received.body += self.taking.received() - before;
        Ok(answer)
    }

    /// The connection can carry another request.
    pub(crate) fn leaves_open(&self) -> bool {
        self.decoder.keeps_alive() && self.is_clean()
    }

    /// The target said that it closes the connection, or its answer ended with it.
    pub(crate) fn is_unkept(&self) -> bool {
        !self.decoder.keeps_alive()
    }

    /// The target has closed the connection, and it was the end of its answer.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// The whole request was written and nothing followed the answer, so that closing cuts nothing off.
    pub(crate) fn is_clean(&self) -> bool {
        !self.leftover && matches!(self.writing, Writing::Done)
    }

    /// No byte of it was written: the target cannot have seen it.
    pub(crate) fn is_unwritten(&self) -> bool {
        self.written == 0
    }

    /// No byte of an answer came.
    pub(crate) fn is_unanswered(&self) -> bool {
        self.read == 0
    }

    fn poll<S>(
        &mut self,
        input: ExchangeInput<'_>,
        stream: &mut S,
        watch: &mut Watch,
        flow: &mut Flow,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Flaw>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if !matches!(self.writing, Writing::Done | Writing::Broken)
            && let Poll::Ready(written) = self.write(input, stream, flow, context)
        {
            self.writing = match written {
                Ok(()) => Writing::Done,
                Err(Unwritten::Broken) => Writing::Broken,
                Err(Unwritten::Unread(flaw)) => return Poll::Ready(Err(flaw)),
            };
            if watch.phase() == Phase::Sending {
                watch.enter(Phase::Waiting, watch.clock().now());
            }
        }
        loop {
            if ready!(self.read(input.buffers, stream, watch, flow, context))? {
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// Write as much as the stream takes.
    fn write<S>(
        &mut self,
        input: ExchangeInput<'_>,
        stream: &mut S,
        flow: &mut Flow,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Unwritten>>
    where
        S: AsyncWrite + Unpin,
    {
        if matches!(self.writing, Writing::All) {
            let first =
                |buffer: &mut Vec<u8>| self.write_first(input, stream, flow, context, buffer);
            input.buffers.writing(first)?;
        }
        let Writing::Rest { head, body, more } = &mut self.writing else {
            return Poll::Ready(Ok(()));
        };
        loop {
            let stream = Pin::new(&mut *stream);
            let (count, of_body) = if !head.is_empty() {
                (ready!(stream.poll_write(context, head))?, false)
            } else if !body.is_empty() {
                (ready!(stream.poll_write(context, body))?, true)
            } else if let Some(reader) = more {
                match ready!(reader.poll_next(context)) {
                    Some(next) => *body = next.map_err(Unwritten::Unread)?,
                    None => *more = None,
                }
                continue;
            } else {
                return stream.poll_flush(context).map_err(Into::into);
            };
            if count == 0 {
                return Poll::Ready(Err(Unwritten::Broken));
            }
            if of_body {
                body.advance(count);
            } else {
                head.drain(..count);
            }
            wrote(count, self.head, &mut self.written, flow);
        }
    }

    /// The first attempt, out of the worker's buffer; mostly it is the only one.
    fn write_first<S>(
        &mut self,
        input: ExchangeInput<'_>,
        stream: &mut S,
        flow: &mut Flow,
        context: &mut Context<'_>,
        buffer: &mut Vec<u8>,
    ) -> io::Result<()>
    where
        S: AsyncWrite + Unpin,
    {
        let call = input.call;
        let added = Added {
            last: input.last,
            ..call.added()
        };
        call.head().write(added, buffer);
        let mut body = call.body().cloned().unwrap_or_default();
        self.head = buffer.len() as u64;
        if body.len() <= TOGETHER {
            buffer.extend_from_slice(&body);
            body = Bytes::new();
        }
        let mut count = 0;
        loop {
            let stream = Pin::new(&mut *stream);
            let left = &buffer[count..];
            let more = if body.is_empty() {
                stream.poll_write(context, left)
            } else {
                stream.poll_write_vectored(context, &[IoSlice::new(left), IoSlice::new(&body)])
            };
            let Poll::Ready(more) = more else { break };
            let more = more?;
            if more == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            let of_body = more.saturating_sub(left.len());
            body.advance(of_body);
            count += more - of_body;
            wrote(more, self.head, &mut self.written, flow);
            if count == buffer.len() {
                break;
            }
        }
        self.writing = Writing::Rest {
            head: buffer[count..].to_vec(),
            body,
            more: call.body_reader().map(Box::new),
        };
        Ok(())
    }

    /// Read once and decode. Whether the answer is complete.
    fn read<S>(
        &mut self,
        buffers: &Buffers,
        stream: &mut S,
        watch: &mut Watch,
        flow: &mut Flow,
        context: &mut Context<'_>,
    ) -> Poll<Result<bool, Flaw>>
    where
        S: AsyncRead + Unpin,
    {
        buffers.reading(|room| {
            let mut buffer = ReadBuf::new(room);
            if let Err(error) = ready!(Pin::new(stream).poll_read(context, &mut buffer)) {
                return Poll::Ready(Err(self.broken(&error)));
            }
            let bytes = buffer.filled();
            if bytes.is_empty() {
                self.ended = true;
                self.decoder
                    .end(&self.carried)
                    .map_err(|refusal| self.ended(refusal))?;
                return Poll::Ready(Ok(true));
            }
            if self.read == 0 {
                watch.enter(Phase::Receiving, watch.clock().now());
            }
            self.read += bytes.len() as u64;
            flow.received.wire += bytes.len() as u64;
            let before = self.taking.received();
            let decoded = self.decode(bytes);
            flow.received.body += self.taking.received() - before;
            decoded?;
            Poll::Ready(Ok(self.decoder.is_done()))
        })
    }

    fn decode(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let left = if self.carried.is_empty() {
            let used = self.decoder.feed(bytes, &mut self.taking)?;
            self.carried.extend_from_slice(&bytes[used..]);
            bytes.len() - used
        } else {
            self.carried.extend_from_slice(bytes);
            let used = self.decoder.feed(&self.carried, &mut self.taking)?;
            self.carried.drain(..used);
            self.carried.len()
        };
        if self.decoder.is_done() {
            self.leftover = left > 0;
            self.carried = Vec::new();
        }
        Ok(())
    }

    /// The target closed the connection before its answer was complete.
    fn ended(&self, refusal: Refusal) -> Flaw {
        if self.is_unanswered() {
            return Flaw {
                failure: Failure::Reset,
                cause: "the target closed the connection without an answer".into(),
            };
        }
        refusal.into()
    }

    fn broken(&self, error: &io::Error) -> Flaw {
        let (failure, cause) = broken(error);
        if failure == Failure::Tls {
            // It says what to do, whenever it came.
            let cause = cause.into();
            return Flaw { failure, cause };
        }
        let when = match self.is_unanswered() {
            true => "before an answer came",
            false => "within the answer",
        };
        Flaw {
            failure,
            cause: format!("{cause}, {when}").into(),
        }
    }
}

/// Count bytes that were written behind `written` others, of which `head` are no body.
fn wrote(count: usize, head: u64, written: &mut u64, flow: &mut Flow) {
    let before = written.saturating_sub(head);
    *written += count as u64;
    flow.sent.wire += count as u64;
    flow.sent.body += written.saturating_sub(head) - before;
}

/// Whether an idle connection is still open and has received nothing. Costs no call of the system as long
/// as it is.
pub(crate) fn is_quiet<S: AsyncRead + Unpin>(stream: &mut S) -> bool {
    let mut byte = [0];
    let mut buffer = ReadBuf::new(&mut byte);
    let read = poll_fn(|context| Pin::new(&mut *stream).poll_read(context, &mut buffer));
    // Otherwise a task that has done much is told that nothing came.
    let read = pin!(unconstrained(read));
    read.poll(&mut Context::from_waker(Waker::noop()))
        .is_pending()
}
