//! Secrets, planted wherever a user can give one, and looked for in everything that was written
//! when things went wrong: standard output and error with all logs, and every file of the home.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tokio::process::Command;

use super::Scripts;
use super::common::instances::{DATABASE, PASSWORD, USER};
use super::common::run::Ended;
use super::common::world::World;

/// Of the AWS account, the database and the channels of alerts, and what was written where none
/// belongs.
const SECRETS: [&str; 8] = [
    PASSWORD,
    "canary-of-the-account",
    "canary-of-the-session",
    "canary-wrong-password",
    "canary-slack-address",
    "canary-webhook-address",
    "canary-webhook-key",
    "canary-out-of-place",
];

/// In strings of SQL. The journal keeps the input, so that it can be shown to whoever owns it.
const IN_SQL: [&str; 2] = ["canary-in-sql", "canary-in-a-value"];

const HOME: &str = "closed";

/// `trapheus` with every secret there is, all logs, and a umask that closes nothing.
fn command(world: &World, arguments: &[&str], password: &str) -> Command {
    let plain = world.trapheus(arguments);
    let plain = plain.as_std();
    let mut command = Command::new("sh");
    command
        .args(["-c", "umask 000; exec \"$@\"", "sh"])
        .arg(plain.get_program())
        .args(plain.get_args())
        .current_dir(world.home.path());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
        .env("TRAPHEUS_HOME", world.home.path().join(HOME))
        .env("RUST_LOG", "trace")
        .env("AWS_SECRET_ACCESS_KEY", SECRETS[1])
        .env("AWS_SESSION_TOKEN", SECRETS[2])
        .env("TRAPHEUS_VERIFY_PASSWORD", password)
        .env("TRAPHEUS_VERIFY_USER", USER)
        .env("TRAPHEUS_VERIFY_DATABASE", DATABASE)
        .env(
            "TRAPHEUS_ALERT_SLACK_URLS",
            format!("ftp://nowhere/{}", SECRETS[4]),
        )
        .env(
            "TRAPHEUS_ALERT_WEBHOOK_URL",
            format!("ftp://nowhere/{}", SECRETS[5]),
        )
        .env("TRAPHEUS_ALERT_WEBHOOK_KEY", SECRETS[6])
        .kill_on_drop(true);
    command
}

/// Runs it, and looks through what it prints.
async fn run(world: &World, arguments: &[&str], password: &str) -> Ended {
    let output = command(world, arguments, password).output().await;
    let ended = Ended::of(output.expect("trapheus starts"));
    assert_tells_none(&format!("{ended:?}"), &SECRETS, &format!("{arguments:?}"));
    ended
}

fn assert_tells_none(text: &str, secrets: &[&str], place: &str) {
    for secret in secrets {
        assert!(!text.contains(secret), "{secret} is in {place}: {text}");
    }
}

/// Everything in the home is its owner's alone, and tells no secret.
fn assert_closed(directory: &Path) {
    let mode = |path: &Path| {
        let about = fs::metadata(path).expect("it is there");
        about.permissions().mode() & 0o777
    };
    assert_eq!(mode(directory), 0o700, "{}", directory.display());
    for entry in fs::read_dir(directory).expect("it can be read").flatten() {
        let (path, place) = (entry.path(), entry.path().display().to_string());
        if path.is_dir() {
            assert_closed(&path);
            continue;
        }
        assert_eq!(mode(&path), 0o600, "{place}");
        let bytes = fs::read(&path).expect("it can be read");
        let text = String::from_utf8_lossy(&bytes);
        assert_tells_none(&text, &SECRETS, &place);
        if !place.contains("executions.db") {
            assert_tells_none(&text, &IN_SQL, &place);
        }
    }
}

#[tokio::test]
async fn no_secret_is_told_or_left_anywhere() {
    let world = World::shared();
    world.create("guarded", |request| request).await;
    world.take_snapshot("guarded", "guarded-snapshot").await;
    let scripts = Scripts::new();
    let sql = |name, sql: &str| scripts.file(name, sql);
    let statement = sql(
        "statement.sql",
        "ALTER ROLE nobody PASSWORD 'canary-in-sql'",
    );
    let value = sql("value.sql", "SELECT 'canary-in-a-value'::int");

    for (option, script, password) in [
        ("--prepare", &statement, PASSWORD),
        ("--verify", &value, PASSWORD),
        ("--verify", &value, SECRETS[3]),
    ] {
        let restore = ["restore", "guarded", option, script];
        let failed = run(&world, &restore, password).await;
        assert_eq!(failed.code, Some(1), "{failed:?}");
        assert_tells_none(&format!("{failed:?}"), &IN_SQL, "what it prints");
        assert!(failed.stdout.contains("no alert to"), "{failed:?}");
        run(
            &world,
            &["--output", "text", "executions", "show", "last"],
            password,
        )
        .await;
        run(
            &world,
            &["executions", "show", "last", "--history"],
            password,
        )
        .await;
    }

    for (name, input) in [
        ("password", r#""masterPassword": "canary-out-of-place""#),
        (
            "address",
            r#""notify": {"to": ["https://canary-out-of-place"]}"#,
        ),
        (
            "login",
            r#""credentials": {"password": "canary-out-of-place"}"#,
        ),
        ("verify", r#""verify": {"password": "canary-out-of-place"}"#),
    ] {
        let text = format!(r#"{{"identifier": "guarded", "task": "db_restore", {input}}}"#);
        let file = scripts.file(name, &text);
        let refused = run(&world, &["start", "--input", &file], PASSWORD).await;
        assert_eq!(refused.code, Some(2), "{refused:?}");
    }
    run(&world, &["plan", "guarded"], PASSWORD).await;
    run(&world, &["refresh", "guarded"], PASSWORD)
        .await
        .with_code(0);
    run(&world, &["executions", "list"], PASSWORD).await;
    run(&world, &["doctor"], PASSWORD).await;
    assert_closed(&world.home.path().join(HOME));
}
