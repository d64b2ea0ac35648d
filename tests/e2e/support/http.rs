//! One GET over a socket of its own: all that the tests ask of a service themselves. And addresses to listen on.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// The body of `http://authority/path`, when the answer is a 200.
pub fn get(authority: &str, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(authority)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {authority}\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.split(' ').nth(1) == Some("200") => Ok(body.to_owned()),
        _ => Err(io::Error::other(answer)),
    }
}

/// An answer of any status.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// One request with a body and more headers, each a whole line.
pub fn send(
    authority: &str,
    method: &str,
    path: &str,
    headers: &[&str],
    body: &[u8],
) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(authority)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: {authority}\r\nContent-Length: {length}\r\n"
    )?;
    for header in headers {
        write!(stream, "{header}\r\n")?;
    }
    stream.write_all(b"\r\n")?;
    stream.write_all(body)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .ok_or_else(|| io::Error::other(answer.clone()))?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    Ok(Answer {
        status: status.ok_or_else(|| io::Error::other(head.to_owned()))?,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}

/// A post that has to be answered, whatever the status.
#[track_caller]
pub fn post(authority: &str, path: &str, body: &[u8]) -> Answer {
    send(authority, "POST", path, &[], body).unwrap()
}

/// A loopback address whose port was free a moment ago, for what cannot tell the port that it was given.
pub fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}
