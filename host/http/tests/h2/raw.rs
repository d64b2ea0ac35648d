//! A server that is scripted frame by frame.

use std::collections::VecDeque;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const CONTINUATION: u8 = 9;

pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;

pub const MAX_CONCURRENT_STREAMS: u16 = 3;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// `:status: 200`, as HPACK writes it.
pub const OK: &[u8] = &[0x88];

#[derive(Debug)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

pub struct Raw {
    pub stream: TcpStream,
    /// Answers to pings are left to the script.
    pub ignores_pings: bool,
    /// Frames that came while others were waited for.
    kept: VecDeque<Frame>,
}

impl Raw {
    /// Take a connection and its preface, and say nothing yet.
    pub async fn accept(listener: &TcpListener) -> Self {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        stream.set_nodelay(true).expect("set");
        let mut preface = [0; PREFACE.len()];
        stream.read_exact(&mut preface).await.expect("a preface");
        assert_eq!(&preface, PREFACE);
        Self {
            stream,
            ignores_pings: false,
            kept: VecDeque::new(),
        }
    }

    /// Take a connection, and send these settings.
    pub async fn begin(listener: &TcpListener, settings: &[(u16, u32)]) -> Self {
        let mut raw = Self::accept(listener).await;
        raw.settings(settings).await;
        raw
    }

    pub async fn settings(&mut self, settings: &[(u16, u32)]) {
        let mut payload = Vec::new();
        for (key, value) in settings {
            payload.extend(key.to_be_bytes());
            payload.extend(value.to_be_bytes());
        }
        self.write(SETTINGS, 0, 0, &payload).await;
    }

    pub async fn write(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len())
            .expect("a length")
            .to_be_bytes();
        let mut frame = length[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        // Who was reset or hung up on has the test's answer elsewhere.
        let _ = self.stream.write_all(&frame).await;
    }

    /// A whole answer without headers.
    pub async fn answer(&mut self, stream: u32, body: &[u8]) {
        self.write(HEADERS, END_HEADERS, stream, OK).await;
        self.write(DATA, END_STREAM, stream, body).await;
    }

    pub async fn reset(&mut self, stream: u32, code: u32) {
        self.write(RST_STREAM, 0, stream, &code.to_be_bytes()).await;
    }

    pub async fn goaway(&mut self, last: u32, code: u32) {
        let payload = [last.to_be_bytes(), code.to_be_bytes()].concat();
        self.write(GOAWAY, 0, 0, &payload).await;
    }

    /// The next frame; settings and pings are answered. `None` at the end.
    pub async fn frame(&mut self) -> Option<Frame> {
        if let Some(kept) = self.kept.pop_front() {
            return Some(kept);
        }
        self.read().await
    }

    async fn read(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.stream.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        self.stream.read_exact(&mut payload).await.ok()?;
        let [.., a, b, c, d] = head;
        let frame = Frame {
            kind: head[3],
            flags: head[4],
            stream: u32::from_be_bytes([a, b, c, d]),
            payload,
        };
        match (frame.kind, frame.flags & 1) {
            (SETTINGS, 0) => self.write(SETTINGS, 1, 0, &[]).await,
            (PING, 0) if !self.ignores_pings => {
                self.write(PING, 1, 0, &frame.payload).await;
            }
            _ => {}
        }
        Some(frame)
    }

    /// The next frame of a kind; others are kept.
    pub async fn next(&mut self, kind: u8) -> Frame {
        if let Some(at) = self.kept.iter().position(|frame| frame.kind == kind) {
            return self.kept.remove(at).expect("it is there");
        }
        loop {
            let frame = self.read().await.expect("a frame");
            if frame.kind == kind {
                return frame;
            }
            self.kept.push_back(frame);
        }
    }

    /// The stream of the next request.
    pub async fn request(&mut self) -> u32 {
        self.next(HEADERS).await.stream
    }

    /// Go on reading until the client hangs up.
    pub async fn finish(mut self) {
        while self.read().await.is_some() {}
    }
}

/// A header as HPACK writes it without any compression.
pub fn field(name: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![0];
    for text in [name, value] {
        integer(text.len(), &mut bytes);
        bytes.extend(text.as_bytes());
    }
    bytes
}

/// With seven bits in its first byte.
fn integer(value: usize, into: &mut Vec<u8>) {
    let Some(mut rest) = value.checked_sub(127) else {
        into.push(u8::try_from(value).expect("seven bits"));
        return;
    };
    into.push(127);
    while rest >= 128 {
        into.push(u8::try_from(rest % 128 + 128).expect("a byte"));
        rest /= 128;
    }
    into.push(u8::try_from(rest).expect("a byte"));
}
