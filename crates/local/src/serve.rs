//! The control plane on a socket.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http_body::Frame;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::control_plane::ControlPlane;
use crate::faults::LostAnswer;

/// The longest request that makes sense: a hundred tags and every member fill a few dozen kilobytes.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Serves the control plane on a loopback listener until the future is dropped.
///
/// # Errors
/// The listener isn't on loopback, or breaks.
pub async fn serve(control_plane: Arc<ControlPlane>, listener: TcpListener) -> io::Result<()> {
    serve_until(control_plane, listener, CancellationToken::new()).await
}

/// Serves until the token is cancelled, and then answers what has arrived.
pub(crate) async fn serve_until(
    control_plane: Arc<ControlPlane>,
    listener: TcpListener,
    stop: CancellationToken,
) -> io::Result<()> {
    if !listener.local_addr()?.ip().is_loopback() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "local RDS takes any credentials, so it listens on loopback only",
        ));
    }
    let app = Router::new().fallback(move |request: Request| {
        let control_plane = Arc::clone(&control_plane);
        async move { answer(&control_plane, request).await }
    });
    axum::serve(listener, app)
        .with_graceful_shutdown(async move { stop.cancelled().await })
        .await
}

async fn answer(control_plane: &ControlPlane, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_BYTES_MAX).await else {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = http::StatusCode::PAYLOAD_TOO_LARGE;
        return response;
    };
    let response = control_plane
        .handle(http::Request::from_parts(parts, body))
        .await;
    if response.extensions().get::<LostAnswer>().is_some() {
        return response.map(|_| Body::new(BrokenOff));
    }
    response.map(Body::from)
}

/// A body that never comes: the connection is cut in its place.
struct BrokenOff;

impl http_body::Body for BrokenOff {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let lost = io::Error::new(io::ErrorKind::ConnectionAborted, "the answer gets lost");
        Poll::Ready(Some(Err(lost)))
    }
}
