//! In which respects one file lets more happen than another. Each type is taken apart whole, so that
//! what is added to one must be judged here too.

use std::collections::BTreeSet;

use crate::config::{
    AuditConfig, AuditSync, CallLimits, Ceilings, Cleartext, ClientCertificate, Conform,
    EgressConfig, FirstStep, GuessLimits, Instances, KeySetPlace, Listener, LoadingConfig, Login,
    LoginLimits, MethodConfig, Operator, Permission, Procedures, Proxy, Realm, RealmLimits,
    RemoteKeySet, SessionLimits, Step, Tls, Unrecorded, When,
};

type Respects = BTreeSet<&'static str>;

fn respects(all: impl IntoIterator<Item = (&'static str, bool)>) -> Respects {
    let wider = all.into_iter().filter(|(_, is_no_wider)| !is_no_wider);
    wider.map(|(respect, _)| respect).collect()
}

/// Where None stands for no bound.
fn is_within<T: PartialOrd>(changed: Option<T>, original: Option<T>) -> bool {
    match (changed, original) {
        (Some(changed), Some(original)) => changed <= original,
        (_, original) => original.is_none(),
    }
}

/// Where None stands for everything.
fn is_subset<T: Ord>(changed: Option<&BTreeSet<T>>, original: Option<&BTreeSet<T>>) -> bool {
    match (changed, original) {
        (Some(changed), Some(original)) => changed.is_subset(original),
        (_, original) => original.is_none(),
    }
}

/// In which respects a realm's file lets more happen than before.
pub(super) fn wider_realm(changed: &Realm, original: &Realm) -> Respects {
    let Realm {
        name,
        roles,
        assurance,
        longest_session,
        cleartext,
        limits,
        cookie,
        logins,
        methods,
        key_sets,
        permissions,
        authenticates,
    } = changed;
    let requires_as_much = |role: &_| {
        let required = original.assurance.get(role);
        required.is_none_or(|required| {
            let now = assurance.get(role);
            now.is_some_and(|now| now.is_superset(required))
        })
    };
    let was_login = |login: &Login| {
        let mut before = original.logins.iter();
        before.any(|original| is_no_weaker(login, original))
    };
    let cookie_times = |realm: &Realm| realm.cookie.map(|terms| (terms.lifetime, terms.longest));
    let is_cookie_no_longer = match (cookie, cookie_times(original)) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(terms), Some((lifetime, longest))) => {
            terms.lifetime <= lifetime && terms.longest <= longest
        }
    };
    let mut wider = respects([
        ("name", *name == original.name),
        ("roles", roles.is_subset(&original.roles)),
        ("assurance", roles.iter().all(requires_as_much)),
        (
            "longest_session",
            is_within(*longest_session, original.longest_session),
        ),
        ("cleartext", is_as_strict(*cleartext, original.cleartext)),
        ("limits", is_no_more_of_router(limits, &original.limits)),
        ("cookie", is_cookie_no_longer),
        ("logins", logins.iter().all(was_login)),
        (
            "key_sets",
            key_sets.values().all(|now| {
                let mut before = original.key_sets.values();
                before.any(|before| is_same_set(now, before))
            }),
        ),
        (
            "permissions",
            are_no_more(permissions, &original.permissions),
        ),
        (
            "exceptions",
            none_falls_to_wider(permissions, &original.permissions),
        ),
        (
            "authenticates",
            authenticates.iter().all(|now| {
                let mut before = original.authenticates.iter();
                before.any(|before| {
                    now.realm == before.realm && now.procedures.is_subset(&before.procedures)
                })
            }),
        ),
    ]);
    for (step, method) in methods {
        match original.methods.get(step) {
            Some(original) => wider.extend(wider_method(method, original)),
            None => _ = wider.insert("methods"),
        }
    }
    wider
}

/// Whether a login demands all that another does, and its steps may change no more.
fn is_no_weaker(login: &Login, original: &Login) -> bool {
    let same = |(step, original): (&Step, &Step)| {
        step.name == original.name
            && (step.when == original.when || step.when == When::Always)
            && step.may_change.is_subset(&original.may_change)
    };
    login.steps.len() == original.steps.len() && login.steps.iter().zip(&original.steps).all(same)
}

fn is_same(a: &Permission, b: &Permission) -> bool {
    a.role == b.role && a.pattern == b.pattern
}

/// Whether each was there, and allowed as much.
fn are_no_more(changed: &[Permission], original: &[Permission]) -> bool {
    let was_there = |now: &Permission| {
        let mut before = original.iter();
        before.any(|before| is_same(now, before) && now.allow == before.allow)
    };
    changed.iter().all(was_there)
}

