//! The client against a server that has a script.

use std::time::Duration;

use tokio::{net::TcpListener, time::timeout};

use super::*;

/// A server of one connection, and how to get to it.
async fn server(target: impl FnOnce(SocketAddr) -> Target) -> (TcpListener, Target) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = target(listener.local_addr().unwrap());
    (listener, target)
}

/// A client that says less fails, and is not waited for.
async fn expect(stream: &mut TcpStream, octets: &[u8]) {
    let mut read = vec![0; octets.len()];
    let patience = Duration::from_secs(10);
    let done = timeout(patience, stream.read_exact(&mut read)).await;
    done.unwrap_or_else(|_| panic!("only {read:x?}")).unwrap();
    assert_eq!(read, octets);
}

/// Says one thing after the other, and expects what belongs to each; then the end.
async fn serve(listener: TcpListener, greeting: Vec<u8>, answers: &[&[u8]], expected: &[&[u8]]) {
    let (mut stream, _) = listener.accept().await.unwrap();
    stream.set_nodelay(true).unwrap();
    expect(&mut stream, &greeting).await;
    for (answer, expected) in answers.iter().zip(expected) {
        // Each octet by itself: how they come in must not matter.
        for octet in *answer {
            stream.write_all(&[*octet]).await.unwrap();
            tokio::task::yield_now().await;
        }
        expect(&mut stream, expected).await;
    }
    assert_eq!(stream.read_buf(&mut Vec::new()).await.unwrap(), 0);
}

#[tokio::test]
async fn a_session_over_rawsocket() {
    let (listener, target) = server(|address| Target::RawSocket { address }).await;
    let hello = Serializer::MsgPack.hello(REALM, "anonymous", None);
    let header = [0, 0, 0, u8::try_from(hello.len()).unwrap()];
    let hello = [&header[..], &hello].concat();
    let client = async {
        let mut client = Client::join_anonymously(&target, Serializer::MsgPack)
            .await
            .unwrap();
        client.send(&[0x93, 32, 1, 0x80]).await.unwrap();
        client.close().await.unwrap();
    };
    let answers: [&[u8]; 3] = [
        &[0x7f, 0xf2, 0, 0],
        &[1, 0, 0, 2, b'h', b'i'],
        // A PONG that nobody asked for, and [2, 1, {}].
        &[2, 0, 0, 0, 0, 0, 0, 4, 0x93, 2, 1, 0x80],
    ];
    let expected: [&[u8]; 3] = [
        &hello,
        &[2, 0, 0, 2, b'h', b'i'],
        &[0, 0, 0, 4, 0x93, 32, 1, 0x80],
    ];
    let greeting = vec![0x7f, 0x72, 0, 0];
    tokio::join!(client, serve(listener, greeting, &answers, &expected));
}

#[tokio::test]
async fn a_session_over_websocket() {
    let (listener, target) = server(|address| Target::WebSocket {
        address,
        path: "/ws".into(),
    })
    .await;
    let greeting = websocket::request(target.address(), "/ws", Serializer::Json);
    let hello = Serializer::Json.hello(REALM, "anonymous", None);
    let length = u8::try_from(hello.len()).unwrap();
    assert!(length < 126);
    let hello = [&[0x81, 0x80 | length, 0, 0, 0, 0][..], &hello].concat();
    let client = async {
        let mut client = Client::join_anonymously(&target, Serializer::Json)
            .await
            .unwrap();
        client.send(b"[32,1,{}]").await.unwrap();
        client.close().await.unwrap();
    };
    let answers: [&[u8]; 4] = [
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"\x89\x02hi",
        b"\x81\x08[2,1,{}]",
        b"",
    ];
    let expected: [&[u8]; 4] = [
        &hello,
        b"\x8a\x82\0\0\0\0hi",
        b"\x81\x89\0\0\0\0[32,1,{}]",
        b"\x88\x82\0\0\0\0\x03\xe8",
    ];
    // This client leaves the end of the connection to the server.
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        expect(&mut stream, &greeting).await;
        for (answer, expected) in answers.iter().zip(expected) {
            stream.write_all(answer).await.unwrap();
            expect(&mut stream, expected).await;
        }
    };
    tokio::join!(client, serve);
}

#[tokio::test]
async fn a_server_that_leaves_is_an_error() {
    let (listener, target) = server(|address| Target::RawSocket { address }).await;
    let dialer = Dialer::new(&target, Serializer::Json);
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(&[0x7f]).await.unwrap();
    };
    let (client, ()) = tokio::join!(dialer.dial(), serve);
    assert!(client.is_err());
}
