use std::{io, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context, anyhow};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::{Instant, MissedTickBehavior, interval, sleep, timeout_at},
};
use tokio_util::task::TaskTracker;

use super::{ServeArgs, descriptors};
use crate::{
    admin::{Counter, Desk},
    config::{self, Conform, ListenAddress, Octets, Operator, Protocol},
    credential::{PasswordQueue, QueueBounds, Sqlite, Store, Vault},
    egress::Egress,
    login,
    method::{Compiler, CompilerBounds, Helper, Runtime, Shelf, Signers},
    metrics::{MetricsServer, Survey},
    observe::{self, Audit},
    realm::{Hints, Inspection, Ledger, Realms, Reloader, Workshop, follow_credentials},
    session::{SessionSettings, Sessions},
    transport::{Arrived, CookieExchange, Frames, Incoming, Listener, own_user},
    wamp::reason,
};

/// How long sessions have to end after Ctrl-C.
const FAREWELL: Duration = Duration::from_secs(4);

/// How often a listener looks whether its certificate was renewed.
const RENEWAL: Duration = Duration::from_secs(2);

/// How long no connection is accepted after the system could not give one, for want of descriptors
/// most likely.
const BREATHER: Duration = Duration::from_millis(100);

pub(super) async fn run(args: ServeArgs) -> anyhow::Result<ExitCode> {
    observe::start_log(args.log_format);
    let operator = Operator::read(&args.config.config)?;
    // First of all: where another router runs already, this one must not begin.
    let counter = Counter::bind(&operator.admin.socket)?;
    descriptors::take_all(operator.login.waiting);
    let audit = operator.audit.as_ref().map(Audit::open).transpose()?;
    let metrics = match operator.metrics.address {
        Some(address) => Some(MetricsServer::bind(address).await?),
        None => None,
    };
    let ledger = Ledger::open(&operator.loading.revisions, own_user()?)?;
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(&operator.credentials)?);
    let queue = PasswordQueue::new(queue_bounds(&operator));
    let passwords = queue.clone();
    let vault = Vault::open(Arc::clone(&store), queue)?;
    let shelf = Shelf::open(&operator.loading.cache, own_user()?)
        .map_err(|error| anyhow!("{error}; or name another directory under [methods] cache"))?;
    let runtime = Arc::new(Runtime::with(compiler(&operator, Some(shelf))?)?);
    let egress = Arc::new(Egress::new(&operator.egress)?);
    let workshop = Workshop::new(
        Arc::clone(&runtime),
        vault,
        egress,
        operator.methods.clone(),
    )
    .requiring(signers(&operator))
    .requiring_conformance(operator.loading.conform == Conform::Required)
    .under(operator.ceilings.clone())
    .heeding(Arc::new(ledger));
    let workshop = Arc::new(workshop);

    let realms = Arc::new(Realms::default());
    // Before the first look, or a change between the two would be missed.
    let hints = Hints::of(&[&operator.realms, &operator.methods]);
    let mut reloader = Reloader::new(
        Arc::clone(&workshop),
        operator.realms.clone(),
        Arc::clone(&realms),
    )
    .serving_cookies(operator.may_serve_cookies());
    let inspections = reloader.look().await.with_context(|| {
        format!(
            "{}: the directory of the realms' files cannot be read; create it, or name another \
             under [realms] in {}",
            operator.realms.display(),
            args.config.config.display()
        )
    })?;
    inspections.iter().for_each(Inspection::warm_up);
    if realms.all().is_empty() && !args.realms_are_made {
        tracing::warn!(
            "there is no realm, so nobody can log in; put a file NAME.toml into {}",
            operator.realms.display()
        );
    }

    let sessions = Sessions::new(Arc::clone(&realms), session_settings(&operator));
    let sessions = Arc::new(sessions.recording(audit));
    // Before the first client: whoever is in must hear GOODBYE. Not earlier: until then a signal ends
    // the program as it ends any other.
    let stop = StopSignals::listen()?;
    runtime.begin_to_serve();
    let tasks = TaskTracker::new();
    for config in &operator.listeners {
        let cookies: Arc<dyn CookieExchange> = Arc::<Realms>::clone(&realms);
        let listener = Listener::bind(config, frames(&operator), cookies)?;
        let address = listener.address()?;
        let protocols = protocols(config);
        tracing::info!(%address, path = %config.path, protocols, tls = config.tls.is_some(), "listening");
        suggest_login(&*store, &realms, &address, config);
        let (sessions, hello) = (Arc::clone(&sessions), operator.login.hello);
        tokio::spawn(accept(listener, hello, sessions, tasks.clone()));
    }
    // A reload reads files, starts compilers and tries methods out.
    let _following = runtime.spawn_chore(reloader.follow(hints));
    if let Some(server) = metrics {
        tracing::info!(address = %server.address(), "serving metrics");
        tokio::spawn(server.serve(Survey {
            realms: Arc::clone(&realms),
            runtime,
            passwords,
            sessions: Arc::clone(&sessions),
        }));
    }
    tokio::spawn(follow_credentials(store, Arc::clone(&realms)));
    let desk = Desk::new(Arc::clone(&realms), workshop, operator.realms.clone());
    tokio::spawn(counter.serve(desk));

    stop.arrived().await;
    tracing::info!("stopping: saying GOODBYE to everyone");
    realms.close(reason::SYSTEM_SHUTDOWN);
    tasks.close();
    if tokio::time::timeout(FAREWELL, tasks.wait()).await.is_err() {
        tracing::warn!(connections = tasks.len(), "some clients did not take leave");
    }
    Ok(ExitCode::SUCCESS)
}

