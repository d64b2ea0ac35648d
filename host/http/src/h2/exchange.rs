//! One request and its answer on one stream of a connection. Sending and reading overlap, as the target likes.
//!
//! What must stay true: what was read is given back to the target's window at once, and a future that is dropped resets
//! its stream and leaves nothing behind.

use std::cell::RefCell;
use std::future::{Future as _, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use ::h2::client::{ResponseFuture, SendRequest};
use ::h2::{Reason, RecvStream, SendStream};
use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Method, Request, StatusCode};
use tokio::time::Instant;

use super::flaw;
use super::tap::Heard;
use crate::Failure;
use crate::call::Call;
use crate::codec::{Head, Header, Receive};
use crate::outcome::Flaw;
use crate::pieces::BodyReader;
use vespeiro_model::Clock;

/// What the specification counts for each header beside its bytes.
const EACH: usize = 32;

/// How far an exchange has come, also one that was dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// All of the request was handed to the connection.
    pub written: Option<Instant>,
    /// The first of the answer came, an interim one included.
    pub answered: Option<Instant>,
    /// Bytes of the request's body that were handed over.
    pub sent: u64,
    /// Bytes of the answer's body.
    pub received: u64,
}

/// What is sent behind a request's head.
#[derive(Debug)]
pub struct OutgoingBody {
    bytes: Bytes,
    /// What comes behind them.
    more: Option<Box<BodyReader>>,
}

impl From<Bytes> for OutgoingBody {
    fn from(bytes: Bytes) -> Self {
        Self { bytes, more: None }
    }
}

impl OutgoingBody {
    pub(crate) fn of(call: &Call) -> Self {
        Self {
            bytes: call.body().cloned().unwrap_or_default(),
            more: call.body_reader().map(Box::new),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.more.as_ref().is_none_or(|more| more.is_done())
    }
}

pub(super) struct Opened {
    response: ResponseFuture,
    upload: SendStream<Bytes>,
    to_head: bool,
}

/// Begin a stream. What fails here never left.
pub(super) fn open(
    sender: &RefCell<SendRequest<Bytes>>,
    request: Request<()>,
    bodiless: bool,
    heard: &Heard,
) -> Result<Opened, Flaw> {
    let to_head = request.method() == Method::HEAD;
    let mut sender = sender.borrow_mut();
    let sent = match sender.poll_ready(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(())) => sender.send_request(request, bodiless),
        Poll::Ready(Err(error)) => return Err(flaw::unsent(&error, heard)),
        // The target lowered its limit while places were taken: the library keeps it until there is room.
        Poll::Pending => sender.clone().send_request(request, bodiless),
    };
    let (response, upload) = sent.map_err(|error| Flaw {
        failure: Failure::Protocol,
        cause: format!("the request cannot be sent over HTTP/2: {error}").into(),
    })?;
    Ok(Opened {
        response,
        upload,
        to_head,
    })
}

pub(super) async fn play(
    opened: Opened,
    OutgoingBody { bytes: body, more }: OutgoingBody,
    max_headers: u32,
    heard: &Heard,
    progress: &mut Progress,
    to: &mut impl Receive,
    clock: Clock,
) -> Result<(), Flaw> {
    let Opened {
        mut response,
        upload,
        to_head,
    } = opened;
    let stream = response.stream_id().as_u32();
    let mut upload = Upload {
        stream: upload,
        rest: body,
        more,
        is_over: false,
    };
    let head = poll_fn(|cx| {
        if let Err(flaw) = upload.poll(cx, progress, clock) {
            return Poll::Ready(Err(flaw));
        }
        if progress.answered.is_none()
            && let Poll::Ready(Some(Ok(_))) = response.poll_informational(cx)
        {
            progress.answered = Some(clock.now());
        }
        let failed = |error| flaw::of_stream(&error, heard, stream, false);
        Pin::new(&mut response).poll(cx).map_err(failed)
    });
    let head = head.await?;
    progress.answered.get_or_insert_with(|| clock.now());
    let (head, mut body) = head.into_parts();
    let bodiless = to_head
        || matches!(
            head.status,
            StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
        );
    let length = if bodiless || body.is_end_stream() {
        Some(0)
    } else {
        length_of(&head.headers)
    };
    to.head(Head {
        status: head.status.as_u16(),
        headers: &fields(&head.headers, max_headers)?,
        length,
        bodiless,
    })?;
    let failed = |error: ::h2::Error| flaw::of_stream(&error, heard, stream, true);
    loop {
        // Nothing will come any more, no trailers either.
        if body.is_end_stream() {
            return Ok(());
        }
        let Some(data) = next(&mut body, &mut upload, progress, clock).await else {
            break;
        };
        let data = data?.map_err(failed)?;
        // It cannot be more than came.
        let _ = body.flow_control().release_capacity(data.len());
        if !data.is_empty() {
            progress.received += data.len() as u64;
            to.data(&data)?;
        }
    }
    let trailers = poll_fn(|cx| body.poll_trailers(cx)).await;
    if let Some(trailers) = trailers.map_err(failed)? {
        to.trailers(&fields(&trailers, max_headers)?)?;
    }
    Ok(())
}

