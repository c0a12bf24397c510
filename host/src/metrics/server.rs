use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{ALLOW, CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use prometheus_client::encoding::prometheus_text;
use thiserror::Error;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Mutex, Semaphore},
    task::spawn_blocking,
    time::{sleep, timeout},
};

use super::Survey;

/// The only place where there is something.
const PATH: &str = "/metrics";

/// Connections at one time. A monitor has one; who comes when they are taken waits.
const CONNECTIONS: usize = 8;

/// From a connection to its end. A page of 10,000 realms takes less.
const PATIENCE: Duration = Duration::from_secs(10);

/// Octets of a request's head. The least that hyper takes.
const LARGEST_HEAD: usize = 8 << 10;

/// How long no connection is accepted after the system could not give one.
const BREATHER: Duration = Duration::from_millis(100);

/// Why metrics are not served.
#[derive(Debug, Error)]
#[error("[metrics] address {address}: metrics cannot be served there: {error}; choose another")]
pub struct MetricsError {
    address: SocketAddr,
    error: io::Error,
}

/// Serves the page to whoever connects.
#[derive(Debug)]
pub struct MetricsServer {
    listener: TcpListener,
    address: SocketAddr,
}

/// What all connections share.
struct Desk {
    survey: Survey,
    /// One page is made at a time.
    turn: Mutex<()>,
}

type Answer = Response<Full<Bytes>>;

impl MetricsServer {
    pub async fn bind(address: SocketAddr) -> Result<Self, MetricsError> {
        let failed = |error| MetricsError { address, error };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// Where it really is.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves for as long as it is polled.
    pub async fn serve(self, survey: Survey) {
        let desk = Arc::new(Desk {
            survey,
            turn: Mutex::new(()),
        });
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            // The next one waits with the system.
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                return;
            };
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    let desk = Arc::clone(&desk);
                    tokio::spawn(async move {
                        let _place = place;
                        match timeout(PATIENCE, answer(stream, desk)).await {
                            Ok(Ok(())) => {}
                            Ok(Err(error)) => {
                                tracing::debug!(%peer, %error, "a request for metrics broke off");
                            }
                            Err(_) => tracing::debug!(%peer, "a request for metrics took too long"),
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection for metrics could not be accepted");
                    sleep(BREATHER).await;
                }
            }
        }
    }
}

/// Answers one request.
async fn answer(stream: TcpStream, desk: Arc<Desk>) -> hyper::Result<()> {
    let service = service_fn(move |request| {
        let desk = Arc::clone(&desk);
        async move { Ok::<_, Infallible>(desk.respond(&request).await) }
    });
    http1::Builder::new()
        .keep_alive(false)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .await
}

impl Desk {
    async fn respond(self: &Arc<Self>, request: &Request<Incoming>) -> Answer {
        if request.uri().path() != PATH {
            let text = "there is nothing here; metrics are at /metrics\n";
            return plain(StatusCode::NOT_FOUND, text);
        }
        if request.method() != Method::GET {
            let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, "get it\n");
            let get = HeaderValue::from_static("GET");
            answer.headers_mut().insert(ALLOW, get);
            return answer;
        }
        let _turn = self.turn.lock().await;
        let desk = Arc::clone(self);
        // Thousands of realms take milliseconds.
        let page = spawn_blocking(move || desk.survey.page()).await;
        let Ok(Ok(page)) = page else {
            tracing::error!("the page of metrics cannot be made");
            let text = "the page cannot be made\n";
            return plain(StatusCode::INTERNAL_SERVER_ERROR, text);
        };
        let mut answer = Response::new(Full::new(page.into()));
        let kind = HeaderValue::from_static(prometheus_text::CONTENT_TYPE);
        answer.headers_mut().insert(CONTENT_TYPE, kind);
        answer
    }
}

fn plain(status: StatusCode, text: &'static str) -> Answer {
    let mut answer = Response::new(Full::new(text.into()));
    *answer.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain");
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}
