//! The process that compiles a component: how it is started, bounded, and heard.

use std::{
    io,
    path::PathBuf,
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use tempfile::NamedTempFile;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
    runtime::Handle,
    sync::{Semaphore, oneshot},
    time::{sleep, timeout},
};

use super::{COMMAND, Compiled, INVALID, Series, engine_name, series, stopped};
use crate::method::{LoadError, Runtime, Shelf, Source, priority};

/// What a process may say of a component that does not compile, in octets.
const LONGEST_COMPLAINT: u64 = 4096;

/// What a process must not take before it is bounded, or it has nothing left: room for its allocator
/// (in KiB; 1 GiB where nothing is said), and stacks for a worker on each core.
const FRUGAL: [(&str, &str); 2] = [
    ("MIMALLOC_ARENA_RESERVE", "65536"),
    ("TOKIO_WORKER_THREADS", "1"),
];

/// How much longer than on the CPU a process may take on the clock: others use it too.
const PATIENCE: u32 = 5;

/// How often it is looked at whether what is left over suffices for a process.
const GRAIN: Duration = Duration::from_millis(500);

/// How a process is run that compiles one component.
#[derive(Debug)]
pub struct Helper {
    /// `countersign` itself.
    pub program: PathBuf,
    pub bounds: CompilerBounds,
    /// Where compiled components are kept. None: nowhere.
    pub shelf: Option<Shelf>,
    /// One at a time: it takes a core, and hundreds of megabytes for a large component.
    pub(super) turn: Semaphore,
    /// There are logins that must not have to wait for it.
    makes_way: AtomicBool,
}

/// What compiling one component may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompilerBounds {
    /// On the CPU, in whole seconds.
    pub time: Duration,
    /// Octets.
    pub memory: u64,
}

/// What a process gets of the CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Time {
    /// What all others leave over. Linux has a process in the midst of its slice (1.4 ms on two cores)
    /// go on when another wakes up, however low its priority, but not one of this kind.
    Left,
    /// A share, by turns with all others.
    Shared,
}

impl Helper {
    pub fn new(program: PathBuf, bounds: CompilerBounds, shelf: Option<Shelf>) -> Self {
        Self {
            program,
            bounds,
            shelf,
            turn: Semaphore::new(1),
            makes_way: AtomicBool::new(false),
        }
    }

    /// The program that runs here: also after another was installed in its place.
    pub fn own_program() -> io::Result<PathBuf> {
        let link = PathBuf::from("/proc/self/exe");
        if link.exists() {
            return Ok(link);
        }
        std::env::current_exe()
    }

    pub(super) fn make_way(&self) {
        self.makes_way.store(true, Relaxed);
    }

    pub(super) async fn compile(
        &self,
        runtime: &Runtime,
        source: &Source,
    ) -> Result<Compiled, LoadError> {
        if self.makes_way.load(Relaxed) {
            let process = Process::start(self, runtime, source, Time::Left).await?;
            let id = process.child.id();
            tokio::select! {
                biased;
                compiled = process.result(self.bounds, source) => return compiled,
                // Then it is ended. Nobody without privileges could give it more.
                () = starved(id) => tracing::debug!("logins leave no time for the compiler, so it gets a share"),
            }
        }
        let process = Process::start(self, runtime, source, Time::Shared).await?;
        process.result(self.bounds, source).await
    }
}

/// One that compiles a component. It ends when this is dropped.
struct Process {
    child: Child,
    code: NamedTempFile,
    functions: Option<Series>,
}

impl Process {
    async fn start(
        helper: &Helper,
        runtime: &Runtime,
        source: &Source,
        time: Time,
    ) -> Result<Self, LoadError> {
        let functions = series(helper, runtime.engine(), source).map_err(stopped)?;
        let code = match &helper.shelf {
            Some(shelf) => shelf.new_file(),
            None => NamedTempFile::new(),
        };
        let code = code.map_err(stopped)?;
        let bounds = helper.bounds;
        let mut command = Command::new(&helper.program);
        command
            .arg(COMMAND)
            .arg("--engine")
            .arg(engine_name(runtime.engine()))
            .args(["--memory", &bounds.memory.to_string()])
            .args(["--seconds", &bounds.time.as_secs().max(1).to_string()]);
        if let Some(Series { before, now }) = &functions {
            command.arg("--before").arg(before);
            command.arg("--now").arg(now.path());
        }
        command
            // It needs none, and it must not learn what is in ours.
            .env_clear()
            .envs(FRUGAL)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(code.reopen().map_err(stopped)?)
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // The thread that starts a process stands still for a millisecond, until the program is there,
        // and the process makes way for logins if that thread does.
        let started = runtime.spawn_chore(async move {
            match time {
                Time::Shared => command.spawn(),
                Time::Left => spawn_for_the_rest(command).await,
            }
        });
        Ok(Self {
            child: started.await.map_err(stopped)?.map_err(stopped)?,
            code,
            functions,
        })
    }

