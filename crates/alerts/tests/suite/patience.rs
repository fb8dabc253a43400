//! Receivers that are busy, broken, slow or dead: tried again, but never for long, and nobody else
//! waits for them.

use std::time::Duration;

use tokio::time::Instant;
use trapheus_alerts::Alerts;
use trapheus_restore::Delivery;

use crate::receiver::{Fate, Receiver};
use crate::support::{SECRET, alerts, tell};

/// One webhook, whose address is a secret.
async fn webhook(receiver: &Receiver) -> Alerts {
    let settings = format!(r#"webhook = [{{ url = "{}/{SECRET}" }}]"#, receiver.url);
    alerts(&settings, &receiver.url).await
}

/// What the only channel says is wrong.
fn error(deliveries: &[Delivery]) -> Option<&str> {
    assert_eq!(deliveries.len(), 1);
    deliveries[0].error.as_deref()
}

#[tokio::test]
async fn a_receiver_that_fails_for_a_while_gets_the_alert() {
    for fate in [
        Fate::Status(500, ""),
        Fate::Status(503, "busy"),
        Fate::Busy(0),
    ] {
        let receiver = Receiver::start(&[fate]).await;
        let deliveries = tell(&webhook(&receiver).await).await;
        assert_eq!(error(&deliveries), None, "{fate:?}");
        let received = receiver.received();
        assert_eq!(received.len(), 2, "{fate:?}");
        // A repetition is the same alert, to the byte.
        assert_eq!(received[0].body, received[1].body);
        assert_eq!(
            received[0].header("webhook-id"),
            received[1].header("webhook-id")
        );
    }
}

#[tokio::test]
async fn what_is_refused_for_good_is_not_tried_again() {
    for (status, text, says) in [
        (403, "invalid_token", "it answered 403 (invalid_token)"),
        (404, "<html>not found</html>", "it answered 404"),
        (301, "", "it answered 301"),
    ] {
        let receiver = Receiver::start(&[Fate::Status(status, text)]).await;
        let deliveries = tell(&webhook(&receiver).await).await;
        assert_eq!(error(&deliveries), Some(says));
        assert_eq!(receiver.received().len(), 1);
    }
}

#[tokio::test]
async fn a_receiver_is_not_asked_before_it_wants_to_be() {
    let receiver = Receiver::start(&[Fate::Busy(1)]).await;
    let begun = Instant::now();
    assert_eq!(error(&tell(&webhook(&receiver).await).await), None);
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn who_asks_for_too_much_time_is_given_up() {
    let receiver = Receiver::start(&[Fate::Busy(3600)]).await;
    let begun = Instant::now();
    let deliveries = tell(&webhook(&receiver).await).await;
    assert_eq!(error(&deliveries), Some("it answered 429 (rate_limited)"));
    assert!(begun.elapsed() < Duration::from_secs(1));
}

/// In virtual time, which goes on only when nothing else does.
#[tokio::test(start_paused = true)]
async fn a_receiver_that_never_answers_holds_up_nothing_for_long() {
    let receiver = Receiver::start(&[Fate::Hangs; 9]).await;
    let begun = Instant::now();
    let deliveries = tell(&webhook(&receiver).await).await;
    assert_eq!(error(&deliveries), Some("it did not answer within 5 s"));
    assert!(
        begun.elapsed() <= Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn a_dead_channel_costs_nobody_else_the_alert() {
    let receiver = Receiver::start(&[]).await;
    let dead = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        listener.local_addr().expect("it has an address")
    };
    let settings = format!(
        r#"
        slack = [
            {{ name = "dead", url = "http://{dead}/{SECRET}" }},
            {{ name = "ops", url = "{url}/{SECRET}" }},
        ]
        webhook = [
            {{ name = "unset", url = {{ env = "TRAPHEUS_TEST_THAT_IS_NOT_SET" }} }},
            {{ name = "wrong", url = "{SECRET}" }},
            {{ name = "chatops", url = "{url}/{SECRET}" }},
        ]
        "#,
        url = receiver.url
    );
    let deliveries = tell(&alerts(&settings, &receiver.url).await).await;
    let of = |name: &str| {
        let found = deliveries.iter().find(|delivery| delivery.channel == name);
        found.expect("it was tried").error.as_deref()
    };
    assert_eq!(of("ops"), None);
    assert_eq!(of("chatops"), None);
    assert_eq!(
        of("unset"),
        Some("`TRAPHEUS_TEST_THAT_IS_NOT_SET` is not set")
    );
    assert_eq!(
        of("wrong"),
        Some("its address is none of `http` or `https`")
    );
    let dead = of("dead").expect("nobody is there");
    assert!(
        dead.starts_with("it can't be reached (Connection refused"),
        "{dead}"
    );
    // The secrets are in what is sent there, and nowhere else.
    assert!(!format!("{deliveries:?}").contains(SECRET));
}
