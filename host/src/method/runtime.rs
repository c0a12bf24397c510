use std::{
    collections::HashMap,
    fmt, fs,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::AbortOnDropHandle;
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, component::Linker,
};

use super::{
    Compiler, Grant, Source,
    guest::{Fault, Guest},
    pace::{Behind, Threads},
};

/// How often the epoch moves on: the grain of [`super::Limits::time`].
pub(super) const TICK: Duration = Duration::from_millis(5);

/// Calls under way at one time. A waiting login is not a call and holds no instance; most calls
/// take microseconds, and those that wait for the password queue are bounded by that.
const INSTANCES: u32 = 256;

/// Calls at one time that may wait for somebody outside the router, and hold an instance meanwhile.
/// The other half is for those that do not.
const WAITERS: u32 = INSTANCES / 2;

/// Calls at one time of methods that take long. The others' must not have to wait for these.
const SLOW: u32 = INSTANCES / 2;

/// Instances that stay between calls, of all realms. They have places of their own, so that they
/// take none from calls.
const WARM: u32 = 64;

/// The ceiling for the memory of one instance.
const LARGEST_MEMORY: usize = 512 << 20;

/// One engine and what is shared by all that runs in it.
pub struct Runtime {
    engine: Engine,
    compiler: Arc<Compiler>,
    linkers: Mutex<HashMap<Grant, Arc<Linker<Guest>>>>,
    permits: Arc<Semaphore>,
    waiters: Semaphore,
    behind: Behind,
    chores: Threads,
    is_metered: bool,
    warm: Arc<Semaphore>,
}

/// Instances that are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuntimeLoad {
    /// For calls that are under way,
    pub calls: usize,
    /// of those for calls that may wait for somebody outside the router,
    pub waiters: usize,
    /// and for calls of methods that take long.
    pub slow: usize,
    /// Kept for later calls.
    pub warm: usize,
}

#[derive(Debug, Error)]
pub enum RuntimeError {
    #[error("the WebAssembly engine does not start: {0}")]
    Engine(String),
    #[error("the clock of the WebAssembly engine does not start: {0}")]
    Ticker(std::io::Error),
    #[error("the threads for what can wait do not start: {0}")]
    Threads(std::io::Error),
}

impl Runtime {
    /// One that compiles components in this process.
    pub fn new() -> Result<Self, RuntimeError> {
        Self::with(Compiler::InProcess)
    }

    pub fn with(compiler: Compiler) -> Result<Self, RuntimeError> {
        Self::start(&configuration(), Arc::new(compiler), false)
    }

    /// For trials: it counts what a guest computes, in units that are the same on every machine and
    /// each time. That makes calls dearer (by a sixth, on hashing), so it is not for serving. It
    /// compiles in this process.
    pub fn metered() -> Result<Self, RuntimeError> {
        Self::metered_with(Compiler::InProcess)
    }

    pub fn metered_with(compiler: Compiler) -> Result<Self, RuntimeError> {
        // Calls come one by one: no pool, which would reserve its address space once more.
        Self::start(&metered_code(), Arc::new(compiler), true)
    }

    /// One that counts, beside one that serves; they share their compiler.
    pub fn metered_beside(&self) -> Result<Self, RuntimeError> {
        Self::start(&metered_code(), Arc::clone(&self.compiler), true)
    }

    fn start(
        config: &Config,
        compiler: Arc<Compiler>,
        is_metered: bool,
    ) -> Result<Self, RuntimeError> {
        let engine =
            Engine::new(config).map_err(|error| RuntimeError::Engine(format!("{error:#}")))?;
        start_ticker(&engine).map_err(RuntimeError::Ticker)?;
        Ok(Self {
            engine,
            compiler,
            linkers: Mutex::default(),
            permits: Arc::new(Semaphore::new(INSTANCES as usize)),
            waiters: Semaphore::new(WAITERS as usize),
            behind: Behind::start(SLOW as usize).map_err(RuntimeError::Threads)?,
            // Not those of long calls, of which there may be many before it.
            chores: Threads::start("chores", 1).map_err(RuntimeError::Threads)?,
            is_metered,
            warm: Arc::new(Semaphore::new(WARM as usize)),
        })
    }

    pub(super) const fn is_metered(&self) -> bool {
        self.is_metered
    }

    /// Says that there are logins from now on: what can wait makes way for them.
    pub fn begin_to_serve(&self) {
        self.compiler.make_way();
    }

    /// Runs what logins must not have to wait for, such as a reload, on threads of its own that make
    /// way for them. It ends when the handle is dropped.
    pub fn spawn_chore<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> AbortOnDropHandle<T> {
        self.chores.spawn(work)
    }

    /// Where long calls run.
    pub(super) const fn behind(&self) -> &Behind {
        &self.behind
    }

    pub(super) const fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(super) fn compiler(&self) -> &Compiler {
        &self.compiler
    }

