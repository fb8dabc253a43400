//! Automated backups and restores to a point in time, through the AWS SDK.

use std::time::Duration;

use aws_sdk_rds::Client;
use aws_sdk_rds::primitives::DateTime;
use aws_sdk_rds::types::{DbInstanceAutomatedBackup, Filter};
use trapheus_local::ControlPlane;

use crate::support::{Processes, available, code, create, local, local_with_aws_durations};

/// Lets backups be taken, and the clock go on.
async fn a_while() {
    tokio::time::sleep(Duration::from_secs(10)).await;
}

async fn backups(rds: &Client) -> Vec<DbInstanceAutomatedBackup> {
    let found = rds.describe_db_instance_automated_backups().send().await;
    found.unwrap().db_instance_automated_backups().to_vec()
}

fn put(plane: &std::sync::Arc<ControlPlane>, name: &str, value: &str) {
    plane.simulated_client(name).put("row", value).unwrap();
}

fn row(plane: &std::sync::Arc<ControlPlane>, name: &str) -> Option<String> {
    plane.simulated_client(name).get("row").unwrap()
}

async fn delete(rds: &Client, name: &str, keeps_backups: bool) {
    let delete = rds
        .delete_db_instance()
        .db_instance_identifier(name)
        .skip_final_snapshot(true)
        .delete_automated_backups(!keeps_backups);
    delete.send().await.unwrap();
    tokio::time::sleep(Duration::from_secs(600)).await;
}

async fn latest(rds: &Client, name: &str) -> Option<DateTime> {
    available(rds, name).await.latest_restorable_time().copied()
}

/// Goal: what had been written at the instant is there, and nothing that was written later.
#[tokio::test(start_paused = true)]
async fn an_instant_is_restored_exactly() {
    let (plane, rds) = local().await;
    create(&rds, "orders").await;
    assert_eq!(latest(&rds, "orders").await, None);
    a_while().await;
    put(&plane, "orders", "1");
    a_while().await;
    let between = latest(&rds, "orders").await.unwrap();
    a_while().await;
    put(&plane, "orders", "2");

    let restore = |target: &str| {
        rds.restore_db_instance_to_point_in_time()
            .source_db_instance_identifier("orders")
            .target_db_instance_identifier(target)
    };
    restore("then")
        .restore_time(between)
        .max_allocated_storage(100)
        .send()
        .await
        .unwrap();
    let then = available(&rds, "then").await;
    assert_eq!(row(&plane, "then").as_deref(), Some("1"));
    assert_eq!(then.max_allocated_storage(), Some(100));
    restore("now")
        .use_latest_restorable_time(true)
        .send()
        .await
        .unwrap();
    available(&rds, "now").await;
    assert_eq!(row(&plane, "now").as_deref(), Some("2"));

    // What was restored has backups of its own.
    put(&plane, "then", "3");
    a_while().await;
    let again = rds
        .restore_db_instance_to_point_in_time()
        .source_dbi_resource_id(then.dbi_resource_id().unwrap())
        .target_db_instance_identifier("again");
    again.use_latest_restorable_time(true).send().await.unwrap();
    available(&rds, "again").await;
    assert_eq!(row(&plane, "again").as_deref(), Some("3"));
}

/// Goal: automated backups outlive the database when asked to, under its resource id and their ARN, and go otherwise.
#[tokio::test(start_paused = true)]
async fn backups_that_are_retained_outlive_the_instance() {
    let (plane, rds) = local().await;
    create(&rds, "orders").await;
    create(&rds, "other").await;
    a_while().await;
    put(&plane, "orders", "1");
    let resource_id = available(&rds, "orders").await.dbi_resource_id;
    delete(&rds, "orders", true).await;
    delete(&rds, "other", false).await;
    let found = backups(&rds).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].status(), Some("retained"));
    assert_eq!(found[0].dbi_resource_id(), resource_id.as_deref());

    let gone = rds
        .restore_db_instance_to_point_in_time()
        .source_db_instance_identifier("orders")
        .target_db_instance_identifier("x");
    let gone = gone.use_latest_restorable_time(true).send().await;
    assert_eq!(code(gone), "DBInstanceNotFound");
    let by_id = rds
        .restore_db_instance_to_point_in_time()
        .set_source_dbi_resource_id(resource_id)
        .target_db_instance_identifier("by-id");
    by_id.use_latest_restorable_time(true).send().await.unwrap();
    let by_arn = rds
        .restore_db_instance_to_point_in_time()
        .set_source_db_instance_automated_backups_arn(
            found[0].db_instance_automated_backups_arn.clone(),
        )
        .target_db_instance_identifier("by-arn");
    by_arn
        .set_restore_time(found[0].restore_window().unwrap().latest_time)
        .send()
        .await
        .unwrap();
    for name in ["by-id", "by-arn"] {
        available(&rds, name).await;
        assert_eq!(row(&plane, name).as_deref(), Some("1"));
    }

    // They go when they are older than their retention, and nothing is left of them.
    tokio::time::sleep(Duration::from_secs(2 * 24 * 3600)).await;
    let retained = Filter::builder().name("status").values("retained").build();
    let found = rds
        .describe_db_instance_automated_backups()
        .filters(retained);
    let found = found.send().await.unwrap();
    assert!(found.db_instance_automated_backups().is_empty());
}

