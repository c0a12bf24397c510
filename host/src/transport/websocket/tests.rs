use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_tungstenite::{client_async, tungstenite::client::IntoClientRequest};

use super::*;
use crate::transport::request::{self, Asked};

type Client = WebSocketStream<DuplexStream>;

const LOGIN_FRAME: usize = 1 << 10;
const SESSION_FRAME: usize = 64 << 10;

fn settings() -> WebSocketSettings {
    WebSocketSettings {
        path: "/ws".into(),
        any_path: false,
        origins: None,
        login_frame: LOGIN_FRAME,
        session_frame: SESSION_FRAME,
        ping: Duration::from_hours(1),
    }
}

/// A client that asks for a path with some subprotocols, and the server's end of what came of it.
async fn connect(
    path: &str,
    offers: &[&'static str],
    settings: &WebSocketSettings,
) -> (
    Result<Client, WebSocketError>,
    Result<WebSocket<DuplexStream>, NoWebSocket>,
) {
    let (mut ours, theirs) = duplex(1 << 20);
    let mut request = format!("ws://router{path}").into_client_request().unwrap();
    for offer in offers {
        let offer = HeaderValue::from_static(offer);
        request.headers_mut().append(SEC_WEBSOCKET_PROTOCOL, offer);
    }
    let client = async {
        client_async(request, theirs)
            .await
            .map(|(client, _)| client)
    };
    let server = async {
        let mut early = BytesMut::new();
        let asked = request::read(&mut ours, &mut early).await.unwrap();
        let Asked::WebSocket(request) = asked else {
            panic!("not a request for a WebSocket: {asked:?}");
        };
        WebSocket::accept(ours, &request, early.into(), settings).await
    };
    tokio::join!(client, server)
}

async fn connected(settings: &WebSocketSettings) -> (Client, WebSocket<DuplexStream>) {
    let (client, server) = connect("/ws", &["wamp.2.json"], settings).await;
    (client.unwrap(), server.unwrap())
}

#[tokio::test]
async fn the_first_subprotocol_that_we_know_is_chosen() {
    for (offers, chosen) in [
        (&["wamp.2.json"][..], Serializer::Json),
        (
            &["wamp.2.cbor.batched, wamp.2.cbor, wamp.2.json"],
            Serializer::Cbor,
        ),
        (&["wamp.2.flatbuffers,wamp.2.msgpack"], Serializer::MsgPack),
    ] {
        let (client, server) = connect("/ws", offers, &settings()).await;
        assert!(client.is_ok());
        assert_eq!(server.unwrap().serializer(), chosen);
    }
}

#[tokio::test]
async fn other_requests_are_answered_with_what_to_do() {
    for (path, offers, status, hint) in [
        ("/", &["wamp.2.json"][..], StatusCode::NOT_FOUND, "/ws"),
        ("/ws", &["chat"], StatusCode::BAD_REQUEST, "wamp.2.json"),
        ("/ws", &[], StatusCode::BAD_REQUEST, "wamp.2.json"),
    ] {
        let (client, server) = connect(path, offers, &settings()).await;
        assert!(server.is_err());
        let Err(WebSocketError::Http(response)) = client else {
            panic!("an answer to {path}")
        };
        assert_eq!(response.status(), status);
        let body = String::from_utf8(response.into_body().unwrap()).unwrap();
        assert!(body.contains(hint), "{body}");
    }
}

/// xconn asks for `/` on a Unix socket.
#[tokio::test]
async fn where_any_path_is_as_good_each_is_taken() {
    let settings = WebSocketSettings {
        any_path: true,
        ..settings()
    };
    for path in ["/", "/run/wamp.sock", "/ws"] {
        let (client, server) = connect(path, &["wamp.2.json"], &settings).await;
        assert!(client.is_ok() && server.is_ok(), "{path}");
    }
}

#[tokio::test]
async fn frames_are_bounded_before_the_login_and_after() {
    let (mut client, mut server) = connected(&settings()).await;
    client.send("x".repeat(LOGIN_FRAME).into()).await.unwrap();
    assert_eq!(server.next().await.unwrap().unwrap().len(), LOGIN_FRAME);
    client
        .send("x".repeat(LOGIN_FRAME + 1).into())
        .await
        .unwrap();
    assert!(matches!(
        server.next().await,
        Some(Err(Broken::TooLarge { limit: LOGIN_FRAME }))
    ));

    let (mut client, mut server) = connected(&settings()).await;
    server.unlock();
    client.send("x".repeat(SESSION_FRAME).into()).await.unwrap();
    assert_eq!(server.next().await.unwrap().unwrap().len(), SESSION_FRAME);
    client
        .send("x".repeat(SESSION_FRAME + 1).into())
        .await
        .unwrap();
    assert!(matches!(
        server.next().await,
        Some(Err(Broken::TooLarge {
            limit: SESSION_FRAME
        }))
    ));
}

/// A frame is refused by what has come of it, not by what its header says.
#[tokio::test]
async fn pieces_of_a_frame_count_before_it_is_whole() {
    let (mut client, mut server) = connected(&settings()).await;
    let socket = client.get_mut();
    // Text, not the last piece, masked, 32 KiB long: RFC 6455, section 5.2.
    socket
        .write_all(&[0x01, 0xfe, 0x80, 0, 0, 0, 0, 0])
        .await
        .unwrap();
    socket.write_all(&[b'x'; 2 * LOGIN_FRAME]).await.unwrap();
    assert!(matches!(
        server.next().await,
        Some(Err(Broken::TooLarge { limit: LOGIN_FRAME }))
    ));
}

#[tokio::test]
async fn a_frame_of_the_wrong_kind_is_a_violation() {
    let (mut client, mut server) = connected(&settings()).await;
    client
        .send(Message::Binary(Bytes::from_static(b"[]")))
        .await
        .unwrap();
    assert!(server.next().await.unwrap().unwrap_err().is_violation());
}

#[tokio::test]
async fn a_client_that_answers_no_ping_is_given_up() {
    let often = WebSocketSettings {
        ping: Duration::from_millis(5),
        ..settings()
    };
    let (mut client, mut server) = connected(&often).await;
    assert!(matches!(server.next().await, Some(Err(Broken::Silent))));
    // It was asked.
    let mut asked = [0; 2];
    client.get_mut().read_exact(&mut asked).await.unwrap();
    assert_eq!(asked, [0x89, 0], "a ping");
}

#[tokio::test]
async fn a_client_that_answers_pings_stays() {
    let often = WebSocketSettings {
        ping: Duration::from_millis(5),
        ..settings()
    };
    let (mut client, mut server) = connected(&often).await;
    // Reading answers them.
    let answering = async {
        for _ in 0..10 {
            assert!(matches!(client.next().await, Some(Ok(Message::Ping(_)))));
        }
        client.send("[]".into()).await.unwrap();
        client
    };
    let (_client, frame) = tokio::join!(answering, server.next());
    assert_eq!(frame.unwrap().unwrap(), "[]");
}

#[tokio::test]
async fn the_end_is_a_normal_one() {
    let (mut client, mut server) = connected(&settings()).await;
    let ending = async { server.close().await };
    let (frame, ended) = tokio::join!(client.next(), ending);
    assert!(ended.is_ok());
    let Some(Ok(Message::Close(Some(end)))) = frame else {
        panic!("a close with a code");
    };
    assert_eq!(end.code, CloseCode::Normal);
    // The client's answer ends the stream.
    let (_, last) = tokio::join!(client.flush(), server.next());
    assert!(last.is_none());
}
