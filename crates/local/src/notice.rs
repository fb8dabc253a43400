//! What a client reads that connects to an engine for which there is no local server.

/// The words, in the engine's protocol where a server speaks first.
pub(crate) fn no_server(engine: &str) -> Vec<u8> {
    let text = format!(
        "Local RDS has no server for {engine}: this instance exists in the control plane only"
    );
    match engine {
        "mysql" | "mariadb" | "aurora-mysql" => mysql_error(&text),
        _ => format!("{text}\r\n").into_bytes(),
    }
}

/// An error packet in place of MySQL's greeting, as a server sends that refuses a host: the client shows its text.
fn mysql_error(text: &str) -> Vec<u8> {
    const HOST_NOT_PRIVILEGED: u16 = 1130;
    let length = (3 + text.len()) as u32;
    let mut packet = length.to_le_bytes()[..3].to_vec();
    packet.push(0);
    packet.push(0xff);
    packet.extend_from_slice(&HOST_NOT_PRIVILEGED.to_le_bytes());
    packet.extend_from_slice(text.as_bytes());
    packet
}
