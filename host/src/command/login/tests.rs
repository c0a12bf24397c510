use std::future::pending;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use clap::Parser;
use futures_util::{SinkExt, StreamExt};
use tokio::{
    join,
    net::{TcpListener, TcpStream},
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        self,
        handshake::server::{ErrorResponse, Request, Response},
    },
};

use super::{dialer::Socket, *};
use crate::{
    credential::scram::{Dialect, Kdf},
    wamp::{Id, Message, Value},
};

mod arguments;
mod transports;

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    login: LoginArgs,
}

fn args(words: &[&str]) -> Result<LoginArgs, String> {
    let words = std::iter::once("login").chain(words.iter().copied());
    CommandLine::try_parse_from(words)
        .map(|line| line.login)
        .map_err(|error| error.to_string())
}

/// A router that serves one client, as its test says.
struct FakeRouter {
    listener: TcpListener,
}

/// The client, seen from there.
struct Client {
    stream: WebSocketStream<Box<dyn Socket>>,
    serializer: Serializer,
}

impl FakeRouter {
    async fn start() -> Self {
        Self {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
        }
    }

    /// Logs in with these arguments, answering questions by these lines.
    async fn login(&self, words: &[&str], lines: &'static str) -> Result<Session, LoginError> {
        let url = format!("ws://{}/ws", self.listener.local_addr().unwrap());
        let args = args(&[&[url.as_str()], words].concat()).unwrap();
        login(&args, lines).await
    }

    async fn stream(&self) -> TcpStream {
        self.listener.accept().await.unwrap().0
    }

    async fn client(&self) -> Client {
        Client::accept(self.stream().await).await
    }
}

/// Logs in, answering questions by these lines.
async fn login(args: &LoginArgs, lines: &'static str) -> Result<Session, LoginError> {
    let (hello, prover) = plan(args, Prompt::lines(lines.as_bytes())).unwrap();
    let dialer = Dialer::new(args.address.clone(), &args.tls).unwrap();
    Session::join(&dialer, args.serializer.into(), hello, prover).await
}

impl Client {
    async fn accept(stream: impl Socket + 'static) -> Self {
        let stream: Box<dyn Socket> = Box::new(stream);
        let mut serializer = None;
        #[expect(clippy::result_large_err, reason = "the library asks for it")]
        let choose = |request: &Request, mut response: Response| -> Result<_, ErrorResponse> {
            let subprotocol = request.headers()["Sec-WebSocket-Protocol"].clone();
            serializer = Serializer::from_subprotocol(subprotocol.to_str().unwrap());
            response
                .headers_mut()
                .insert("Sec-WebSocket-Protocol", subprotocol);
            Ok(response)
        };
        let stream = accept_hdr_async(stream, choose).await.unwrap();
        Self {
            stream,
            serializer: serializer.unwrap(),
        }
    }

    async fn hear(&mut self) -> Message {
        let frame: Bytes = match self.stream.next().await.unwrap().unwrap() {
            tungstenite::Message::Text(text) => text.into(),
            tungstenite::Message::Binary(octets) => octets,
            other => panic!("{other:?}"),
        };
        Message::decode(self.serializer, &frame, 16).unwrap()
    }

    async fn say(&mut self, message: Message) {
        let frame = message.encode(self.serializer).unwrap();
        let frame = match self.serializer {
            Serializer::Json => tungstenite::Message::Text(frame.try_into().unwrap()),
            _ => tungstenite::Message::Binary(frame),
        };
        self.stream.send(frame).await.unwrap();
    }

    async fn hear_hello(&mut self) -> (String, Dict) {
        match self.hear().await {
            Message::Hello { realm, details } => (realm, details),
            other => panic!("{other:?}"),
        }
    }

    /// Asks, and yields the signature.
    async fn challenge(&mut self, method: &str, extra: Dict) -> String {
        self.say(Message::Challenge {
            method: method.into(),
            extra,
        })
        .await;
        match self.hear().await {
            Message::Authenticate { signature, .. } => signature,
            other => panic!("{other:?}"),
        }
    }

    async fn welcome(&mut self, details: Dict) {
        self.say(Message::Welcome {
            session: Id::new(7).unwrap(),
            details,
        })
        .await;
    }

    async fn abort(&mut self, reason: &str, message: &str) {
        let details = Dict::new().with("message", message);
        self.say(Message::Abort {
            details,
            reason: reason.into(),
        })
        .await;
    }

    /// Waits until the client has said GOODBYE, and lets it go.
    async fn part(mut self) {
        let Message::Goodbye { reason, .. } = self.hear().await else {
            panic!()
        };
        assert_eq!(reason, "wamp.close.close_realm");
        self.say(Message::Goodbye {
            details: Dict::new(),
            reason: "wamp.close.goodbye_and_out".into(),
        })
        .await;
        self.until_closed().await;
    }

