//! Who is told of what: the file, the environment over it, and what an input asks for.

use std::collections::BTreeMap;

use trapheus_alerts::{Alerts, Settings, SettingsError};
use trapheus_restore::{AlertKind, Notifier, Notify, Recipient};

use crate::receiver::{Fate, Receiver};
use crate::support::{SECRET, alerts, aws_at, failed, settings};

/// Nobody answers there, and nobody is asked.
const NOWHERE: &str = "http://127.0.0.1:9";

const EVERYBODY: &str = r#"
    on = ["failed", "rollback_failed"]
    long-running-after = "3h"

    [email]
    from = "trapheus@example.com"
    to = ["dba@example.com"]

    [[slack]]
    name = "ops"
    url = "https://hooks.example.com/s3cr3t-T0-B0"
    on = ["failed", "succeeded"]

    [[sns]]
    name = "pager"
    topic = "arn:aws:sns:eu-west-1:123456789012:restores"
    on = []

    [[webhook]]
    url = { env = "CHATOPS_URL" }
    key = { secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:chatops" }
"#;

async fn audience(kind: AlertKind, asked: &str) -> Result<Vec<String>, Recipient> {
    let asked: Notify = serde_json::from_str(asked).expect("it can be asked");
    alerts(EVERYBODY, NOWHERE).await.audience(kind, &asked)
}

async fn assert_audience(kind: AlertKind, asked: &str, told: &[&str]) {
    assert_eq!(audience(kind, asked).await.unwrap(), told, "{kind} {asked}");
}

#[tokio::test]
async fn each_channel_tells_of_what_it_is_for() {
    use AlertKind::{Failed, LongRunning, Succeeded};
    assert_audience(Failed, "{}", &["dba@example.com", "ops", "webhook"]).await;
    assert_audience(Succeeded, "{}", &["ops"]).await;
    assert_audience(LongRunning, "{}", &[]).await;
    assert_eq!(
        alerts(EVERYBODY, NOWHERE).await.patience_seconds(),
        Some(3 * 3600)
    );
}

#[tokio::test]
async fn an_input_says_who_is_told_as_well_and_of_what() {
    use AlertKind::{Failed, Succeeded};
    let all = &[
        "dba@example.com",
        "ops",
        "pager",
        "webhook",
        "me@example.com",
    ];
    assert_audience(Failed, r#"{"to": ["pager", "me@example.com"]}"#, all).await;
    assert_audience(Succeeded, r#"{"to": ["pager"]}"#, &["ops"]).await;
    let asked = r#"{"on": ["succeeded"], "to": ["pager"]}"#;
    let told = &["dba@example.com", "ops", "pager", "webhook"];
    assert_audience(Succeeded, asked, told).await;
    assert_audience(Failed, asked, &[]).await;
    // Nobody is told twice.
    let again = r#"{"to": ["ops", "dba@example.com"]}"#;
    assert_audience(Failed, again, &["dba@example.com", "ops", "webhook"]).await;
}

#[tokio::test]
async fn nobody_who_is_not_known_can_be_named() {
    let told = audience(AlertKind::Failed, r#"{"to": ["opps"]}"#).await;
    assert_eq!(told, Err(Recipient::Channel("opps".to_owned())));
    let no_sender = alerts("", NOWHERE).await;
    let asked: Notify = serde_json::from_str(r#"{"to": ["me@example.com"]}"#).unwrap();
    assert!(no_sender.audience(AlertKind::Failed, &asked).is_err());
}

#[tokio::test]
async fn channels_are_shown_without_their_addresses() {
    let alerts = alerts(EVERYBODY, NOWHERE).await;
    let shown: Vec<String> = alerts.channels().iter().map(|it| it.to_string()).collect();
    insta::assert_snapshot!(shown.join("\n"));
    let debugged = format!("{alerts:?} {:?}", settings(EVERYBODY));
    assert!(!debugged.contains(SECRET), "{debugged}");
}

/// What the guide says to write is what is understood.
#[tokio::test]
async fn the_settings_of_the_guide_name_every_channel() {
    let guide = include_str!("../../../../README.md");
    let section = guide.split("### Alerts\n").nth(1).expect("it is there");
    let block = section.split("```toml\n").nth(1).expect("it is there");
    let block = block.split("```").next().expect("it ends");
    let mut file: toml::Table = block.parse().expect("it is TOML");
    let table = file.remove("alerts").expect("it has the table");
    let channels = alerts(&toml::to_string(&table).expect("it was TOML"), NOWHERE).await;
    assert_eq!(channels.channels().len(), 4);
}

fn under(variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let variables: BTreeMap<_, _> = variables.iter().copied().collect();
    let environment = |name: &str| variables.get(name).map(|value| (*value).to_owned());
    settings(EVERYBODY).under(environment)
}

#[test]
fn the_environment_is_over_the_file() {
    let found = under(&[
        (
            "TRAPHEUS_ALERT_EMAIL_TO",
            "one@example.com, two@example.com",
        ),
        (
            "TRAPHEUS_ALERT_SLACK_URLS",
            "https://a.example.com https://b.example.com",
        ),
    ])
    .unwrap();
    let email = found.email.unwrap();
    assert_eq!(email.from.unwrap().to_string(), "trapheus@example.com");
    assert_eq!(email.to.len(), 2);
    assert_eq!(found.slack.len(), 2);
    assert_eq!(found.sns.len(), 1);
}

#[tokio::test]
async fn a_secret_may_hold_several_addresses() {
    let receiver = Receiver::start(&[]).await;
    let both = format!("{url}/a, {url}/b", url = receiver.url);
    let secret = format!(r#"{{"SecretString": "{both}"}}"#);
    let secrets = Receiver::start(&[Fate::Status(200, secret.leak())]).await;
    let arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:slack";
    let environment = |name: &str| (name == "TRAPHEUS_ALERT_SLACK_SECRET").then(|| arn.to_owned());
    let settings = Settings::default().under(environment).unwrap();
    let alerts = Alerts::new(&settings, &aws_at(&secrets.url).await).unwrap();
    assert_eq!(
        alerts.tell(&failed(), &Notify::default()).await[0].error,
        None
    );
    assert_eq!(receiver.received().len(), 2);
}

#[test]
fn the_names_of_the_python_tool_are_understood() {
    let found = under(&[
        ("SenderEmail", "sender@example.com"),
        ("RecipientEmail", "recipient@example.com"),
        (
            "SlackWebhookUrls",
            "https://a.example.com,https://b.example.com",
        ),
        ("TRAPHEUS_ALERT_EMAIL_FROM", "ours@example.com"),
    ])
    .unwrap();
    let email = found.email.unwrap();
    assert_eq!(email.from.unwrap().to_string(), "ours@example.com");
    assert_eq!(email.to[0].to_string(), "recipient@example.com");
    assert_eq!(found.slack.len(), 2);
}

#[tokio::test]
async fn what_contradicts_itself_is_refused() {
    let wrong = under(&[("RecipientEmail", "nobody")]).unwrap_err();
    assert!(wrong.to_string().contains("`RecipientEmail`"));
    for (toml, says) in [
        (r#"email = { to = ["me@example.com"] }"#, "needs a sender"),
        (r#"email = { from = "nobody" }"#, "no e-mail address"),
        (r#"sns = [{ topic = "restores" }]"#, "not the ARN"),
        (
            r#"slack = [{ name = "a b", url = "x" }]"#,
            "no name for a channel",
        ),
        (
            r#"slack = [{ name = "x", url = "x" }, { name = "x", url = "x" }]"#,
            "two channels are called `x`",
        ),
    ] {
        let config = aws_config::SdkConfig::builder().build();
        let error = trapheus_alerts::Alerts::new(&settings(toml), &config).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
}
