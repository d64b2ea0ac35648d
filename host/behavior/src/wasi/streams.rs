//! Streams and polling, answered at once or not at all: `wasmtime-wasi` would block the thread, and on a worker that
//! would stop everybody, if it did not panic first.

use std::future::Future;

use futures_util::FutureExt;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::{io, sync};
use wasmtime_wasi::p2::{DynPollable, StreamError, StreamResult};

use super::Wasi;

/// The answer of what is ready at once. What is not would stop the worker.
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

impl sync::io::streams::HostInputStream for Wasi {
    fn drop(&mut self, stream: InputStream) -> wasmtime::Result<()> {
        at_once(io::streams::HostInputStream::drop(&mut self.table, stream))?
    }

    fn read(&mut self, stream: InputStream, length: u64) -> StreamResult<Vec<u8>> {
        io::streams::HostInputStream::read(&mut self.table, stream, length)
    }

    fn blocking_read(&mut self, stream: InputStream, length: u64) -> StreamResult<Vec<u8>> {
        streamed(io::streams::HostInputStream::blocking_read(
            &mut self.table,
            stream,
            length,
        ))
    }

    fn skip(&mut self, stream: InputStream, length: u64) -> StreamResult<u64> {
        io::streams::HostInputStream::skip(&mut self.table, stream, length)
    }

    fn blocking_skip(&mut self, stream: InputStream, length: u64) -> StreamResult<u64> {
        streamed(io::streams::HostInputStream::blocking_skip(
            &mut self.table,
            stream,
            length,
        ))
    }

    fn subscribe(&mut self, stream: InputStream) -> wasmtime::Result<Resource<DynPollable>> {
        io::streams::HostInputStream::subscribe(&mut self.table, stream)
    }
}

impl sync::io::streams::HostOutputStream for Wasi {
    fn drop(&mut self, stream: OutputStream) -> wasmtime::Result<()> {
        at_once(io::streams::HostOutputStream::drop(&mut self.table, stream))?
    }

    fn check_write(&mut self, stream: OutputStream) -> StreamResult<u64> {
        io::streams::HostOutputStream::check_write(&mut self.table, stream)
    }

    fn write(&mut self, stream: OutputStream, bytes: Vec<u8>) -> StreamResult<()> {
        io::streams::HostOutputStream::write(&mut self.table, stream, bytes)
    }

    fn blocking_write_and_flush(
        &mut self,
        stream: OutputStream,
        bytes: Vec<u8>,
    ) -> StreamResult<()> {
        streamed(io::streams::HostOutputStream::blocking_write_and_flush(
            &mut self.table,
            stream,
            bytes,
        ))
    }

    fn blocking_write_zeroes_and_flush(
        &mut self,
        stream: OutputStream,
        length: u64,
    ) -> StreamResult<()> {
        let table = &mut self.table;
        streamed(
            io::streams::HostOutputStream::blocking_write_zeroes_and_flush(table, stream, length),
        )
    }

    fn subscribe(&mut self, stream: OutputStream) -> wasmtime::Result<Resource<DynPollable>> {
        io::streams::HostOutputStream::subscribe(&mut self.table, stream)
    }

    fn write_zeroes(&mut self, stream: OutputStream, length: u64) -> StreamResult<()> {
        io::streams::HostOutputStream::write_zeroes(&mut self.table, stream, length)
    }

    fn flush(&mut self, stream: OutputStream) -> StreamResult<()> {
        io::streams::HostOutputStream::flush(&mut self.table, stream)
    }

    fn blocking_flush(&mut self, stream: OutputStream) -> StreamResult<()> {
        streamed(io::streams::HostOutputStream::blocking_flush(
            &mut self.table,
            stream,
        ))
    }

    fn splice(&mut self, to: OutputStream, from: InputStream, length: u64) -> StreamResult<u64> {
        io::streams::HostOutputStream::splice(&mut self.table, to, from, length)
    }

    fn blocking_splice(
        &mut self,
        to: OutputStream,
        from: InputStream,
        length: u64,
    ) -> StreamResult<u64> {
        streamed(io::streams::HostOutputStream::blocking_splice(
            &mut self.table,
            to,
            from,
            length,
        ))
    }
}
