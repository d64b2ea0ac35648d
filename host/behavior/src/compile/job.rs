//! What the two processes say to each other, and what the cache keeps: a head in JSON and a body of bytes, each behind its
//! length.

use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::componentize::ModuleFormat;
use crate::load_error::LoadErrorKind;

/// Longest head, in bytes.
const MAX_HEAD: u64 = 16 << 20;
/// Longest body: more than a compiler may hold.
const MAX_BODY: u64 = 1 << 40;

/// How a module is to be compiled; its bytes are the body.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) cpu_seconds: u64,
    pub(crate) memory: u64,
    pub(crate) aside: bool,
}

/// What is known of a module without running it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Facts {
    pub(crate) form: ModuleFormat,
    /// The contract as it exports it, with the patch version.
    pub(crate) contract: String,
    pub(crate) imports: Vec<String>,
}

/// A compiled module.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) facts: Facts,
    pub(crate) code: Vec<u8>,
}

/// What came of a job; the code of a module that could be compiled is the body.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Told {
    Compiled(Facts),
    Refused(LoadErrorKind),
}

pub(crate) fn send(to: &mut impl Write, head: &impl Serialize, body: &[u8]) -> io::Result<()> {
    let head = serde_json::to_vec(head)?;
    for part in [&head[..], body] {
        to.write_all(&(part.len() as u64).to_le_bytes())?;
        to.write_all(part)?;
    }
    to.flush()
}

pub(crate) fn receive<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<(T, Vec<u8>)> {
    let head = part(from, MAX_HEAD)?;
    Ok((serde_json::from_slice(&head)?, part(from, MAX_BODY)?))
}

fn part(from: &mut impl Read, longest: u64) -> io::Result<Vec<u8>> {
    let mut length = [0; 8];
    from.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    if length > longest {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = Vec::new();
    from.take(length).read_to_end(&mut bytes)?;
    match bytes.len() as u64 == length {
        true => Ok(bytes),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_received_and_half_of_it_is_an_error() {
        let job = Job {
            cpu_seconds: 7,
            memory: 1 << 30,
            aside: true,
        };
        let mut sent = Vec::new();
        send(&mut sent, &job, b"module").unwrap();
        let (got, body): (Job, _) = receive(&mut &sent[..]).unwrap();
        assert_eq!(
            (got.cpu_seconds, got.aside, &body[..]),
            (7, true, &b"module"[..])
        );
        for length in 0..sent.len() {
            assert!(receive::<Job>(&mut &sent[..length]).is_err(), "{length}");
        }
    }
}
