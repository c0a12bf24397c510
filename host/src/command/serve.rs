use std::{net::SocketAddr, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context, anyhow};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, sleep, timeout_at},
};
use tokio_util::task::TaskTracker;

use super::ServeArgs;
use crate::{
    config::{self, Operator},
    credential::{PasswordQueue, Sqlite, Store, Vault},
    egress::Egress,
    login,
    method::{Connection, Runtime},
    observe,
    realm::{Hints, Inspection, Realms, Reloader, Workshop},
    session::{SessionSettings, Sessions},
    transport::{WebSocket, WebSocketSettings},
    wamp::reason,
};

/// How long sessions have to end after Ctrl-C.
const FAREWELL: Duration = Duration::from_secs(4);

/// How long no connection is accepted after the system could not give one, for want of descriptors
/// most likely.
const BREATHER: Duration = Duration::from_millis(100);

pub(super) async fn run(args: ServeArgs) -> anyhow::Result<ExitCode> {
    observe::start_log(args.log_format);
    let operator = Operator::read(&args.config.config)?;
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(&operator.credentials)?);
    let queue = PasswordQueue::new(
        operator.passwords.threads().get(),
        operator.passwords.queue as usize,
    );
    let vault = Vault::open(Arc::clone(&store), queue)?;
    let runtime = Arc::new(Runtime::new()?);
    let egress = Arc::new(Egress::new(&operator.egress)?);
    let workshop = Workshop::new(runtime, vault, egress, operator.methods.clone());

    let realms = Arc::new(Realms::default());
    // Before the first look, or a change between the two would be missed.
    let hints = Hints::of(&[&operator.realms, &operator.methods]);
    let mut reloader = Reloader::new(workshop, operator.realms.clone(), Arc::clone(&realms));
    let inspections = reloader.look().await.with_context(|| {
        format!(
            "{}: the directory of the realms' files cannot be read; create it, or name another \
             under [realms] in {}",
            operator.realms.display(),
            args.config.config.display()
        )
    })?;
    inspections.iter().for_each(Inspection::warm_up);
    if realms.all().is_empty() {
        tracing::warn!(
            "there is no realm, so nobody can log in; put a file NAME.toml into {}",
            operator.realms.display()
        );
    }

    let sessions = Arc::new(Sessions::new(
        Arc::clone(&realms),
        session_settings(&operator),
    ));
    let tasks = TaskTracker::new();
    for listener in &operator.listeners {
        let (socket, address) = bind(listener).await?;
        tracing::info!(%address, path = %listener.path, "listening");
        suggest_login(&*store, &realms, address, listener);
        let settings = websocket_settings(&operator, listener);
        let sessions = Arc::clone(&sessions);
        tokio::spawn(accept(
            socket,
            settings,
            operator.login.hello,
            sessions,
            tasks.clone(),
        ));
    }
    tokio::spawn(reloader.follow(hints));

    stop_signal().await?;
    tracing::info!("stopping: saying GOODBYE to everyone");
    realms.close(reason::SYSTEM_SHUTDOWN);
    tasks.close();
    if tokio::time::timeout(FAREWELL, tasks.wait()).await.is_err() {
        tracing::warn!(connections = tasks.len(), "some clients did not take leave");
    }
    Ok(ExitCode::SUCCESS)
}

async fn bind(listener: &config::Listener) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let wanted = listener.websocket;
    let socket = TcpListener::bind(wanted).await.map_err(|error| {
        anyhow!("cannot listen on {wanted}: {error}; choose another address under [[listener]]")
    })?;
    let address = socket.local_addr()?;
    Ok((socket, address))
}

/// For a first look: a command that can be copied.
fn suggest_login(
    store: &dyn Store,
    realms: &Realms,
    address: SocketAddr,
    listener: &config::Listener,
) {
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
async fn accept(
    socket: TcpListener,
    settings: WebSocketSettings,
    hello: Duration,
    sessions: Arc<Sessions>,
    tasks: TaskTracker,
) {
    loop {
        let (stream, peer) = match socket.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(BREATHER).await;
                continue;
            }
        };
        let (sessions, settings) = (Arc::clone(&sessions), settings.clone());
        tasks.spawn(connection(stream, peer, settings, hello, sessions));
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    settings: WebSocketSettings,
    hello: Duration,
    sessions: Arc<Sessions>,
) {
    let since = Instant::now();
    let Some(place) = sessions.place() else {
        return;
    };
    // Messages are small and wait for answers: a delay of 40 ms would be most of a login.
    _ = stream.set_nodelay(true);
    let wire = match timeout_at(since + hello, WebSocket::accept(stream, &settings)).await {
        Ok(Ok(wire)) => wire,
        Ok(Err(broken)) => return tracing::debug!(%peer, %broken, "no WebSocket came about"),
        Err(_) => return tracing::debug!(%peer, "no WebSocket came about in time"),
    };
    let connection = Connection {
        peer: format!("tcp:{peer}"),
        confidential: peer.ip().is_loopback(),
    };
    sessions.serve(wire, connection, place, since).await;
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

fn websocket_settings(operator: &Operator, listener: &config::Listener) -> WebSocketSettings {
    WebSocketSettings {
        path: listener.path.as_str().to_owned(),
        login_frame: operator.login.message_size.length(),
        session_frame: operator.session.message_size.length(),
        ping: operator.session.ping,
    }
}

/// Ctrl-C, or what a service manager sends.
async fn stop_signal() -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    Ok(())
}
