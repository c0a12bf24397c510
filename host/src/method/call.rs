use std::{
    fmt,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Instant, SystemTime},
};

use tokio::{sync::SemaphorePermit, time::timeout};
use wasmtime::{Store, UpdateDeadline, component};

use super::{
    Bulkhead, CircuitState, Evidence, Fault, Limit, Limits, LoadError, Meter, Reach, Revision,
    Runtime, Tenure,
    bindings::{
        countersign::auth::types as wit, exports::countersign::auth::method::Verdict as Returned,
    },
    bulkhead::Room,
    circuit::Circuit,
    contract,
    guest::{Guest, Label, Overrun},
    linked::Linked,
    meter,
    pace::Pace,
    runtime::TICK,
    warm::{Instance, Warm},
};
use crate::{
    config::Instances,
    credential::{Bounds, Keyring, Kind},
    login::{Authid, Call, StepName, Verdict},
    transport::Connection,
};

/// A step of a realm's policy: a revision with the realm's settings and limits for it.
pub struct Method {
    pub revision: Arc<Revision>,
    pub(super) label: Arc<Label>,
    settings: String,
    limits: Limits,
    pub(super) keyring: Keyring,
    reach: Reach,
    pub(super) guesses: Bounds,
    pub(super) counts_first: bool,
    pub tenure: Arc<Tenure>,
    bulkhead: Arc<Bulkhead>,
    /// For `begin`, and for `resume`.
    circuits: [Circuit; 2],
    pace: Pace,
    /// None: each call has a fresh instance.
    warm: Option<Warm>,
    runtime: Arc<Runtime>,
    /// There in a trial.
    meter: Option<Arc<Meter>>,
}

/// Handles of all kinds in the tables of one instance's components: also those that components inside
/// it make for each other.
const MOST_HANDLES: usize = 4096;

/// The right to wait for a callee, until it is dropped.
struct Turn<'a> {
    _of_the_realm: SemaphorePermit<'a>,
    _of_the_router: SemaphorePermit<'a>,
}

/// What a [`Method`] is made from.
#[derive(Debug)]
pub struct MethodParts {
    pub realm: Arc<str>,
    pub step: StepName,
    /// The text of a JSON object.
    pub settings: String,
    pub limits: Limits,
    pub keyring: Keyring,
    pub reach: Reach,
    /// What wrong answers lead to,
    pub guesses: Bounds,
    /// and whether they are counted where this is a login's first step.
    pub counts_first: bool,
    pub instances: Instances,
    /// Where the realm's calls find room.
    pub bulkhead: Arc<Bulkhead>,
}

impl Method {
    /// Asks the revision whether it can work with these settings.
    pub async fn new(
        runtime: Arc<Runtime>,
        revision: Arc<Revision>,
        parts: MethodParts,
    ) -> Result<Self, LoadError> {
        let MethodParts {
            realm,
            step,
            settings,
            limits,
            keyring,
            reach,
            guesses,
            counts_first,
            instances,
            bulkhead,
        } = parts;
        let tenure = Tenure::new(
            Arc::clone(&realm),
            step.clone(),
            revision.digest,
            None,
            None,
        );
        let label = Arc::new(Label {
            realm,
            step,
            revision: Arc::clone(&revision.name),
        });
        let method = Self {
            revision,
            circuits: [Circuit::new(&label), Circuit::new(&label)],
            label,
            settings,
            limits,
            keyring,
            reach,
            guesses,
            counts_first,
            tenure: Arc::new(tenure),
            bulkhead,
            pace: Pace::default(),
            warm: (instances == Instances::Warm).then(Warm::default),
            runtime,
            meter: None,
        };
        if method.settings.len() > method.limits.input {
            return Err(LoadError::Check(Fault::Overrun(Limit::Input)));
        }
        let checked = within(&method.runtime, &method.limits, async {
            let guest = method.guest(
                &Arc::default(),
                &Arc::default(),
                &method.keyring,
                method.reach.at_hand(),
            );
            let (linked, limits) = (&method.revision.linked, &method.limits);
            let (mut store, instance) = instance(&method.runtime, linked, guest, limits).await?;
            let about = linked.about(&mut store, &instance)?;
            about.call_check(&mut store, &method.settings).await
        })
        .await;
        checked
            .map_err(LoadError::Check)?
            .map_err(LoadError::Settings)?;
        Ok(method)
    }

    /// The same, in a time of its revision that has begun before.
    #[must_use]
    pub fn in_tenure(mut self, tenure: Arc<Tenure>) -> Self {
        self.tenure = tenure;
        self
    }

    /// Whom it is kept from: of its `begin`, and of its `resume`.
    pub fn circuits(&self) -> [CircuitState; 2] {
        self.circuits.each_ref().map(Circuit::state)
    }

    pub fn step(&self) -> &StepName {
        &self.label.step
    }

    /// The same step, done by another revision.
    pub async fn with_revision(
        &self,
        revision: Arc<Revision>,
        tenure: Arc<Tenure>,
    ) -> Result<Self, LoadError> {
        self.again(revision, tenure, self.reach.clone()).await
    }

