//! The relay: what routing must cost at least, in Rust over tokio and tungstenite. It gives requests
//! new ids and passes on what follows them unread. It has one procedure and one topic, and lets
//! everyone in.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context, Result, bail, ensure};
use futures_util::{SinkExt, StreamExt, stream::SplitSink, stream::SplitStream};
use parking_lot::Mutex;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
};
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};

use crate::{
    floor::accept,
    frame::{
        CALL, EVENT, INVOCATION, PUBLISH, REGISTER, REGISTERED, RESULT, SUBSCRIBE, SUBSCRIBED,
        Serializer, WELCOME, YIELD,
    },
};

type Socket = WebSocketStream<TcpStream>;
type Outbox = UnboundedSender<Message>;

/// The ids of the one registration and the one subscription.
const ONLY: u64 = 1;

/// As many as are written before they are sent.
const BATCH: usize = 64;

#[derive(Default)]
struct Relay {
    callee: Mutex<Option<Outbox>>,
    subscribers: Mutex<Vec<Outbox>>,
    /// Whose call an invocation is, and by which id they know it.
    calls: Mutex<HashMap<u64, (Outbox, u64)>>,
    ids: AtomicU64,
}

pub async fn serve(address: SocketAddr) -> Result<()> {
    let listener = TcpListener::bind(address).await?;
    let relay = Arc::new(Relay::default());
    loop {
        let (stream, _) = listener.accept().await?;
        let relay = Arc::clone(&relay);
        // Whatever becomes of it: the load sees it too.
        tokio::spawn(async move { _ = relay.serve_one(stream).await });
    }
}

impl Relay {
    async fn serve_one(&self, stream: TcpStream) -> Result<()> {
        let (mut socket, serializer) = accept(stream).await?;
        socket.next().await.context("no HELLO")??;
        let welcome = match serializer {
            Serializer::Json => b"{\"roles\":{\"broker\":{},\"dealer\":{}}}]".as_slice(),
            Serializer::MsgPack => b"\x81\xa5roles\x82\xa6broker\x80\xa6dealer\x80",
        };
        let welcome = message(serializer, 3, &[WELCOME, self.id()], &[welcome])?;
        socket.send(welcome).await?;
        let (sink, stream) = socket.split();
        let (outbox, outgoing) = mpsc::unbounded_channel();
        tokio::select! {
            ended = self.read(stream, serializer, outbox) => ended,
            ended = write(sink, outgoing) => ended,
        }
    }

    async fn read(
        &self,
        mut stream: SplitStream<Socket>,
        serializer: Serializer,
        outbox: Outbox,
    ) -> Result<()> {
        let with_uri = serializer.uri_prefix();
        let without = serializer.empty_dict();
        while let Some(frame) = stream.next().await {
            let frame = match frame? {
                Message::Close(_) => break,
                frame => frame.into_data(),
            };
            let ([code, request], rest) = serializer.head(&frame).context("not understood")?;
            let arguments = |prefix: &[u8]| rest.strip_prefix(prefix).context("not as expected");
            let acknowledge = |code| message(serializer, 3, &[code, request], &[&ends(serializer)]);
            match code {
                CALL => {
                    let invocation = self.id();
                    let head = [INVOCATION, invocation, ONLY];
                    let tail = [without, arguments(&with_uri)?];
                    let message = message(serializer, 5, &head, &tail)?;
                    self.calls
                        .lock()
                        .insert(invocation, (outbox.clone(), request));
                    if let Some(callee) = &*self.callee.lock() {
                        _ = callee.send(message);
                    }
                }
                YIELD => {
                    let call = self.calls.lock().remove(&request);
                    let (caller, request) = call.context("no such call")?;
                    let tail = [without, arguments(without)?];
                    _ = caller.send(message(serializer, 4, &[RESULT, request], &tail)?);
                }
                PUBLISH => {
                    let head = [EVENT, ONLY, self.id()];
                    let tail = [without, arguments(&with_uri)?];
                    let message = message(serializer, 5, &head, &tail)?;
                    self.subscribers
                        .lock()
                        .retain(|subscriber| subscriber.send(message.clone()).is_ok());
                }
                REGISTER => {
                    *self.callee.lock() = Some(outbox.clone());
                    _ = outbox.send(acknowledge(REGISTERED)?);
                }
                SUBSCRIBE => {
                    self.subscribers.lock().push(outbox.clone());
                    _ = outbox.send(acknowledge(SUBSCRIBED)?);
                }
                code => bail!("a message of code {code}"),
            }
        }
        Ok(())
    }

    fn id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed) + 1
    }
}

async fn write(
    mut sink: SplitSink<Socket, Message>,
    mut outgoing: UnboundedReceiver<Message>,
) -> Result<()> {
    let mut batch = Vec::new();
    while outgoing.recv_many(&mut batch, BATCH).await > 0 {
        for message in batch.drain(..) {
            sink.feed(message).await?;
        }
        sink.flush().await?;
    }
    Ok(())
}

/// The last element of an acknowledgement.
fn ends(serializer: Serializer) -> Vec<u8> {
    match serializer {
        Serializer::Json => format!("{ONLY}]").into_bytes(),
        Serializer::MsgPack => vec![1],
    }
}

fn message(serializer: Serializer, elements: u8, head: &[u64], tail: &[&[u8]]) -> Result<Message> {
    ensure!(elements < 16, "a longer message than there is");
    let mut frame = Vec::with_capacity(160);
    serializer.write(&mut frame, elements, head, tail);
    Ok(match serializer {
        Serializer::Json => Message::text(String::from_utf8(frame)?),
        Serializer::MsgPack => Message::binary(frame),
    })
}
