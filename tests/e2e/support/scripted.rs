//! Targets that behave oddly, one for each version of HTTP: the first part of a path says how. Each counts what it was
//! asked for, however it answers.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::spawn;
use std::time::Duration;

use axum::body::Bytes;
use h2::{Reason, server};
use http::{Request, Response};

/// A target, on threads that end with the test's process.
#[derive(Debug, Clone)]
pub struct Scripted {
    pub url: String,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    connections: usize,
    /// Request targets, as they came.
    requests: BTreeMap<String, usize>,
    /// Streams of each connection that are open, and most at the same time on any of them.
    streams: BTreeMap<usize, usize>,
    most_streams: usize,
}

/// "hello", coded.
const HELLO: [(&str, &[u8]); 3] = [
    (
        "gzip",
        b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x01\x05\0\xfa\xffhello\x86\xa6\x10\x36\x05\0\0\0",
    ),
    ("br", b"\x0b\x02\x80hello\x03"),
    ("zstd", b"\x28\xb5\x2f\xfd\x20\x05\x29\0\0hello"),
];

/// How the HTTP/2 target treats its connections.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// Streams that it takes at a time.
    pub streams: u32,
    /// Time that an answer takes.
    pub latency: Duration,
    /// Which of its connections, the first being 0, says nothing from its second request on.
    pub silent: Option<usize>,
}

