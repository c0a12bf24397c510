//! The floor: what a login must cost at least, in Rust over tokio and tungstenite. It asks everyone
//! to sign, compares with the one key that it holds, and knows neither realms nor policies.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
};

use anyhow::{Context, Result, bail};
use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::{SinkExt, StreamExt};
use hmac::{Hmac, Mac};
use serde::de::IgnoredAny;
use sha2::Sha256;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async_with_config,
    tungstenite::{
        Message,
        handshake::server::{ErrorResponse, Request, Response},
        http::{HeaderValue, header::SEC_WEBSOCKET_PROTOCOL},
        protocol::WebSocketConfig,
    },
};

use crate::{
    client::{AUTHID, REALM, SECRET},
    frame::Serializer,
    login::cra,
};

const ROLES: &str = r#""roles":{"broker":{},"dealer":{}}"#;

pub async fn serve(address: SocketAddr) -> Result<()> {
    let listener = TcpListener::bind(address).await?;
    let mac = cra::mac(SECRET.as_bytes())?;
    loop {
        let (stream, _) = listener.accept().await?;
        let mac = mac.clone();
        // Whatever becomes of it: the load sees it too.
        tokio::spawn(async move { _ = serve_one(stream, mac).await });
    }
}

async fn serve_one(stream: TcpStream, mac: Hmac<Sha256>) -> Result<()> {
    static SESSIONS: AtomicU64 = AtomicU64::new(1);
    let (mut socket, _) = accept(stream).await?;
    let session = SESSIONS.fetch_add(1, Ordering::Relaxed);
    let hello = text(&mut socket).await?;
    if !hello.contains("\"anonymous\"") {
        challenge(&mut socket, session, mac).await?;
    }
    let welcome = format!(
        r#"[2,{session},{{"realm":"{REALM}","authid":"{AUTHID}","authrole":"user",{ROLES}}}]"#
    );
    socket.send(Message::text(welcome)).await?;
    // The WebSocket's close is answered by the library, as part of waiting for what comes next.
    while socket.next().await.is_some_and(|next| next.is_ok()) {}
    Ok(())
}

async fn challenge(
    socket: &mut WebSocketStream<TcpStream>,
    session: u64,
    mut mac: Hmac<Sha256>,
) -> Result<()> {
    let question = format!(
        r#"{{\"authid\":\"{AUTHID}\",\"authrole\":\"user\",\"authmethod\":\"wampcra\",\"nonce\":\"{session:064x}\",\"timestamp\":\"2026-01-01T00:00:00.000Z\",\"session\":{session}}}"#
    );
    mac.update(question.replace('\\', "").as_bytes());
    let challenge = format!(r#"[4,"wampcra",{{"challenge":"{question}"}}]"#);
    socket.send(Message::text(challenge)).await?;
    let answer = text(socket).await?;
    let (_, signature, _): (u64, &str, IgnoredAny) = serde_json::from_str(&answer)?;
    mac.verify_slice(&BASE64_STANDARD.decode(signature)?)?;
    Ok(())
}

async fn text(socket: &mut WebSocketStream<TcpStream>) -> Result<String> {
    match socket.next().await.context("the client is gone")?? {
        Message::Text(text) => Ok(text.as_str().to_owned()),
        _ => bail!("no text"),
    }
}

/// A WebSocket in the serialization that the client asks for.
pub async fn accept(stream: TcpStream) -> Result<(WebSocketStream<TcpStream>, Serializer)> {
    stream.set_nodelay(true)?;
    // As small as the router's buffers: by default each connection costs 128 KiB, and time.
    let config = WebSocketConfig::default()
        .read_buffer_size(4096)
        .write_buffer_size(4096);
    let mut serializer = None;
    #[expect(clippy::result_large_err, reason = "the signature is tungstenite's")]
    let answer = |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
        let offer = request.headers().get(SEC_WEBSOCKET_PROTOCOL);
        serializer = offer
            .and_then(|offer| offer.to_str().ok())
            .and_then(Serializer::from_subprotocol);
        if let Some(serializer) = serializer {
            let chosen = HeaderValue::from_static(serializer.subprotocol());
            response
                .headers_mut()
                .insert(SEC_WEBSOCKET_PROTOCOL, chosen);
        }
        Ok(response)
    };
    let socket = accept_hdr_async_with_config(stream, answer, Some(config)).await?;
    Ok((
        socket,
        serializer.context("no serialization that is known here")?,
    ))
}
