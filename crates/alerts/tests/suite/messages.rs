//! What each channel writes, word by word.

use serde_json::Value;
use trapheus_restore::{Alert, AlertKind, Notifier, Notify};

use crate::receiver::Receiver;
use crate::support::{alerts, failed, rollback_failed, succeeded};

/// What an alert looks like in each language: e-mail's two, Slack's, and a program's.
struct Written {
    subject: String,
    text: String,
    html: String,
    slack: Value,
    document: Value,
}

async fn written(alert: &Alert) -> Written {
    let receiver = Receiver::start(&[]).await;
    let url = &receiver.url;
    let settings = format!(
        r#"
        on = ["succeeded", "left_over", "failed", "refused", "rollback_failed", "long_running"]
        email = {{ from = "trapheus@example.com", to = ["dba@example.com"] }}
        slack = [{{ url = "{url}/slack" }}]
        webhook = [{{ url = "{url}/webhook" }}]
        "#
    );
    let alerts = alerts(&settings, url).await;
    let deliveries = alerts.tell(alert, &Notify::default()).await;
    assert!(
        deliveries.iter().all(|delivery| delivery.error.is_none()),
        "{deliveries:?}"
    );
    let received = receiver.received();
    let at = |path: &str| {
        let found = received.iter().find(|received| received.path == path);
        found.expect("it arrived").json()
    };
    let mail = &at("/v2/email/outbound-emails")["Content"]["Simple"];
    let text = |value: &Value| value["Data"].as_str().expect("a text").to_owned();
    Written {
        subject: text(&mail["Subject"]),
        text: text(&mail["Body"]["Text"]),
        html: text(&mail["Body"]["Html"]),
        slack: at("/slack"),
        document: at("/webhook"),
    }
}

#[tokio::test]
async fn a_failure_in_every_language() {
    let written = written(&failed()).await;
    insta::assert_snapshot!(
        "failed_text",
        format!("{}\n\n{}", written.subject, written.text)
    );
    insta::assert_snapshot!("failed_html", written.html);
    insta::assert_json_snapshot!("failed_slack", written.slack);
    insta::assert_json_snapshot!("failed_document", written.document);
}

#[tokio::test]
async fn a_success_in_every_language() {
    let written = written(&succeeded()).await;
    insta::assert_snapshot!(
        "succeeded_text",
        format!("{}\n\n{}", written.subject, written.text)
    );
    insta::assert_snapshot!("succeeded_html", written.html);
    insta::assert_json_snapshot!("succeeded_slack", written.slack);
}

/// P24: the Python tool's e-mails ran what an error quoted.
#[tokio::test]
async fn what_strangers_have_written_is_text() {
    let written = written(&failed()).await;
    for markup in ["<b>", "<script", "<!channel>", "\"never\"", "'x'"] {
        assert!(!written.html.contains(markup), "{markup}");
    }
    let slack = written.slack.to_string();
    for markup in ["<b>", "<script", "<!channel>"] {
        assert!(!slack.contains(markup), "{markup}");
    }
    assert!(slack.contains("&lt;!channel&gt;") && slack.contains(" &amp; "));
    assert!(written.text.contains("<!channel>"));
}

#[tokio::test]
async fn each_kind_has_a_title_of_its_own() {
    let mut titles = Vec::new();
    for kind in AlertKind::ALL {
        let mut alert = failed();
        alert.kind = kind;
        titles.push(written(&alert).await.subject);
    }
    insta::assert_snapshot!("titles", titles.join("\n"));
}

/// A command that is cut is none: all of them arrive, within Slack's limits.
#[tokio::test]
async fn slack_gets_every_command_in_blocks_of_its_size() {
    let written = written(&rollback_failed(60)).await;
    let blocks = written.slack["blocks"].as_array().expect("blocks");
    assert!(blocks.len() <= 50);
    let texts: Vec<&str> = blocks
        .iter()
        .filter_map(|block| block["text"]["text"].as_str())
        .collect();
    assert!(texts.iter().all(|text| text.encode_utf16().count() <= 3000));
    let all = texts.join("\n");
    for number in 1..=60 {
        let command = format!("orders-{number} --apply-immediately");
        assert!(all.contains(&command), "{command}");
    }
}

#[tokio::test]
async fn what_is_longer_than_slack_takes_says_where_there_is_more() {
    let mut alert = rollback_failed(2000);
    alert.report.headline = format!("{}<", "&".repeat(10_000));
    let slack = written(&alert).await.slack;
    let blocks = slack["blocks"].as_array().expect("blocks");
    assert_eq!(blocks.len(), 50);
    let more = blocks[48]["text"]["text"].as_str().expect("a text");
    assert!(more.contains("trapheus executions show"), "{more}");
    let headline = blocks[1]["text"]["text"].as_str().expect("a text");
    assert!(
        headline.len() <= 3002 && headline.ends_with("&amp;…"),
        "{headline}"
    );
    assert!(slack["text"].as_str().expect("a text").len() <= 3002);
}

/// A header that ends early is another header.
#[tokio::test]
async fn a_subject_is_one_line() {
    let mut alert = failed();
    alert.kind = AlertKind::Test;
    alert.identifier = None;
    let subject = written(&alert).await.subject;
    assert_eq!(subject, "[Trapheus] this is a test");
}
