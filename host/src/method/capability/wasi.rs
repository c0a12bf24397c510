use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime_wasi::{
    WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView,
    cli::{IsTerminal, StdoutStream, WasiCli, WasiCliView},
    clocks::{WasiClocks, WasiClocksView},
    filesystem::{WasiFilesystem, WasiFilesystemView},
    p2::{
        OutputStream, Pollable, StreamError, StreamResult,
        bindings::{cli, clocks, filesystem, random},
    },
    random::WasiRandom,
};
use wasmtime_wasi_io::bindings::wasi::io;

use super::Log;
use crate::method::{World, bindings::wasi::logging::logging::Level, guest::Guest};

pub(super) const INTERFACES: &[&str] = &[
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
];

/// The most random octets that a guest can ask for at once.
const MOST_RANDOM_OCTETS: u64 = 4096;

/// A line that is not ended is written after so many octets.
const LONGEST_LINE: usize = 1024;

struct HasTable;

impl HasData for HasTable {
    type Data<'a> = &'a mut ResourceTable;
}

/// Interface by interface, so that sockets and whatever else may come are left out.
pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    io::error::add_to_linker::<_, HasTable>(linker, |guest| guest.foreign_call().ctx().table)?;
    io::poll::add_to_linker::<_, HasTable>(linker, |guest| guest.foreign_call().ctx().table)?;
    io::streams::add_to_linker::<_, HasTable>(linker, |guest| guest.foreign_call().ctx().table)?;
    clocks::wall_clock::add_to_linker::<_, WasiClocks>(linker, |guest| {
        guest.foreign_call().clocks()
    })?;
    clocks::monotonic_clock::add_to_linker::<_, WasiClocks>(linker, |guest| {
        guest.foreign_call().clocks()
    })?;
    random::random::add_to_linker::<_, WasiRandom>(linker, |guest| {
        guest.foreign_call().ctx().ctx.random()
    })?;
    random::insecure::add_to_linker::<_, WasiRandom>(linker, |guest| {
        guest.foreign_call().ctx().ctx.random()
    })?;
    random::insecure_seed::add_to_linker::<_, WasiRandom>(linker, |guest| {
        guest.foreign_call().ctx().ctx.random()
    })?;
    // There is no preopened directory, so nothing can be opened.
    filesystem::types::add_to_linker::<_, WasiFilesystem>(linker, |guest| {
        guest.foreign_call().filesystem()
    })?;
    filesystem::preopens::add_to_linker::<_, WasiFilesystem>(linker, |guest| {
        guest.foreign_call().filesystem()
    })?;
    cli::environment::add_to_linker::<_, WasiCli>(linker, |guest| guest.foreign_call().cli())?;
    cli::exit::add_to_linker::<_, WasiCli>(linker, |guest| guest.foreign_call().cli())?;
    cli::stdin::add_to_linker::<_, WasiCli>(linker, |guest| guest.foreign_call().cli())?;
    cli::stdout::add_to_linker::<_, WasiCli>(linker, |guest| guest.foreign_call().cli())?;
    cli::stderr::add_to_linker::<_, WasiCli>(linker, |guest| guest.foreign_call().cli())?;
    cli::terminal_input::add_to_linker::<_, WasiCli>(linker, |guest| guest.foreign_call().cli())?;
    cli::terminal_output::add_to_linker::<_, WasiCli>(linker, |guest| guest.foreign_call().cli())?;
    cli::terminal_stdin::add_to_linker::<_, WasiCli>(linker, |guest| guest.foreign_call().cli())?;
    cli::terminal_stdout::add_to_linker::<_, WasiCli>(linker, |guest| guest.foreign_call().cli())?;
    cli::terminal_stderr::add_to_linker::<_, WasiCli>(linker, |guest| guest.foreign_call().cli())?;
    Ok(())
}

impl WasiView for Guest {
    /// Made when a guest first uses it: most never do, though they import it.
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let (log, world) = (&self.log, self.world);
        let ctx = self
            .wasi
            .get_or_insert_with(|| Box::new(context(log, world)));
        WasiCtxView {
            ctx,
            table: &mut self.table,
        }
    }
}

fn context(log: &Log, world: Option<World>) -> WasiCtx {
    let mut builder = WasiCtxBuilder::new();
    if let Some(world) = world {
        world.take_the_place_of_ours(&mut builder);
    }
    builder
        .stdout(Lines {
            log: log.clone(),
            level: Level::Info,
        })
        .stderr(Lines {
            log: log.clone(),
            level: Level::Warn,
        })
        .max_random_size(MOST_RANDOM_OCTETS)
        .build()
}

/// Standard output or error: each line of it becomes a line of the log.
struct Lines {
    log: Log,
    level: Level,
}

impl IsTerminal for Lines {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Lines {
    /// Only asked for by WASI 0.3, which is not linked.
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(LineWriter {
            log: self.log.clone(),
            level: self.level,
            line: Vec::new(),
        })
    }
}

struct LineWriter {
    log: Log,
    level: Level,
    line: Vec<u8>,
}

impl LineWriter {
    fn end_line(&mut self) -> StreamResult<()> {
        let line = std::mem::take(&mut self.line);
        self.log
            .write(self.level, &String::from_utf8_lossy(&line))
            .map_err(|overrun| StreamError::Trap(overrun.into()))
    }
}

impl OutputStream for LineWriter {
    fn write(&mut self, octets: Bytes) -> StreamResult<()> {
        for octet in octets {
            if octet != b'\n' {
                self.line.push(octet);
            }
            if octet == b'\n' || self.line.len() >= LONGEST_LINE {
                self.end_line()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        if self.line.is_empty() {
            Ok(())
        } else {
            self.end_line()
        }
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(LONGEST_LINE)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for LineWriter {
    async fn ready(&mut self) {}
}
