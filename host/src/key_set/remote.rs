use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Weak},
    time::Instant,
};

use parking_lot::Mutex;
use tokio::sync::watch;

use super::{Fetch, KeySet};
use crate::config::RemoteKeySet;

/// The key sets at addresses, of all realms. One for the process.
pub struct Remotes {
    fetch: Arc<dyn Fetch>,
    /// By the realm and what its file says: another realm's set is another one, even at the same
    /// address, so that nobody waits for, or lives on, what somebody else's rules let through.
    known: Mutex<HashMap<Named, Weak<Remote>>>,
}

/// A realm, and a set as its file has it.
type Named = (Arc<str>, RemoteKeySet);

impl Remotes {
    pub fn new(fetch: Arc<dyn Fetch>) -> Self {
        Self {
            fetch,
            known: Mutex::default(),
        }
    }

    /// The one that a realm has named. The same as before, as long as the realm has named it so
    /// without a gap.
    /// The error is why it would never be fetched.
    pub(super) fn open(
        &self,
        realm: &Arc<str>,
        place: &RemoteKeySet,
    ) -> Result<Arc<Remote>, String> {
        self.fetch.check(place.url.as_str())?;
        let mut known = self.known.lock();
        known.retain(|_, remote| remote.strong_count() > 0);
        let named = (Arc::clone(realm), place.clone());
        if let Some(remote) = known.get(&named).and_then(Weak::upgrade) {
            return Ok(remote);
        }
        let remote = Arc::new(Remote {
            realm: Arc::clone(realm),
            place: place.clone(),
            fetch: Arc::clone(&self.fetch),
            state: Mutex::default(),
            attempts: watch::Sender::new(0),
        });
        known.insert(named, Arc::downgrade(&remote));
        Ok(remote)
    }
}

/// A key set at an address.
pub(super) struct Remote {
    realm: Arc<str>,
    place: RemoteKeySet,
    fetch: Arc<dyn Fetch>,
    state: Mutex<State>,
    /// How many have ended, for those who wait for one.
    attempts: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    /// The last good set, and when it was fetched.
    good: Option<(Arc<KeySet>, Instant)>,
    attempt: Attempt,
    /// Why the last attempt failed, if it did.
    failure: Option<String>,
}

#[derive(Clone, Copy, Debug, Default)]
enum Attempt {
    #[default]
    None,
    UnderWay,
    Ended(Instant),
}

impl Remote {
    /// The set, in which a key of this name was looked for. Waits for an attempt to fetch it where
    /// that may help and is due. The error is why there is none.
    pub(super) async fn get(self: &Arc<Self>, kid: Option<&str>) -> Result<Arc<KeySet>, String> {
        if let Some((set, fetched)) = self.good()
            && kid.is_none_or(|kid| set.has(kid))
        {
            if fetched.elapsed() >= self.place.refresh {
                // Nobody waits for it: what there is is good for a while yet.
                self.attempt();
            }
            return Ok(set);
        }
        if let Some(mut attempts) = self.attempt() {
            // The sender is ours, so it is there.
            _ = attempts.changed().await;
        }
        match self.good() {
            Some((set, _)) => Ok(set),
            None => Err(self.why_not()),
        }
    }

    /// Sees to it that it is there when it is asked for first.
    pub(super) fn warm_up(self: &Arc<Self>) {
        if self.good().is_none() {
            self.attempt();
        }
    }

    /// The last good set, unless it is too old.
    fn good(&self) -> Option<(Arc<KeySet>, Instant)> {
        let good = self.state.lock().good.clone();
        good.filter(|(_, fetched)| fetched.elapsed() < self.place.keep)
    }

    /// Begins an attempt, if none is under way and the pause after the last is over. Returns what
    /// tells of the end of the one that is under way then.
    fn attempt(self: &Arc<Self>) -> Option<watch::Receiver<u64>> {
        let mut state = self.state.lock();
        match state.attempt {
            Attempt::UnderWay => {}
            Attempt::Ended(ended) if ended.elapsed() < self.place.pause => return None,
            Attempt::None | Attempt::Ended(_) => {
                state.attempt = Attempt::UnderWay;
                let running = Running(Arc::clone(self));
                // A task of its own: a client that hangs up must not take the attempt with it, for
                // which others wait.
                tokio::spawn(async move { running.run().await });
            }
        }
        Some(self.attempts.subscribe())
    }

    fn settle(&self, outcome: Result<KeySet, String>) {
        let (realm, url) = (&self.realm, &self.place.url);
        let mut state = self.state.lock();
        match outcome {
            Ok(set) => {
                let is_new = state.good.as_ref().is_none_or(|(old, _)| **old != set);
                if is_new || state.failure.is_some() {
                    tracing::info!(%realm, %url, keys = set.len(), "a key set was fetched");
                }
                state.failure = None;
                state.good = Some((Arc::new(set), Instant::now()));
            }
            Err(why) => {
                match &state.good {
                    Some((_, fetched)) if fetched.elapsed() < self.place.keep => tracing::warn!(
                        %realm, %url, age = ?fetched.elapsed(),
                        "a key set cannot be fetched, the one before goes on: {why}"
                    ),
                    _ => tracing::error!(
                        %realm, %url,
                        "a key set cannot be fetched, and there is none to go on with: {why}"
                    ),
                }
                state.failure = Some(why);
            }
        }
    }

    fn why_not(&self) -> String {
        let state = self.state.lock();
        let url = &self.place.url;
        let why = state
            .failure
            .as_deref()
            .unwrap_or("nothing was fetched yet");
        match &state.good {
            Some((_, fetched)) => format!(
                "{url}: {why}; what was fetched {} s ago is too old to go on with",
                fetched.elapsed().as_secs()
            ),
            None => format!("{url}: {why}"),
        }
    }
}

/// An attempt that is under way. It has ended when this is dropped, however that comes.
struct Running(Arc<Remote>);

impl Running {
    async fn run(self) {
        let Self(remote) = &self;
        let fetched = remote
            .fetch
            .fetch(&remote.realm, remote.place.url.as_str())
            .await;
        let outcome =
            fetched.and_then(|octets| KeySet::parse(&octets).map_err(|error| error.to_string()));
        remote.settle(outcome);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Self(remote) = self;
        remote.state.lock().attempt = Attempt::Ended(Instant::now());
        remote.attempts.send_modify(|count| *count += 1);
    }
}

impl fmt::Debug for Remotes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remotes")
            .field("known", &self.known.lock().len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote")
            .field("realm", &self.realm)
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
