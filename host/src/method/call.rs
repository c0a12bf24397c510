use std::{fmt, sync::Arc};

use tokio::time::timeout;
use wasmtime::{Store, UpdateDeadline};

use super::{
    Evidence, Fault, Limit, Limits, LoadError, Revision, Runtime,
    bindings::{Authenticator, AuthenticatorPre},
    contract,
    guest::{Guest, Label, Overrun},
    runtime::TICK,
};
use crate::{
    credential::Keyring,
    login::{Call, StepName, Verdict},
    transport::Connection,
};

/// A step of a realm's policy: a revision with the realm's settings and limits for it.
pub struct Method {
    pub revision: Arc<Revision>,
    label: Arc<Label>,
    settings: String,
    limits: Limits,
    keyring: Keyring,
    runtime: Arc<Runtime>,
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
        } = parts;
        let label = Label {
            realm,
            step,
            revision: Arc::clone(&revision.name),
        };
        let method = Self {
            revision,
            label: Arc::new(label),
            settings,
            limits,
            keyring,
            runtime,
        };
        let checked = within(&method.runtime, &method.limits, async {
            let (mut store, component) = method.instance(&Arc::default(), &Arc::default()).await?;
            component
                .countersign_auth_about()
                .call_check(&mut store, &method.settings)
                .await
        })
        .await;
        checked
            .map_err(LoadError::Check)?
            .map_err(LoadError::Settings)?;
        Ok(method)
    }

    /// Asks it, in an instance made for this call. What it is shown is added to the evidence.
    pub async fn call(
        &self,
        call: Call,
        connection: &Arc<Connection>,
        evidence: &Arc<Evidence>,
    ) -> Result<Verdict, Fault> {
        let attempt = contract::attempt(call.attempt, &self.label.step, &self.settings);
        let answer = call.answer.map(contract::answer);
        let returned = within(&self.runtime, &self.limits, async {
            let (mut store, component) = self.instance(connection, evidence).await?;
            let method = component.countersign_auth_method();
            match &answer {
                None => method.call_begin(&mut store, &attempt).await,
                Some(answer) => method.call_resume(&mut store, &attempt, answer).await,
            }
        })
        .await?;
        contract::verdict(returned, &self.limits)
    }

    async fn instance(
        &self,
        connection: &Arc<Connection>,
        evidence: &Arc<Evidence>,
    ) -> wasmtime::Result<(Store<Guest>, Authenticator)> {
        let guest = Guest::new(
            &self.label,
            &self.keyring,
            connection,
            evidence,
            &self.limits,
        );
        instance(&self.runtime, &self.revision.pre, guest, &self.limits).await
    }
}

/// Runs one call within its limits. Whatever happens, its instance is dropped.
pub(super) async fn within<T>(
    runtime: &Runtime,
    limits: &Limits,
    call: impl Future<Output = wasmtime::Result<T>>,
) -> Result<T, Fault> {
    let running = async {
        let _permit = runtime.permit().await?;
        call.await.map_err(|error| Fault::from_guest(&error))
    };
    timeout(limits.wall, running)
        .await
        .unwrap_or(Err(Fault::Overrun(Limit::Wall)))
}

/// A fresh instance, for one call.
pub(super) async fn instance(
    runtime: &Runtime,
    pre: &AuthenticatorPre<Guest>,
    guest: Guest,
    limits: &Limits,
) -> wasmtime::Result<(Store<Guest>, Authenticator)> {
    let mut store = store(runtime, guest, limits);
    let component = pre.instantiate_async(&mut store).await?;
    Ok((store, component))
}

fn store(runtime: &Runtime, guest: Guest, limits: &Limits) -> Store<Guest> {
    let mut store = Store::new(runtime.engine(), guest);
    store.limiter(|guest| &mut guest.memory);
    store.set_hostcall_fuel(limits.output);
    // A tick counts once however long the guest was kept from running meanwhile, so neither a busy
    // machine nor a wait in a host call makes a method look slow. One more for the first, which may
    // be nearly over when the call begins.
    let most_ticks = limits.time.as_nanos().div_ceil(TICK.as_nanos()) + 1;
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |mut store| {
        let guest = store.data_mut();
        guest.ticks += 1;
        if guest.ticks > most_ticks {
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
