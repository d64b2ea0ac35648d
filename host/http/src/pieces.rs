//! A body in pieces: bytes that a behavior has made, and files of the plan between them, which are read while they are sent. Made
//! by the engine for a [`Call`](crate::Call); both protocols, and channels, write what a [`BodyReader`] gives.
//!
//! What must stay true: as many bytes come of it as `content-length` has said, or the request fails; of a file there is never
//! more in memory than two chunks; and no worker waits for a disk.

use std::fs::{File, OpenOptions};
use std::future::Future as _;
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use rustix::fs::OFlags;
use tokio::task::{JoinHandle, spawn_blocking};
use vespeiro_plan::BodyFile;

use crate::Failure;
use crate::outcome::Flaw;

/// Read of a file at a time.
const CHUNK: u64 = 64 << 10;

/// A part of a body.
#[derive(Debug, Clone)]
pub enum Piece {
    Bytes(Bytes),
    File(Arc<BodyFile>),
}

impl Piece {
    /// In bytes.
    pub fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(file) => file.size,
        }
    }
}

/// A body in pieces; each attempt and each redirect reads it anew.
#[derive(Debug)]
pub struct Pieces {
    all: Box<[Piece]>,
    length: u64,
}

impl Pieces {
    pub fn new(all: Vec<Piece>) -> Self {
        let lengths = all.iter().map(Piece::length);
        Self {
            length: lengths.fold(0, u64::saturating_add),
            all: all.into(),
        }
    }

    /// In bytes, all of them.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// As it is shown: without its files, and what else is no text.
    pub fn shown(&self) -> Vec<u8> {
        let each = self.all.iter().flat_map(|piece| match piece {
            Piece::Bytes(bytes) if std::str::from_utf8(bytes).is_ok() => bytes.to_vec(),
            Piece::Bytes(bytes) => format!("({} bytes)", bytes.len()).into_bytes(),
            Piece::File(file) => format!("(file {}, {} bytes)", file.name, file.size).into_bytes(),
        });
        each.collect()
    }
}

/// Gives the pieces of one body, in their order.
#[derive(Debug)]
pub(crate) struct BodyReader {
    pieces: Rc<Pieces>,
    /// The next of them.
    next: usize,
    /// Bytes that are still to come.
    left: u64,
    /// A chunk is being read, ahead of when it is asked for.
    reading: Option<JoinHandle<Result<(Bytes, OpenFile), Flaw>>>,
}

impl BodyReader {
    pub(crate) fn new(pieces: &Rc<Pieces>) -> Self {
        Self {
            next: 0,
            left: pieces.length,
            reading: None,
            pieces: Rc::clone(pieces),
        }
    }

    /// All of it was given.
    pub(crate) fn is_done(&self) -> bool {
        self.left == 0
    }

    /// The bytes that come next, never none of them; `None` at the end.
    pub(crate) fn poll_next(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Flaw>>> {
        let bytes = loop {
            if let Some(reading) = &mut self.reading {
                let read = ready!(Pin::new(reading).poll(context));
                self.reading = None;
                match read.unwrap_or_else(|error| Err(flaw(error.to_string()))) {
                    Ok((bytes, file)) => {
                        self.read(file);
                        break bytes;
                    }
                    Err(flaw) => return Poll::Ready(Some(Err(flaw))),
                }
            }
            let Some(piece) = self.pieces.all.get(self.next) else {
                return Poll::Ready(None);
            };
            self.next += 1;
            match piece {
                Piece::Bytes(bytes) if !bytes.is_empty() => break bytes.clone(),
                Piece::Bytes(_) => {}
                Piece::File(file) => match &file.held {
                    Some(held) if !held.is_empty() => break held.clone(),
                    Some(_) => {}
                    None => self.read(OpenFile::new(Arc::clone(file))),
                },
            }
        };
        self.left = self.left.saturating_sub(bytes.len() as u64);
        Poll::Ready(Some(Ok(bytes)))
    }

    /// Read the next chunk of a file, if there is one.
    fn read(&mut self, file: OpenFile) {
        if file.left > 0 {
            // Of the worker's own memory, where it ends up: what one thread takes and another frees, allocators keep.
            let room = Vec::with_capacity(CHUNK.min(file.left) as usize);
            self.reading = Some(spawn_blocking(|| file.read(room)));
        }
    }
}

/// A file that is being read.
#[derive(Debug)]
struct OpenFile {
    of: Arc<BodyFile>,
    /// Opened when it is first read.
    file: Option<File>,
    left: u64,
}

impl OpenFile {
    fn new(of: Arc<BodyFile>) -> Self {
        Self {
            file: None,
            left: of.size,
            of,
        }
    }

