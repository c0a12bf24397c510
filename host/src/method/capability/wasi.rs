use std::{mem, sync::Arc};

use bytes::Bytes;
use parking_lot::Mutex;
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
use crate::method::{
    World,
    bindings::wasi::logging::logging::Level,
    guest::{Guest, Overrun},
};

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
        let wasi = self
            .wasi
            .get_or_insert_with(|| Box::new(Wasi::new(log, world)));
        WasiCtxView {
            ctx: &mut wasi.context,
            table: &mut self.table,
        }
    }
}

/// What the standard interfaces have of an instance.
pub(in crate::method) struct Wasi {
    context: WasiCtx,
    output: Line,
    errors: Line,
}

/// What was printed since the last line ended, by whichever handle to the stream.
type Line = Arc<Mutex<Vec<u8>>>;

impl Wasi {
    fn new(log: &Log, world: Option<World>) -> Self {
        let (output, errors) = (Line::default(), Line::default());
        let mut builder = WasiCtxBuilder::new();
        if let Some(world) = world {
            world.take_the_place_of_ours(&mut builder);
        }
        let context = builder
            .stdout(Lines {
                log: log.clone(),
                level: Level::Info,
                line: Arc::clone(&output),
            })
            .stderr(Lines {
                log: log.clone(),
                level: Level::Warn,
                line: Arc::clone(&errors),
            })
            .max_random_size(MOST_RANDOM_OCTETS)
            .build();
        Self {
            context,
            output,
            errors,
        }
    }

    /// Writes what is left of a call that is over, so that no other call's line begins with it.
    pub(in crate::method) fn end_lines(&self, log: &Log) -> Result<(), Overrun> {
        for (level, line) in [(Level::Info, &self.output), (Level::Warn, &self.errors)] {
            let line = mem::take(&mut *line.lock());
            if !line.is_empty() {
                log.write(level, &String::from_utf8_lossy(&line))?;
            }
        }
        Ok(())
    }
}

/// Standard output or error: each line of it becomes a line of the log.
#[derive(Clone)]
struct Lines {
    log: Log,
    level: Level,
    line: Line,
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
        Box::new(self.clone())
    }
}

impl OutputStream for Lines {
    fn write(&mut self, octets: Bytes) -> StreamResult<()> {
        let mut line = self.line.lock();
        for octet in octets {
            if octet != b'\n' {
                line.push(octet);
            }
            if octet == b'\n' || line.len() >= LONGEST_LINE {
                let line = mem::take(&mut *line);
                let line = String::from_utf8_lossy(&line);
                let written = self.log.write(self.level, &line);
                written.map_err(|overrun| StreamError::Trap(overrun.into()))?;
            }
        }
        Ok(())
    }

    /// A line is a line when it ends: what is flushed before stays, until then or until the call ends.
    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(LONGEST_LINE)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Lines {
    async fn ready(&mut self) {}
}
