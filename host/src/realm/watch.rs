use std::{path::Path, time::Duration};

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode},
};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout, timeout_at},
};

/// How long nothing must happen before a change is looked at. Whoever writes a file in several
/// pieces is not done before.
const QUIET: Duration = Duration::from_millis(30);

/// But no change waits for longer than this.
const AT_MOST: Duration = Duration::from_secs(2);

/// How often files are looked at though nothing was heard: not every file system tells.
const POLL: Duration = Duration::from_secs(2);

/// Hints that files in some directories may have changed. Only hints: some file systems tell of
/// everything twice, some of nothing.
#[derive(Debug)]
pub struct Hints {
    /// Dropping it would end the hints.
    _watcher: Option<RecommendedWatcher>,
    events: mpsc::Receiver<()>,
}

impl Hints {
    /// Watches directories, not files: a file that is replaced by another of its name is no longer
    /// the file that was watched.
    pub fn of(directories: &[&Path]) -> Self {
        let (sender, events) = mpsc::channel(1);
        let on_event = move |event: notify::Result<Event>| {
            if event.map_or(true, |event| is_change(event.kind)) {
                // One hint that has not been taken yet stands for all.
                _ = sender.try_send(());
            }
        };
        let watcher = notify::recommended_watcher(on_event).and_then(|mut watcher| {
            for directory in directories {
                watcher.watch(directory, RecursiveMode::NonRecursive)?;
            }
            Ok(watcher)
        });
        if let Err(error) = &watcher {
            tracing::warn!(%error, "files are looked at every 2 s only: they cannot be watched");
        }
        Self {
            _watcher: watcher.ok(),
            events,
        }
    }

    /// Waits until it is time to look.
    pub async fn next(&mut self) {
        match timeout(POLL, self.events.recv()).await {
            Ok(Some(())) => {}
            // Without a watcher there is only the poll.
            Ok(None) => return tokio::time::sleep(POLL).await,
            Err(_) => return,
        }
        let at_most = Instant::now() + AT_MOST;
        loop {
            let quiet = (Instant::now() + QUIET).min(at_most);
            match timeout_at(quiet, self.events.recv()).await {
                Ok(Some(())) if Instant::now() < at_most => {}
                _ => return,
            }
        }
    }
}

/// Reading a file is an event too; were that a hint, looking at the files would never end.
const fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        _ => true,
    }
}