    /// The same step as another revision would do it, for a [`super::Shadow`]: nobody outside the
    /// router hears of it.
    pub async fn beside(
        &self,
        revision: Arc<Revision>,
        tenure: Arc<Tenure>,
    ) -> Result<Self, LoadError> {
        let reach = Reach {
            procedures: None,
            door: None,
            key_sets: self.reach.key_sets.at_hand(),
        };
        self.again(revision, tenure, reach).await
    }

    async fn again(
        &self,
        revision: Arc<Revision>,
        tenure: Arc<Tenure>,
        reach: Reach,
    ) -> Result<Self, LoadError> {
        let revision = revision.granted(&self.runtime, self.revision.grant)?;
        let parts = MethodParts {
            realm: Arc::clone(&self.label.realm),
            step: self.label.step.clone(),
            settings: self.settings.clone(),
            limits: self.limits,
            keyring: self.keyring.clone(),
            reach,
            guesses: self.guesses,
            counts_first: self.counts_first,
            instances: match self.warm {
                Some(_) => Instances::Warm,
                None => Instances::Fresh,
            },
            bulkhead: Arc::clone(&self.bulkhead),
        };
        let method = Self::new(Arc::clone(&self.runtime), revision, parts).await?;
        Ok(method.in_tenure(tenure))
    }

    /// The same on trial: it gets the time and the randomness that the meter says, which takes note of
    /// what its calls take.
    #[must_use]
    pub fn metered(mut self, meter: Arc<Meter>) -> Self {
        self.meter = Some(meter);
        self
    }

