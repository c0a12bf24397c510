use std::{path::Path, time::Duration};

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode, ModifyKind, RenameMode},
};
use tokio::{
    sync::watch,
    time::{Instant, timeout, timeout_at},
};

/// How long nothing must happen before a change is looked at. Whoever writes a file in several
/// pieces is not done before.
const QUIET: Duration = Duration::from_millis(30);

/// The same after a file has become whole: it was closed, or another was put in its place. A method's
/// table or signature may follow its component.
const WHOLE: Duration = Duration::from_millis(10);

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
    /// When it is time to look, after the last thing that has happened.
    due: watch::Receiver<Instant>,
}

impl Hints {
    /// Watches directories, not files: a file that is replaced by another of its name is no longer
    /// the file that was watched.
    pub fn of(directories: &[&Path]) -> Self {
        let (sender, due) = watch::channel(Instant::now());
        let on_event = move |event: notify::Result<Event>| {
            let quiet = event.map_or(Some(QUIET), |event| quiet_after(event.kind));
            if let Some(quiet) = quiet {
                sender.send_replace(Instant::now() + quiet);
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
            due,
        }
    }

    /// Waits until it is time to look.
    pub async fn next(&mut self) {
        match timeout(POLL, self.due.changed()).await {
            Ok(Ok(())) => {}
            // Without a watcher there is only the poll.
            Ok(Err(_)) => return tokio::time::sleep(POLL).await,
            Err(_) => return,
        }
        let at_most = Instant::now() + AT_MOST;
        loop {
            let due = (*self.due.borrow_and_update()).min(at_most);
            match timeout_at(due, self.due.changed()).await {
                Ok(Ok(())) if Instant::now() < at_most => {}
                _ => return,
            }
        }
    }
}

/// How long to wait after an event. None: it is no change. Reading a file is an event too; were that a
/// hint, looking at the files would never end.
const fn quiet_after(kind: EventKind) -> Option<Duration> {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write))
        | EventKind::Modify(ModifyKind::Name(RenameMode::To | RenameMode::Both)) => Some(WHOLE),
        EventKind::Access(_) => None,
        _ => Some(QUIET),
    }
}
