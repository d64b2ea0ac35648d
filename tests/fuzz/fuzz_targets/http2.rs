//! What a target answers over HTTP/2, to a client with one request open. The first byte says in pieces of what size, the
//! second how many bytes the target takes before it is gone. Whatever it sends, the request has one outcome, and what is handed on is within its bounds.
#![no_main]

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::{Builder, Runtime};
use tokio::task::LocalSet;
use vespeiro_fuzz::is_one_line;
use vespeiro_http::Failure;
use vespeiro_http::codec::{Head, Header, Receive, Refusal};
use vespeiro_http::h2::{Connection, ConnectionOptions, Progress};
use vespeiro_model::Clock;

const MAX_HEADERS: u32 = 4 << 10;

thread_local! {
    static RUNTIME: RefCell<Runtime> = RefCell::new(
        Builder::new_current_thread().enable_time().build().expect("a runtime")
    );
}

/// Says what it was given, in pieces, and hangs up.
struct Script {
    bytes: Vec<u8>,
    said: usize,
    piece: usize,
    takes: usize,
}

impl AsyncRead for Script {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let here = self.piece.min(buffer.remaining());
        let end = self.bytes.len().min(self.said + here);
        buffer.put_slice(&self.bytes[self.said..end]);
        self.said = end;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Script {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.takes.min(bytes.len()) {
            0 => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            taken => {
                self.takes -= taken;
                Poll::Ready(Ok(taken))
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Counts what it is handed, and holds it to its order.
#[derive(Default)]
struct Counted {
    heads: usize,
    body: u64,
    trailers: usize,
}

impl Receive for Counted {
    fn head(&mut self, head: Head<'_>) -> Result<(), Refusal> {
        self.heads += 1;
        assert!(head.status >= 200 && head.status < 1000);
        within_bounds(head.headers);
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        assert!(self.heads == 1 && self.trailers == 0 && !bytes.is_empty());
        self.body += bytes.len() as u64;
        Ok(())
    }

    fn trailers(&mut self, fields: &[Header<'_>]) -> Result<(), Refusal> {
        assert_eq!(self.heads, 1);
        self.trailers += 1;
        within_bounds(fields);
        Ok(())
    }
}

fn within_bounds(fields: &[Header<'_>]) {
    let size = fields
        .iter()
        .map(|field| field.name.len() + field.value.len() + 32);
    assert!(size.sum::<usize>() <= MAX_HEADERS as usize);
}

fuzz_target!(|input: &[u8]| {
    let Some(([piece, takes], bytes)) = input.split_first_chunk() else {
        return;
    };
    let length = bytes.len() as u64;
    let script = Script {
        bytes: bytes.to_vec(),
        said: 0,
        piece: usize::from(*piece) + 1,
        takes: match *takes {
            u8::MAX => usize::MAX,
            takes => 2 * usize::from(takes),
        },
    };
    let play = async {
        let options = ConnectionOptions {
            max_headers: MAX_HEADERS,
            ..ConnectionOptions::new(Clock::system())
        };
        let Ok(connection) = Connection::start(script, options, || {}).await else {
            return;
        };
        let Some(place) = connection.try_place() else {
            return;
        };
        let request = Request::get("http://target.test/")
            .body(())
            .expect("a request");
        let (mut progress, mut counted) = (Progress::default(), Counted::default());
        let sent = connection.send(
            place,
            request,
            Bytes::from_static(b"body"),
            &mut progress,
            &mut counted,
        );
        let sent = tokio::time::timeout(Duration::from_secs(10), sent)
            .await
            .expect("it ends");
        assert!(counted.heads <= 1 && counted.trailers <= 1);
        assert_eq!(counted.body, progress.received);
        assert!(counted.body <= length);
        match sent {
            Ok(()) => assert_eq!(counted.heads, 1),
            Err(flaw) => {
                is_one_line(&flaw.cause);
                if flaw.failure == Failure::Unprocessed {
                    assert_eq!(counted.heads, 0);
                }
            }
        }
        assert_eq!(connection.in_use(), 0);
    };
    RUNTIME.with_borrow_mut(|runtime| LocalSet::new().block_on(runtime, play));
});
