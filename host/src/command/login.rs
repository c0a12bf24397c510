//! `countersign login`: logs in at a WAMP router, ours or another, and shows what it says.

mod address;
mod answer;
mod connection;
mod dialer;
mod key;
mod problem;
mod scram;
mod session;
mod tls;
mod wire;

use std::{path::PathBuf, process::ExitCode, str::FromStr};

use clap::{Args, ValueEnum};
use thiserror::Error;

use self::{
    address::Address,
    answer::Prover,
    dialer::Dialer,
    key::KeyError,
    scram::ClientNonce,
    session::{End, Hello, LoginError, Session},
    tls::{TlsArgs, TlsError},
};
use super::{
    output::{print, tell},
    secret::Prompt,
};
use crate::{
    login::Authid,
    wamp::{Dict, Serializer},
};

/// The arguments of `countersign login`.
#[derive(Debug, Args)]
#[command(
    about = "Log in at a WAMP router, to see whether and as whom",
    after_help = "The address has one of these forms:\n  \
                  ws://HOST:PORT/PATH     WebSocket\n  \
                  wss://HOST:PORT/PATH    WebSocket over TLS\n  \
                  rs://HOST:PORT          RawSocket\n  \
                  rss://HOST:PORT         RawSocket over TLS\n  \
                  unix:FILE               RawSocket on a Unix socket\n  \
                  unix+ws:FILE[:/PATH]    WebSocket on a Unix socket (/ws if there is no path)\n\n\
                  Secrets are asked for: at the terminal, or one line for each question from \
                  standard input.\n\n\
                  Exit status: 0 if the router let us in, 1 if it refused, 2 if it could not be \
                  asked."
)]
pub struct LoginArgs {
    /// Where the router listens
    #[arg(value_name = "ADDRESS", default_value = "ws://127.0.0.1:8080/ws")]
    address: Address,

    /// The realm to join
    #[arg(long, default_value = "realm1")]
    realm: String,

    /// Who logs in
    #[arg(long, value_parser = Authid::parse)]
    authid: Option<Authid>,

    /// A method to announce; may be repeated [default: anonymous; with --authid or --key:
    /// cryptosign (if there is a key), wampcra, ticket, scram and wamp-scram (if there is an authid)]
    #[arg(long = "method", value_name = "METHOD", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    methods: Vec<String>,

    /// How messages are serialized
    #[arg(long, value_name = "SERIALIZER", value_enum, default_value_t = SerializerName::Json)]
    serializer: SerializerName,

    /// A member of authextra, such as 'pin="1234"'; may be repeated
    #[arg(long = "extra", value_name = "KEY=JSON")]
    extras: Vec<Extra>,

    /// The key for cryptosign: a file with the 32 octets of its seed in hex
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,

    #[command(flatten)]
    tls: TlsArgs,

    /// Do not bind the login to the TLS connection. Without this, cryptosign and wamp-scram prove
    /// over TLS 1.3 that nobody stands between; they fail where TLS ends at a proxy
    #[arg(long)]
    no_channel_binding: bool,

