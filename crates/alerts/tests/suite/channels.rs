//! How each channel is spoken to: AWS's two by their protocols, webhooks with a signature.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use trapheus_restore::{Notifier, Notify};

use crate::receiver::{Fate, Receiver};
use crate::support::{SECRET, alerts, failed, tell};

/// What a receiver of the README's guide does.
fn is_signed(key: &[u8], id: &str, timestamp: &str, body: &[u8], signature: &str) -> bool {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key will do");
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    let encoded = signature.strip_prefix("v1,").expect("it has a version");
    let sent = aws_smithy_types::base64::decode(encoded).expect("it is Base64");
    mac.verify_slice(&sent).is_ok()
}

#[tokio::test]
async fn a_webhook_is_signed_over_its_time_and_its_body() {
    let receiver = Receiver::start(&[]).await;
    let settings = format!(
        r#"webhook = [{{ url = "{}/hooks?to=us", key = "{SECRET}" }}]"#,
        receiver.url
    );
    let alerts = alerts(&settings, &receiver.url).await;
    assert!(tell(&alerts).await[0].error.is_none());
    let received = &receiver.received()[0];
    let [id, timestamp, signature] =
        ["id", "timestamp", "signature"].map(|name| received.header(&format!("webhook-{name}")));
    assert_eq!(id, "run_06dqdpnft0000000.failed");
    assert_eq!(timestamp, failed().at.as_second().to_string());
    let key = SECRET.as_bytes();
    assert!(is_signed(key, id, timestamp, &received.body, signature));
    // An old one that is sent again with another time is noticed, and so is another body.
    assert!(!is_signed(key, id, "1795395724", &received.body, signature));
    assert!(!is_signed(key, id, timestamp, b"{}", signature));
    assert!(!is_signed(
        b"another",
        id,
        timestamp,
        &received.body,
        signature
    ));
    assert_eq!(received.header("content-type"), "application/json");
    assert!(!String::from_utf8_lossy(&received.body).contains(SECRET));
}

/// One whom SES refuses costs nobody else the alert.
#[tokio::test]
async fn each_recipient_gets_an_e_mail_of_their_own() {
    let refused = r#"{"message": "Email address is not verified."}"#;
    let receiver = Receiver::start(&[Fate::Status(400, refused)]).await;
    let settings =
        r#"email = { from = "trapheus@example.com", to = ["a@example.com", "b@example.com"] }"#;
    let alerts = alerts(settings, &receiver.url).await;
    let asked: Notify = serde_json::from_str(r#"{"to": ["c@example.com"]}"#).unwrap();
    let deliveries = alerts.tell(&failed(), &asked).await;
    assert_eq!(deliveries.len(), 3);
    let errors: Vec<&String> = deliveries
        .iter()
        .filter_map(|it| it.error.as_ref())
        .collect();
    assert_eq!(errors.len(), 1);
    assert!(
        errors[0].contains("Email address is not verified."),
        "{errors:?}"
    );
    let received = receiver.received();
    assert_eq!(received.len(), 3);
    for mail in received {
        let mail = mail.json();
        assert_eq!(mail["FromEmailAddress"], "trapheus@example.com");
        assert_eq!(
            mail["Destination"]["ToAddresses"].as_array().unwrap().len(),
            1
        );
    }
}

#[tokio::test]
async fn sns_gets_a_subject_that_it_takes() {
    let receiver = Receiver::start(&[]).await;
    let settings = r#"
        sns = [
            { name = "standard", topic = "arn:aws:sns:eu-west-1:123456789012:restores" },
            { name = "fifo", topic = "arn:aws:sns:us-east-1:123456789012:restores.fifo" },
        ]
    "#;
    let alerts = alerts(settings, &receiver.url).await;
    tell(&alerts).await;
    let form = |topic: &str| {
        let received = receiver.received();
        let mut bodies = received
            .iter()
            .map(|it| String::from_utf8_lossy(&it.body).into_owned());
        bodies.find(|body| body.contains(&format!("{topic}&")))
    };
    let standard = form("restores").expect("it was published");
    assert!(standard.contains("Action=Publish"));
    assert!(
        standard.contains("Subject=%5BTrapheus%5D%20orders%3A%20failed"),
        "{standard}"
    );
    assert!(!standard.contains("MessageGroupId"));
    let fifo = form("restores.fifo").expect("it was published");
    assert!(fifo.contains("MessageGroupId=orders"), "{fifo}");
    assert!(
        fifo.contains("MessageDeduplicationId=run_06dqdpnft0000000.failed"),
        "{fifo}"
    );
    // A topic is spoken to in its own Region.
    let authorizations: Vec<String> = receiver
        .received()
        .iter()
        .map(|it| it.header("authorization").to_owned())
        .collect();
    assert!(
        authorizations
            .iter()
            .any(|it| it.contains("/us-east-1/sns/"))
    );
    assert!(
        authorizations
            .iter()
            .any(|it| it.contains("/eu-west-1/sns/"))
    );
}

#[tokio::test]
async fn an_address_can_be_a_secret_of_secrets_manager() {
    let receiver = Receiver::start(&[]).await;
    let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:slack";
    let settings = format!(r#"slack = [{{ url = {{ secret = "{arn}" }} }}]"#);
    // It answers as Secrets Manager does when there is no such secret.
    let deliveries = tell(&alerts(&settings, &receiver.url).await).await;
    let error = deliveries[0].error.as_deref().expect("it can't be read");
    assert_eq!(
        error,
        format!("the secret {arn} can't be read: it holds no text")
    );
    let received = &receiver.received()[0];
    assert_eq!(
        received.header("x-amz-target"),
        "secretsmanager.GetSecretValue"
    );
    assert_eq!(received.json()["SecretId"], arn);
}
