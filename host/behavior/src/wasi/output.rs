//! What a guest prints to stdout or stderr, kept until its call has returned and then cut into lines.
//!
//! What must stay true: it is bounded, however much a guest prints and however long its lines are.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use wasmtime_wasi::p2::{DynOutputStream, OutputStream, Pollable, StreamResult};

/// Longest log line, in bytes.
pub(crate) const MAX_LINE: usize = 2048;
/// Bytes of one call that are kept; what is over is dropped.
const MAX_KEPT: usize = 64 << 10;

/// Stdout or stderr. Its streams write into the same buffer.
#[derive(Clone, Default)]
pub(super) struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    /// A handle for the guest.
    pub(super) fn stream(&self) -> DynOutputStream {
        Box::new(self.clone())
    }

    /// Whole lines. A line that has not ended waits for the next call, unless it is overlong.
    pub(super) fn lines(&mut self) -> Vec<String> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lines = Vec::new();
        if let Some(last) = kept.iter().rposition(|byte| *byte == b'\n') {
            let rest = kept.split_off(last + 1);
            let whole = std::mem::replace(&mut *kept, rest);
            lines.extend(whole[..last].split(|byte| *byte == b'\n').map(text));
        }
        if kept.len() > MAX_LINE {
            lines.push(text(&kept));
            kept.clear();
        }
        lines
    }
}

fn text(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    String::from_utf8_lossy(line).into_owned()
}

impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MAX_KEPT.saturating_sub(kept.len());
        kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(MAX_KEPT)
    }
}

impl Pollable for Output {
    fn ready<'a, 'f>(&'a mut self) -> Pin<Box<dyn Future<Output = ()> + Send + 'f>>
    where
        'a: 'f,
        Self: 'f,
    {
        Box::pin(std::future::ready(()))
    }
}
