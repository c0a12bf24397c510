use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio_tungstenite::tungstenite::{
    Error,
    error::ProtocolError,
    handshake::{machine::TryParse, server::Request},
    http::header::UPGRADE,
};

/// Octets of a request's head.
const LARGEST_HEAD: usize = 16 << 10;

/// Octets that are read at once: browsers send about 600.
pub(super) const READ: usize = 2 << 10;

/// What an HTTP client wants.
#[derive(Debug)]
pub(super) enum Asked {
    /// A WebSocket. What came after the request's head is still in the buffer.
    WebSocket(Box<Request>),
    /// Anything else. All that was read is still in the buffer.
    Other,
    /// This is not HTTP, or its head has no end.
    Nonsense,
}

/// Reads the head of a request into the buffer, which may have its beginning already.
pub(super) async fn read<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut BytesMut,
) -> std::io::Result<Asked> {
    loop {
        if !buffer.is_empty() {
            match Request::try_parse(buffer) {
                Ok(Some((length, request))) if wants_websocket(&request) => {
                    _ = buffer.split_to(length);
                    return Ok(Asked::WebSocket(Box::new(request)));
                }
                Ok(Some(_))
                | Err(Error::Protocol(
                    ProtocolError::WrongHttpMethod | ProtocolError::WrongHttpVersion,
                )) => return Ok(Asked::Other),
                Ok(None) if buffer.len() < LARGEST_HEAD => {}
                Ok(None) | Err(_) => return Ok(Asked::Nonsense),
            }
        }
        buffer.reserve(READ);
        if stream.read_buf(buffer).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
}

fn wants_websocket(request: &Request) -> bool {
    request
        .headers()
        .get_all(UPGRADE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|protocol| protocol.trim().eq_ignore_ascii_case("websocket"))
}
