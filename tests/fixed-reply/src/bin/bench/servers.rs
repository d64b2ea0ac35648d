//! What the generators are set upon: the fixed reply, or the reference user service. Both on a free loopback port and
//! on the server's core.

use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{ChildStdout, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::SERVER_CORE;
use super::process::{Running, pinned};

/// A server that runs until this is dropped.
#[derive(Debug)]
pub struct Server {
    pub process: Running,
    port: u16,
    /// Of a fixed reply: it says at its end what it has answered.
    out: Option<BufReader<ChildStdout>>,
}

impl Server {
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn fixed_reply(program: &Path) -> Result<Self> {
        let mut command = pinned(SERVER_CORE, program);
        command.arg("--stats");
        // It ends when its standard input closes, so that has to be held open.
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

    /// End a fixed reply: how many requests it has answered.
    pub fn answered(mut self) -> Result<u64> {
        drop(self.process.child().stdin.take());
        let mut said = String::new();
        if let Some(out) = &mut self.out {
            out.read_to_string(&mut said)?;
        }
        said.trim()
            .parse()
            .with_context(|| format!("fixed-reply said {said:?} and not what it has answered"))
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

pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}
