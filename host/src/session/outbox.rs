use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use tokio::sync::{Notify, mpsc};

use crate::router;

/// Frames on their way to one client, bounded in octets.
#[derive(Debug)]
pub(super) struct Outbox {
    frames: mpsc::UnboundedSender<Bytes>,
    queued: Arc<AtomicUsize>,
    limit: usize,
    full: Arc<Notify>,
}

/// The other end of an [`Outbox`].
#[derive(Debug)]
pub(super) struct Outgoing {
    frames: mpsc::UnboundedReceiver<Bytes>,
    queued: Arc<AtomicUsize>,
    full: Arc<Notify>,
}

/// The most frames that are taken at once.
const BATCH: usize = 64;

pub(super) fn outbox(limit: usize) -> (Outbox, Outgoing) {
    let (sender, frames) = mpsc::unbounded_channel();
    let queued = Arc::new(AtomicUsize::new(0));
    let full = Arc::new(Notify::new());
    let outbox = Outbox {
        frames: sender,
        queued: Arc::clone(&queued),
        limit,
        full: Arc::clone(&full),
    };
    (
        outbox,
        Outgoing {
            frames,
            queued,
            full,
        },
    )
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
}

impl Outgoing {
    /// Waits for frames and takes what is there. None: there will be no more.
    pub(super) async fn take(&mut self, batch: &mut Vec<Bytes>) -> Option<()> {
        batch.clear();
        if self.frames.recv_many(batch, BATCH).await == 0 {
            return None;
        }
        Some(())
    }

    /// What has been taken is written.
    pub(super) fn written(&self, batch: &[Bytes]) {
        let octets = batch.iter().map(Bytes::len).sum();
        self.queued.fetch_sub(octets, Ordering::Relaxed);
    }

    /// Takes one frame if there is one.
    pub(super) fn try_take(&mut self) -> Option<Bytes> {
        self.frames.try_recv().ok()
    }

    /// Tells when the client has let more wait than it may.
    pub(super) fn full(&self) -> Arc<Notify> {
        Arc::clone(&self.full)
    }
}
