//! The locked-down WASI (0.2) that a behavior gets when it imports one: no file, no socket, no environment, no waiting;
//! a clock that only knows the session's own time, randomness from the plan's seed, and output that becomes log lines.
//! Linked by `pre_instantiated.rs`, kept by `guest.rs`.
//!
//! What must stay true: nothing here blocks, for all users of a worker share one thread. What `wasmtime-wasi` would wait for
//! is polled once, and a guest that would have to wait traps.

mod output;
mod sockets;
mod streams;

use std::future::Future;
use std::pin::Pin;

use wasmtime::component::{HasSelf, Linker, Resource, ResourceTable};
use wasmtime_wasi::cli::{WasiCli, WasiCliView as _};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView as _};
use wasmtime_wasi::p2::bindings::{
    cli, clocks, filesystem, io, random, sockets as sockets_of, sync,
};
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView as _};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

pub(super) use self::output::MAX_LINE;
use self::output::Output;
use super::call_context::CallContext;
use super::types::Level;
use vespeiro_model::random::{draw, scramble};

/// 2026-01-01T00:00:00Z; the seed moves the day within a year from here.
const EPOCH: u64 = 1_767_225_600;
const YEAR: u64 = 365 * 24 * 3600;
/// Where the monotonic clock begins: some languages take 0 for a broken clock.
const START_NS: u64 = 1_000_000_000;
/// Random bytes of one call.
const MAX_RANDOM: u64 = 64 << 10;

/// What one instance's WASI knows.
pub(super) struct Wasi {
    ctx: WasiCtx,
    table: ResourceTable,
    /// Seconds since 1970 at which its sessions begin.
    epoch: u64,
    elapsed_ms: u64,
    /// State of the generator; each call begins it anew, so that no session's decisions depend on another's.
    random: u64,
    stdout: Output,
    stderr: Output,
}

impl Wasi {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            // Without folders, variables, arguments, input, names of hosts.
            ctx: WasiCtx::builder().build(),
            table: ResourceTable::new(),
            epoch: EPOCH + scramble(seed) % YEAR,
            elapsed_ms: 0,
            random: seed,
            stdout: Output::default(),
            stderr: Output::default(),
        }
    }

    pub(super) fn view(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.ctx,
            table: &mut self.table,
        }
    }

    pub(super) fn begin_call(&mut self, call_context: &CallContext) {
        self.elapsed_ms = call_context.elapsed_ms;
        self.random = call_context.seed;
    }

    /// Whole lines that the guest has printed since it was last asked.
    pub(super) fn printed(&mut self) -> Vec<(Level, String)> {
        let stdout = self.stdout.lines().into_iter();
        let stderr = self.stderr.lines().into_iter();
        stdout
            .map(|line| (Level::Info, line))
            .chain(stderr.map(|line| (Level::Warn, line)))
            .collect()
    }

    fn draw(&mut self) -> u64 {
        draw(&mut self.random)
    }

    fn bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        if length > MAX_RANDOM {
            wasmtime::bail!("it wants {length} random bytes at once: {MAX_RANDOM} are allowed");
        }
        let mut bytes = Vec::with_capacity(length as usize + 8);
        while (bytes.len() as u64) < length {
            bytes.extend(self.draw().to_le_bytes());
        }
        bytes.truncate(length as usize);
        Ok(bytes)
    }
}

/// A store's data that contains a WASI.
pub(super) trait WithWasi: WasiView + 'static {
    fn wasi(&mut self) -> &mut Wasi;
}

