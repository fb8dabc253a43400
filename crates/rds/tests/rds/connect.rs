//! Goal: a user who lacks something is told what to set. Method: the test runs itself again with
//! an environment of its own, because the SDK reads the process's.

use std::process::Command;

use trapheus_rds::{ConnectOptions, Identity, Rds};

/// Connects in a process that has nothing but `environment`, and returns what came of it.
fn connect_with(environment: &[(&str, &str)]) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "connect::says_what_came_of_it",
            "--ignored",
            "--nocapture",
        ])
        .env_clear()
        .env("AWS_CONFIG_FILE", "/nonexistent")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find_map(|line| line.split_once("result: "));
    line.unwrap_or_else(|| panic!("no result in {text}"))
        .1
        .to_owned()
}

#[tokio::test]
#[ignore = "runs in the processes that the other tests start"]
#[expect(
    clippy::print_stdout,
    reason = "the output is how the other process learns the result"
)]
async fn says_what_came_of_it() {
    match Rds::connect(ConnectOptions::default()).await {
        Ok(rds) => println!("result: connected to {}", rds.region().unwrap()),
        Err(error) => println!("result: {error}"),
    }
}

const KEYS: [(&str, &str); 2] = [
    ("AWS_ACCESS_KEY_ID", "key"),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
];

#[test]
fn a_missing_region_is_named_with_what_to_set() {
    let expected = "no AWS Region is configured: pass --region, set AWS_REGION, \
                    or set `region` in the profile";
    assert_eq!(connect_with(&KEYS), expected);
}

#[test]
fn missing_credentials_are_named_with_what_to_set() {
    let result = connect_with(&[("AWS_REGION", "eu-west-1")]);
    assert!(
        result.starts_with("no AWS credentials: set AWS_PROFILE"),
        "{result}"
    );
}

#[test]
fn the_standard_environment_is_enough() {
    let environment = [KEYS[0], KEYS[1], ("AWS_REGION", "eu-west-1")];
    assert_eq!(connect_with(&environment), "connected to eu-west-1");
}

#[tokio::test]
async fn a_server_that_asks_nobody_needs_no_settings() {
    let options = ConnectOptions {
        endpoint_url: Some("http://127.0.0.1:1".to_owned()),
        identity: Identity::Anybody,
        ..ConnectOptions::default()
    };
    let rds = Rds::connect(options).await.unwrap();
    assert!(rds.region().is_some());
}
