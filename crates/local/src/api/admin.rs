//! What tests ask of local RDS beyond RDS: faults on request, chaos, and the log of requests.

use bytes::Bytes;
use http::{Method, Response};
use serde_json::{Value, json};

use crate::chaos::Chaos;
use crate::control_plane::ControlPlane;
use crate::faults::Fault;

pub(super) fn handle(
    control_plane: &ControlPlane,
    path: &str,
    method: &Method,
    body: &Bytes,
) -> Response<Bytes> {
    let (status, answer) = match (path, method.as_str()) {
        ("faults", "GET") => (200, json!({"faults": control_plane.faults.list()})),
        ("faults", "POST") => match serde_json::from_slice::<Fault>(body) {
            Ok(fault) => {
                control_plane.arm(fault);
                (200, json!({}))
            }
            Err(error) => (400, json!({"error": format!("this is no fault: {error}")})),
        },
        ("faults", "DELETE") => {
            control_plane.faults.clear();
            (200, json!({}))
        }
        ("chaos", "GET") => (
            200,
            json!({"chaos": control_plane.chaos(), "counts": control_plane.chaos_counts()}),
        ),
        ("chaos", "POST") => match serde_json::from_slice::<Chaos>(body) {
            Ok(chaos) => {
                control_plane.set_chaos(Some(chaos));
                (200, json!({}))
            }
            Err(error) => (400, json!({"error": format!("this is no chaos: {error}")})),
        },
        ("chaos", "DELETE") => {
            control_plane.set_chaos(None);
            (200, json!({}))
        }
        ("requests", "GET") => (
            200,
            json!({"requests": control_plane.request_log.entries()}),
        ),
        ("requests", "DELETE") => {
            control_plane.request_log.clear();
            (200, json!({}))
        }
        ("health", "GET") => (200, json!({"status": "ok"})),
        _ => (
            404,
            json!({"error": "there are only faults, chaos, requests and health here"}),
        ),
    };
    respond(status, &answer)
}

fn respond(status: u16, answer: &Value) -> Response<Bytes> {
    let response = Response::builder()
        .status(status)
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(Bytes::from(answer.to_string()));
    response.unwrap_or_else(|_| Response::new(Bytes::new()))
}
