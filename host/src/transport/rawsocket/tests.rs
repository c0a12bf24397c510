use std::io;

use futures_util::FutureExt;
use proptest::{collection::vec, prelude::*, sample::Index};
use tokio::{
    io::{DuplexStream, duplex, join, sink},
    task::yield_now,
};

use super::*;

const LOGIN_FRAME: usize = 1 << 10;
const SESSION_FRAME: usize = 64 << 10;

/// JSON, and 16 MiB.
const GENEROUS: [u8; 4] = [0x7f, 0xf1, 0, 0];

fn settings() -> RawSocketSettings {
    RawSocketSettings {
        login_frame: LOGIN_FRAME,
        session_frame: SESSION_FRAME,
        ping: Duration::from_hours(1),
    }
}

fn impatient() -> RawSocketSettings {
    RawSocketSettings {
        ping: Duration::from_millis(5),
        ..settings()
    }
}

/// A client that starts with these octets, and the server's end of what came of it.
async fn start(
    octets: [u8; 4],
    settings: &RawSocketSettings,
) -> (DuplexStream, Result<RawSocket<DuplexStream>, Broken>) {
    let (ours, mut theirs) = duplex(1 << 20);
    theirs.write_all(&octets).await.unwrap();
    (theirs, RawSocket::accept(ours, settings).await)
}

/// A client that has been answered, and the server's end.
async fn connected(settings: &RawSocketSettings) -> (DuplexStream, RawSocket<DuplexStream>) {
    let (mut client, server) = start(GENEROUS, settings).await;
    assert_eq!(octets::<4>(&mut client).await, [0x7f, 0x71, 0, 0]);
    (client, server.unwrap())
}

async fn octets<const N: usize>(client: &mut DuplexStream) -> [u8; N] {
    let mut octets = [0; N];
    client.read_exact(&mut octets).await.unwrap();
    octets
}

async fn rest(mut client: DuplexStream) -> Vec<u8> {
    let mut octets = Vec::new();
    client.read_to_end(&mut octets).await.unwrap();
    octets
}

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&[kind], &length[..], payload].concat()
}

#[tokio::test]
async fn each_serializer_is_agreed_to() {
    for (number, serializer) in (1..).zip(Serializer::ALL) {
        let (mut client, server) = start([0x7f, 0xf0 | number, 0, 0], &settings()).await;
        assert_eq!(server.unwrap().serializer(), serializer);
        // The length is ours: 2^(9 + 7).
        assert_eq!(octets(&mut client).await, [0x7f, 0x70 | number, 0, 0]);
    }
}

#[tokio::test]
async fn errors_are_answered_and_the_connection_is_closed() {
    for (octets, answer) in [
        ([0x7f, 0xf0, 0, 0], &[0x7f, 0x10, 0, 0][..]),
        ([0x7f, 0xf4, 0, 0], &[0x7f, 0x10, 0, 0]),
        ([0x7f, 0x01, 0, 0], &[0x7f, 0x20, 0, 0]),
        ([0x7f, 0xf1, 0, 1], &[0x7f, 0x30, 0, 0]),
        (*b"GET ", &[]),
    ] {
        let (client, server) = start(octets, &settings()).await;
        assert!(matches!(server, Err(Broken::Failed(_))));
        assert_eq!(rest(client).await, answer, "{octets:?}");
    }
}

#[tokio::test]
async fn a_client_that_goes_before_it_has_said_enough_is_gone() {
    let (ours, mut theirs) = duplex(64);
    theirs.write_all(&GENEROUS[..3]).await.unwrap();
    drop(theirs);
    let server = RawSocket::accept(ours, &settings()).await;
    assert!(matches!(server, Err(Broken::Gone)));
}

#[tokio::test]
async fn messages_go_both_ways() {
    let (mut client, mut server) = connected(&settings()).await;
    let both = [frame(0, b"[1]"), frame(0, b"[2]")].concat();
    client.write_all(&both).await.unwrap();
    assert_eq!(server.next().await.unwrap().unwrap(), "[1]");
    assert_eq!(server.next().await.unwrap().unwrap(), "[2]");
    server.send(Bytes::from_static(b"[3]")).await.unwrap();
    assert_eq!(octets(&mut client).await, [0, 0, 0, 3, b'[', b'3', b']']);
    server.close().await.unwrap();
    client.shutdown().await.unwrap();
    assert!(rest(client).await.is_empty());
    assert!(server.next().await.is_none());
}