    /// Whether a component was compiled earlier, and kept.
    pub fn has_compiled(&self, source: &Source) -> bool {
        self.compiler.has(source, &self.engine)
    }

    /// The linker for a grant: few grants, and a linker is dear to make.
    pub(super) fn linker(&self, grant: Grant) -> wasmtime::Result<Arc<Linker<Guest>>> {
        let mut linkers = self.linkers.lock();
        if let Some(linker) = linkers.get(&grant) {
            return Ok(Arc::clone(linker));
        }
        let linker = Arc::new(grant.link(&self.engine)?);
        linkers.insert(grant, Arc::clone(&linker));
        Ok(linker)
    }

    /// Room for one call. The pool of instances fails where it has none, so we wait before it.
    pub(super) async fn permit(&self) -> Result<OwnedSemaphorePermit, Fault> {
        permit(&self.permits).await
    }

    /// A place for an instance that stays. None: it must go.
    pub(super) fn keep_warm(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.warm).try_acquire_owned().ok()
    }

    /// What is in use of all that.
    pub fn load(&self) -> RuntimeLoad {
        let taken = |all: u32, semaphore: &Semaphore| {
            (all as usize).saturating_sub(semaphore.available_permits())
        };
        RuntimeLoad {
            calls: taken(INSTANCES, &self.permits),
            waiters: taken(WAITERS, &self.waiters),
            slow: taken(SLOW, self.behind.places()),
            warm: taken(WARM, &self.warm),
        }
    }

    /// Room for one call that may wait for somebody outside.
    pub(super) const fn waiters(&self) -> &Semaphore {
        &self.waiters
    }
}

/// Waits for a permit of any of these semaphores, which are closed by nobody while the router runs.
pub(super) async fn permit(of: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Fault> {
    Arc::clone(of)
        .acquire_owned()
        .await
        .map_err(|_| Fault::Overload("the router is stopping".into()))
}

fn configuration() -> Config {
    let mut pool = PoolingAllocationConfig::new();
    let all = INSTANCES + WARM;
    pool.total_component_instances(all)
        // Only a call has one.
        .total_stacks(INSTANCES)
        // A component has several core instances: its own, adapters, shims.
        .total_core_instances(all * 4)
        .total_memories(all * 2)
        .total_tables(all * 4)
        .max_core_instances_per_component(32)
        .max_memories_per_component(4)
        .max_tables_per_component(16)
        .max_memory_size(LARGEST_MEMORY)
        // Slots stay with the module that they ran last: few of them, or retired revisions would
        // keep their pages (measured over 100 reloads: 98 MB with 64 slots, 35 MB with 4).
        .max_unused_warm_slots(8)
        // What waits for its turn to be given back is not used again before, and the next call takes
        // one that is cold: 64 at a time cost a login 12 %.
        .decommit_batch_size(1)
        // Resetting touched pages by hand is cheaper than giving them back to the kernel, and
        // spares other threads the interrupts that unmapping costs them.
        .linear_memory_keep_resident(1 << 20)
        // As deep as the methods' calls go. Giving back all of a stack and having the kernel find
        // new pages for it took 10 % of a login by WAMP-CRA.
        .async_stack_keep_resident(16 << 10)
        .table_keep_resident(64 << 10)
        .pagemap_scan(pagemap_scan());

    let mut config = code();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

/// What machine code depends on: the same where it is made and where it runs.
pub(super) fn code() -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        // Guests are synchronous; without it a call takes a third of the time.
        .concurrency_support(false)
        // A stack may have held a secret of another realm's login.
        .async_stack_zeroing(true)
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(8));
    config
}

/// The same where fuel is counted. Calls come one by one there: no pool, which would reserve its
/// address space once more.
pub(super) fn metered_code() -> Config {
    let mut config = code();
    config.consume_fuel(true);
    config
}

/// Asks the kernel which pages an instance has touched, which halves the cost of a fresh instance.
/// Only without swap: a page that was swapped out would be taken for untouched and be seen by the
/// next instance in its place (wasmtime issue 14357).
fn pagemap_scan() -> Enabled {
    // The file has a line of headings, and one for each swap area.
    let swap_is_off = fs::read_to_string("/proc/swaps").is_ok_and(|text| text.lines().count() <= 1);
    if swap_is_off && PoolingAllocationConfig::is_pagemap_scan_available() {
        Enabled::Yes
    } else {
        Enabled::No
    }
}

/// Moves the epoch on at a fixed rate, for as long as the engine lives. A thread of its own, since
/// a guest may be keeping every worker busy.
fn start_ticker(engine: &Engine) -> std::io::Result<()> {
    let engine = engine.weak();
    thread::Builder::new().name("epoch".into()).spawn(move || {
        let mut due = Instant::now();
        loop {
            due += TICK;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let Some(engine) = engine.upgrade() else {
                return;
            };
            engine.increment_epoch();
        }
    })?;
    Ok(())
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime")
            .field("permits", &self.permits)
            .finish_non_exhaustive()
    }
}
