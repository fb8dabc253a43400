//! Alerts of the real binary: by moto's SES and SNS, and by webhooks on loopback. One channel is
//! dead, which changes no outcome; no secret of a channel is anywhere but in what is sent there.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::common::moto::Moto;
use super::common::trapheus::trapheus;

/// Parts of the addresses of webhooks, and a key: each is in a place of its own.
const SECRETS: [&str; 3] = [
    "in-the-file-T0B0",
    "in-a-secret-T1B1",
    "in-the-environment-key",
];

/// The topic that alerts are published to.
const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:restores";

/// What a webhook was sent: its path, and the document.
type Sent = (String, Value);

/// A receiver of webhooks, and its address. It answers as long as the test runs.
fn receiver() -> (String, Receiver<Sent>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = listener.local_addr().expect("it has an address");
    let (sender, sent) = channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if sender.send(receive(stream)).is_err() {
                break;
            }
        }
    });
    (format!("http://{address}"), sent)
}

fn receive(mut stream: TcpStream) -> Sent {
    let mut reader = BufReader::new(
        stream
            .try_clone()
            .expect("a stream can be read and written"),
    );
    let mut first = String::new();
    reader
        .read_line(&mut first)
        .expect("HTTP begins with a line");
    let path = first
        .split(' ')
        .nth(1)
        .expect("a request has a path")
        .to_owned();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("HTTP has lines");
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length is a number");
        }
    }
    let mut body = vec![0; length];
    reader
        .read_exact(&mut body)
        .expect("the body is as long as it says");
    stream
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        .expect("whoever asks reads the answer");
    (
        path,
        serde_json::from_slice(&body).expect("webhooks get JSON"),
    )
}

/// An account with a topic, a verified sender, a secret with a webhook's address, and databases
/// `orders` and `shop` with snapshots; the settings name all channels, one of which is dead.
fn prepared(moto: &Moto, receiver: &str) {
    super::orders(moto);
    moto.boto3(&json!([
        ["create_db_instance", {
            "AllocatedStorage": 20,
            "DBInstanceClass": "db.t3.micro",
            "DBInstanceIdentifier": "shop",
            "Engine": "postgres",
            "EngineVersion": "15.4",
            "MasterUserPassword": "not-a-secret",
            "MasterUsername": "master",
            "Port": moto.database_port,
        }],
        ["describe_db_instances", {}],
        ["describe_db_instances", {}],
        ["create_db_snapshot", {
            "DBInstanceIdentifier": "shop",
            "DBSnapshotIdentifier": "shop-snapshot",
        }],
        ["describe_db_snapshots", {}],
        ["describe_db_snapshots", {}],
    ]));
    let secret = format!("{receiver}/{}", SECRETS[1]);
    let made = moto.boto3(&json!([
        ["sns:create_topic", { "Name": "restores" }],
        ["ses:verify_email_identity", { "EmailAddress": "trapheus@example.com" }],
        ["secretsmanager:create_secret", { "Name": "slack", "SecretString": secret }],
    ]));
    assert_eq!(made[0]["TopicArn"], TOPIC, "{made:?}");
    let arn = made[2]["ARN"].as_str().expect("a secret has an ARN");
    let dead = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let dead = dead.local_addr().expect("it has an address");
    moto.file(
        "trapheus.toml",
        &format!(
            r#"
            [alerts.email]
            from = "trapheus@example.com"
            to = ["dba@example.com", "on-call@example.com"]

            [[alerts.sns]]
            topic = "{TOPIC}"

            [[alerts.slack]]
            url = {{ secret = "{arn}" }}

            [[alerts.webhook]]
            name = "chatops"
            url = "{receiver}/{}"
            key = {{ env = "CHATOPS_KEY" }}

            [[alerts.webhook]]
            name = "dead"
            on = ["failed"]
            url = "http://{dead}/{}"
            "#,
            SECRETS[0], SECRETS[0]
        ),
    );
}

