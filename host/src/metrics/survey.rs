use std::{
    fmt,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use prometheus_client::{
    collector::Collector, encoding::DescriptorEncoder, encoding::prometheus_text,
    registry::Registry,
};

use super::page::{Labels, Page};
use crate::{
    credential::{PasswordQueue, QueueLoad},
    method::{CircuitState, Method, Runtime, RuntimeLoad},
    observe::{Audit, AuditCounts, LoginCount, LoginTally},
    realm::{Generation, Part, Realm, Realms, RevisionState, RevisionStatus},
    router::Traffic,
    session::Sessions,
};

/// Reads what the rooms of the router have counted.
#[derive(Clone, Debug)]
pub struct Survey {
    pub realms: Arc<Realms>,
    pub runtime: Arc<Runtime>,
    pub passwords: PasswordQueue,
    pub sessions: Arc<Sessions>,
}

/// A realm as it is when somebody asks.
struct Sight {
    realm: Arc<Realm>,
    generation: Arc<Generation>,
    revisions: Vec<(RevisionStatus, String)>,
    logins: Vec<LoginCount>,
    traffic: Traffic,
}

impl Survey {
    /// The page, in the text format of Prometheus.
    pub(super) fn page(&self) -> Result<String, fmt::Error> {
        let mut registry = Registry::with_prefix("countersign");
        registry.register_collector(Box::new(self.clone()));
        let mut page = String::new();
        prometheus_text::encode(&mut page, &registry)?;
        Ok(page)
    }

    fn sights(&self) -> Vec<Sight> {
        let mut realms = self.realms.all();
        realms.sort_by(|a, b| a.name.cmp(&b.name));
        let sights = realms.into_iter().map(|realm| {
            let revisions = realm.revisions().into_iter();
            Sight {
                generation: realm.generation(),
                revisions: revisions
                    .map(|status| {
                        let digest = status.digest.short();
                        (status, digest)
                    })
                    .collect(),
                logins: realm.logins.counts(),
                traffic: realm.router.traffic(),
                realm,
            }
        });
        sights.collect()
    }
}

impl Collector for Survey {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page::new(encoder);
        let sights = self.sights();
        self.router(&mut page)?;
        logins(&mut page, &sights, &self.realms.nowhere)?;
        sessions(&mut page, &sights)?;
        calls(&mut page, &sights)?;
        bulkheads(&mut page, &sights)?;
        revisions(&mut page, &sights)
    }
}

impl Survey {
    /// What is not of one realm.
    fn router(&self, page: &mut Page<'_>) -> fmt::Result {
        page.gauges(
            "build_info",
            "The version that runs; its value is always 1.",
            [([("version", env!("CARGO_PKG_VERSION"))], 1)],
        )?;
        page.gauges(
            "logins_under_way",
            "Connections whose login is not over.",
            [([], count(self.sessions.under_way()))],
        )?;
        let RuntimeLoad {
            calls,
            waiters,
            slow,
            warm,
        } = self.runtime.load();
        let kinds = [
            ("call", calls),
            ("waiting", waiters),
            ("slow", slow),
            ("warm", warm),
        ];
        page.gauges(
            "instances",
            "Instances of methods: for calls under way (call), of those for calls that may wait for \
             somebody outside (waiting) or of methods that take long (slow), and kept for later calls \
             (warm).",
            kinds.map(|(kind, number)| ([("kind", kind)], count(number))),
        )?;
        let QueueLoad {
            running,
            waiting,
            overloaded,
            late,
        } = self.passwords.load();
        page.gauges(
            "password_checks_running",
            "Passwords that are being checked.",
            [([], count(running))],
        )?;
        page.gauges(
            "password_checks_waiting",
            "Passwords that wait to be checked.",
            [([], count(waiting))],
        )?;
        let refused = [("queue", overloaded), ("wait", late)];
        page.counters(
            "password_checks_refused",
            "Passwords that were not checked, by the limit under [passwords].",
            refused.map(|(limit, number)| ([("limit", limit)], number)),
        )?;
        page.counters(
            "credential_changes",
            "Changes of credentials that the running router has noticed.",
            [([], self.realms.credential_changes.load(Relaxed))],
        )?;
        let records = self.sessions.audit().map(Audit::counts);
        page.counters(
            "audit_records",
            "Records of logins, by whether they are in the audit file.",
            records
                .into_iter()
                .flat_map(|AuditCounts { written, lost }| {
                    let outcomes = [("written", written), ("lost", lost)];
                    outcomes.map(|(outcome, number)| ([("outcome", outcome)], number))
                }),
        )?;
        let reloads = self.realms.reloads.counts();
        page.counters(
            "reloads",
            "Looks at the changed files of a realm, by what came of them and the stage that was not \
             passed.",
            reloads.into_iter().map(|(outcome, stage, number)| {
                ([("outcome", outcome.label()), ("stage", stage)], number)
            }),
        )
    }
}

fn logins(page: &mut Page<'_>, sights: &[Sight], nowhere: &LoginTally) -> fmt::Result {
    let stray = nowhere.counts();
    let all = sights.iter().map(|sight| (sight.name(), &sight.logins));
    let all = all.chain([("", &stray)]);
    page.counters(
        "logins",
        "Logins that are over, by their first step and what came of them.",
        all.flat_map(|(realm, counts)| {
            counts.iter().map(move |login| {
                let labels = [
                    ("realm", realm),
                    (
                        "authmethod",
                        login.authmethod.as_ref().map_or("", |it| it.as_str()),
                    ),
                    ("outcome", login.outcome),
                ];
                (labels, login.count)
            })
        }),
    )?;
    page.histograms(
        "login_duration_seconds",
        "From the connection to the end of its login.",
        sights
            .iter()
            .map(|sight| ([("realm", sight.name())], sight.realm.logins.took())),
    )
}

