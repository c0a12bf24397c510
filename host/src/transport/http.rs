//! What a client is told that asks for something else than a WebSocket.

use std::{convert::Infallible, sync::Arc};

use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{CONTENT_TYPE, HeaderValue, UPGRADE},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

/// Answers one request.
pub(super) async fn answer<S>(stream: S, path: Arc<str>) -> hyper::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let service = service_fn(move |request| {
        let answer = respond(&request, &path);
        async { Ok::<_, Infallible>(answer) }
    });
    http1::Builder::new()
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await
}

fn respond(request: &Request<Incoming>, path: &str) -> Response<Full<Bytes>> {
    let is_ours = request.uri().path() == path;
    let text = if is_ours {
        "this is a WAMP router: connect with a WebSocket\n".to_owned()
    } else {
        format!("there is nothing here; WAMP is served at {path}\n")
    };
    let mut response = Response::new(Full::from(text));
    let plain = HeaderValue::from_static("text/plain");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    if is_ours {
        *response.status_mut() = StatusCode::UPGRADE_REQUIRED;
        let websocket = HeaderValue::from_static("websocket");
        response.headers_mut().insert(UPGRADE, websocket);
    } else {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}