/// Who compiles components: a process of this program's for each.
pub(super) fn compiler(operator: &Operator, shelf: Option<Shelf>) -> anyhow::Result<Compiler> {
    let program = Helper::own_program().context("the router's own program is not found")?;
    let bounds = CompilerBounds {
        time: operator.loading.compile_time,
        memory: operator.loading.compile_memory.count(),
    };
    Ok(Compiler::Helper(Helper::new(program, bounds, shelf)))
}

/// Whose components are run.
pub(super) fn signers(operator: &Operator) -> Signers {
    operator.loading.signers.iter().copied().collect()
}

/// The words of the configuration for what a listener speaks.
fn protocols(config: &config::Listener) -> String {
    let words: Vec<_> = config.protocols.iter().map(|it| it.name()).collect();
    words.join(", ")
}

/// For a first look: a command that can be copied.
fn suggest_login(
    store: &dyn Store,
    realms: &Realms,
    address: &ListenAddress,
    listener: &config::Listener,
) {
    let speaks_websocket = listener.protocols.contains(&Protocol::WebSocket);
    let (ListenAddress::Tcp(address), None, true) = (address, &listener.tls, speaks_websocket)
    else {
        return;
    };
    let program = std::env::args()
        .next()
        .unwrap_or_else(|| "countersign".into());
    let mut names: Vec<_> = realms
        .all()
        .into_iter()
        .map(|realm| Arc::clone(&realm.name))
        .collect();
    names.sort();
    let Some(realm) = names.first() else { return };
    let someone = store
        .list(&(&**realm).into())
        .unwrap_or_default()
        .into_iter()
        .next();
    let authid = someone
        .map(|entry| format!(" --authid {}", entry.authid))
        .unwrap_or_default();
    tracing::info!(
        "log in with: {program} login ws://{address}{} --realm {realm}{authid}",
        listener.path
    );
}

/// Accepts connections for ever, each served by a task of its own.
async fn accept(listener: Listener, hello: Duration, sessions: Arc<Sessions>, tasks: TaskTracker) {
    let mut renewal = interval(RENEWAL);
    renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = renewal.tick() => {
                renew(&listener);
                continue;
            }
        };
        match accepted {
            Ok(incoming) => {
                // Boxed: tokio would move all of it four times over.
                tasks.spawn(Box::pin(connection(incoming, hello, Arc::clone(&sessions))));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(BREATHER).await;
            }
        }
    }
}

/// Looks whether the listener's certificate was renewed.
fn renew(listener: &Listener) {
    match listener.renew() {
        Ok(false) => {}
        Ok(true) => tracing::info!("the certificate was renewed: new connections get the new one"),
        Err(error) => tracing::error!(
            "the changed TLS files cannot be used, so the earlier ones stay in use: {error}"
        ),
    }
}

async fn connection(incoming: Incoming, hello: Duration, sessions: Arc<Sessions>) {
    let since = Instant::now();
    let Some(place) = sessions.place() else {
        return;
    };
    let peer = incoming.peer().to_owned();
    match timeout_at(since + hello, incoming.arrive()).await {
        Ok(Ok((Arrived::WebSocket(wire), connection))) => {
            sessions.serve(*wire, connection, place, since).await;
        }
        Ok(Ok((Arrived::RawSocket(wire), connection))) => {
            sessions.serve(*wire, connection, place, since).await;
        }
        Ok(Err(reason)) if reason.is_notable() => {
            tracing::info!(peer, %reason, "a connection carries no WAMP");
        }
        Ok(Err(reason)) => tracing::debug!(peer, %reason, "a connection carries no WAMP"),
        Err(_) => tracing::debug!(peer, "a connection carried no WAMP in time"),
    }
}

fn session_settings(operator: &Operator) -> SessionSettings {
    SessionSettings {
        login: login::Limits {
            hello: operator.login.hello,
            round: operator.login.round,
            total: operator.login.total,
            rounds: operator.login.rounds,
        },
        nesting: operator.login.nesting as usize,
        waiting: operator.login.waiting as usize,
        queue: operator.session.queue.length(),
    }
}

fn queue_bounds(operator: &Operator) -> QueueBounds {
    let passwords = &operator.passwords;
    let running = passwords.threads().get();
    QueueBounds {
        running,
        waiting: passwords.queue as usize,
        wait: passwords.wait,
        memory: passwords
            .memory
            .map_or_else(|| QueueBounds::usual_memory(running), Octets::length),
    }
}

fn frames(operator: &Operator) -> Frames {
    Frames {
        login: operator.login.message_size.length(),
        session: operator.session.message_size.length(),
        ping: operator.session.ping,
    }
}

/// Ctrl-C, and what a service manager sends.
struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignals {
    /// From here on neither of them ends the program.
    fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Returns at the first of them, also if it came before this call.
    async fn arrived(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
