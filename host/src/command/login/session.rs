use std::{future::Future, sync::Arc};

use thiserror::Error;
use tokio::task::spawn_blocking;
use zeroize::Zeroize;

use super::{
    answer::{NoAnswer, Prover, TLS_EXPORTER},
    connection::{Connection, ConnectionError},
    dialer::Dialer,
    problem::Problem,
    scram::ServerProof,
};
use crate::{
    command::output::columns,
    observe::Printable,
    wamp::{Dict, Id, Message, Serializer, Value, reason},
};

/// A router that asks more often wants to keep us busy.
const MOST_ROUNDS: usize = 32;

/// What a client says of itself in HELLO.
#[derive(Clone, Debug)]
pub struct Hello {
    pub realm: String,
    pub authid: Option<String>,
    /// Never empty.
    pub authmethods: Vec<String>,
    pub authextra: Dict,
    /// Whether to ask that the login be bound to the TLS connection, if that can be had.
    pub binds: bool,
}

/// A session that a router has granted.
pub struct Session {
    connection: Connection,
    pub welcome: Welcome,
}

/// What the router says of the session.
#[derive(Clone, Debug)]
pub struct Welcome {
    pub session: Id,
    /// The realm that was asked for.
    pub realm: String,
    pub details: Dict,
}

/// How a session ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// We left.
    Left,
    /// The router sent GOODBYE or ABORT.
    Ended(Farewell),
}

/// A reason and a message of the router's, as it wrote them.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("{}{}", Printable(.reason), Explained(.message.as_deref()))]
pub struct Farewell {
    pub reason: String,
    pub message: Option<String>,
}

/// Why there is no session.
#[derive(Debug, Error)]
pub enum LoginError {
    #[error("the router refused the login: {0}")]
    Refused(Farewell),
    /// The same, where the reason may be that the router cannot bind.
    #[error(
        "the router refused the login: {0}\n(the login was to be bound to the TLS connection; if the \
         router's TLS ends at a proxy before it, or the router knows nothing of that, add \
         --no-channel-binding)"
    )]
    RefusedBound(Farewell),
    #[error(
        "the router asks by the method {}, which was not announced; name it with --method if you \
         want to answer", Printable(.method)
    )]
    NotAnnounced { method: String },
    #[error("the router asked {MOST_ROUNDS} times and is still not satisfied; the login was ended")]
    TooManyRounds,
    #[error(
        "the router let us in without proving that it knows the password's keys; it may be \
         another one than it pretends to be, and the login was ended"
    )]
    Impostor,
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    #[error(transparent)]
    Connection(#[from] ConnectionError),
}

impl Session {
    /// Connects, says HELLO, and answers all CHALLENGEs until there is a WELCOME.
    pub async fn join(
        dialer: &Dialer,
        serializer: Serializer,
        mut hello: Hello,
        mut prover: Prover,
    ) -> Result<Self, LoginError> {
        let mut connection = Connection::open(dialer, serializer).await?;
        if hello.binds {
            prover.channel = connection.exporter;
            if prover.channel.is_some() {
                hello.authextra.insert("channel_binding", TLS_EXPORTER);
            }
        }
        let bound = prover.channel.is_some();
        match log_in(&mut connection, &hello, Arc::new(prover)).await {
            Err(LoginError::Refused(farewell)) if bound => {
                connection.close().await;
                Err(LoginError::RefusedBound(farewell))
            }
            Ok(welcome) => Ok(Self {
                connection,
                welcome,
            }),
            Err(error) => {
                if !matches!(error, LoginError::Refused(_) | LoginError::Connection(_)) {
                    // Not in the specification, but what all clients say.
                    let message = Message::Abort {
                        details: Dict::new(),
                        reason: "wamp.error.cannot_authenticate".into(),
                    };
                    let _ = connection.send(&message).await;
                }
                connection.close().await;
                Err(error)
            }
        }
    }

    /// Keeps the session until `interrupt` or the router ends it.
    pub async fn stay(mut self, interrupt: impl Future<Output = ()>) -> Result<End, LoginError> {
        let ended = async {
            loop {
                match self.connection.receive().await? {
                    Message::Goodbye { details, reason } => {
                        return Ok((Farewell::new(&details, reason), true));
                    }
                    Message::Abort { details, reason } => {
                        return Ok((Farewell::new(&details, reason), false));
                    }
                    _ => {}
                }
            }
        };
        let (farewell, polite) = tokio::select! {
            ended = ended => ended.map_err(LoginError::Connection)?,
            () = interrupt => {
                self.leave().await;
                return Ok(End::Left);
            }
        };
        if polite {
            let _ = self
                .connection
                .send(&goodbye(reason::GOODBYE_AND_OUT))
                .await;
        }
        self.connection.close().await;
        Ok(End::Ended(farewell))
    }

