//! A receiver of webhooks on loopback that does what a test asks for, and remembers what it got.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

/// What becomes of one request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fate {
    /// Taken.
    Ok,
    /// Refused with this status and text.
    Status(u16, &'static str),
    /// Refused with 429, and asked to come back after so many seconds.
    Busy(u64),
    /// Never answered.
    Hangs,
}

/// What came in.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Received {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("what is sent is JSON")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).expect("the header is there");
        value.to_str().expect("it is text")
    }
}

#[derive(Default)]
struct Shared {
    fates: VecDeque<Fate>,
    received: Vec<Received>,
}

/// A receiver. It answers as long as the test's runtime lives.
pub(crate) struct Receiver {
    pub(crate) url: String,
    shared: Arc<Mutex<Shared>>,
}

impl Receiver {
    /// One that meets its first requests like this, and takes all after them.
    pub(crate) async fn start(fates: &[Fate]) -> Self {
        let shared = Arc::new(Mutex::new(Shared {
            fates: fates.iter().copied().collect(),
            received: Vec::new(),
        }));
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("there is a free port");
        let address = listener.local_addr().expect("it has an address");
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            url: format!("http://{address}"),
            shared,
        }
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.shared
            .lock()
            .expect("nobody panics with it")
            .received
            .clone()
    }
}

async fn answer(
    State(shared): State<Arc<Mutex<Shared>>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let fate = {
        let mut shared = shared.lock().expect("nobody panics with it");
        shared.received.push(Received {
            path: uri.path().to_owned(),
            headers,
            body,
        });
        shared.fates.pop_front().unwrap_or(Fate::Ok)
    };
    match fate {
        // SES and SNS answer with an id; webhooks don't care.
        Fate::Ok => r#"{"MessageId": "1"}"#.into_response(),
        Fate::Status(status, text) => {
            let status = StatusCode::from_u16(status).expect("it is a status");
            // How AWS says what kind of error it is; webhooks don't care.
            let kind = [("x-amzn-errortype", "MessageRejected")];
            (status, kind, text).into_response()
        }
        Fate::Busy(seconds) => {
            let wait = [("retry-after", seconds.to_string())];
            (StatusCode::TOO_MANY_REQUESTS, wait, "rate_limited").into_response()
        }
        Fate::Hangs => std::future::pending().await,
    }
}
