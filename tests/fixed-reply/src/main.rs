//! `fixed-reply`: gives the same answer to every HTTP/1.1 request. The target of `scripts/bench`, and therefore faster
//! than any generator can load one core. Prints its port, and ends when its standard input closes or on SIGTERM. What it
//! counts is the truth that the generators' reports are held against.

mod requests;

use std::cell::Cell;
use std::io::{BufRead, Write};
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::thread;

use clap::Parser;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::LocalSet;

use requests::Requests;

/// Serves as the answer to a login and to a request for a user.
const BODY: &str = concat!(
    r#"{"data":{"id":"0b5f8a52-6c1e-4f0e-9d55-3f6f3a9d7c11","access_token":"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwYjVm","#,
    r#""refresh_token":"5b1f0c2e9a7d4c38","token_type":"Bearer","expires_in":86400,"#,
    r#""user":{"id":"0b5f8a52-6c1e-4f0e-9d55-3f6f3a9d7c11","username":"sim_user_1","email":"sim_user_1@simulation.test"}}}"#
);
/// Received at a time: many pipelined requests, or a large part of a body.
const BUFFER: usize = 16 << 10;

/// Give the same answer to every HTTP/1.1 request
#[derive(Debug, Parser)]
struct Flags {
    /// Port on 127.0.0.1; 0 picks a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Print what was counted for each line of standard input, and at the end, as a line of JSON
    #[arg(long)]
    stats: bool,
    /// Answer no request with a body before so many connections are open; others are looks at whether there is a server
    #[arg(long, default_value_t = 0)]
    gather: u64,
}

#[derive(Default)]
struct Counts {
    /// Requests.
    answered: Cell<u64>,
    /// Connections.
    accepted: Cell<u64>,
    /// Connections that are open now.
    open: Cell<u64>,
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            r#"{{"answered":{},"accepted":{},"open":{}}}"#,
            self.answered.get(),
            self.accepted.get(),
            self.open.get()
        )
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let flags = Flags::parse();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, flags.port)).await?;
    let mut terminated = signal(SignalKind::terminate())?;
    say(listener.local_addr()?.port())?;

    let counts = Rc::new(Counts::default());
    let serving = LocalSet::new();
    let accepting = serving.run_until(accept(listener, flags.gather, Rc::clone(&counts)));
    let asking = async {
        let mut lines = stdin_lines();
        while lines.recv().await.is_some() {
            if flags.stats {
                say(&counts)?;
            }
        }
        std::io::Result::Ok(())
    };
    tokio::select! {
        failed = accepting => failed?,
        closed = asking => closed?,
        _ = terminated.recv() => {}
    }
    if flags.stats {
        say(&counts)?;
    }
    Ok(())
}

/// Standard output may be a pipe: what is said must leave at once.
fn say(what: impl std::fmt::Display) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{what}")?;
    out.flush()
}

/// One for each line of standard input, until it closes. A thread of its own may block in a read; it does not keep the
/// process alive.
fn stdin_lines() -> mpsc::UnboundedReceiver<()> {
    let (seen, lines) = mpsc::unbounded_channel();
    thread::spawn(move || {
        let lines = std::io::stdin().lock().lines();
        for _ in lines.map_while(Result::ok) {
            if seen.send(()).is_err() {
                return;
            }
        }
    });
    lines
}

async fn accept(listener: TcpListener, gather: u64, counts: Rc<Counts>) -> std::io::Result<()> {
    let replies = Rc::new(Replies::new());
    let (gathered, all_there) = watch::channel(gather == 0);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        add(&counts.accepted, 1);
        add(&counts.open, 1);
        if counts.open.get() == gather {
            gathered.send_replace(true);
        }
        let (replies, counts) = (Rc::clone(&replies), Rc::clone(&counts));
        let gathering = (!*all_there.borrow()).then(|| all_there.clone());
        tokio::task::spawn_local(async move {
            // A client that goes away in the middle is no one's concern.
            if let Err(error) = answer(stream, &replies, gathering, &counts).await
                && error.kind() == std::io::ErrorKind::InvalidData
            {
                eprintln!("error: {error}");
            }
            counts.open.set(counts.open.get() - 1);
        });
    }
}

fn add(to: &Cell<u64>, more: u64) {
    to.set(to.get() + more);
}

/// The same answer, with and without the word that it is the connection's last.
struct Replies {
    kept: Vec<u8>,
    last: Vec<u8>,
}

impl Replies {
    fn new() -> Self {
        let reply = |fields: &str| {
            let length = BODY.len();
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{fields}content-length: {length}\r\n\r\n{BODY}").into_bytes()
        };
        Self {
            kept: reply(""),
            last: reply("connection: close\r\n"),
        }
    }
}

/// Answer one connection's requests until it closes, or until one of them asks for that.
async fn answer(
    mut stream: TcpStream,
    replies: &Replies,
    mut gathering: Option<watch::Receiver<bool>>,
    counts: &Counts,
) -> std::io::Result<()> {
    let mut requests = Requests::default();
    let mut buffer = vec![0; BUFFER];
    loop {
        let received = stream.read(&mut buffer).await?;
        if received == 0 {
            return Ok(());
        }
        let complete = requests
            .feed(&buffer[..received])
            .map_err(|malformed| std::io::Error::new(std::io::ErrorKind::InvalidData, malformed))?;
        if requests.body
            && let Some(mut all_there) = gathering.take()
            && all_there.wait_for(|&there| there).await.is_err()
        {
            return Ok(());
        }
        let reply = if requests.last {
            &replies.last
        } else {
            &replies.kept
        };
        match complete {
            0 => {}
            1 => stream.write_all(reply).await?,
            many => stream.write_all(&reply.repeat(many)).await?,
        }
        add(&counts.answered, complete as u64);
        if requests.last && complete > 0 {
            return stream.shutdown().await;
        }
    }
}
