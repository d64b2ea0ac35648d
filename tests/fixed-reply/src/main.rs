//! `fixed-reply`: gives the same answer to every HTTP/1.1 request. The target of `scripts/bench`, and therefore faster
//! than any generator can load one core. Prints its port, and ends when its standard input closes or on SIGTERM.

mod requests;

use std::cell::Cell;
use std::io::{Read, Write};
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::thread;

use clap::Parser;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
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
    /// Print at the end how many requests were answered
    #[arg(long)]
    stats: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let flags = Flags::parse();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, flags.port)).await?;
    let mut terminated = signal(SignalKind::terminate())?;
    say(listener.local_addr()?.port())?;

    let answered = Rc::new(Cell::new(0));
    let serving = LocalSet::new();
    let accepting = serving.run_until(accept(listener, Rc::clone(&answered)));
    tokio::select! {
        failed = accepting => failed?,
        _ = stdin_closed() => {}
        _ = terminated.recv() => {}
    }
    if flags.stats {
        say(answered.get())?;
    }
    Ok(())
}

/// Standard output may be a pipe: what is said must leave at once.
fn say(number: impl std::fmt::Display) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{number}")?;
    out.flush()
}

/// A thread of its own may block in a read; it does not keep the process alive.
async fn stdin_closed() {
    let (closed, wait) = oneshot::channel::<()>();
    thread::spawn(move || {
        let _closed = closed;
        let mut ignored = [0; 64];
        while std::io::stdin()
            .read(&mut ignored)
            .is_ok_and(|read| read > 0)
        {}
    });
    let _ = wait.await;
}

async fn accept(listener: TcpListener, answered: Rc<Cell<u64>>) -> std::io::Result<()> {
    let reply = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{BODY}",
        BODY.len()
    );
    let reply: Rc<[u8]> = reply.into_bytes().into();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (reply, answered) = (Rc::clone(&reply), Rc::clone(&answered));
        tokio::task::spawn_local(async move {
            // A client that goes away in the middle is no one's concern.
            if let Err(error) = answer(stream, &reply, &answered).await
                && error.kind() == std::io::ErrorKind::InvalidData
            {
                eprintln!("error: {error}");
            }
        });
    }
}

/// Answer one connection's requests until it closes.
async fn answer(mut stream: TcpStream, reply: &[u8], answered: &Cell<u64>) -> std::io::Result<()> {
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
        match complete {
            0 => {}
            1 => stream.write_all(reply).await?,
            many => stream.write_all(&reply.repeat(many)).await?,
        }
        answered.set(answered.get() + complete as u64);
    }
}
