//! What a trial fixes that a login takes as it comes, and what it measures.

use std::time::Duration;

use parking_lot::Mutex;
use wasmtime::Store;
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtxBuilder, random::Deterministic};

use super::{HostCalls, guest::Guest};

/// The fuel that a call begins with. What bounds a call are its limits; this only counts.
pub(super) const FULL: u64 = u64::MAX;

/// Time and randomness of a trial.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct World {
    /// What an attempt says of the time, since the Unix epoch.
    pub now: Duration,
    /// What a guest finds that looks at a clock of WASI instead. A method should not.
    pub clock: Duration,
    /// Another number is other randomness of WASI.
    pub seed: u8,
}

/// What one call took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// What the guest computed, in units that are the same each time and everywhere. None where the
    /// runtime does not count.
    pub fuel: Option<u64>,
    /// From before there was an instance to the end of the call.
    pub took: Duration,
    /// Octets of memories and tables at the end.
    pub memory: usize,
    pub host_calls: HostCalls,
}

/// Makes a world for a method's calls, and keeps what they took until somebody asks.
#[derive(Debug)]
pub struct Meter {
    world: Mutex<World>,
    cost: Mutex<Option<Cost>>,
}

impl Meter {
    pub const fn new(world: World) -> Self {
        Self {
            world: Mutex::new(world),
            cost: Mutex::new(None),
        }
    }

    /// What the last call took; None for one that did not come to an end.
    pub fn read(&self) -> Option<Cost> {
        self.cost.lock().take()
    }

    /// The world of the calls that begin from now on.
    pub fn set(&self, world: World) {
        *self.world.lock() = world;
    }

    pub fn world(&self) -> World {
        *self.world.lock()
    }

    pub(super) fn note(&self, store: &Store<Guest>, took: Duration) {
        let guest = store.data();
        *self.cost.lock() = Some(Cost {
            fuel: store.get_fuel().ok().map(|left| FULL - left),
            took,
            memory: guest.memory.used(),
            host_calls: guest.host_calls(),
        });
    }
}

impl World {
    pub(super) fn take_the_place_of_ours(self, builder: &mut WasiCtxBuilder) {
        let octets: Vec<u8> = (0..=u8::MAX).map(|octet| octet ^ self.seed).collect();
        // Go's runtime ends the program where a clock says 0.
        let clock = self.clock.max(Duration::from_secs(1));
        builder
            .wall_clock(Still(clock))
            .monotonic_clock(Still(clock))
            .secure_random(Deterministic::new(octets.clone()))
            .insecure_random(Deterministic::new(octets))
            .insecure_random_seed(self.seed.into());
    }
}

/// A clock that stands still.
struct Still(Duration);

impl HostWallClock for Still {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        self.0
    }
}

impl HostMonotonicClock for Still {
    fn resolution(&self) -> u64 {
        1_000_000
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.as_nanos()).unwrap_or(u64::MAX)
    }
}
