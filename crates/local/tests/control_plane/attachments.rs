//! What other calls attach to a database: activity streams, managed passwords, replicated backups.

use std::time::Duration;

use aws_sdk_rds::Client;
use aws_sdk_rds::types::{ActivityStreamMode, ActivityStreamStatus, AuditPolicyState, DbInstance};

use crate::support::{
    available, code, create, in_region, local, local_with_aws_durations, snapshot,
};

async fn oracle(rds: &Client, identifier: &str) -> DbInstance {
    let create = rds
        .create_db_instance()
        .db_instance_identifier(identifier)
        .engine("oracle-ee");
    let create = create
        .db_instance_class("db.m6g.large")
        .allocated_storage(20);
    create
        .master_username("app")
        .master_user_password("secret-1234")
        .send()
        .await
        .unwrap();
    available(rds, identifier).await
}

/// Goal: an activity stream starts, stays with the database through a rename, and isn't copied by a restore.
#[tokio::test(start_paused = true)]
async fn an_activity_stream_belongs_to_one_database() {
    let (_, rds) = local_with_aws_durations().await;
    let arn = oracle(&rds, "ora")
        .await
        .db_instance_arn()
        .unwrap()
        .to_owned();
    let start = || {
        let start = rds
            .start_activity_stream()
            .resource_arn(&arn)
            .kms_key_id("key");
        start
            .mode(ActivityStreamMode::Async)
            .apply_immediately(true)
            .send()
    };
    let starting = start().await.unwrap();
    assert_eq!(starting.status(), Some(&ActivityStreamStatus::Starting));
    assert_eq!(code(start().await), "InvalidDBInstanceState");
    let now = available(&rds, "ora").await;
    assert_eq!(
        now.activity_stream_status(),
        Some(&ActivityStreamStatus::Starting)
    );
    tokio::time::sleep(Duration::from_secs(61)).await;
    let now = available(&rds, "ora").await;
    assert_eq!(
        now.activity_stream_status(),
        Some(&ActivityStreamStatus::Started)
    );
    assert_eq!(now.activity_stream_mode(), Some(&ActivityStreamMode::Async));
    assert_eq!(now.activity_stream_kms_key_id(), Some("key"));
    let lock = rds.modify_activity_stream().resource_arn(&arn);
    lock.audit_policy_state(AuditPolicyState::LockedPolicy)
        .send()
        .await
        .unwrap();

    snapshot(&rds, "ora", "s").await;
    let restore = rds
        .restore_db_instance_from_db_snapshot()
        .db_instance_identifier("copy");
    restore.db_snapshot_identifier("s").send().await.unwrap();
    let copy = available(&rds, "copy").await;
    assert_eq!(
        copy.activity_stream_status(),
        Some(&ActivityStreamStatus::Stopped)
    );
    let rename = rds
        .modify_db_instance()
        .db_instance_identifier("ora")
        .apply_immediately(true);
    rename
        .new_db_instance_identifier("aside")
        .send()
        .await
        .unwrap();
    let aside = available(&rds, "aside").await;
    assert_eq!(
        aside.activity_stream_status(),
        Some(&ActivityStreamStatus::Started)
    );
    let policy = aside.activity_stream_policy_status().unwrap();
    assert_eq!(policy.as_str(), "locked");

    let stop = |arn: &str| rds.stop_activity_stream().resource_arn(arn).send();
    assert_eq!(code(stop(&arn).await), "DBInstanceNotFound");
    stop(aside.db_instance_arn().unwrap()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(61)).await;
    let stopped = available(&rds, "aside").await;
    assert_eq!(
        stopped.activity_stream_status(),
        Some(&ActivityStreamStatus::Stopped)
    );
    create(&rds, "pg").await;
    let pg = available(&rds, "pg").await;
    let start = rds
        .start_activity_stream()
        .resource_arn(pg.db_instance_arn().unwrap());
    let start = start
        .mode(ActivityStreamMode::Sync)
        .kms_key_id("key")
        .send()
        .await;
    assert_eq!(code(start), "InvalidParameterCombination");
}

