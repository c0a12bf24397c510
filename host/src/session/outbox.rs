use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use tokio::sync::{Notify, mpsc};

use crate::{
    realm::LiveSession,
    router::{self, Farewell},
};

/// Frames on their way to one client, bounded in octets.
#[derive(Debug)]
pub(super) struct Outbox {
    frames: mpsc::UnboundedSender<Bytes>,
    queued: Arc<AtomicUsize>,
    limit: usize,
    full: Arc<Notify>,
    session: Arc<LiveSession>,
}

/// The other end of an [`Outbox`].
#[derive(Debug)]
pub(super) struct Outgoing {
    frames: mpsc::UnboundedReceiver<Bytes>,
    /// Whether the first frame has been handed on.
    has_begun: bool,
    /// Taken, and not yet handed on. Here, since whoever hands them on may be interrupted.
    taken: VecDeque<Bytes>,
    queued: Arc<AtomicUsize>,
    full: Arc<Notify>,
}

/// The most frames that are taken at once.
const BATCH: usize = 64;

pub(super) fn outbox(limit: usize, session: Arc<LiveSession>) -> (Outbox, Outgoing) {
    let (sender, frames) = mpsc::unbounded_channel();
    let queued = Arc::new(AtomicUsize::new(0));
    let full = Arc::new(Notify::new());
    let outbox = Outbox {
        frames: sender,
        queued: Arc::clone(&queued),
        limit,
        full: Arc::clone(&full),
        session,
    };
    let outgoing = Outgoing {
        frames,
        has_begun: false,
        taken: VecDeque::new(),
        queued,
        full,
    };
    (outbox, outgoing)
}

impl router::Outbox for Outbox {
    fn deliver(&self, frame: Bytes) {
        let before = self.queued.fetch_add(frame.len(), Ordering::Relaxed);
        if before.saturating_add(frame.len()) > self.limit {
            // The frame is lost, and with it the order that its client relies on: it must go.
            self.full.notify_one();
            return;
        }
        // Where the other end is gone, so is the client.
        _ = self.frames.send(frame);
    }

    fn end(&self, farewell: Farewell) {
        self.session.end(farewell);
    }
}

impl Outgoing {
    /// Waits until there are frames. False: there will be none.
    pub(super) async fn wait(&mut self) -> bool {
        if self.taken.is_empty() {
            let mut batch = Vec::with_capacity(BATCH);
            self.frames.recv_many(&mut batch, BATCH).await;
            self.taken.extend(batch);
        }
        !self.taken.is_empty()
    }

    /// Whether there is a frame that need not be waited for.
    pub(super) fn has_next(&mut self) -> bool {
        if self.taken.is_empty() {
            self.taken.extend(self.frames.try_recv().ok());
        }
        !self.taken.is_empty()
    }

    /// The next frame, for a socket that is ready for it.
    pub(super) fn next(&mut self) -> Option<Bytes> {
        let frame = self.taken.pop_front()?;
        self.has_begun = true;
        self.queued.fetch_sub(frame.len(), Ordering::Relaxed);
        Some(frame)
    }

    /// Drops what waits, but for the first frame of all: without WELCOME the client could not make
    /// anything of what it is told next.
    pub(super) fn forget(&mut self) {
        while let Ok(frame) = self.frames.try_recv() {
            self.taken.push_back(frame);
        }
        self.taken.truncate(usize::from(!self.has_begun));
    }

    /// Tells when the client has let more wait than it may.
    pub(super) fn full(&self) -> Arc<Notify> {
        Arc::clone(&self.full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deliver(outbox: &Outbox, frames: &[&'static str]) {
        for frame in frames {
            router::Outbox::deliver(outbox, Bytes::from_static(frame.as_bytes()));
        }
    }

    fn rest(outgoing: &mut Outgoing) -> Vec<Bytes> {
        std::iter::from_fn(|| outgoing.has_next().then(|| outgoing.next())?).collect()
    }

    #[tokio::test]
    async fn whoever_is_sent_away_gets_welcome_and_nothing_that_waits_behind_it() {
        let session = Arc::new(LiveSession::unfounded());
        let (outbox, mut outgoing) = outbox(1 << 10, Arc::clone(&session));
        deliver(&outbox, &["welcome", "an event"]);
        assert!(outgoing.wait().await);
        deliver(&outbox, &["another"]);
        outgoing.forget();
        assert_eq!(rest(&mut outgoing), ["welcome"]);

        deliver(&outbox, &["an event", "another"]);
        assert!(outgoing.wait().await);
        deliver(&outbox, &["a third"]);
        outgoing.forget();
        assert!(rest(&mut outgoing).is_empty());

        let farewell = Farewell::new("com.acme.go", "go", "a test");
        router::Outbox::end(&outbox, farewell.clone());
        assert_eq!(session.farewell(), Some(&farewell));
    }
}
