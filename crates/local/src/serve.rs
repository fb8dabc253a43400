//! The control plane on a socket.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use tokio::net::TcpListener;

use crate::control_plane::ControlPlane;

/// Serves the control plane on a loopback listener until the task is dropped.
///
/// # Errors
/// The listener isn't on loopback, or breaks.
pub async fn serve(control_plane: Arc<ControlPlane>, listener: TcpListener) -> io::Result<()> {
    let app = Router::new().fallback(move |request: Request| {
        let control_plane = Arc::clone(&control_plane);
        async move {
            let (parts, body) = request.into_parts();
            let body = axum::body::to_bytes(body, BODY_BYTES_MAX)
                .await
                .unwrap_or_default();
            control_plane
                .handle(http::Request::from_parts(parts, body))
                .await
                .map(axum::body::Body::from)
        }
    });
    axum::serve(listener, app).await
}

/// The longest request that makes sense: a hundred tags and every member fill a few dozen kilobytes.
const BODY_BYTES_MAX: usize = 1 << 20;
