//! What calls of its own attach to a database is attached to the restored one, too, however often
//! a process dies.

use aws_sdk_rds::config::Region;
use aws_sdk_rds::types::DbInstance;
use serde_json::json;
use trapheus_restore::SummaryStatus;
use trapheus_testkit::{Run, Simulation};

const ROLE: &str = "arn:aws:iam::000000000000:role/import";

/// A database with a snapshot, of an engine that takes everything that can be attached.
async fn attached() -> Simulation {
    let simulation = Simulation::new(1).await;
    let client = simulation.client();
    let create = client.create_db_instance();
    create
        .db_instance_identifier("orders")
        .engine("oracle-ee")
        .db_instance_class("db.m5.large")
        .allocated_storage(100)
        .master_username("app")
        .master_user_password("secret-1234")
        .backup_retention_period(7)
        .send()
        .await
        .unwrap();
    simulation.wait_until_available("orders").await;
    let add = client.add_role_to_db_instance();
    let add = add.db_instance_identifier("orders").role_arn(ROLE);
    add.feature_name("S3_INTEGRATION").send().await.unwrap();
    let orders = look(&simulation).await;
    let arn = orders.db_instance_arn().unwrap();
    let start = client.start_activity_stream();
    start
        .resource_arn(arn)
        .mode(aws_sdk_rds::types::ActivityStreamMode::Async)
        .kms_key_id("alias/streams")
        .apply_immediately(true)
        .send()
        .await
        .unwrap();
    let elsewhere = aws_sdk_rds::Config::builder().region(Region::new("us-east-1"));
    let replicate = client.start_db_instance_automated_backups_replication();
    replicate
        .source_db_instance_arn(arn)
        .backup_retention_period(3)
        .customize()
        .config_override(elsewhere)
        .send()
        .await
        .unwrap();
    simulation.wait_until_available("orders").await;
    simulation
        .create_snapshot("orders", "orders-snapshot")
        .await;
    simulation
}

async fn look(simulation: &Simulation) -> DbInstance {
    let look = simulation.client().describe_db_instances();
    let found = look.db_instance_identifier("orders").send().await.unwrap();
    found.db_instances()[0].clone()
}

async fn assert_attached(simulation: &Simulation, run: &Run) {
    assert_eq!(
        run.summary.status,
        SummaryStatus::Succeeded,
        "{:#?}",
        run.summary
    );
    let fidelity = run.summary.fidelity.as_ref().unwrap();
    assert_eq!(fidelity.lost, [], "{fidelity:#?}");
    let restored = look(simulation).await;
    let role = &restored.associated_roles()[0];
    assert_eq!(
        (role.role_arn(), role.feature_name(), role.status()),
        (Some(ROLE), Some("S3_INTEGRATION"), Some("ACTIVE"))
    );
    let status = restored.activity_stream_status().unwrap();
    assert_eq!(status.as_str(), "started");
    let copies = restored.db_instance_automated_backups_replications();
    let arn = copies[0].db_instance_automated_backups_arn().unwrap();
    assert!(arn.contains(":us-east-1:"), "{arn}");
}

#[tokio::test(start_paused = true)]
async fn roles_streams_and_copies_of_backups_are_attached_again() {
    let simulation = attached().await;
    let before = look(&simulation).await;
    let run = simulation
        .run(json!({"identifier": "orders", "task": "db_restore"}))
        .await;
    assert_attached(&simulation, &run).await;
    let after = look(&simulation).await;
    assert_ne!(before.dbi_resource_id(), after.dbi_resource_id());
    for action in [
        "AddRoleToDBInstance",
        "StartActivityStream",
        "StartDBInstanceAutomatedBackupsReplication",
    ] {
        assert_eq!(simulation.parameters_of(action).len(), 2, "{action}");
    }
}

#[tokio::test(start_paused = true)]
async fn they_are_attached_however_a_process_dies() {
    let mut call = 30;
    loop {
        let simulation = attached().await;
        let input = json!({"identifier": "orders", "task": "db_restore"});
        let Some(run) = simulation.kill_in_call(input, call).await else {
            break;
        };
        assert_attached(&simulation, &run).await;
        call += 2;
    }
    assert!(call > 50, "{call}");
}
