//! What the generators are set upon: the fixed reply, nginx, or the reference user service. All on a free loopback port
//! and on the server's core.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{ChildStdout, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::SERVER_CORE;
use super::process::{Running, pinned};

/// Longest silence of a server.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a server says that it has done. Generators are believed where they agree with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Requests that were answered.
    pub requests: u64,
    /// Connections that were accepted.
    pub connections: u64,
    /// Connections that are open.
    pub open: u64,
}

/// A server that runs until this is dropped.
#[derive(Debug)]
pub struct Server {
    pub process: Running,
    scheme: &'static str,
    port: u16,
    ledger: Ledger,
}

/// Where a server says what it has counted.
#[derive(Debug)]
enum Ledger {
    None,
    /// A fixed reply's standard output.
    Lines(BufReader<ChildStdout>),
    /// A page of nginx, and how often it was asked for, for that is counted too.
    Page {
        authority: String,
        asked: u64,
    },
}

impl Server {
    pub fn url(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.port)
    }

    pub fn fixed_reply(program: &Path) -> Result<Self> {
        Self::gathering(program, 0)
    }

    /// A fixed reply that answers nobody before so many connections have been made.
    pub fn gathering(program: &Path, connections: u64) -> Result<Self> {
        let mut command = pinned(SERVER_CORE, program);
        command.args(["--stats", "--gather", &connections.to_string()]);
        // It ends when its standard input closes, and says what it has counted for each line there.
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Running::start("fixed-reply", command)?;
        let out = process
            .child()
            .stdout
            .take()
            .context("fixed-reply has no standard output")?;
        let mut line = String::new();
        let mut out = BufReader::new(out);
        out.read_line(&mut line)?;
        let port = line
            .trim()
            .parse()
            .with_context(|| format!("fixed-reply printed {line:?} and not its port"))?;
        Ok(Self {
            process,
            scheme: "http",
            port,
            ledger: Ledger::Lines(out),
        })
    }

    /// nginx as `nginx.rs` has set it up, serving HTTPS on `port` and its counts on `status`.
    pub fn nginx(process: Running, port: u16, status: u16) -> Result<Self> {
        until_it_listens(port, "nginx")?;
        Ok(Self {
            process,
            scheme: "https",
            port,
            ledger: Ledger::Page {
                authority: format!("127.0.0.1:{status}"),
                asked: 0,
            },
        })
    }

    /// What it has counted so far.
    pub fn counts(&mut self) -> Result<Counts> {
        match &mut self.ledger {
            Ledger::None => bail!("this server keeps no counts"),
            Ledger::Lines(out) => {
                let input = self.process.child().stdin.as_mut();
                writeln!(input.context("this server listens to nobody")?)?;
                let mut said = String::new();
                out.read_line(&mut said)?;
                Counts::of_line(&said).with_context(|| {
                    format!("fixed-reply said {said:?} and not what it has counted")
                })
            }
            Ledger::Page { authority, asked } => {
                let page = get(authority, "/")?;
                *asked += 1;
                Counts::of_page(&page, *asked)
                    .with_context(|| format!("nginx's status has another form: {page}"))
            }
        }
    }

    pub fn user_service(vespeiro: &Path) -> Result<Self> {
        let port = free_port()?;
        let mut command = pinned(SERVER_CORE, vespeiro);
        command
            .args(["serve", "--port", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let process = Running::start("vespeiro serve", command)?;
        until_it_listens(port, "`vespeiro serve`")?;
        Ok(Self {
            process,
            scheme: "http",
            port,
            ledger: Ledger::None,
        })
    }
}

fn until_it_listens(port: u16, name: &str) -> Result<()> {
    let began = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        if began.elapsed() > PATIENCE {
            bail!("{name} does not listen on port {port}: start it by hand to see why");
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

impl Counts {
    fn of_line(said: &str) -> Option<Self> {
        let json: Value = serde_json::from_str(said).ok()?;
        Some(Self {
            requests: json["answered"].as_u64()?,
            connections: json["accepted"].as_u64()?,
            open: json["open"].as_u64()?,
        })
    }

    /// The totals stand on a line of their own: accepted, handled, requests. Each time that it was asked for was a
    /// connection with a request.
    fn of_page(page: &str, asked: u64) -> Option<Self> {
        let (open, rest) = page.split_once("Active connections:")?.1.split_once('\n')?;
        let totals = rest.lines().nth(1)?.split_whitespace();
        let totals: Vec<u64> = totals.map_while(|total| total.parse().ok()).collect();
        let [accepted, _, requests] = totals[..] else {
            return None;
        };
        Some(Self {
            requests: requests.checked_sub(asked)?,
            connections: accepted.checked_sub(asked)?,
            open: open.trim().parse::<u64>().ok()?.checked_sub(1)?,
        })
    }
}

/// The whole answer of a server that was asked for `path`.
pub fn get(authority: &str, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(authority)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET {path} HTTP/1.0\r\nHost: {authority}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    ensure!(answer.contains(" 200 "), "GET {path}: {answer}");
    Ok(answer)
}

pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asking_nginx_is_not_part_of_what_it_counts() {
        let page = "HTTP/1.1 200 OK\r\n\r\nActive connections: 3 \nserver accepts handled requests\n 70 70 900 \nReading: 0 Writing: 1 Waiting: 2 \n";
        let counts = Counts {
            requests: 890,
            connections: 60,
            open: 2,
        };
        assert_eq!(Counts::of_page(page, 10), Some(counts));
        assert_eq!(Counts::of_page("HTTP/1.1 200 OK\r\n\r\n{}", 1), None);
    }
}
