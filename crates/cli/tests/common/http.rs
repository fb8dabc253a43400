//! The paths of local RDS that RDS doesn't have: faults on request and the log of requests.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

/// Makes one request with a body of JSON, and reads the answer's.
pub(crate) fn ask(endpoint_url: &str, method: &str, path: &str, body: &str) -> Value {
    let address = endpoint_url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("the server answers");
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: {address}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("the server listens");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .expect("the server answers in text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("HTTP has a body");
    assert!(head.contains(" 200 "), "{method} {path}: {answer}");
    serde_json::from_str(body).expect("the answer is JSON")
}
