//! Calls: one caller, one callee, and a number of calls under way at all times.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::{
    client::{Client, Target},
    frame::{CALL, INVOCATION, REGISTER, REGISTERED, RESULT, Serializer, YIELD},
    load::Sample,
};

pub const IN_FLIGHT: u64 = 64;

pub async fn run(target: &Target, serializer: Serializer, length: Duration) -> Result<Sample> {
    let mut callee = Client::join_anonymously(target, serializer).await?;
    let mut message = Vec::new();
    let uri = serializer.uri_tail(false);
    serializer.write(&mut message, 4, &[REGISTER, 1], &[&uri]);
    callee.send(&message).await?;
    callee.expect(REGISTERED).await?;
    let caller = Client::join_anonymously(target, serializer).await?;

    let callee = tokio::spawn(answer(callee, serializer));
    let sample = call(caller, serializer, length).await;
    callee.abort();
    sample
}

/// Answers invocations with what it was given, in effect: with the same arguments.
async fn answer(mut callee: Client, serializer: Serializer) -> Result<()> {
    let tail = serializer.arguments_tail();
    let mut message = Vec::new();
    loop {
        let frame = callee.receive().await?;
        match serializer.head(&frame) {
            Some(([INVOCATION, request], _)) => {
                message.clear();
                serializer.write(&mut message, 4, &[YIELD, request], &[&tail]);
                callee.queue(&message)?;
            }
            _ => bail!("no INVOCATION: {}", String::from_utf8_lossy(&frame)),
        }
    }
}

async fn call(mut caller: Client, serializer: Serializer, length: Duration) -> Result<Sample> {
    let tail = serializer.uri_tail(true);
    let mut message = Vec::new();
    let mut latencies = Vec::new();
    let begin = Instant::now();
    // When a call was made, by its id modulo twice the number of calls under way, all of which have
    // ids close to each other.
    let mut made = [begin; 2 * IN_FLIGHT as usize];
    let mut next = 1;
    let mut under_way = 0;
    let mut open = true;
    loop {
        while open && under_way < IN_FLIGHT {
            message.clear();
            serializer.write(&mut message, 5, &[CALL, next], &[&tail]);
            caller.queue(&message)?;
            *slot(&mut made, next) = Instant::now();
            next += 1;
            under_way += 1;
        }
        if under_way == 0 {
            break;
        }
        let mut result = caller.receive().await?;
        loop {
            match serializer.head(&result) {
                Some(([RESULT, request], _)) => latencies.push(slot(&mut made, request).elapsed()),
                _ => bail!("no RESULT: {}", String::from_utf8_lossy(&result)),
            }
            under_way -= 1;
            // All that came at once is answered at once.
            match caller.received()? {
                Some(more) => result = more,
                None => break,
            }
        }
        open = begin.elapsed() < length;
    }
    let wall = begin.elapsed();
    caller.close().await?;
    Ok(Sample {
        operations: latencies.len() as u64,
        wall,
        latencies,
    })
}

fn slot(made: &mut [Instant; 2 * IN_FLIGHT as usize], request: u64) -> &mut Instant {
    #[expect(
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        reason = "a remainder is less than the length"
    )]
    &mut made[request as usize % (2 * IN_FLIGHT as usize)]
}
