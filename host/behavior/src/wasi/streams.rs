//! Streams and polling: `wasmtime-wasi` would block the thread or panic, and on a worker that would stop all users. Linked
//! by [`super`].
//!
//! What must stay true: a call is answered at once, or the guest traps.

use std::future::Future;

use futures_util::FutureExt;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::{io, sync};
use wasmtime_wasi::p2::{DynPollable, StreamError, StreamResult};

use super::Wasi;

/// The answer of what is ready at once; everything else would stop the worker.
fn at_once<T>(asked: impl Future<Output = T>) -> wasmtime::Result<T> {
    asked.now_or_never().ok_or_else(|| {
        wasmtime::format_err!("it wants to wait inside a call: answer with a step's delay instead")
    })
}

type InputStream = Resource<io::streams::InputStream>;
type OutputStream = Resource<io::streams::OutputStream>;

fn streamed<T>(asked: impl Future<Output = StreamResult<T>>) -> StreamResult<T> {
    at_once(asked).map_err(StreamError::Trap)?
}

impl sync::io::poll::Host for Wasi {
    fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        at_once(io::poll::Host::poll(&mut self.table, pollables))?
    }
}

impl sync::io::poll::HostPollable for Wasi {
    fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        at_once(io::poll::HostPollable::ready(&mut self.table, pollable))?
    }

    fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        at_once(io::poll::HostPollable::block(&mut self.table, pollable))?
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        io::poll::HostPollable::drop(&mut self.table, pollable)
    }
}

impl sync::io::streams::Host for Wasi {
    fn convert_stream_error(
        &mut self,
        error: StreamError,
    ) -> wasmtime::Result<sync::io::streams::StreamError> {
        let error = io::streams::Host::convert_stream_error(&mut self.table, error)?;
        Ok(error.into())
    }
}

/// Passes calls on to `wasmtime-wasi`: those marked `now` as they are, those marked `once` polled once.
macro_rules! pass_on {
    ($to:ident: $($how:ident $name:ident($($arg:ident: $type:ty),+) -> $answer:ty;)+) => {
        $(fn $name(&mut self, $($arg: $type),+) -> $answer {
            pass_on!(@ $how io::streams::$to::$name(&mut self.table, $($arg),+))
        })+
    };
    (@ now $call:expr) => { $call };
    (@ once $call:expr) => { streamed($call) };
}

impl sync::io::streams::HostInputStream for Wasi {
    fn drop(&mut self, stream: InputStream) -> wasmtime::Result<()> {
        at_once(io::streams::HostInputStream::drop(&mut self.table, stream))?
    }

    pass_on! { HostInputStream:
        now read(stream: InputStream, length: u64) -> StreamResult<Vec<u8>>;
        once blocking_read(stream: InputStream, length: u64) -> StreamResult<Vec<u8>>;
        now skip(stream: InputStream, length: u64) -> StreamResult<u64>;
        once blocking_skip(stream: InputStream, length: u64) -> StreamResult<u64>;
        now subscribe(stream: InputStream) -> wasmtime::Result<Resource<DynPollable>>;
    }
}

impl sync::io::streams::HostOutputStream for Wasi {
    fn drop(&mut self, stream: OutputStream) -> wasmtime::Result<()> {
        at_once(io::streams::HostOutputStream::drop(&mut self.table, stream))?
    }

    pass_on! { HostOutputStream:
        now check_write(stream: OutputStream) -> StreamResult<u64>;
        now write(stream: OutputStream, bytes: Vec<u8>) -> StreamResult<()>;
        once blocking_write_and_flush(stream: OutputStream, bytes: Vec<u8>) -> StreamResult<()>;
        once blocking_write_zeroes_and_flush(stream: OutputStream, length: u64) -> StreamResult<()>;
        now subscribe(stream: OutputStream) -> wasmtime::Result<Resource<DynPollable>>;
        now write_zeroes(stream: OutputStream, length: u64) -> StreamResult<()>;
        now flush(stream: OutputStream) -> StreamResult<()>;
        once blocking_flush(stream: OutputStream) -> StreamResult<()>;
        now splice(to: OutputStream, from: InputStream, length: u64) -> StreamResult<u64>;
        once blocking_splice(to: OutputStream, from: InputStream, length: u64) -> StreamResult<u64>;
    }
}