#[tokio::test]
async fn frames_are_bounded_before_the_login_and_after() {
    let (mut client, mut server) = connected(&settings()).await;
    for (allowed, unlock) in [(LOGIN_FRAME, true), (SESSION_FRAME, false)] {
        let longest = frame(0, &vec![b'x'; allowed]);
        client.write_all(&longest).await.unwrap();
        assert_eq!(server.next().await.unwrap().unwrap().len(), allowed);
        if unlock {
            server.unlock();
        }
    }
    client.write_all(&[0, 1, 0, 1]).await.unwrap();
    assert!(matches!(
        server.next().await,
        Some(Err(Broken::TooLarge {
            limit: SESSION_FRAME
        }))
    ));
}

/// The limit is no power of two: the client is told the one below, and held to it.
#[tokio::test]
async fn what_is_announced_is_what_is_taken() {
    let odd = RawSocketSettings {
        session_frame: SESSION_FRAME - 1,
        ..settings()
    };
    let (mut client, server) = start(GENEROUS, &odd).await;
    assert_eq!(octets(&mut client).await, [0x7f, 0x61, 0, 0]);
    let mut server = server.unwrap();
    server.unlock();
    let longest = frame(0, &vec![b'x'; SESSION_FRAME / 2]);
    client.write_all(&longest).await.unwrap();
    let taken = server.next().await.unwrap().unwrap();
    assert_eq!(taken.len(), SESSION_FRAME / 2);
    client.write_all(&[0, 0, 0x80, 1]).await.unwrap();
    assert!(server.next().await.unwrap().unwrap_err().is_violation());
}

/// What we say to it arrives: the socket is closed with nothing unread.
#[tokio::test]
async fn a_client_that_broke_the_rules_is_heard_out() {
    for violation in [
        frame(0, &[b'x'; LOGIN_FRAME + 1]),
        [&[5, 0, 0, 0][..], &vec![0xff; 100_000]].concat(),
    ] {
        let (mut client, mut server) = connected(&settings()).await;
        client.write_all(&violation).await.unwrap();
        client.write_all(&frame(0, b"[1]")).await.unwrap();
        assert!(server.next().await.unwrap().unwrap_err().is_violation());
        server.send(Bytes::from_static(b"[3]")).await.unwrap();
        server.close().await.unwrap();
        assert!(server.next().now_or_never().is_none(), "it waits");
        client.shutdown().await.unwrap();
        assert!(server.next().await.is_none());
        assert_eq!(rest(client).await, frame(0, b"[3]"));
    }
}

#[tokio::test]
async fn a_message_that_the_client_does_not_take_is_not_sent() {
    let (mut client, server) = start([0x7f, 0x11, 0, 0], &settings()).await;
    let mut server = server.unwrap();
    octets::<4>(&mut client).await;
    let refused = server.send(Bytes::from(vec![b'x'; 1025])).await;
    let Err(Broken::TooLong { length, limit }) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!((length, limit), (1025, 1024));
    server.send(Bytes::from(vec![b'x'; 1024])).await.unwrap();
    assert_eq!(octets(&mut client).await, [0, 0, 4, 0]);
}

#[tokio::test]
async fn a_ping_is_answered_with_what_it_holds() {
    let (mut client, mut server) = connected(&settings()).await;
    let said = [
        frame(1, b"once"),
        frame(1, b""),
        frame(2, b"unasked"),
        frame(1, b"twice"),
        frame(0, b"[1]"),
    ];
    client.write_all(&said.concat()).await.unwrap();
    assert_eq!(server.next().await.unwrap().unwrap(), "[1]");
    drop(server);
    let answers = [frame(2, b"once"), frame(2, b""), frame(2, b"twice")];
    assert_eq!(rest(client).await, answers.concat());
}

/// It cannot have the router keep its pings.
#[tokio::test]
async fn of_a_client_that_pings_and_does_not_read_no_more_is_read() {
    let (mut client, mut server) = connected(&settings()).await;
    server.unlock();
    let ping = frame(1, &vec![7; 32 << 10]);
    let (mut left, mut most) = (&ping[..], 0);
    for writes in 0.. {
        assert!(writes < 1000, "all of them were taken");
        let Some(written) = client.write(left).now_or_never() else {
            break;
        };
        left = match &left[written.unwrap()..] {
            [] => &ping,
            left => left,
        };
        while server.next().now_or_never().is_some() {}
        most = most.max(server.framed.write_buffer().len());
        yield_now().await;
    }
    assert!(most <= 2 * ping.len(), "{most} octets are kept");
}