/// Runs `trapheus`, which prints none of the secrets; returns the exit code and the document.
fn run(mut command: Command) -> (Option<i32>, Value) {
    command.env("CHATOPS_KEY", SECRETS[2]);
    let done = command.env("RUST_LOG", "trace").output();
    let done = done.expect("trapheus starts");
    let [stdout, stderr] =
        [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    for secret in SECRETS {
        assert!(
            !stdout.contains(secret) && !stderr.contains(secret),
            "{secret}: {stdout}\n{stderr}"
        );
    }
    let document = serde_json::from_str(&stdout);
    (
        done.status.code(),
        document.unwrap_or_else(|error| panic!("{error}: {stdout}\n{stderr}")),
    )
}

/// Everybody was told of this, but by the dead channels, which the result names.
fn assert_told(moto: &Moto, sent: &Receiver<Sent>, result: &Value, subject: &str, dead: &[&str]) {
    let mut mails = 0;
    for message in moto.messages() {
        if message["subject"] == subject {
            mails += 1;
            let is_mail = message["topic"].is_null();
            assert_eq!(message["body"].to_string().contains("<html"), is_mail);
        }
    }
    assert_eq!(mails, 3, "{:#?}", moto.messages());
    let mut webhooks: Vec<Sent> = sent.try_iter().collect();
    webhooks.sort_by(|one, other| one.0.cmp(&other.0));
    let paths: Vec<&str> = webhooks.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(
        paths,
        [format!("/{}", SECRETS[1]), format!("/{}", SECRETS[0])]
    );
    assert_eq!(webhooks[0].1["blocks"][0]["type"], "header");
    let document = &webhooks[1].1;
    assert_eq!(document["executionId"], result["executionId"]);
    let kind = document["kind"].as_str().map(str::to_uppercase);
    assert_eq!(kind.as_deref(), result["status"].as_str());
    let database = &document["databases"][0];
    assert_eq!(database["identifier"], result["identifier"]);
    assert_eq!(database["endpoint"], result["endpoint"]);

    let alerts = result["alerts"].as_array().expect("all were told");
    let failed = alerts.iter().filter(|alert| alert["error"] != Value::Null);
    let failed: Vec<&Value> = failed.map(|alert| &alert["channel"]).collect();
    assert_eq!(failed, dead, "{alerts:?}");
    assert_eq!(alerts.len(), 5 + dead.len(), "{alerts:?}");
}

/// No file of the home but the settings, and what moto says of itself, holds a secret.
fn assert_unwritten(home: &Path) {
    for entry in fs::read_dir(home).expect("the home can be read").flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() {
            assert_unwritten(&path);
        } else if name != "trapheus.toml" {
            let bytes = fs::read(&path).expect("files can be read");
            let text = String::from_utf8_lossy(&bytes);
            for secret in SECRETS {
                assert!(!text.contains(secret), "{secret} is in {}", path.display());
            }
        }
    }
}

#[test]
fn everybody_hears_of_what_failed_and_of_what_went_well() {
    let (address, sent) = receiver();
    let moto = Moto::start(&["--imposter", "orders-trapheus-new"]);
    prepared(&moto, &address);
    let (code, failed) = run(moto.command(&["restore", "orders"]));
    assert_eq!(code, Some(1), "{failed:#}");
    let subject = "[Trapheus] orders: failed and rolled back";
    assert_told(&moto, &sent, &failed, subject, &["dead"]);
    let warnings = failed["warnings"].to_string();
    let says = "no alert to dead: it can't be reached";
    assert!(warnings.contains(says), "{warnings}");

    let (code, restored) = run(moto.command(&["restore", "shop"]));
    assert_eq!(code, Some(0), "{restored:#}");
    assert_told(&moto, &sent, &restored, "[Trapheus] shop: restored", &[]);

    let (_, doctor) = run(moto.command(&["doctor", "--test-alert"]));
    let findings = doctor["findings"].as_array().expect("findings");
    let of = |what: &str| {
        findings
            .iter()
            .filter(|it| it["what"] == what)
            .collect::<Vec<_>>()
    };
    let channels = of("alerts")[0]["detail"].as_str().expect("a text");
    for channel in [
        "dba@example.com",
        TOPIC,
        "chatops: webhook",
        "signed with a key from `CHATOPS_KEY`",
    ] {
        assert!(channels.contains(channel), "{channels}");
    }
    let tests = of("test alert");
    assert_eq!(tests.len(), 6);
    assert_eq!(tests.iter().filter(|it| it["state"] == "bad").count(), 1);
    assert_unwritten(moto.home());
    moto.stop();
}

/// What can't be read of the settings is not quoted: it may be a secret.
#[test]
fn settings_that_are_wrong_are_named_by_their_line() {
    let home = TempDir::new().expect("there is room for a temporary directory");
    for (settings, says) in [
        (
            format!("[alerts]\nslack = \"{}\"\n", SECRETS[0]),
            "line 2: invalid type: a text, expected a sequence",
        ),
        (
            format!("[[alerts.slack]]\nurll = \"{}\"\n", SECRETS[0]),
            "unknown field `urll`",
        ),
        (
            format!("[[alerts.slack]]\nurl = \"{}\"\nname = 1\n", SECRETS[0]),
            "line 3: invalid type: integer",
        ),
    ] {
        let file = home.path().join("trapheus.toml");
        fs::write(file, settings).expect("a temporary file can be written");
        let mut command = trapheus(home.path());
        command.args(["executions", "list"]);
        let (code, refused) = run(command);
        assert_eq!(code, Some(2), "{refused:#}");
        let message = refused["error"]["message"].as_str().expect("a text");
        assert!(message.contains(says), "{message}");
    }
}
