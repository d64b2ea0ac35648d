//! What the generators are set upon: the fixed reply, or the reference user service. Both on a free loopback port and
//! on the server's core.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{ChildStdout, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::SERVER_CORE;
use super::process::{Running, pinned};

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
    port: u16,
    /// Of a fixed reply: it says there what it has counted.
    out: Option<BufReader<ChildStdout>>,
}

impl Server {
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
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
            port,
            out: Some(out),
        })
    }

    /// What a fixed reply has counted so far.
    pub fn counts(&mut self) -> Result<Counts> {
        let input = self.process.child().stdin.as_mut();
        writeln!(input.context("this server keeps no counts")?)?;
        let mut said = String::new();
        if let Some(out) = &mut self.out {
            out.read_line(&mut said)?;
        }
        Counts::read(&said)
            .with_context(|| format!("fixed-reply said {said:?} and not what it has counted"))
    }

    pub fn user_service(vespeiro: &Path) -> Result<Self> {
        let port = free_port()?;
        let mut command = pinned(SERVER_CORE, vespeiro);
        command
            .args(["serve", "--port", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let server = Self {
            process: Running::start("vespeiro serve", command)?,
            port,
            out: None,
        };
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if began.elapsed() > Duration::from_secs(10) {
                bail!(
                    "`vespeiro serve` does not listen on port {port}: start it by hand to see why"
                );
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }
}

impl Counts {
    fn read(said: &str) -> Option<Self> {
        let json: Value = serde_json::from_str(said).ok()?;
        Some(Self {
            requests: json["answered"].as_u64()?,
            connections: json["accepted"].as_u64()?,
            open: json["open"].as_u64()?,
        })
    }
}

pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}
