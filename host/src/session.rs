//! One client's connection, from its first frame to its last: it joins a transport, a login and a
//! realm's router.

mod established;
mod joining;
mod outbox;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures_util::{SinkExt, Stream, StreamExt};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};

use crate::{
    login::{self, Refusal},
    observe::Audit,
    realm::Realms,
    transport::{Broken, Connection, Wire},
    wamp::Message,
};

/// How long a client may take to read our last frame and to close its end.
const PARTING: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug)]
pub struct SessionSettings {
    pub login: login::Limits,
    /// How deep a message may be nested before WELCOME.
    pub nesting: usize,
    /// Logins under way at one time.
    pub waiting: usize,
    /// Octets that may wait for a client that does not read.
    pub queue: usize,
}

/// Where connections become sessions.
#[derive(Debug)]
pub struct Sessions {
    realms: Arc<Realms>,
    settings: SessionSettings,
    /// None: logins are put on record in the log only.
    audit: Option<Audit>,
    places: Arc<Semaphore>,
    turned_away: Arc<Semaphore>,
}

/// A connection's place until its login is over.
#[derive(Debug)]
pub enum Place {
    /// Among the logins that are under way.
    Login(OwnedSemaphorePermit),
    /// Among those that are told that there is no room.
    TurnedAway(OwnedSemaphorePermit),
}

/// How many are told at one time that there is no room. Beyond that a connection is dropped.
const TURNED_AWAY: usize = 1024;

impl Sessions {
    pub fn new(realms: Arc<Realms>, settings: SessionSettings) -> Self {
        Self {
            realms,
            settings,
            audit: None,
            places: Arc::new(Semaphore::new(settings.waiting)),
            turned_away: Arc::new(Semaphore::new(TURNED_AWAY)),
        }
    }

    /// Puts logins on record there, before their clients hear what came of them.
    #[must_use]
    pub fn recording(mut self, audit: Option<Audit>) -> Self {
        self.audit = audit;
        self
    }

    pub const fn audit(&self) -> Option<&Audit> {
        self.audit.as_ref()
    }

    /// Connections whose login is under way.
    pub fn under_way(&self) -> usize {
        let free = self.places.available_permits();
        self.settings.waiting.saturating_sub(free)
    }

    /// A place for a connection that has just come in. None: drop it.
    pub fn place(&self) -> Option<Place> {
        let login = Arc::clone(&self.places)
            .try_acquire_owned()
            .map(Place::Login);
        let turned_away = || {
            Arc::clone(&self.turned_away)
                .try_acquire_owned()
                .map(Place::TurnedAway)
        };
        login.or_else(|_| turned_away()).ok()
    }

    /// Serves one client until it is gone. `since` is when its connection came in.
    pub async fn serve<W: Wire>(
        &self,
        mut wire: W,
        connection: Connection,
        place: Place,
        since: Instant,
    ) {
        if let Place::TurnedAway(_) = place {
            self.realms.nowhere.turned_away(since.elapsed());
            tracing::warn!(
                target: "login", peer = connection.peer, outcome = Refusal::Unavailable.label(),
                waiting = self.settings.waiting, "login refused: too many are under way"
            );
            return part(&mut wire, &Refusal::Unavailable.abort()).await;
        }
        let connection = Arc::new(connection);
        let joining = joining::Joining::new(self, connection, since);
        let closed = self.realms.closed().cancelled();
        let joined = tokio::select! {
            joined = joining.run(&mut wire) => joined,
            () = closed => return part(&mut wire, &Refusal::ShuttingDown.abort()).await,
        };
        let Some(joined) = joined else { return };
        drop(place);
        wire.unlock();
        established::run(wire, joined, self.settings.queue).await;
    }
}

/// Sends a last message and closes, without waiting for long.
async fn part<W: Wire>(wire: &mut W, message: &Message) {
    let Ok(frame) = message.encode(wire.serializer()) else {
        return;
    };
    // Whether it arrives is up to the client.
    _ = timeout(PARTING, async {
        wire.send(frame).await?;
        wire.close().await?;
        hear_out(wire).await;
        Ok::<_, Broken>(())
    })
    .await;
}

/// Reads what the client still sends, and drops it. Were the socket closed with octets unread, the
/// system would reset the connection, and what we said last could be lost with it.
async fn hear_out<S: Stream<Item = Result<Bytes, Broken>> + Unpin>(stream: &mut S) {
    while let Some(Ok(_)) = stream.next().await {}
}

/// How long it is from now until then.
fn until(time: SystemTime) -> Duration {
    time.duration_since(SystemTime::now()).unwrap_or_default()
}