impl Scripted {
    /// HTTP/1.1.
    pub fn http1() -> Scripted {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let target = Scripted::at(&listener);
        let own = target.clone();
        spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let _ = stream.set_nodelay(true);
                own.connected();
                let own = own.clone();
                // The other side closes when it likes.
                spawn(move || own.serve(stream).is_err());
            }
        });
        target
    }

    /// HTTP/2 with prior knowledge.
    pub fn http2(manner: Manner) -> Scripted {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let target = Scripted::at(&listener);
        listener.set_nonblocking(true).unwrap();
        let own = target.clone();
        spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    let index = own.connected();
                    tokio::spawn(own.clone().serve_streams(stream, manner, index));
                }
            });
        });
        target
    }

    fn at(listener: &TcpListener) -> Scripted {
        Scripted {
            url: format!("http://{}", listener.local_addr().unwrap()),
            seen: Arc::default(),
        }
    }

    pub fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }

    /// How often a path was asked for.
    pub fn requests(&self, path: &str) -> u64 {
        let seen = self.seen.lock().unwrap();
        seen.requests.get(path).copied().unwrap_or(0) as u64
    }

    /// Most streams that one connection had at a time.
    pub fn most_streams(&self) -> usize {
        self.seen.lock().unwrap().most_streams
    }

    fn connected(&self) -> usize {
        let mut seen = self.seen.lock().unwrap();
        seen.connections += 1;
        seen.connections - 1
    }

    /// Note a request; how many of its kind there were before.
    fn asked(&self, path: &str) -> usize {
        let mut seen = self.seen.lock().unwrap();
        let count = seen.requests.entry(path.to_owned()).or_default();
        *count += 1;
        *count - 1
    }

    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        let mut input = BufReader::new(stream.try_clone()?);
        let mut output = stream;
        for nth in 0.. {
            let mut lines: Vec<Vec<u8>> = Vec::new();
            loop {
                let mut line = Vec::new();
                if input.read_until(b'\n', &mut line)? == 0 {
                    return Ok(());
                }
                match line.trim_ascii_end() {
                    b"" => break,
                    line => lines.push(line.to_vec()),
                }
            }
            let value = |name: &str| {
                let of = |line: &Vec<u8>| {
                    let at = line.iter().position(|byte| *byte == b':')?;
                    let named = line[..at].eq_ignore_ascii_case(name.as_bytes());
                    named.then(|| line[at + 1..].trim_ascii().to_vec())
                };
                lines.iter().find_map(of)
            };
            let length = value("content-length");
            let length = length.map_or(0, |text| String::from_utf8(text).unwrap().parse().unwrap());
            let mut body = vec![0; length];
            input.read_exact(&mut body)?;
            let line = String::from_utf8_lossy(&lines[0]).into_owned();
            let path = line.split(' ').nth(1).unwrap_or_default();
            self.asked(path);
            let kind = path.split('/').nth(1).unwrap_or_default();
            match kind {
                // A kept connection, closed in the moment of sending.
                "stale" if nth > 0 => return Ok(()),
                "drop" => return Ok(()),
                "cut" => {
                    return output.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello");
                }
                "garbage" => return output.write_all(b"\x00\x01\x02 garbage\r\n\r\n"),
                "cookies" => {
                    let cookies = "set-cookie: a=b; Path=/\r\n".repeat(101);
                    write!(
                        output,
                        "HTTP/1.1 200 OK\r\n{cookies}content-length: 2\r\n\r\nok"
                    )?;
                }
                "headers" => {
                    let many: String = (0..18)
                        .map(|at| format!("x-{at}: {}\r\n", "a".repeat(1000)))
                        .collect();
                    write!(
                        output,
                        "HTTP/1.1 200 OK\r\n{many}content-length: 2\r\n\r\nok"
                    )?;
                }
                "gzip" | "br" | "zstd" => {
                    let body = HELLO.iter().find(|(coding, _)| *coding == kind).unwrap().1;
                    let length = body.len();
                    write!(
                        output,
                        "HTTP/1.1 200 OK\r\ncontent-encoding: {kind}\r\ncontent-length: {length}\r\n\r\n"
                    )?;
                    output.write_all(body)?;
                }
                // The bytes of a header, whatever they are.
                "echo" => {
                    let sent = value("x-name").unwrap_or_default();
                    let head = [
                        b"HTTP/1.1 200 OK\r\nX-Name: ",
                        &*sent,
                        b"\r\ncontent-length: 2\r\n\r\nok",
                    ];
                    output.write_all(&head.concat())?;
                }
                _ => output.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")?,
            }
        }
        Ok(())
    }

    async fn serve_streams(self, stream: tokio::net::TcpStream, manner: Manner, index: usize) {
        let mut builder = server::Builder::new();
        builder.max_concurrent_streams(manner.streams);
        let Ok(mut connection) = builder.handshake::<_, Bytes>(stream).await else {
            return;
        };
        let mut nth = 0;
        while let Some(Ok((request, reply))) = connection.accept().await {
            nth += 1;
            let path = request.uri().path().to_owned();
            self.asked(&path);
            if manner.silent == Some(index) && nth > 1 {
                // Nobody reads or writes here any more, and the connection stays open.
                std::future::pending::<()>().await;
            }
            self.open(index, 1);
            let own = self.clone();
            tokio::spawn(async move {
                tokio::time::sleep(manner.latency).await;
                own.open(index, -1);
                answer(&request, reply, &path);
            });
        }
    }

    fn open(&self, connection: usize, change: isize) {
        let mut seen = self.seen.lock().unwrap();
        let open = seen.streams.entry(connection).or_default();
        *open = open.wrapping_add_signed(change);
        let open = *open;
        seen.most_streams = seen.most_streams.max(open);
    }
}

fn answer(request: &Request<h2::RecvStream>, mut reply: server::SendResponse<Bytes>, path: &str) {
    let mut parts = path.split('/').skip(1);
    let kind = parts.next().unwrap_or_default();
    let code = parts.next().and_then(|code| code.parse().ok());
    let code = Reason::from(code.unwrap_or(0));
    let mut response = Response::builder();
    match kind {
        "rst" => return reply.send_reset(code),
        "echo" => {
            if let Some(sent) = request.headers().get("x-name") {
                response = response.header("x-name", sent);
            }
        }
        "headers" => {
            for at in 0..18 {
                response = response.header(format!("x-{at}"), "a".repeat(1000));
            }
        }
        _ => {}
    }
    // The other side may have gone.
    let Ok(mut body) = reply.send_response(response.body(()).unwrap(), false) else {
        return;
    };
    let _ = body.send_data(Bytes::from_static(b"ok"), kind != "rstmid");
    if kind == "rstmid" {
        // Behind what was sent, which would not leave otherwise.
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            body.send_reset(code);
        });
    }
}