    /// Whether an authid has a credential of a kind that this works with, be it usable or not, or is
    /// about to have one: were the step skipped for who has been given a code, whoever has stolen their
    /// first factor would get in before them.
    pub fn is_enrolled(&self, authid: &Authid) -> Result<bool, Fault> {
        let authid = authid.as_str().into();
        for kind in &self.revision.manifest.credential_kinds {
            let has = self.keyring.has(&Kind::from(kind.as_str()), &authid);
            if has.map_err(|error| Fault::Store(error.to_string()))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Asks it, in an instance that this call has for itself and with these credentials. What it is
    /// shown is added to the evidence.
    pub(super) async fn ask(
        &self,
        call: Call,
        now: SystemTime,
        connection: &Arc<Connection>,
        evidence: &Arc<Evidence>,
        keyring: &Keyring,
    ) -> Result<Verdict, Fault> {
        // A trial has it fail as often as it likes.
        if self.meter.is_some() {
            return self.told(call, now, connection, evidence, keyring).await;
        }
        let [begin, resume] = &self.circuits;
        let circuit = if call.answer.is_none() { begin } else { resume };
        let passage = circuit.admit(&connection.peer)?;
        let verdict = self.told(call, now, connection, evidence, keyring).await;
        if let Err(fault) = &verdict
            && fault.is_of_the_method()
        {
            self.pace.slow();
        }
        passage.settle(&verdict);
        verdict
    }

    async fn told(
        &self,
        call: Call,
        now: SystemTime,
        connection: &Arc<Connection>,
        evidence: &Arc<Evidence>,
        keyring: &Keyring,
    ) -> Result<Verdict, Fault> {
        let meter = self.meter.as_deref();
        let now = meter.map_or_else(|| contract::since_epoch(now), |meter| meter.world().now);
        let attempt = contract::attempt(call.attempt, &self.label.step, &self.settings, now);
        let answer = call.answer.map(contract::answer);
        contract::check_input(&attempt, answer.as_ref(), &self.limits)?;
        let _turn = self.turn().await?;
        let room = self
            .bulkhead
            .call(&self.runtime, self.pace.is_slow())
            .await?;
        let mut guest = self.guest(connection, evidence, keyring, self.reach.clone());
        guest.world = meter.map(Meter::world);
        let ticks = Arc::clone(&guest.ticks);
        let work = Work {
            runtime: Arc::clone(&self.runtime),
            revision: Arc::clone(&self.revision),
            kept: self.warm.as_ref().and_then(Warm::take),
            guest,
            limits: self.limits,
            attempt,
            answer,
            meter: self.meter.clone(),
            room,
        };
        // Some 20 KiB: boxed, or every login would have them for as long as it waits for its client.
        let running = Box::pin(work.run());
        // Whatever ends it before its end, be it that nobody waits for it any more, drops the instance.
        let running = self.runtime.behind().run(&self.pace, &ticks, running);
        let (returned, mut instance, _room) = timed(&self.limits, running).await?;
        let withheld = instance.store.data_mut().withheld.take();
        let verdict = contract::verdict(returned, &self.limits)?;
        if let Some(warm) = &self.warm {
            warm.keep(instance, &self.limits, &self.bulkhead, &self.runtime);
        }
        match (verdict, withheld) {
            // What the method can tell is that the answer did not fit.
            (Verdict::Deny(why), Some(withheld)) => {
                Ok(Verdict::Deny(format!("{why} ({withheld})")))
            }
            (verdict, _) => Ok(verdict),
        }
    }

    /// Waits before there is an instance: so a realm whose callees are slow has its logins queue,
    /// and takes no other realm's room. None for a method that asks nobody.
    async fn turn(&self) -> Result<Option<Turn<'_>>, Fault> {
        let Some(procedures) = &self.reach.procedures else {
            return Ok(None);
        };
        let stopping = |_| Fault::Overload("the router is stopping".into());
        let turn = async {
            Ok(Turn {
                _of_the_realm: procedures.turns.acquire().await.map_err(stopping)?,
                _of_the_router: self.runtime.waiters().acquire().await.map_err(stopping)?,
            })
        };
        timeout(self.limits.wall, turn)
            .await
            .unwrap_or_else(|_| {
                Err(Fault::Overload(format!(
                    "too many logins wait for callees in the realm {:?}",
                    procedures.realm
                )))
            })
            .map(Some)
    }

    fn guest(
        &self,
        connection: &Arc<Connection>,
        evidence: &Arc<Evidence>,
        keyring: &Keyring,
        reach: Reach,
    ) -> Guest {
        Guest::new(
            &self.label,
            keyring,
            connection,
            evidence,
            reach,
            &self.limits,
        )
    }
}

/// All that one call needs, whichever thread it runs on.
struct Work {
    runtime: Arc<Runtime>,
    revision: Arc<Revision>,
    /// An instance that was kept. None: it gets a fresh one.
    kept: Option<Instance>,
    guest: Guest,
    limits: Limits,
    attempt: wit::Attempt,
    answer: Option<wit::Answer>,
    meter: Option<Arc<Meter>>,
    room: Room,
}

impl Work {
    /// Yields its room too: that is free only when the instance is gone, also where nobody waits for
    /// the call any more and it has yet to hear of that.
    async fn run(self) -> wasmtime::Result<(Result<Returned, String>, Instance, Room)> {
        let Self {
            room,
            runtime,
            revision,
            kept,
            guest,
            limits,
            attempt,
            answer,
            meter,
        } = self;
        let measured = meter.map(|meter| (meter, Instant::now()));
        let mut instance = if let Some(mut kept) = kept {
            kept.store.data_mut().renew(guest);
            kept.store.set_epoch_deadline(1);
            kept
        } else {
            let linked = &revision.linked;
            let (mut store, fresh) = self::instance(&runtime, linked, guest, &limits).await?;
            let method = linked.method(&mut store, &fresh)?;
            Instance::new(store, method)
        };
        let Instance { store, method, .. } = &mut instance;
        let returned = match &answer {
            None => method.call_begin(&mut *store, &attempt).await,
            Some(answer) => method.call_resume(&mut *store, &attempt, answer).await,
        };
        if let Some((meter, since)) = measured {
            meter.note(store, since.elapsed());
        }
        let returned = returned?;
        store.data_mut().end()?;
        Ok((returned, instance, room))
    }
}

/// Runs a call that is no login within its limits, when there is room. Whatever happens, its instance
/// is dropped.
pub(super) async fn within<T>(
    runtime: &Runtime,
    limits: &Limits,
    call: impl Future<Output = wasmtime::Result<T>>,
) -> Result<T, Fault> {
    let _permit = runtime.permit().await?;
    timed(limits, call).await
}

async fn timed<T>(
    limits: &Limits,
    call: impl Future<Output = wasmtime::Result<T>>,
) -> Result<T, Fault> {
    timeout(limits.wall, call)
        .await
        .unwrap_or(Err(Overrun(Limit::Wall).into()))
        .map_err(|error| Fault::from_guest(&error))
}

/// A fresh instance, for one call.
pub(super) async fn instance(
    runtime: &Runtime,
    linked: &Linked,
    guest: Guest,
    limits: &Limits,
) -> wasmtime::Result<(Store<Guest>, component::Instance)> {
    let mut store = store(runtime, guest, limits);
    if runtime.is_metered() {
        store.set_fuel(meter::FULL)?;
    }
    let instance = linked.instantiate(&mut store).await?;
    Ok((store, instance))
}

fn store(runtime: &Runtime, guest: Guest, limits: &Limits) -> Store<Guest> {
    let mut store = Store::new(runtime.engine(), guest);
    store.limiter(|guest| &mut guest.memory);
    store.set_hostcall_fuel(limits.output);
    store.set_max_component_handles(MOST_HANDLES);
    // A tick counts once however long the guest was kept from running meanwhile, so neither a busy
    // machine nor a wait in a host call makes a method look slow. One more for the first, which may
    // be nearly over when the call begins.
    let most_ticks = limits.time.as_nanos().div_ceil(TICK.as_nanos()) + 1;
    let most_ticks = u32::try_from(most_ticks).unwrap_or(u32::MAX);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |mut store| {
        let guest = store.data_mut();
        guest.check_host_calls()?;
        let ticks = guest.ticks.fetch_add(1, Relaxed) + 1;
        if ticks > most_ticks {
            return Err(Overrun(Limit::Time).into());
        }
        // Others' logins get their turn, and the wall clock's deadline is looked at.
        Ok(UpdateDeadline::Yield(1))
    });
    store
}

impl fmt::Debug for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Method")
            .field("label", &self.label)
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}