/// Meet every interface of WASI 0.2. Files and sockets are `wasmtime-wasi`'s own: a guest never gets a handle, so what
/// would act on one, and may wait, is never reached.
pub(super) fn add_to_linker<T: WithWasi>(l: &mut Linker<T>) -> wasmtime::Result<()> {
    io::error::add_to_linker::<_, HasSelf<ResourceTable>>(l, |state| &mut state.wasi().table)?;
    sync::io::poll::add_to_linker::<_, HasSelf<Wasi>>(l, T::wasi)?;
    sync::io::streams::add_to_linker::<_, HasSelf<Wasi>>(l, T::wasi)?;
    clocks::wall_clock::add_to_linker::<_, HasSelf<Wasi>>(l, T::wasi)?;
    clocks::monotonic_clock::add_to_linker::<_, HasSelf<Wasi>>(l, T::wasi)?;
    random::random::add_to_linker::<_, HasSelf<Wasi>>(l, T::wasi)?;
    random::insecure::add_to_linker::<_, HasSelf<Wasi>>(l, T::wasi)?;
    random::insecure_seed::add_to_linker::<_, HasSelf<Wasi>>(l, T::wasi)?;
    cli::stdout::add_to_linker::<_, HasSelf<Wasi>>(l, T::wasi)?;
    cli::stderr::add_to_linker::<_, HasSelf<Wasi>>(l, T::wasi)?;
    cli::stdin::add_to_linker::<_, WasiCli>(l, T::cli)?;
    cli::exit::add_to_linker::<_, WasiCli>(l, T::cli)?;
    cli::environment::add_to_linker::<_, WasiCli>(l, T::cli)?;
    cli::terminal_input::add_to_linker::<_, WasiCli>(l, T::cli)?;
    cli::terminal_output::add_to_linker::<_, WasiCli>(l, T::cli)?;
    cli::terminal_stdin::add_to_linker::<_, WasiCli>(l, T::cli)?;
    cli::terminal_stdout::add_to_linker::<_, WasiCli>(l, T::cli)?;
    cli::terminal_stderr::add_to_linker::<_, WasiCli>(l, T::cli)?;
    filesystem::preopens::add_to_linker::<_, WasiFilesystem>(l, T::filesystem)?;
    sync::filesystem::types::add_to_linker::<_, WasiFilesystem>(l, T::filesystem)?;
    sockets_of::tcp_create_socket::add_to_linker::<_, HasSelf<Wasi>>(l, T::wasi)?;
    sockets_of::instance_network::add_to_linker::<_, WasiSockets>(l, T::sockets)?;
    let network = sockets_of::network::LinkOptions::default();
    sockets_of::network::add_to_linker::<_, HasSelf<Wasi>>(l, &network, T::wasi)?;
    sockets_of::ip_name_lookup::add_to_linker::<_, WasiSockets>(l, T::sockets)?;
    sync::sockets::tcp::add_to_linker::<_, WasiSockets>(l, T::sockets)?;
    sync::sockets::udp::add_to_linker::<_, WasiSockets>(l, T::sockets)?;
    sync::sockets::udp_create_socket::add_to_linker::<_, HasSelf<Wasi>>(l, T::wasi)
}

impl clocks::wall_clock::Host for Wasi {
    fn now(&mut self) -> wasmtime::Result<clocks::wall_clock::Datetime> {
        Ok(clocks::wall_clock::Datetime {
            seconds: self.epoch + self.elapsed_ms / 1000,
            nanoseconds: (self.elapsed_ms % 1000) as u32 * 1_000_000,
        })
    }

    fn resolution(&mut self) -> wasmtime::Result<clocks::wall_clock::Datetime> {
        Ok(clocks::wall_clock::Datetime {
            seconds: 0,
            nanoseconds: 1_000_000,
        })
    }
}

impl clocks::monotonic_clock::Host for Wasi {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(START_NS.saturating_add(self.elapsed_ms.saturating_mul(1_000_000)))
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(1_000_000)
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let now = clocks::monotonic_clock::Host::now(self)?;
        clocks::monotonic_clock::Host::subscribe_duration(self, when.saturating_sub(now))
    }

    fn subscribe_duration(&mut self, duration: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let timer = self.table.push(Timer { due: duration == 0 })?;
        subscribe(&mut self.table, timer)
    }
}

/// A point in time that has come or, as far as one call is concerned, never will.
struct Timer {
    due: bool,
}

impl Pollable for Timer {
    fn ready<'a, 'f>(&'a mut self) -> Pin<Box<dyn Future<Output = ()> + Send + 'f>>
    where
        'a: 'f,
        Self: 'f,
    {
        if self.due {
            Box::pin(std::future::ready(()))
        } else {
            Box::pin(std::future::pending())
        }
    }
}

impl random::random::Host for Wasi {
    fn get_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        self.bytes(length)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.draw())
    }
}

impl random::insecure::Host for Wasi {
    fn get_insecure_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        self.bytes(length)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.draw())
    }
}

impl random::insecure_seed::Host for Wasi {
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        Ok((self.draw(), self.draw()))
    }
}

impl cli::stdout::Host for Wasi {
    fn get_stdout(&mut self) -> wasmtime::Result<Resource<io::streams::OutputStream>> {
        Ok(self.table.push(self.stdout.stream())?)
    }
}

impl cli::stderr::Host for Wasi {
    fn get_stderr(&mut self) -> wasmtime::Result<Resource<io::streams::OutputStream>> {
        Ok(self.table.push(self.stderr.stream())?)
    }
}