    async fn result(
        mut self,
        bounds: CompilerBounds,
        source: &Source,
    ) -> Result<Compiled, LoadError> {
        let mut stdin = self.child.stdin.take();
        let stderr = self.child.stderr.take();
        let mut complaint = Vec::new();
        let running = async {
            let writing = async {
                if let Some(mut stdin) = stdin.take() {
                    // One that has heard enough says why it ends.
                    _ = stdin.write_all(&source.octets).await;
                    _ = stdin.shutdown().await;
                }
            };
            let reading = async {
                if let Some(stderr) = stderr {
                    _ = stderr
                        .take(LONGEST_COMPLAINT)
                        .read_to_end(&mut complaint)
                        .await;
                }
            };
            tokio::join!(writing, reading);
            self.child.wait().await
        };
        let overrun = || LoadError::CompilerOverrun {
            seconds: bounds.time.as_secs(),
            mebibytes: bounds.memory >> 20,
        };
        let Ok(status) = timeout(bounds.time * PATIENCE, running).await else {
            return Err(overrun());
        };
        let status = status.map_err(stopped)?;
        if status.success() {
            return Ok(Compiled {
                code: self.code,
                functions: self.functions,
            });
        }
        let complaint = String::from_utf8_lossy(&complaint);
        match status.code() {
            Some(INVALID) => Err(LoadError::Invalid(complaint.trim().to_owned())),
            Some(_) => Err(stopped(complaint.trim())),
            // Killed: by the kernel for its time, or by itself for want of memory.
            None => Err(overrun()),
        }
    }
}

/// Starts a process that gets what is left over: by a thread of that kind, which is good for nothing
/// else any more.
async fn spawn_for_the_rest(mut command: Command) -> io::Result<Child> {
    let (hand_over, child) = oneshot::channel();
    let runtime = Handle::current();
    thread::Builder::new()
        .name("starter".into())
        .spawn(move || {
            let _runtime = runtime.enter();
            if let Err(error) = priority::take_what_is_left() {
                tracing::warn!(%error, "logins may have to wait for the compiler");
            }
            _ = hand_over.send(command.spawn());
        })?;
    child.await.map_err(io::Error::other)?
}

/// Returns when a process is found not to get half of a core's time.
async fn starved(process: Option<u32>) {
    let since = Instant::now();
    loop {
        sleep(GRAIN).await;
        // None: it is over.
        let used = process.and_then(priority::cpu_time_of);
        if used.is_some_and(|used| used < since.elapsed() / 2) {
            return;
        }
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::method::Compiler;

    /// Notes its scheduling policy (a column of the file, see proc(5)), and is done only if that is not
    /// `SCHED_IDLE`.
    const PROGRAM: &str = r"#!/bin/sh
read -r line < /proc/self/stat
set -- $line
echo ${41} >> DIRECTORY/policies
if [ ${41} = 5 ]; then exec sleep 1000; fi
echo done
";

    const BOUNDS: CompilerBounds = CompilerBounds {
        time: Duration::from_mins(1),
        memory: 1 << 30,
    };

    /// Written by a process of its own: while a file that we write is open, a process that another
    /// test starts has it open too, and such a file is not run.
    fn program(directory: &Path) -> PathBuf {
        let text = PROGRAM.replace("DIRECTORY", &directory.display().to_string());
        let program = directory.join("program");
        let made = std::process::Command::new("/bin/sh")
            .args([
                "-c",
                r#"printf %s "$1" > "$2" && chmod +x "$2""#,
                "sh",
                &text,
            ])
            .arg(&program)
            .status()
            .unwrap();
        assert!(made.success());
        program
    }

    #[tokio::test]
    async fn a_compiler_that_logins_leave_no_time_gets_a_share() {
        let directory = tempfile::tempdir().unwrap();
        let helper = Helper::new(program(directory.path()), BOUNDS, None);
        let runtime = Runtime::with(Compiler::InProcess).unwrap();
        let source = Source::from(Vec::new());
        let policies = directory.path().join("policies");
        for (makes_way, expected) in [(false, "0\n"), (true, "0\n5\n0\n")] {
            if makes_way {
                helper.make_way();
            }
            let compiled = helper.compile(&runtime, &source).await.unwrap();
            let code = fs::read_to_string(compiled.code.path()).unwrap();
            assert_eq!(code, "done\n");
            assert_eq!(fs::read_to_string(&policies).unwrap(), expected);
        }
    }
}
