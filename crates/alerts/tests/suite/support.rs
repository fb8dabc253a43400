//! Alerts to send, and channels to send them on.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use trapheus_alerts::{Alerts, Settings};
use trapheus_restore::{Alert, AlertKind, Delivery, Notifier, Notify, Report, Task, Whereabouts};

/// What nobody may ever read.
pub(crate) const SECRET: &str = "s3cr3t-T0-B0";

/// The settings of a file.
pub(crate) fn settings(toml: &str) -> Settings {
    toml::from_str(toml).expect("they are settings")
}

/// Channels by the settings of a file; AWS is at this address.
pub(crate) async fn alerts(toml: &str, aws: &str) -> Alerts {
    Alerts::new(&settings(toml), &aws_at(aws).await).expect("the settings are sound")
}

/// AWS at this address.
pub(crate) async fn aws_at(url: &str) -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "a test");
    aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(credentials)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(url)
        .load()
        .await
}

/// Tells everybody of a failure.
pub(crate) async fn tell(alerts: &Alerts) -> Vec<Delivery> {
    alerts.tell(&failed(), &Notify::default()).await
}

/// An alert whose texts try everything.
pub(crate) fn failed() -> Alert {
    Alert {
        kind: AlertKind::Failed,
        execution_id: "run_06dqdpnft0000000".to_owned(),
        task: Some(Task::DbRestore),
        identifier: Some("orders".parse().expect("it is an identifier")),
        at: "2026-11-23T01:02:03.456Z".parse().expect("it is a time"),
        report: Report {
            headline: "orders is as it was before: RDS said <b>no</b> & \"never\" <!channel>"
                .to_owned(),
            changed: vec!["the snapshot orders-snapshot was made".to_owned()],
            outage_seconds: Some(12.34),
            left_over: Vec::new(),
            warnings: vec!["lost, as allowed: <script>alert('x')</script>".to_owned()],
            what_to_do: vec![
                "raise the quota of DB instances".to_owned(),
                "aws rds describe-account-attributes > quotas.json".to_owned(),
            ],
        },
        databases: vec![Whereabouts {
            identifier: "orders".parse().expect("it is an identifier"),
            resource_id: "db-ORIGINAL".parse().ok(),
            endpoint: serde_json::from_value(
                serde_json::json!({"address": "orders.example.com", "port": 5432}),
            )
            .expect("it is an endpoint"),
            what: "the original, as before".to_owned(),
        }],
        undo: None,
    }
}

/// A restore that went well and keeps its original.
pub(crate) fn succeeded() -> Alert {
    let mut alert = failed();
    alert.kind = AlertKind::Succeeded;
    let undo = "trapheus rollback run_06dqdpnft0000000";
    alert.report = Report {
        headline: "orders is restored".to_owned(),
        changed: vec!["db-RESTORED answers at orders.example.com:5432".to_owned()],
        outage_seconds: Some(0.0),
        left_over: Vec::new(),
        warnings: Vec::new(),
        what_to_do: vec![format!("within 86400 s, to swap back: {undo}")],
    };
    alert.databases[0].resource_id = "db-RESTORED".parse().ok();
    alert.databases[0].what = "the restored database".to_owned();
    alert.undo = Some(undo.to_owned());
    alert
}

/// A roll-back that failed, with so many commands.
pub(crate) fn rollback_failed(commands: usize) -> Alert {
    let mut alert = failed();
    alert.kind = AlertKind::RollbackFailed;
    alert.report.headline =
        "orders needs a person: the original is incompatible-network".to_owned();
    alert.report.outage_seconds = None;
    alert.report.warnings.clear();
    alert.report.what_to_do = (1..=commands)
        .map(|number| {
            format!("aws rds modify-db-instance --db-instance-identifier orders-temp-{number} --new-db-instance-identifier orders-{number} --apply-immediately")
        })
        .collect();
    alert
}