/// Goal: a time outside the window, a source without backups, and a request that contradicts itself are refused.
#[tokio::test(start_paused = true)]
async fn what_cannot_be_restored_is_refused() {
    let (_plane, rds) = local().await;
    create(&rds, "orders").await;
    let restore = || {
        rds.restore_db_instance_to_point_in_time()
            .source_db_instance_identifier("orders")
            .target_db_instance_identifier("new")
    };
    let too_early = restore().use_latest_restorable_time(true).send().await;
    assert_eq!(code(too_early), "InvalidRestoreFault");
    assert_eq!(backups(&rds).await[0].status(), Some("creating"));
    a_while().await;
    assert_eq!(backups(&rds).await[0].status(), Some("active"));
    for time in [0, 4_000_000_000] {
        let outside = restore().restore_time(DateTime::from_secs(time));
        assert_eq!(code(outside.send().await), "InvalidRestoreFault");
    }
    assert_eq!(code(restore().send().await), "InvalidParameterCombination");
    let both = restore()
        .use_latest_restorable_time(true)
        .restore_time(DateTime::from_secs(0));
    assert_eq!(code(both.send().await), "InvalidParameterCombination");

    let modify = rds
        .modify_db_instance()
        .db_instance_identifier("orders")
        .backup_retention_period(0);
    modify.apply_immediately(true).send().await.unwrap();
    available(&rds, "orders").await;
    let disabled = restore().use_latest_restorable_time(true).send().await;
    assert_eq!(code(disabled), "PointInTimeRestoreNotEnabled");
    assert!(backups(&rds).await.is_empty());
    assert_eq!(latest(&rds, "orders").await, None);
    let nothing = rds
        .restore_db_instance_to_point_in_time()
        .source_dbi_resource_id("db-NOTHING")
        .target_db_instance_identifier("new")
        .use_latest_restorable_time(true);
    assert_eq!(
        code(nothing.send().await),
        "DBInstanceAutomatedBackupNotFound"
    );
}

/// Goal: backups move on with time: each day has a base of its own, what is older than the retention goes, and all of
/// the rest can be restored.
#[tokio::test(start_paused = true)]
async fn backups_move_on_with_time() {
    let mut processes = Processes::start(Duration::from_secs(60)).await;
    create(&processes.rds, "orders").await;
    let mut written = Vec::new();
    for day in 0..5 {
        put(&processes.plane, "orders", &day.to_string());
        a_while().await;
        written.push(latest(&processes.rds, "orders").await.unwrap());
        tokio::time::sleep(Duration::from_secs(25 * 3600)).await;
        // Without an operation nothing happens; a restart is an occasion too.
        processes.crash().await;
        a_while().await;
    }
    let directories = processes.servers.directories();
    let bases = directories
        .iter()
        .filter(|path| path.as_str().ends_with("-base"));
    assert_eq!(bases.count(), 2, "{directories:?}");
    let restore = |time: DateTime, target: &str| {
        processes
            .rds
            .restore_db_instance_to_point_in_time()
            .source_db_instance_identifier("orders")
            .target_db_instance_identifier(target)
            .restore_time(time)
    };
    assert_eq!(
        code(restore(written[2], "old").send().await),
        "InvalidRestoreFault"
    );
    let last = available(&processes.rds, "orders").await;
    let day = DateTime::from_secs(last.latest_restorable_time().unwrap().secs() - 23 * 3600);
    restore(day, "new").send().await.unwrap();
    available(&processes.rds, "new").await;
    assert_eq!(row(&processes.plane, "new").as_deref(), Some("4"));
}

