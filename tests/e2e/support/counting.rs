//! A target that answers everything with 200 and writes down which requests came over which connection.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::{sleep, spawn};
use std::time::Duration;

/// What one connection brought.
#[derive(Debug, Clone, Default)]
pub struct Heard {
    /// Whom it came from; `None` over a Unix socket.
    pub from: Option<IpAddr>,
    /// The address that it came to.
    pub to: Option<IpAddr>,
    /// Each request's lines, lower case.
    pub heads: Vec<Vec<String>>,
    pub is_closed: bool,
}

#[derive(Debug, Default)]
struct Memory {
    heard: Vec<Heard>,
    most_open: usize,
}

/// The server, on threads that end with the test's process.
#[derive(Debug, Clone)]
pub struct Counting {
    pub url: String,
    memory: Arc<Mutex<Memory>>,
    /// More lines for the head of each answer, and how long it takes.
    more: String,
    latency: Duration,
}

impl Counting {
    pub fn start() -> Counting {
        Counting::with(Duration::ZERO, "")
    }

    pub fn with(latency: Duration, more: &str) -> Counting {
        Counting::on("127.0.0.1:0", latency, more)
    }

    /// At this address; a port 0 is any.
    pub fn at(address: &str) -> Counting {
        Counting::on(address, Duration::ZERO, "")
    }

    fn on(address: &str, latency: Duration, more: &str) -> Counting {
        let listener = TcpListener::bind(address).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let counting = Counting::new(url, latency, more);
        let server = counting.clone();
        spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let from = stream.peer_addr().ok().map(|peer| peer.ip());
                let to = stream.local_addr().ok().map(|own| own.ip());
                // One that cannot be answered at once waits for its acknowledgement otherwise.
                let _ = stream.set_nodelay(true);
                let (server, other) = (server.clone(), stream.try_clone().unwrap());
                spawn(move || server.serve((from, to), other, stream));
            }
        });
        counting
    }

    pub fn on_a_socket(path: &Path) -> Counting {
        let listener = UnixListener::bind(path).unwrap();
        let counting = Counting::new(format!("unix:{}", path.display()), Duration::ZERO, "");
        let server = counting.clone();
        spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (server, other) = (server.clone(), stream.try_clone().unwrap());
                spawn(move || server.serve((None, None), other, stream));
            }
        });
        counting
    }

    fn new(url: String, latency: Duration, more: &str) -> Counting {
        Counting {
            url,
            memory: Arc::default(),
            more: more.to_owned(),
            latency,
        }
    }

    pub fn port(&self) -> u16 {
        self.url.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// All connections that carried something, in their order.
    pub fn heard(&self) -> Vec<Heard> {
        let mut heard = self.memory.lock().unwrap().heard.clone();
        heard.retain(|one| !one.heads.is_empty());
        heard
    }

    /// Requests in all.
    pub fn requests(&self) -> usize {
        self.heard().iter().map(|one| one.heads.len()).sum()
    }

    /// Most connections that were open at the same time.
    pub fn most_open(&self) -> usize {
        self.memory.lock().unwrap().most_open
    }

    fn serve(
        &self,
        (from, to): (Option<IpAddr>, Option<IpAddr>),
        input: impl Read,
        output: impl Write,
    ) {
        let index = {
            let mut memory = self.memory.lock().unwrap();
            memory.heard.push(Heard {
                from,
                to,
                ..Heard::default()
            });
            let open = memory.heard.iter().filter(|one| !one.is_closed).count();
            memory.most_open = memory.most_open.max(open);
            memory.heard.len() - 1
        };
        // The other side closes when it likes.
        let _ = self.answer(index, BufReader::new(input), output);
        self.memory.lock().unwrap().heard[index].is_closed = true;
    }

    fn answer(
        &self,
        index: usize,
        mut input: impl BufRead,
        mut output: impl Write,
    ) -> io::Result<()> {
        let reply = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n{}\r\nok",
            self.more
        );
        loop {
            let mut head = Vec::new();
            loop {
                let mut line = String::new();
                if input.read_line(&mut line)? == 0 {
                    return Ok(());
                }
                match line.trim() {
                    "" => break,
                    line => head.push(line.to_ascii_lowercase()),
                }
            }
            self.memory.lock().unwrap().heard[index].heads.push(head);
            sleep(self.latency);
            output.write_all(reply.as_bytes())?;
        }
    }
}