    /// Keep the session until Ctrl-C, or until the router ends it
    #[arg(long)]
    stay: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SerializerName {
    Json,
    Msgpack,
    Cbor,
}

/// One member of authextra.
#[derive(Clone, Debug)]
struct Extra(Dict);

#[derive(Debug, Error)]
enum InvalidExtra {
    #[error("there is no \"=\"; write KEY=JSON, such as pin=\"1234\"")]
    NoValue,
    #[error("the value is not JSON; put a text in double quotes, such as pin=\"1234\"")]
    NotJson,
}

/// Why the arguments do not say what to do.
#[derive(Debug, Error)]
enum UsageError {
    #[error("cryptosign needs a key; add --key FILE")]
    NoKey,
    #[error("--key is for cryptosign; add --method cryptosign")]
    UnusedKey,
    #[error("the system has no randomness for a nonce: {0}")]
    Randomness(#[from] getrandom::Error),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// The nesting of authextra that is sent.
const NESTING: usize = 8;

/// Logs in. The status is 0 if that worked, 1 if the router refused, and 2 after any other problem;
/// what is wrong has then been told.
///
/// # Errors
/// If standard output cannot be written.
pub async fn run(args: LoginArgs) -> anyhow::Result<ExitCode> {
    let planned = Dialer::new(args.address.clone(), &args.tls)
        .map_err(UsageError::from)
        .and_then(|dialer| Ok((dialer, plan(&args, Prompt::standard_input())?)));
    let (dialer, (hello, prover)) = match planned {
        Ok(planned) => planned,
        Err(error) => {
            tell(format_args!("error: {error}"));
            return Ok(ExitCode::from(2));
        }
    };
    let session = Session::join(&dialer, args.serializer.into(), hello, prover).await;
    let session = match session {
        Ok(session) => session,
        Err(error) => return Ok(failed(&error)),
    };
    print(&session.welcome.table())?;
    if !args.stay {
        session.leave().await;
        return Ok(ExitCode::SUCCESS);
    }
    match session.stay(interrupt()).await {
        Ok(End::Left) => {}
        Ok(End::Ended(farewell)) => print(&format!("The router ended the session: {farewell}\n"))?,
        Err(error) => return Ok(failed(&error)),
    }
    Ok(ExitCode::SUCCESS)
}

fn failed(error: &LoginError) -> ExitCode {
    tell(format_args!("error: {error}"));
    match error {
        LoginError::Refused(_) | LoginError::RefusedBound(_) => ExitCode::from(1),
        _ => ExitCode::from(2),
    }
}

async fn interrupt() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Then Ctrl-C ends the process by itself.
        std::future::pending::<()>().await;
    }
}

/// What to say to the router, and how to prove it.
fn plan(args: &LoginArgs, prompt: Prompt) -> Result<(Hello, Prover), UsageError> {
    let authid = args
        .authid
        .as_ref()
        .map(|authid| authid.as_str().to_owned());
    let mut authmethods = args.methods.clone();
    if authmethods.is_empty() {
        // Some routers take the first that they know, so the best comes first.
        if args.key.is_some() {
            authmethods.push("cryptosign".to_owned());
        }
        if authid.is_some() {
            // Last the one that Crossbar does not know: it looks no further in the list.
            let by_secret = ["wampcra", "ticket", "scram", "wamp-scram"];
            authmethods.extend(by_secret.map(str::to_owned));
        }
        if authmethods.is_empty() {
            authmethods.push("anonymous".to_owned());
        }
    }
    let mut authextra = Dict::new();
    let by_key = authmethods.iter().any(|method| method == "cryptosign");
    let key = match &args.key {
        Some(_) if !by_key => return Err(UsageError::UnusedKey),
        None if by_key => return Err(UsageError::NoKey),
        None => None,
        Some(file) => {
            let key = key::read(file)?;
            authextra.insert("pubkey", hex::encode(key.verifying_key().to_bytes()));
            Some(key)
        }
    };
    let nonce = ClientNonce::generate()?;
    if authmethods
        .iter()
        .any(|method| scram::dialect(method).is_some())
    {
        authextra.insert("nonce", nonce.as_str());
    }
    for Extra(member) in &args.extras {
        authextra.extend(member.clone());
    }
    let can_bind = by_key || authmethods.iter().any(|method| method == "wamp-scram");
    // Whoever writes the member by hand wants to see what comes of it.
    let binds =
        can_bind && !args.no_channel_binding && authextra.value("channel_binding").is_none();
    let hello = Hello {
        realm: args.realm.clone(),
        authid: authid.clone(),
        authmethods,
        authextra,
        binds,
    };
    Ok((
        hello,
        Prover {
            authid,
            key,
            nonce,
            channel: None,
            prompt,
        },
    ))
}

impl From<SerializerName> for Serializer {
    fn from(name: SerializerName) -> Self {
        match name {
            SerializerName::Json => Self::Json,
            SerializerName::Msgpack => Self::MsgPack,
            SerializerName::Cbor => Self::Cbor,
        }
    }
}

impl FromStr for Extra {
    type Err = InvalidExtra;

    fn from_str(text: &str) -> Result<Self, InvalidExtra> {
        let (key, value) = text.split_once('=').ok_or(InvalidExtra::NoValue)?;
        let value: serde_json::Value =
            serde_json::from_str(value).map_err(|_| InvalidExtra::NotJson)?;
        let member = serde_json::Map::from_iter([(key.to_owned(), value)]);
        let json = serde_json::Value::Object(member).to_string();
        Dict::from_json(&json, NESTING)
            .map(Self)
            .map_err(|_| InvalidExtra::NotJson)
    }
}

#[cfg(test)]
mod tests;