    async fn until_closed(mut self) {
        while let Some(Ok(_)) = self.stream.next().await {}
    }
}

#[tokio::test]
async fn an_anonymous_login_in_each_serialization() {
    for serializer in ["json", "msgpack", "cbor"] {
        let router = FakeRouter::start().await;
        let words = [
            "--serializer",
            serializer,
            "--realm",
            "acme",
            "--extra",
            "n=1",
        ];
        let served = async {
            let mut client = router.client().await;
            let (realm, details) = client.hear_hello().await;
            assert_eq!(realm, "acme");
            let methods = Value::List(vec!["anonymous".into()]);
            assert_eq!(details.value("authmethods"), Some(&methods));
            assert_eq!(details.value("authid"), None);
            assert!(details.value("authextra").is_some());
            client
                .welcome(
                    Dict::new()
                        .with("authid", "x\u{1b}[31m")
                        .with("authrole", "guest"),
                )
                .await;
            client.part().await;
        };
        let login = async {
            let session = router.login(&words, "").await.unwrap();
            let table = session.welcome.table();
            session.leave().await;
            table
        };
        let (table, ()) = join!(login, served);
        assert_eq!(
            table,
            "session       7\n\
             realm         acme\n\
             authid        x\\u{1b}[31m\n\
             authrole      guest\n\
             authmethod    -\n\
             authprovider  -\n\
             authextra     -\n"
        );
    }
}