/// Goal: base backups and restores survive crashes at any moment, and what nobody needs is removed.
#[tokio::test(start_paused = true)]
async fn point_in_time_survives_crashes() {
    for seconds in [0, 1, 3, 200] {
        let mut processes = Processes::start(Duration::from_secs(seconds)).await;
        create(&processes.rds, "orders").await;
        processes.crash().await;
        a_while().await;
        put(&processes.plane, "orders", "1");
        let restore = processes
            .rds
            .restore_db_instance_to_point_in_time()
            .source_db_instance_identifier("orders")
            .target_db_instance_identifier("new");
        restore
            .use_latest_restorable_time(true)
            .send()
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
        put(&processes.plane, "orders", "2");
        processes.crash().await;
        available(&processes.rds, "new").await;
        assert_eq!(row(&processes.plane, "new").as_deref(), Some("1"));
        for name in ["orders", "new"] {
            let delete = processes
                .rds
                .delete_db_instance()
                .db_instance_identifier(name)
                .skip_final_snapshot(true);
            delete.send().await.unwrap();
            processes.crash().await;
            tokio::time::sleep(Duration::from_secs(600)).await;
        }
        assert_eq!(
            processes.servers.directories(),
            Vec::<camino::Utf8PathBuf>::new()
        );
    }
}

/// Goal: a base backup isn't seen: the instance stays available, and can be renamed and deleted meanwhile.
#[tokio::test(start_paused = true)]
async fn backups_disturb_nobody() {
    let (plane, rds) = local_with_aws_durations().await;
    create(&rds, "orders").await;
    let rename = rds
        .modify_db_instance()
        .db_instance_identifier("orders")
        .new_db_instance_identifier("renamed");
    rename.apply_immediately(true).send().await.unwrap();
    a_while().await;
    available(&rds, "renamed").await;
    a_while().await;
    put(&plane, "renamed", "1");
    assert_eq!(
        backups(&rds).await[0].db_instance_identifier(),
        Some("renamed")
    );
    let events = rds.describe_events().duration(60).send().await.unwrap();
    let told = events.events().iter().filter_map(|event| event.message());
    assert!(told.into_iter().all(|message| !message.contains("ackup")));
    delete(&rds, "renamed", false).await;
    assert!(backups(&rds).await.is_empty());
}

/// Goal: the same for a cluster: its volume is restored without members, and its backups go on through a fail-over.
#[tokio::test(start_paused = true)]
async fn a_cluster_is_restored_to_an_instant() {
    let (plane, rds) = local().await;
    let cluster = rds
        .create_db_cluster()
        .db_cluster_identifier("orders")
        .engine("aurora-postgresql");
    cluster
        .master_username("app")
        .master_user_password("secret-1234")
        .send()
        .await
        .unwrap();
    a_while().await;
    let member = |cluster: &str, name: &str| {
        rds.create_db_instance()
            .db_cluster_identifier(cluster)
            .db_instance_identifier(name)
            .engine("aurora-postgresql")
            .db_instance_class("db.r6g.large")
    };
    for name in ["one", "two"] {
        member("orders", name).send().await.unwrap();
        available(&rds, name).await;
    }
    a_while().await;
    put(&plane, "one", "1");
    a_while().await;
    let fail_over = rds
        .failover_db_cluster()
        .db_cluster_identifier("orders")
        .target_db_instance_identifier("two");
    fail_over.send().await.unwrap();
    a_while().await;
    put(&plane, "two", "2");
    a_while().await;
    let shown = rds
        .describe_db_clusters()
        .db_cluster_identifier("orders")
        .send()
        .await
        .unwrap();
    let shown = &shown.db_clusters()[0];
    let then = shown.latest_restorable_time().copied().unwrap();
    assert!(shown.earliest_restorable_time().unwrap() < &then);
    a_while().await;
    put(&plane, "two", "3");

    let restore = rds
        .restore_db_cluster_to_point_in_time()
        .source_db_cluster_identifier("orders")
        .db_cluster_identifier("then")
        .restore_to_time(then);
    restore.send().await.unwrap();
    a_while().await;
    member("then", "first").send().await.unwrap();
    available(&rds, "first").await;
    assert_eq!(row(&plane, "first").as_deref(), Some("2"));

    // It goes, and its backups stay.
    for name in ["two", "one"] {
        delete(&rds, name, true).await;
    }
    let delete = rds
        .delete_db_cluster()
        .db_cluster_identifier("orders")
        .skip_final_snapshot(true)
        .delete_automated_backups(false);
    delete.send().await.unwrap();
    a_while().await;
    let found = rds.describe_db_cluster_automated_backups().send().await;
    let found = found.unwrap();
    let found = found.db_cluster_automated_backups();
    let retained = found.iter().find(|one| one.status() == Some("retained"));
    let restore = rds
        .restore_db_cluster_to_point_in_time()
        .source_db_cluster_resource_id(retained.unwrap().db_cluster_resource_id().unwrap())
        .db_cluster_identifier("last")
        .use_latest_restorable_time(true);
    restore.send().await.unwrap();
    a_while().await;
    member("last", "second").send().await.unwrap();
    available(&rds, "second").await;
    assert_eq!(row(&plane, "second").as_deref(), Some("3"));
}