/// Whether none is gone that takes away from what a wider pattern allows.
fn none_falls_to_wider(changed: &[Permission], original: &[Permission]) -> bool {
    let falls_to_wider = |before: &Permission| {
        let is_there = changed.iter().any(|now| is_same(now, before));
        let is_within = |now: &Permission| {
            now.role == before.role && now.pattern.matches(before.pattern.as_str())
        };
        !is_there && changed.iter().any(is_within)
    };
    !original.iter().any(falls_to_wider)
}

/// Whether keys come from where they came from, and are not used for longer.
fn is_same_set(changed: &KeySetPlace, original: &KeySetPlace) -> bool {
    match (changed, original) {
        (KeySetPlace::Remote(changed), KeySetPlace::Remote(original)) => {
            let RemoteKeySet {
                url,
                refresh,
                keep,
                // How often a server is asked that does not answer.
                pause: _,
            } = changed;
            *url == original.url && *refresh <= original.refresh && *keep <= original.keep
        }
        (changed, original) => changed == original,
    }
}

fn is_as_strict(changed: Cleartext, original: Cleartext) -> bool {
    changed == original || changed == Cleartext::Refuse
}

fn is_as_demanding(changed: Conform, original: Conform) -> bool {
    changed == original || changed == Conform::Required
}

fn wider_method(changed: &MethodConfig, original: &MethodConfig) -> Respects {
    let MethodConfig {
        component,
        digest,
        // Neither way is more than the other.
        rollback: _,
        // What they mean only the method knows.
        settings: _,
        limits,
        instances,
        imports,
        procedures,
        origins,
        authorization,
        guesses,
        cleartext,
        conform,
    } = changed;
    let asks_no_more = |now: &Procedures| {
        let Procedures {
            realm,
            allow,
            timeout,
        } = now;
        original.procedures.as_ref().is_some_and(|before| {
            *realm == before.realm && allow.is_subset(&before.allow) && *timeout <= before.timeout
        })
    };
    respects([
        ("component", *component == original.component),
        (
            "digest",
            original.digest.is_none() || *digest == original.digest,
        ),
        (
            "method.limits",
            is_no_more_of_call(limits, &original.limits),
        ),
        (
            "instances",
            *instances == original.instances || *instances == Instances::Fresh,
        ),
        ("imports", imports.is_subset(&original.imports)),
        ("procedures", procedures.iter().all(asks_no_more)),
        ("origins", origins.is_subset(&original.origins)),
        (
            "authorization",
            authorization.is_none() || *authorization == original.authorization,
        ),
        ("guesses", are_no_more_guesses(guesses, &original.guesses)),
        (
            "method.cleartext",
            match (cleartext, original.cleartext) {
                (Some(changed), Some(original)) => is_as_strict(*changed, original),
                (_, original) => original != Some(Cleartext::Refuse),
            },
        ),
        ("conform", is_as_demanding(*conform, original.conform)),
    ])
}

fn is_no_more_of_call(changed: &CallLimits, original: &CallLimits) -> bool {
    let CallLimits {
        time,
        wall,
        memory,
        input,
        output,
        log,
        state,
        handles,
        host_calls,
        passwords,
        requests,
        rounds,
    } = changed;
    *time <= original.time
        && *wall <= original.wall
        && *memory <= original.memory
        && *input <= original.input
        && *output <= original.output
        && *log <= original.log
        && *state <= original.state
        && *handles <= original.handles
        && *host_calls <= original.host_calls
        && *passwords <= original.passwords
        && *requests <= original.requests
        && *rounds <= original.rounds
}

fn is_no_more_of_router(changed: &RealmLimits, original: &RealmLimits) -> bool {
    let RealmLimits {
        logins,
        calls,
        queue,
        wait,
    } = changed;
    *logins <= original.logins
        && *calls <= original.calls
        && *queue <= original.queue
        && *wait <= original.wait
}

fn are_no_more_guesses(changed: &GuessLimits, original: &GuessLimits) -> bool {
    let GuessLimits {
        most,
        lock,
        longest,
        total,
        first_step,
    } = changed;
    *most <= original.most
        && *lock >= original.lock
        && *longest >= original.longest
        && *total <= original.total
        && (*first_step == original.first_step || *first_step == FirstStep::Counted)
}