    /// The next chunk, into this room. Whoever calls it may wait for the disk.
    fn read(mut self, mut chunk: Vec<u8>) -> Result<(Bytes, Self), Flaw> {
        let Self { of, file, left } = &mut self;
        let unread =
            |error: io::Error| flaw(format!("the file {} cannot be read: {error}", of.name));
        let other = || {
            flaw(format!(
                "the file {} has another size than when the run began",
                of.name
            ))
        };
        let open = match file.take() {
            Some(open) => open,
            None => open(of).map_err(unread)?,
        };
        let metadata = open.metadata().map_err(unread)?;
        if !metadata.is_file() || metadata.len() != of.size {
            return Err(other());
        }
        let most = CHUNK.min(*left);
        (&open).take(most).read_to_end(&mut chunk).map_err(unread)?;
        if chunk.len() as u64 != most {
            return Err(other());
        }
        *left -= most;
        *file = Some(open);
        Ok((Bytes::from(chunk), self))
    }
}

/// A pipe that has taken its place is not waited for.
fn open(file: &BodyFile) -> io::Result<File> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(&file.path)
}

fn flaw(cause: String) -> Flaw {
    Flaw {
        failure: Failure::File,
        cause: cause.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::path::Path;

    use super::*;

    fn file(path: &Path, size: u64) -> Arc<BodyFile> {
        Arc::new(BodyFile {
            name: "photo".into(),
            path: path.to_owned(),
            size,
            held: None,
        })
    }

    async fn read(pieces: &Rc<Pieces>) -> Result<Vec<u8>, String> {
        let mut reader = BodyReader::new(pieces);
        let mut all = Vec::new();
        while let Some(next) = poll_fn(|context| reader.poll_next(context)).await {
            let next = next.map_err(|flaw| format!("{} {}", flaw.failure.as_str(), flaw.cause))?;
            assert!((1..=CHUNK as usize).contains(&next.len()));
            all.extend_from_slice(&next);
            assert_eq!(reader.is_done(), all.len() as u64 == pieces.length());
        }
        Ok(all)
    }

    #[tokio::test]
    async fn pieces_come_in_their_order_and_as_often_as_they_are_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("photo");
        let content: Vec<u8> = (0..200_000_u32).map(|at| (at % 251) as u8).collect();
        std::fs::write(&path, &content).unwrap();
        let held = BodyFile {
            held: Some(Bytes::from_static(b"small")),
            ..BodyFile::clone(&file(&path, 5))
        };
        let bytes = |text: &'static str| Piece::Bytes(Bytes::from_static(text.as_bytes()));
        let pieces = Rc::new(Pieces::new(vec![
            bytes("before "),
            Piece::File(file(&path, 200_000)),
            bytes(""),
            Piece::File(Arc::new(held)),
            bytes(" behind"),
        ]));
        let whole = [b"before ", &content[..], b"small behind"].concat();
        assert_eq!(pieces.length(), whole.len() as u64);
        for _ in 0..2 {
            assert_eq!(read(&pieces).await.as_ref(), Ok(&whole));
        }
        assert_eq!(
            read(&Rc::new(Pieces::new(Vec::new()))).await,
            Ok(Vec::new())
        );
    }

    #[tokio::test]
    async fn a_file_that_has_changed_is_told_and_nothing_waits_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("photo");
        let told = |size: u64| {
            let pieces = Rc::new(Pieces::new(vec![Piece::File(file(&path, size))]));
            async move { read(&pieces).await.unwrap_err() }
        };
        let absent = "file the file photo cannot be read: No such file or directory (os error 2)";
        assert_eq!(told(100_000).await, absent);
        std::fs::write(&path, vec![1; 100_000]).unwrap();
        let other = "file the file photo has another size than when the run began";
        for size in [99_999, 100_001] {
            assert_eq!(told(size).await, other);
        }
        // One that is cut off after its first chunk has left.
        let pieces = Rc::new(Pieces::new(vec![Piece::File(file(&path, 100_000))]));
        let mut reader = BodyReader::new(&pieces);
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(100)
            .unwrap();
        let next = poll_fn(|context| reader.poll_next(context)).await;
        assert_eq!(
            &*next.unwrap().unwrap_err().cause,
            other.trim_start_matches("file ")
        );
        std::fs::remove_file(&path).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        assert_eq!(told(100_000).await, other);
    }
}
