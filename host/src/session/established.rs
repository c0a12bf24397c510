use std::{future::poll_fn, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, stream::SplitSink, stream::SplitStream};
use tokio::time::{Instant, sleep_until, timeout};

use super::{
    PARTING, hear_out,
    joining::Joined,
    outbox::{Outbox, Outgoing, outbox},
    until,
};
use crate::{
    login::{Accepted, Refusal},
    realm::{LiveSession, Seat},
    router::{self, Farewell, Features, Member, Router},
    transport::{Broken, Wire},
    wamp::{Dict, Id, Message, Serializer, Value, reason},
};

/// How deep a session's dictionaries may be nested.
const NESTING: usize = 32;

/// A sleep that is as good as for ever: some 30 years.
const FOREVER: Duration = Duration::from_secs(1 << 30);

/// Why a session ends.
enum End {
    /// The client said GOODBYE.
    Goodbye,
    /// The same, and that its browser shall not be known any more.
    Logout,
    /// The client said ABORT, or it is gone.
    Gone,
    Broken(Broken),
    Violation(String),
    /// We end it with the realm or with the router, for this reason.
    Closed(&'static str),
    /// We end it alone.
    Ended(Farewell),
    /// It lets more wait than it may.
    Full,
}

/// A member of the realm for as long as this lives: however a session ends, it leaves its router.
struct Membership(Seat);

impl Drop for Membership {
    fn drop(&mut self) {
        let Self(Seat { realm, session }) = self;
        realm.router.leave(session.id);
    }
}

/// Serves a client that has logged in, until its session ends.
pub(super) async fn run<W: Wire>(wire: W, joined: Joined, queue: usize) {
    let Joined {
        seat,
        accepted,
        ties,
    } = joined;
    let serializer = wire.serializer();
    let live = Arc::clone(&seat.session);
    let (outbox, mut outgoing) = outbox(queue, Arc::clone(&live));
    let session = accepted.session;
    let realm = Arc::clone(&seat.realm);
    let expiry = expiry(&live);
    let Some(membership) = join(seat, &accepted, serializer, outbox) else {
        return;
    };

    let (mut sink, mut stream) = wire.split();
    let full = outgoing.full();
    let end = tokio::select! {
        end = read(&mut stream, &realm.router, session, serializer) => end,
        end = write(&mut sink, &mut outgoing) => end,
        farewell = live.ended() => End::Ended(farewell.clone()),
        () = sleep_until(expiry) => End::Ended(expired()),
        () = full.notified() => End::Full,
        () = ties.ended() => End::Ended(logged_out()),
        reason = realm.closed() => End::Closed(reason),
    };
    let logs_out = matches!(end, End::Logout);
    // Whoever ends a session takes it out of its router first, and what its client says then is no
    // fault of the client's.
    let end = match live.farewell() {
        Some(farewell) => End::Ended(farewell.clone()),
        None => end,
    };
    // Subscriptions and registrations first: nothing is sent to it after GOODBYE.
    drop(membership);
    if logs_out {
        // Before the answer: then it has been done.
        realm.log_out(&ties, accepted.authid.as_str()).await;
    }
    match &end {
        End::Violation(_) | End::Full | End::Broken(Broken::TooLong { .. }) => {
            tracing::warn!(realm = %realm.name, %session, why = %end, "a session is broken off");
        }
        End::Ended(farewell) => tracing::info!(
            target: "session", realm = %realm.name, session = session.as_u64(), authid = %live.authid,
            authrole = %live.authrole, peer = %live.peer, reason = farewell.reason(),
            said = farewell.message(), by = farewell.by(), "a session is ended"
        ),
        _ => tracing::debug!(realm = %realm.name, %session, why = %end, "a session ends"),
    }
    // Whether our last words arrive is up to the client.
    _ = timeout(
        PARTING,
        take_leave(end, &mut sink, &mut stream, &mut outgoing, serializer),
    )
    .await;
}

fn expiry(session: &LiveSession) -> Instant {
    let left = session.expires().map_or(FOREVER, until);
    Instant::now() + left.min(FOREVER)
}

fn expired() -> Farewell {
    Farewell::new(
        reason::CLOSE_EXPIRED,
        "the time of this session is over",
        "its time",
    )
}

fn logged_out() -> Farewell {
    Farewell::new(
        reason::CLOSE_LOGOUT,
        "this browser has logged out",
        "a logout of the browser",
    )
}

/// Makes the client a member, its WELCOME the first frame that it gets.
fn join(
    seat: Seat,
    accepted: &Accepted,
    serializer: Serializer,
    outbox: Outbox,
) -> Option<Membership> {
    let realm = &seat.realm;
    let welcome = Message::Welcome {
        session: accepted.session,
        details: details(accepted),
    };
    let frame = welcome.encode(serializer).ok()?;
    router::Outbox::deliver(&outbox, frame);
    let member = Member {
        id: accepted.session,
        authid: accepted.authid.shared(),
        authrole: Arc::clone(&accepted.authrole),
        authmethod: accepted.authmethod.shared(),
        authprovider: provider(accepted).into(),
        features: Features::announced(&accepted.roles),
        serializer,
        outbox: Arc::new(outbox),
    };
    if let Err(taken) = realm.router.join(member) {
        // Two random ids of 53 bits were the same.
        tracing::error!(realm = %realm.name, %taken, "a session is refused");
        return None;
    }
    Some(Membership(seat))
}

fn provider(accepted: &Accepted) -> &str {
    accepted.authprovider.as_deref().unwrap_or("countersign")
}

/// `WELCOME.Details`. Some clients fail without `authid`, `authrole` or `realm`.
fn details(accepted: &Accepted) -> Dict {
    Dict::new()
        .with("realm", &*accepted.realm)
        .with("authid", accepted.authid.as_str())
        .with("authrole", &*accepted.authrole)
        .with("authmethod", accepted.authmethod.as_str())
        .with("authprovider", provider(accepted))
        .with("authextra", Value::Dict(accepted.authextra.clone()))
        .with("roles", router::welcome_roles())
        .with("agent", concat!("countersign/", env!("CARGO_PKG_VERSION")))
}

async fn read<W: Wire>(
    stream: &mut SplitStream<W>,
    router: &Router,
    session: Id,
    serializer: Serializer,
) -> End {
    loop {
        let frame = match stream.next().await {
            None => return End::Gone,
            Some(Err(broken)) if broken.is_violation() => {
                return End::Violation(broken.to_string());
            }
            Some(Err(broken)) => return End::Broken(broken),
            Some(Ok(frame)) => frame,
        };
        let message = match Message::decode(serializer, &frame, NESTING) {
            Ok(Message::Goodbye { reason: said, .. }) if said == reason::CLOSE_LOGOUT => {
                return End::Logout;
            }
            Ok(Message::Goodbye { .. }) => return End::Goodbye,
            Ok(Message::Abort { .. }) => return End::Gone,
            Ok(message) => message,
            Err(malformed) => return End::Violation(malformed.to_string()),
        };
        if let Err(violation) = router.receive(session, message) {
            return End::Violation(violation.to_string());
        }
    }
}

async fn write<W: Wire>(sink: &mut SplitSink<W, Bytes>, outgoing: &mut Outgoing) -> End {
    while outgoing.wait().await {
        if let Err(broken) = hand_on(sink, outgoing).await {
            return End::Broken(broken);
        }
    }
    End::Gone
}

/// Sends what need not be waited for. A frame is taken when the socket is ready for it: so none is
/// lost if this is interrupted, and none is shared, which would have it copied.
async fn hand_on<W: Wire>(
    sink: &mut SplitSink<W, Bytes>,
    outgoing: &mut Outgoing,
) -> Result<(), Broken> {
    while outgoing.has_next() {
        poll_fn(|cx| sink.poll_ready_unpin(cx)).await?;
        if let Some(frame) = outgoing.next() {
            sink.start_send_unpin(frame)?;
        }
    }
    sink.flush().await
}

async fn take_leave<W: Wire>(
    end: End,
    sink: &mut SplitSink<W, Bytes>,
    stream: &mut SplitStream<W>,
    outgoing: &mut Outgoing,
    serializer: Serializer,
) -> Result<(), Broken> {
    let goodbye = |reason: &str, message: &str| Message::Goodbye {
        details: Dict::new().with("message", message),
        reason: reason.into(),
    };
    let (last, echo) = match end {
        // What waits already for a client that does not read is too much.
        End::Gone | End::Broken(_) | End::Full => return sink.close().await,
        End::Goodbye | End::Logout => {
            let reason = reason::GOODBYE_AND_OUT.into();
            (
                Message::Goodbye {
                    details: Dict::new(),
                    reason,
                },
                false,
            )
        }
        End::Violation(_) => (Refusal::ProtocolViolation.abort(), false),
        End::Closed(reason) => (goodbye(reason, "the router ends this session"), true),
        End::Ended(farewell) => {
            // What waits for it is for somebody who may not hear it any more.
            outgoing.forget();
            (goodbye(farewell.reason(), farewell.message()), true)
        }
    };
    hand_on(sink, outgoing).await?;
    if let Ok(frame) = last.encode(serializer) {
        sink.send(frame).await?;
    }
    if echo {
        // The client's GOODBYE, or its close; what else it still says is too late.
        while let Some(Ok(frame)) = stream.next().await {
            if let Ok(Message::Goodbye { .. }) = Message::decode(serializer, &frame, NESTING) {
                break;
            }
        }
    }
    sink.close().await?;
    hear_out(stream).await;
    Ok(())
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Goodbye => f.write_str("the client said GOODBYE"),
            Self::Logout => f.write_str("the client has logged out"),
            Self::Gone => f.write_str("the client is gone"),
            Self::Broken(broken) => broken.fmt(f),
            Self::Violation(why) => write!(f, "protocol violation: {why}"),
            Self::Closed(reason) => f.write_str(reason),
            Self::Ended(farewell) => f.write_str(farewell.reason()),
            Self::Full => f.write_str("the client does not read what is sent to it"),
        }
    }
}