fn sessions(page: &mut Page<'_>, sights: &[Sight]) -> fmt::Result {
    page.gauges(
        "sessions",
        "Sessions that are open.",
        of_each(sights, |sight| count(sight.realm.population())),
    )?;
    page.counters(
        "calls_routed",
        "Calls that got to a callee.",
        of_each(sights, |sight| sight.traffic.calls),
    )?;
    page.counters(
        "publications",
        "Publications that were taken.",
        of_each(sights, |sight| sight.traffic.publications),
    )?;
    page.counters(
        "events_routed",
        "Events that went to subscribers.",
        of_each(sights, |sight| sight.traffic.events),
    )
}

fn calls(page: &mut Page<'_>, sights: &[Sight]) -> fmt::Result {
    page.counters(
        "method_calls",
        "Calls of methods: the verdict, or the label of the limit or the fault that ended it.",
        steps(sights).flat_map(|(realm, step, method)| {
            let counts = method.tenure.outcomes.counts();
            counts.map(move |(outcome, number)| {
                (
                    [("realm", realm), ("step", step), ("outcome", outcome)],
                    number,
                )
            })
        }),
    )?;
    page.histograms(
        "method_call_duration_seconds",
        "How long a call took, with its wait for room.",
        steps(sights).map(|(realm, step, method)| {
            (
                [("realm", realm), ("step", step)],
                method.tenure.outcomes.took(),
            )
        }),
    )?;
    page.gauges(
        "circuit_open",
        "1 while a step's method is asked nothing, since it only failed.",
        circuits(sights).map(|(labels, state)| (labels, state.is_open.into())),
    )?;
    page.gauges(
        "circuit_sources",
        "Addresses that a step's method is not asked for, since it only failed for them.",
        circuits(sights).map(|(labels, state)| (labels, count(state.sources))),
    )
}

fn bulkheads(page: &mut Page<'_>, sights: &[Sight]) -> fmt::Result {
    let loads: Vec<_> = sights
        .iter()
        .map(|sight| (sight.name(), sight.generation.bulkhead.load()))
        .collect();
    let of_each = |read: fn(&crate::method::BulkheadLoad) -> usize| {
        let loads = loads.iter();
        loads.map(move |(realm, load)| ([("realm", *realm)], count(read(load))))
    };
    page.gauges(
        "realm_logins_under_way",
        "Logins of a realm that are not over.",
        of_each(|load| load.logins),
    )?;
    page.gauges(
        "realm_calls_running",
        "Calls of a realm's methods that are under way.",
        of_each(|load| load.calls),
    )?;
    page.gauges(
        "realm_calls_waiting",
        "Calls of a realm's methods that wait for room.",
        of_each(|load| load.waiting),
    )?;
    page.counters(
        "realm_refused",
        "Logins and calls that a realm had no room for, by the limit under [limits].",
        loads.iter().flat_map(|(realm, load)| {
            let refused = load.refused.into_iter();
            refused.map(|(limit, number)| ([("realm", *realm), ("limit", limit)], number))
        }),
    )
}

fn revisions(page: &mut Page<'_>, sights: &[Sight]) -> fmt::Result {
    page.gauges(
        "generation",
        "The number of a realm's generation.",
        of_each(sights, |sight| sight.generation.number),
    )?;
    page.gauges(
        "revision_info",
        "The revisions of each step and what becomes of them; its value is always 1.",
        sights.iter().flat_map(|sight| {
            sight.revisions.iter().map(|(status, digest)| {
                let labels = [
                    ("realm", sight.name()),
                    ("step", status.step.as_str()),
                    ("revision", digest.as_str()),
                    ("state", state(status.state)),
                    (
                        "withdrawn",
                        if status.is_withdrawn { "true" } else { "false" },
                    ),
                ];
                (labels, 1)
            })
        }),
    )
}

impl Sight {
    fn name(&self) -> &str {
        &self.realm.name
    }
}

/// The same of each realm.
fn of_each<'a>(
    sights: &'a [Sight],
    read: impl Fn(&Sight) -> u64 + 'a,
) -> impl Iterator<Item = (Labels<'a, 1>, u64)> {
    sights
        .iter()
        .map(move |sight| ([("realm", sight.name())], read(sight)))
}

/// What does each step, by the realm and the step.
fn steps(sights: &[Sight]) -> impl Iterator<Item = (&str, &str, &Arc<Method>)> {
    sights.iter().flat_map(|sight| {
        let mut methods: Vec<_> = sight.generation.methods.iter().collect();
        methods.sort_by_key(|(step, _)| *step);
        methods
            .into_iter()
            .map(|(step, method)| (sight.name(), step.as_str(), method))
    })
}

fn circuits(sights: &[Sight]) -> impl Iterator<Item = (Labels<'_, 3>, CircuitState)> {
    steps(sights).flat_map(|(realm, step, method)| {
        let rounds = ["begin", "resume"].into_iter().zip(method.circuits());
        rounds.map(move |(round, state)| {
            ([("realm", realm), ("step", step), ("round", round)], state)
        })
    })
}

const fn state(state: RevisionState) -> &'static str {
    match state {
        RevisionState::Live => "live",
        RevisionState::RolledBack => "rolled-back",
        RevisionState::Earlier => "earlier",
        RevisionState::Staged(Part::Idle) => "staged",
        RevisionState::Staged(Part::Shadow) => "shadow",
        RevisionState::Staged(Part::Canary(_)) => "canary",
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
