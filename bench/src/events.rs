//! Events: one publisher, ten subscribers, and a number of publications under way at all times.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use tokio::{sync::Notify, task::JoinSet};

use crate::{
    client::{Client, Target},
    frame::{EVENT, PUBLISH, SUBSCRIBE, SUBSCRIBED, Serializer},
    load::Sample,
};

pub const SUBSCRIBERS: u64 = 10;

/// Publications that not all subscribers have got yet.
const IN_FLIGHT: u64 = 64;

#[derive(Default)]
struct Received {
    events: AtomicU64,
    more: Notify,
}

pub async fn run(target: &Target, serializer: Serializer, length: Duration) -> Result<Sample> {
    let received = Arc::new(Received::default());
    let mut subscribers = JoinSet::new();
    let mut message = Vec::new();
    let uri = serializer.uri_tail(false);
    serializer.write(&mut message, 4, &[SUBSCRIBE, 1], &[&uri]);
    for _ in 0..SUBSCRIBERS {
        let mut subscriber = Client::join_anonymously(target, serializer).await?;
        subscriber.send(&message).await?;
        subscriber.expect(SUBSCRIBED).await?;
        subscribers.spawn(count(subscriber, serializer, Arc::clone(&received)));
    }
    let publisher = Client::join_anonymously(target, serializer).await?;
    tokio::select! {
        sample = publish(publisher, serializer, length, &received) => sample,
        Some(Ok(Err(error))) = subscribers.join_next() => Err(error),
    }
}

async fn count(
    mut subscriber: Client,
    serializer: Serializer,
    received: Arc<Received>,
) -> Result<()> {
    loop {
        let mut event = subscriber.receive().await?;
        let mut events = 0;
        loop {
            if serializer.code(&event) != Some(EVENT) {
                bail!("no EVENT: {}", String::from_utf8_lossy(&event));
            }
            events += 1;
            match subscriber.received()? {
                Some(more) => event = more,
                None => break,
            }
        }
        received.events.fetch_add(events, Ordering::Relaxed);
        received.more.notify_one();
    }
}

async fn publish(
    mut publisher: Client,
    serializer: Serializer,
    length: Duration,
    received: &Received,
) -> Result<Sample> {
    let tail = serializer.uri_tail(true);
    let mut message = Vec::new();
    let mut published = 0;
    let begin = Instant::now();
    loop {
        let open = begin.elapsed() < length;
        let events = received.events.load(Ordering::Relaxed);
        let room = IN_FLIGHT.saturating_sub(published - events / SUBSCRIBERS);
        if open && room > 0 {
            for _ in 0..room {
                published += 1;
                message.clear();
                serializer.write(&mut message, 5, &[PUBLISH, published], &[&tail]);
                publisher.queue(&message)?;
            }
            publisher.flush().await?;
        } else if !open && events == published * SUBSCRIBERS {
            break;
        } else {
            received.more.notified().await;
        }
    }
    let wall = begin.elapsed();
    publisher.close().await?;
    Ok(Sample {
        operations: published * SUBSCRIBERS,
        wall,
        latencies: Vec::new(),
    })
}