/// In which respects the operator's file lets more happen than before. Where files and sockets are is
/// none: what is not at its place is missed at the start.
pub(super) fn wider_operator(changed: &Operator, original: &Operator) -> Respects {
    let Operator {
        listeners,
        realms: _,
        methods: _,
        loading:
            LoadingConfig {
                signers,
                cache: _,
                revisions: _,
                compile_time,
                compile_memory,
                conform,
            },
        credentials: _,
        login,
        session,
        // How many passwords are checked at a time lets nobody in.
        passwords: _,
        egress,
        admin: _,
        metrics,
        audit,
        ceilings,
    } = changed;
    let loading = &original.loading;
    let is_signed = loading.signers.is_empty()
        || !signers.is_empty() && signers.iter().all(|it| loading.signers.contains(it));
    let mut wider = respects([
        ("signers", is_signed),
        (
            "compiling",
            *compile_time <= loading.compile_time && *compile_memory <= loading.compile_memory,
        ),
        ("conform", is_as_demanding(*conform, loading.conform)),
        ("login", is_no_more_before(login, &original.login)),
        ("session", is_no_more_after(session, &original.session)),
        (
            "metrics",
            metrics.address.is_none() || *metrics == original.metrics,
        ),
        (
            "audit",
            is_as_well_recorded(audit.as_ref(), original.audit.as_ref()),
        ),
        ("ceilings", are_no_higher(ceilings, &original.ceilings)),
    ]);
    wider.extend(wider_egress(egress, &original.egress));
    for listener in listeners {
        let mut before = original.listeners.iter();
        match before.find(|before| before.address == listener.address) {
            Some(before) => wider.extend(wider_listener(listener, before)),
            None => _ = wider.insert("listeners"),
        }
    }
    wider
}

fn is_as_well_recorded(changed: Option<&AuditConfig>, original: Option<&AuditConfig>) -> bool {
    let Some(original) = original else {
        return true;
    };
    changed.is_some_and(|changed| {
        let AuditConfig {
            // Where it is, the operator says.
            file: _,
            unrecorded,
            // A longer wait lets nobody in.
            wait: _,
            sync,
        } = changed;
        (*unrecorded == original.unrecorded || *unrecorded == Unrecorded::Refuse)
            && (*sync == original.sync || *sync == AuditSync::Always)
    })
}

fn are_no_higher(changed: &Ceilings, original: &Ceilings) -> bool {
    let Ceilings {
        call,
        realm,
        file: _,
    } = changed;
    is_no_more_of_call(call, &original.call) && is_no_more_of_router(realm, &original.realm)
}

fn is_no_more_before(changed: &LoginLimits, original: &LoginLimits) -> bool {
    let LoginLimits {
        message_size,
        nesting,
        hello,
        round,
        total,
        rounds,
        waiting,
    } = changed;
    *message_size <= original.message_size
        && *nesting <= original.nesting
        && *hello <= original.hello
        && *round <= original.round
        && *total <= original.total
        && *rounds <= original.rounds
        && *waiting <= original.waiting
}

fn is_no_more_after(changed: &SessionLimits, original: &SessionLimits) -> bool {
    let SessionLimits {
        message_size,
        queue,
        ping,
    } = changed;
    *message_size <= original.message_size && *queue <= original.queue && *ping <= original.ping
}

fn wider_egress(changed: &EgressConfig, original: &EgressConfig) -> Respects {
    let EgressConfig {
        origins,
        networks,
        ca_file,
        secrets: _,
        time,
        response_size,
        parallel,
    } = changed;
    respects([
        (
            "egress.origins",
            is_subset(origins.as_ref(), original.origins.as_ref()),
        ),
        ("egress.networks", networks.is_subset(&original.networks)),
        (
            "egress.ca_file",
            ca_file.is_none() || *ca_file == original.ca_file,
        ),
        (
            "egress.bounds",
            *time <= original.time
                && *response_size <= original.response_size
                && *parallel <= original.parallel,
        ),
    ])
}

fn wider_listener(changed: &Listener, original: &Listener) -> Respects {
    let Listener {
        address: _,
        protocols,
        // Of what there is, any path is the same.
        path: _,
        any_path: _,
        mode,
        origins,
        tls,
        proxy,
    } = changed;
    let is_believed_no_more = |now: &Proxy| {
        let Proxy { from, header } = now;
        original.proxy.as_ref().is_some_and(|before| {
            *header == before.header && from.iter().all(|it| before.from.contains(it))
        })
    };
    let is_required = |tls: Option<&Tls>| {
        tls.is_some_and(|tls| tls.client_certificate == ClientCertificate::Required)
    };
    respects([
        ("protocols", protocols.is_subset(&original.protocols)),
        ("mode", mode.bits() & !original.mode.bits() == 0),
        (
            "listener.origins",
            is_subset(origins.as_ref(), original.origins.as_ref()),
        ),
        ("tls", tls.is_some() || original.tls.is_none()),
        (
            "client_roots",
            tls.as_ref().is_none_or(|tls| {
                let before = original.tls.as_ref();
                let before = before.and_then(|tls| tls.client_roots.as_ref());
                tls.client_roots.is_none() || tls.client_roots.as_ref() == before
            }),
        ),
        (
            "client_certificate",
            is_required(tls.as_ref()) || !is_required(original.tls.as_ref()),
        ),
        ("proxy", proxy.iter().all(is_believed_no_more)),
    ])
}