/// The body's next bytes; meanwhile what is left of the request is sent.
async fn next(
    body: &mut RecvStream,
    upload: &mut Upload,
    progress: &mut Progress,
    clock: Clock,
) -> Option<Result<Result<Bytes, ::h2::Error>, Flaw>> {
    poll_fn(|cx| match upload.poll(cx, progress, clock) {
        Ok(()) => body.poll_data(cx).map(|data| data.map(Ok)),
        Err(flaw) => Poll::Ready(Some(Err(flaw))),
    })
    .await
}

struct Upload {
    stream: SendStream<Bytes>,
    rest: Bytes,
    /// What comes behind `rest`.
    more: Option<Box<BodyReader>>,
    /// All of it was handed over, or the target wants no more.
    is_over: bool,
}

impl Upload {
    /// Hand over as much as the target has room for. What cannot be read to its end resets the stream.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        progress: &mut Progress,
        clock: Clock,
    ) -> Result<(), Flaw> {
        while !self.is_over {
            if self.rest.is_empty()
                && let Some(reader) = &mut self.more
            {
                match reader.poll_next(cx) {
                    Poll::Pending => return Ok(()),
                    Poll::Ready(Some(Ok(next))) => self.rest = next,
                    Poll::Ready(Some(Err(flaw))) => {
                        self.is_over = true;
                        self.stream.send_reset(Reason::CANCEL);
                        return Err(flaw);
                    }
                    Poll::Ready(None) => self.more = None,
                }
            }
            if self.rest.is_empty() {
                progress.written = Some(clock.now());
                self.is_over = true;
                return Ok(());
            }
            self.stream.reserve_capacity(self.rest.len());
            let room = match self.stream.capacity() {
                0 => match self.stream.poll_capacity(cx) {
                    Poll::Pending => return Ok(()),
                    Poll::Ready(Some(Ok(room))) => room,
                    // The answer will say why.
                    Poll::Ready(None | Some(Err(_))) => 0,
                },
                room => room,
            };
            let piece = self.rest.split_to(room.min(self.rest.len()));
            let count = piece.len() as u64;
            let is_last =
                self.rest.is_empty() && self.more.as_ref().is_none_or(|more| more.is_done());
            if count == 0 || self.stream.send_data(piece, is_last).is_err() {
                self.is_over = true;
                return Ok(());
            }
            progress.sent += count;
        }
        Ok(())
    }
}

fn length_of(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The fields as they came, unless they are more than may be.
fn fields(headers: &HeaderMap, max_headers: u32) -> Result<Vec<Header<'_>>, Flaw> {
    let mut size = 0;
    let mut fields = Vec::with_capacity(headers.len());
    for (name, value) in headers {
        size += name.as_str().len() + value.len() + EACH;
        if size > max_headers as usize {
            return Err(flaw::too_large());
        }
        fields.push(Header {
            name: name.as_str(),
            value: value.as_bytes(),
        });
    }
    Ok(fields)
}