/// Goal: a managed password has a secret of its own in every database, as long as it is managed.
#[tokio::test(start_paused = true)]
async fn every_managed_password_has_a_secret_of_its_own() {
    let (_, rds) = local_with_aws_durations().await;
    create(&rds, "orders").await;
    let modify = || {
        rds.modify_db_instance()
            .db_instance_identifier("orders")
            .apply_immediately(true)
    };
    let secret = async |name: &str| available(&rds, name).await.master_user_secret().cloned();
    let modified = async || {
        tokio::time::sleep(Duration::from_secs(6)).await;
        available(&rds, "orders").await
    };
    modify()
        .manage_master_user_password(true)
        .send()
        .await
        .unwrap();
    modified().await;
    let first = secret("orders").await.unwrap();
    assert_eq!(first.secret_status(), Some("creating"));
    tokio::time::sleep(Duration::from_secs(61)).await;
    let first = secret("orders").await.unwrap();
    assert_eq!(first.secret_status(), Some("active"));
    let given = modify().master_user_password("secret-5678").send().await;
    assert_eq!(code(given), "InvalidParameterCombination");
    let key = modify().master_user_secret_kms_key_id("key").send().await;
    assert_eq!(code(key), "InvalidParameterCombination");

    snapshot(&rds, "orders", "s").await;
    let restore = rds
        .restore_db_instance_from_db_snapshot()
        .db_instance_identifier("copy");
    restore.db_snapshot_identifier("s").send().await.unwrap();
    assert_eq!(secret("copy").await, None);
    let modify_copy = rds.modify_db_instance().db_instance_identifier("copy");
    modify_copy
        .manage_master_user_password(true)
        .apply_immediately(true)
        .send()
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_ne!(
        secret("copy").await.unwrap().secret_arn(),
        first.secret_arn()
    );

    let bare = modify().manage_master_user_password(false).send().await;
    assert_eq!(code(bare), "InvalidParameterCombination");
    let off = modify()
        .manage_master_user_password(false)
        .master_user_password("secret-5678");
    off.send().await.unwrap();
    modified().await;
    assert_eq!(secret("orders").await, None);
    let on = modify()
        .manage_master_user_password(true)
        .master_user_secret_kms_key_id("key");
    on.send().await.unwrap();
    modified().await;
    let second = secret("orders").await.unwrap();
    assert_ne!(second.secret_arn(), first.secret_arn());
    assert_eq!(second.kms_key_id(), Some("key"));
}

/// Goal: replication of backups is asked for in the other Region, and shown at the source.
#[tokio::test(start_paused = true)]
async fn backups_are_replicated_to_another_region() {
    let (plane, rds) = local().await;
    let there = in_region(&plane, "eu-central-1");
    create(&rds, "orders").await;
    let source = available(&rds, "orders").await;
    let arn = source.db_instance_arn().unwrap();
    let start = |rds: &Client| {
        let start = rds.start_db_instance_automated_backups_replication();
        start
            .source_db_instance_arn(arn)
            .backup_retention_period(14)
            .send()
    };
    assert_eq!(code(start(&rds).await), "InvalidParameterValue");
    let made = start(&there).await.unwrap();
    let backup = made.db_instance_automated_backup().unwrap();
    assert_eq!(backup.backup_retention_period(), Some(14));
    assert_eq!(code(start(&there).await), "InvalidDBInstanceState");
    let source = available(&rds, "orders").await;
    let shown = &source.db_instance_automated_backups_replications()[0];
    let shown = shown.db_instance_automated_backups_arn().unwrap();
    assert!(shown.starts_with("arn:aws:rds:eu-central-1:"), "{shown}");
    let described = async |rds: &Client| {
        let describe = rds.describe_db_instance_automated_backups();
        let describe = describe.db_instance_automated_backups_arn(shown);
        describe
            .send()
            .await
            .unwrap()
            .db_instance_automated_backups()
            .to_vec()
    };
    let replicated = &described(&there).await[0];
    assert_eq!(replicated.backup_retention_period(), Some(14));
    assert_eq!(replicated.db_instance_arn(), Some(arn));
    assert!(described(&rds).await.is_empty());
    let stop = there.stop_db_instance_automated_backups_replication();
    stop.source_db_instance_arn(arn).send().await.unwrap();
    let source = available(&rds, "orders").await;
    assert!(
        source
            .db_instance_automated_backups_replications()
            .is_empty()
    );
}

/// Goal: a tool that looks for DNS names of a database finds that there are none.
#[tokio::test(start_paused = true)]
async fn route_53_has_no_zones() {
    let (plane, _) = local().await;
    let request =
        http::Request::get("http://localhost/2013-04-01/hostedzone").body(Default::default());
    let response = plane.handle(request.unwrap()).await;
    assert_eq!(response.status(), 200);
    let body = String::from_utf8(response.body().to_vec()).unwrap();
    assert!(body.contains("<HostedZones></HostedZones>"), "{body}");
}