#[tokio::test]
async fn a_client_that_pings_and_falls_silent_is_given_up() {
    let (mut client, mut server) = connected(&impatient()).await;
    client.write_all(&frame(1, b"!")).await.unwrap();
    assert!(matches!(server.next().await, Some(Err(Broken::Silent))));
    // It was answered, and asked twice.
    let expected = [frame(2, b"!"), frame(1, b""), frame(1, b"")].concat();
    drop(server);
    assert_eq!(rest(client).await, expected);
}

#[tokio::test]
async fn a_client_that_answers_pings_stays() {
    let (mut client, mut server) = connected(&impatient()).await;
    client.write_all(&frame(1, b"")).await.unwrap();
    let answering = async {
        assert_eq!(octets(&mut client).await, [2, 0, 0, 0]);
        for _ in 0..10 {
            assert_eq!(octets(&mut client).await, [1, 0, 0, 0]);
            client.write_all(&frame(2, b"")).await.unwrap();
        }
        client.write_all(&frame(0, b"[]")).await.unwrap();
    };
    let ((), frame) = tokio::join!(answering, server.next());
    assert_eq!(frame.unwrap().unwrap(), "[]");
}

/// autobahn-python would break.
#[tokio::test]
async fn a_client_that_has_sent_no_ping_is_sent_none() {
    let (mut quiet, mut its_server) = connected(&impatient()).await;
    let (mut pinger, mut server) = connected(&impatient()).await;
    pinger.write_all(&frame(1, b"")).await.unwrap();
    let given_up = tokio::select! {
        given_up = server.next() => given_up,
        _ = its_server.next() => panic!("nothing was said there"),
    };
    assert!(matches!(given_up, Some(Err(Broken::Silent))));
    // As long as that takes, the other one has been silent too.
    quiet.write_all(&frame(0, b"[1]")).await.unwrap();
    assert_eq!(its_server.next().await.unwrap().unwrap(), "[1]");
    drop(its_server);
    assert!(rest(quiet).await.is_empty());
}

#[tokio::test]
async fn part_of_a_frame_is_a_sign_of_life() {
    let (mut client, mut server) = connected(&settings()).await;
    server.unanswered = 2;
    client.write_all(&[0, 0]).await.unwrap();
    assert!(server.next().now_or_never().is_none());
    assert_eq!(server.unanswered, 0);
}

#[tokio::test]
async fn room_for_something_large_does_not_stay() {
    let (mut client, mut server) = connected(&settings()).await;
    let large = vec![b'x'; 2 * codec::ROOMY];
    server.send(Bytes::from(large.clone())).await.unwrap();
    assert!(server.framed.write_buffer().capacity() <= codec::ROOMY);
    let mut arrived = vec![0; large.len() + 4];
    client.read_exact(&mut arrived).await.unwrap();
    assert_eq!(arrived, frame(0, &large));
}

/// What a server takes from a client that says all of this and goes.
fn conversation(octets: &[u8]) -> Vec<Result<Bytes, Broken>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let stream = join(io::Cursor::new(octets), sink());
        match RawSocket::accept(stream, &settings()).await {
            Ok(server) => server.collect().await,
            Err(broken) => vec![Err(broken)],
        }
    })
}

proptest! {
    #[test]
    fn any_octets_are_a_conversation_or_an_error(octets in vec(any::<u8>(), 0..5000)) {
        conversation(&octets);
        conversation(&[&GENEROUS[..], &octets].concat());
    }

    #[test]
    fn one_wrong_octet_in_a_conversation(
        messages in vec(vec(any::<u8>(), 0..300), 1..6),
        place: Index,
        octet: u8,
    ) {
        let mut octets = GENEROUS.to_vec();
        for (kind, message) in [0, 1, 2].into_iter().cycle().zip(&messages) {
            octets.extend(frame(kind, message));
        }
        let heard = conversation(&octets);
        prop_assert_eq!(heard.len(), messages.len().div_ceil(3));
        prop_assert!(heard.iter().all(Result::is_ok));
        let place = place.index(octets.len());
        octets[place] = octet;
        conversation(&octets);
    }
}