#[tokio::test]
async fn a_salted_wampcra_login() {
    let router = FakeRouter::start().await;
    let served = async {
        let mut client = router.client().await;
        let (_, details) = client.hear_hello().await;
        assert_eq!(details.text("authid"), Some("joe"));
        let extra = Dict::new()
            .with("challenge", r#"{"nonce":"x"}"#)
            .with("salt", "salt123")
            .with("iterations", 1000_u64)
            .with("keylen", 32_u64);
        let signature = client.challenge("wampcra", extra).await;
        // HMAC-SHA256 of the challenge, computed elsewhere with the key that WAMP's clients derive.
        assert_eq!(signature, "SlRPvsx2WWHoN4OCtOEaHgX3aw1tUmLGfQ9k+RRWcYw=");
        client
            .welcome(Dict::new().with("authextra", Dict::new().with("a", true)))
            .await;
        client.part().await;
    };
    let login = async {
        let session = router
            .login(&["--authid", "joe"], "password\n")
            .await
            .unwrap();
        assert!(
            session
                .welcome
                .table()
                .contains("authextra     {\"a\":true}\n")
        );
        session.leave().await;
    };
    join!(login, served);
}

#[tokio::test]
async fn two_challenges_take_two_answers() {
    let router = FakeRouter::start().await;
    let served = async {
        let mut client = router.client().await;
        client.hear_hello().await;
        assert_eq!(client.challenge("ticket", Dict::new()).await, "t0k3n");
        assert_eq!(client.challenge("totp", Dict::new()).await, "287082");
        client.welcome(Dict::new()).await;
        client.part().await;
    };
    let login = async {
        let words = ["--authid", "joe", "--method", "ticket"];
        router
            .login(&words, "t0k3n\n287082\n")
            .await
            .unwrap()
            .leave()
            .await;
    };
    join!(login, served);
}

#[tokio::test]
async fn a_refusal_has_a_reason_and_a_message() {
    let router = FakeRouter::start().await;
    let served = async {
        let mut client = router.client().await;
        client.hear_hello().await;
        client.challenge("ticket", Dict::new()).await;
        client
            .abort("wamp.error.authentication_denied", "no\nway")
            .await;
        client.until_closed().await;
    };
    let (refused, ()) = join!(router.login(&["--authid", "joe"], "wrong\n"), served);
    assert_eq!(
        refused.err().unwrap().to_string(),
        r"the router refused the login: wamp.error.authentication_denied (no\nway)"
    );
}

#[tokio::test]
async fn a_challenge_that_is_not_answered_aborts() {
    let cases = [
        ("ticket", "", "standard input ended"),
        ("xyz", "secret\n", "not announced"),
    ];
    for (method, lines, explained) in cases {
        let router = FakeRouter::start().await;
        let served = async {
            let mut client = router.client().await;
            client.hear_hello().await;
            client
                .say(Message::Challenge {
                    method: method.into(),
                    extra: Dict::new(),
                })
                .await;
            let Message::Abort { reason, .. } = client.hear().await else {
                panic!()
            };
            assert_eq!(reason, "wamp.error.cannot_authenticate");
            client.until_closed().await;
        };
        let (failed, ()) = join!(router.login(&["--authid", "joe"], lines), served);
        let failed = failed.err().unwrap();
        assert!(failed.to_string().contains(explained), "{failed}");
    }
}

#[tokio::test]
async fn whoever_stays_learns_why_the_session_ended() {
    let router = FakeRouter::start().await;
    let served = async {
        let mut client = router.client().await;
        client.hear_hello().await;
        client.welcome(Dict::new()).await;
        client
            .say(Message::Goodbye {
                details: Dict::new().with("message", "time is up"),
                reason: "wamp.close.normal".into(),
            })
            .await;
        let Message::Goodbye { reason, .. } = client.hear().await else {
            panic!()
        };
        assert_eq!(reason, "wamp.close.goodbye_and_out");
        client.until_closed().await;
    };
    let login = async {
        router
            .login(&[], "")
            .await
            .unwrap()
            .stay(pending())
            .await
            .unwrap()
    };
    let (End::Ended(farewell), ()) = join!(login, served) else {
        panic!()
    };
    assert_eq!(farewell.to_string(), "wamp.close.normal (time is up)");
}

#[tokio::test]
async fn an_interrupt_ends_a_stay_with_goodbye() {
    let router = FakeRouter::start().await;
    let served = async {
        let mut client = router.client().await;
        client.hear_hello().await;
        client.welcome(Dict::new()).await;
        client.part().await;
    };
    let login = async {
        router
            .login(&[], "")
            .await
            .unwrap()
            .stay(async {})
            .await
            .unwrap()
    };
    assert_eq!(join!(login, served).0, End::Left);
}

#[tokio::test]
async fn what_is_no_router_is_told_apart() {
    let router = FakeRouter::start().await;
    let hung_up = async {
        let mut client = router.client().await;
        client.hear_hello().await;
    };
    let (failed, ()) = join!(router.login(&[], ""), hung_up);
    let failed = failed.err().unwrap().to_string();
    assert!(failed.contains("closed the connection"), "{failed}");

    let web_page = async {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut stream = router.stream().await;
        let _ = stream.read(&mut [0; 4096]).await.unwrap();
        stream
            .write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            .await
            .unwrap();
    };
    let (failed, ()) = join!(router.login(&[], ""), web_page);
    let failed = failed.err().unwrap().to_string();
    assert!(
        failed.contains("HTTP 404") && failed.contains("/ws: "),
        "{failed}"
    );

    let address = format!("ws://{}", router.listener.local_addr().unwrap());
    drop(router);
    let failed = login(&args(&[&address]).unwrap(), "").await;
    let failed = failed.err().unwrap().to_string();
    assert!(failed.contains("is the router running"), "{failed}");
}

/// By SCRAM the router proves itself, too: WELCOME must show that it has the keys of the password.
#[tokio::test]
async fn a_router_that_does_not_know_the_password_is_left() {
    let salted = Kdf::Pbkdf2 { iterations: 4096 }
        .salted_password(Dialect::Wamp, "pencil", b"saltsalt")
        .unwrap();
    for shown in ["right", "wrong", "none"] {
        let router = FakeRouter::start().await;
        let served = async {
            let mut client = router.client().await;
            let (_, details) = client.hear_hello().await;
            let Some(Value::Dict(authextra)) = details.value("authextra") else {
                panic!("{details:?}")
            };
            let ours = authextra.text("nonce").unwrap();
            let both = format!("{ours}c2VydmVy");
            let extra = Dict::new()
                .with("nonce", &*both)
                .with("salt", BASE64_STANDARD.encode("saltsalt"))
                .with("kdf", "pbkdf2")
                .with("iterations", 4096)
                .with("memory", Value::Null);
            let signature = client.challenge("wamp-scram", extra).await;
            let message = format!("n=joe,r={ours},r={both},s=c2FsdHNhbHQ=,i=4096,c=biws,r={both}");
            let message = message.as_bytes();
            assert_eq!(signature, BASE64_STANDARD.encode(salted.proof(message)));

            // A second step does not make the first one's proof be forgotten.
            assert_eq!(client.challenge("totp", Dict::new()).await, "287082");
            let mut verifier = salted.server_signature(message);
            verifier[31] ^= u8::from(shown == "wrong");
            let mut authextra = Dict::new().with("totp", true);
            if shown != "none" {
                authextra.insert("verifier", BASE64_STANDARD.encode(verifier));
            }
            client
                .welcome(Dict::new().with("authextra", authextra))
                .await;
            if shown == "right" {
                client.part().await;
                return;
            }
            let Message::Abort { reason, .. } = client.hear().await else {
                panic!()
            };
            assert_eq!(reason, "wamp.error.cannot_authenticate");
            client.until_closed().await;
        };
        let login = async {
            let words = ["--authid", "joe", "--method", "wamp-scram"];
            match router.login(&words, "pencil\n287082\n").await {
                Ok(session) => {
                    session.leave().await;
                    true
                }
                Err(LoginError::Impostor) => false,
                Err(error) => panic!("{error}"),
            }
        };
        let (trusted, ()) = join!(login, served);
        assert_eq!(trusted, shown == "right", "{shown}");
    }
}
