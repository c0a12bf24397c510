//! What a client is told that asks for something else than a WebSocket, and where a page gets its
//! cookie.

use std::{convert::Infallible, sync::Arc};

use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{
        ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS,
        ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW, CACHE_CONTROL,
        CONTENT_TYPE, HeaderMap, HeaderValue, SET_COOKIE, UPGRADE, VARY,
    },
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use zeroize::Zeroizing;

use super::{Connection, CookieExchange, Page};
use crate::config::WebOrigin;

/// Octets of a body. A code has 43.
const LARGEST_BODY: usize = 256;

/// What is served beside the WebSocket.
pub(super) struct Site<'a> {
    /// The path of the WebSocket.
    pub(super) path: &'a str,
    pub(super) origins: Option<&'a [WebOrigin]>,
    pub(super) exchange: &'a dyn CookieExchange,
    /// Who asks, once the request's headers are known.
    pub(super) connection: &'a (dyn Fn(&HeaderMap) -> Connection + Sync),
}

type Answer = Response<Full<Bytes>>;

/// Answers one request.
pub(super) async fn answer<S>(stream: S, site: Site<'_>) -> hyper::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let site = Arc::new(site);
    let service = service_fn(move |request| {
        let site = Arc::clone(&site);
        async move { Ok::<_, Infallible>(site.respond(request).await) }
    });
    http1::Builder::new()
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await
}

impl Site<'_> {
    async fn respond(&self, request: Request<Incoming>) -> Answer {
        let path = request.uri().path();
        // Without a list of sites there are no cookies, and no place to get one.
        if self.origins.is_some() && path == cookie_path(self.path) {
            return self.cookie(request).await;
        }
        if path != self.path {
            let text = format!("there is nothing here; WAMP is served at {}\n", self.path);
            return plain(StatusCode::NOT_FOUND, text);
        }
        let text = "this is a WAMP router: connect with a WebSocket\n";
        let mut answer = plain(StatusCode::UPGRADE_REQUIRED, text);
        put(&mut answer, UPGRADE, "websocket");
        answer
    }

    /// Exchanges a code for a cookie. A browser says itself which site a page is of, so a foreign
    /// page gets nowhere, and is not told anything.
    async fn cookie(&self, request: Request<Incoming>) -> Answer {
        let connection = (self.connection)(request.headers());
        let page = Page::of(request.headers(), self.origins, connection.confidential);
        let Some(page) = page else {
            return plain(
                StatusCode::FORBIDDEN,
                "cookies are for pages of some sites, on connections that nobody can read along\n",
            );
        };
        let origin = HeaderValue::from_str(page.origin.as_str());
        let mut answer = if request.method() == Method::POST {
            self.exchange(request, page, &connection).await
        } else if request.method() == Method::OPTIONS {
            let mut answer = plain(StatusCode::NO_CONTENT, "");
            put(&mut answer, ACCESS_CONTROL_ALLOW_METHODS, "POST");
            put(&mut answer, ACCESS_CONTROL_ALLOW_HEADERS, "content-type");
            answer
        } else {
            let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, "post a code\n");
            put(&mut answer, ALLOW, "OPTIONS, POST");
            answer
        };
        if let Ok(origin) = origin {
            let headers = answer.headers_mut();
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        }
        put(&mut answer, ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
        put(&mut answer, VARY, "Origin");
        put(&mut answer, CACHE_CONTROL, "no-store");
        answer
    }

    async fn exchange(
        &self,
        request: Request<Incoming>,
        page: Page,
        connection: &Connection,
    ) -> Answer {
        let Ok(body) = Limited::new(request.into_body(), LARGEST_BODY)
            .collect()
            .await
        else {
            return plain(StatusCode::PAYLOAD_TOO_LARGE, "that is no code\n");
        };
        let body = String::from_utf8(body.to_bytes().into());
        let code = Zeroizing::new(body.unwrap_or_default());
        let fresh = self.exchange.exchange(code, page, &connection.peer).await;
        let Some(cookie) = fresh.and_then(|cookie| cookie.header()) else {
            return plain(StatusCode::FORBIDDEN, "the code is not good\n");
        };
        let mut answer = plain(StatusCode::NO_CONTENT, "");
        answer.headers_mut().insert(SET_COOKIE, cookie);
        answer
    }
}

/// Beside the path of the WebSocket, whatever a proxy makes of that.
fn cookie_path(path: &str) -> String {
    format!("{}/cookie", path.trim_end_matches('/'))
}

fn plain(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(text.into()));
    *answer.status_mut() = status;
    put(&mut answer, CONTENT_TYPE, "text/plain");
    answer
}

fn put(answer: &mut Answer, name: hyper::header::HeaderName, value: &'static str) {
    answer
        .headers_mut()
        .insert(name, HeaderValue::from_static(value));
}