    /// Says GOODBYE. Whether the router answers makes no difference any more.
    pub async fn leave(mut self) {
        if self
            .connection
            .send(&goodbye(reason::CLOSE_REALM))
            .await
            .is_ok()
        {
            while let Ok(message) = self.connection.answer().await {
                if matches!(message, Message::Goodbye { .. } | Message::Abort { .. }) {
                    break;
                }
            }
        }
        self.connection.close().await;
    }
}

async fn log_in(
    connection: &mut Connection,
    hello: &Hello,
    prover: Arc<Prover>,
) -> Result<Welcome, LoginError> {
    connection.send(&hello.message()).await?;
    let mut in_return = Vec::new();
    for round in 0..=MOST_ROUNDS {
        match connection.answer().await? {
            Message::Welcome { session, details } => {
                if !in_return
                    .iter()
                    .all(|proof| ServerProof::is_in(proof, &details))
                {
                    return Err(LoginError::Impostor);
                }
                return Ok(Welcome {
                    session,
                    realm: hello.realm.clone(),
                    details,
                });
            }
            Message::Abort { details, reason } | Message::Goodbye { details, reason } => {
                return Err(LoginError::Refused(Farewell::new(&details, reason)));
            }
            Message::Challenge { method, extra } => {
                // A realm may ask for a second proof, which nobody has to announce.
                if round == 0 && !hello.authmethods.contains(&method) {
                    return Err(LoginError::NotAnnounced { method });
                }
                in_return.extend(authenticate(connection, &prover, method, extra).await?);
            }
            _ => return Err(connection.error(Problem::Unexpected).into()),
        }
    }
    Err(LoginError::TooManyRounds)
}

/// Answers one CHALLENGE, and yields what the router must show in return.
async fn authenticate(
    connection: &mut Connection,
    prover: &Arc<Prover>,
    method: String,
    extra: Dict,
) -> Result<Option<ServerProof>, LoginError> {
    let prover = Arc::clone(prover);
    let proving = spawn_blocking(move || prover.answer(&method, &extra));
    let proof = connection
        .alive_during(proving)
        .await
        .unwrap_or(Err(NoAnswer::Challenge("answering it failed")))?;
    // The router has lost its patience, and its next message says so.
    if connection.has_early() {
        return Ok(proof.in_return);
    }
    let mut message = Message::Authenticate {
        signature: proof.signature.as_str().to_owned(),
        extra: proof.extra,
    };
    let sent = connection.send(&message).await;
    if let Message::Authenticate { signature, .. } = &mut message {
        signature.zeroize();
    }
    sent?;
    Ok(proof.in_return)
}

impl Hello {
    fn message(&self) -> Message {
        let roles = ["caller", "callee", "publisher", "subscriber"]
            .into_iter()
            .map(|role| (role.to_owned(), Value::from(Dict::new())))
            .collect::<Dict>();
        let authmethods: Vec<Value> = self
            .authmethods
            .iter()
            .map(|it| it.as_str().into())
            .collect();
        let mut details = Dict::new()
            .with("roles", roles)
            .with("agent", concat!("countersign/", env!("CARGO_PKG_VERSION")))
            .with("authmethods", authmethods);
        if let Some(authid) = &self.authid {
            details.insert("authid", authid.as_str());
        }
        if !self.authextra.is_empty() {
            details.insert("authextra", self.authextra.clone());
        }
        Message::Hello {
            realm: self.realm.clone(),
            details,
        }
    }
}

impl Welcome {
    /// One line for each thing that matters to whoever logs in.
    pub fn table(&self) -> String {
        let mut rows = vec![["session".to_owned(), self.session.to_string()]];
        for key in [
            "realm",
            "authid",
            "authrole",
            "authmethod",
            "authprovider",
            "authextra",
        ] {
            let value = match self.details.value(key) {
                Some(Value::Text(text)) => text.clone(),
                Some(Value::Dict(dict)) => dict.to_json(),
                // Routers leave out what the client knows.
                _ if key == "realm" => self.realm.clone(),
                _ => "-".to_owned(),
            };
            rows.push([key.to_owned(), value]);
        }
        columns(&rows)
    }
}

impl Farewell {
    fn new(details: &Dict, reason: String) -> Self {
        Self {
            reason,
            message: details.text("message").map(str::to_owned),
        }
    }
}

struct Explained<'a>(Option<&'a str>);

impl std::fmt::Display for Explained<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(message) if !message.is_empty() => write!(f, " ({})", Printable(message)),
            _ => Ok(()),
        }
    }
}

fn goodbye(reason: &str) -> Message {
    Message::Goodbye {
        details: Dict::new(),
        reason: reason.to_owned(),
    }
}
