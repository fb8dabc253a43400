//! A target that is tied to others by its name is refused, with what to do, before anything
//! changes.

use serde_json::json;
use trapheus_testkit::Simulation;

#[tokio::test(start_paused = true)]
async fn an_instance_of_rds_custom_is_refused() {
    let simulation = Simulation::new(1).await;
    let create = simulation.client().create_db_instance();
    create
        .db_instance_identifier("orders")
        .engine("custom-sqlserver-se")
        .engine_version("15.00.4420.2.v1")
        .db_instance_class("db.m5.xlarge")
        .allocated_storage(100)
        .master_username("app")
        .master_user_password("secret-1234")
        .custom_iam_instance_profile("AWSRDSCustomInstanceProfile")
        .send()
        .await
        .unwrap();
    simulation.wait_until_available("orders").await;
    simulation
        .create_snapshot("orders", "orders-snapshot")
        .await;
    let before = simulation.world().await;
    let run = simulation
        .run(json!({"identifier": "orders", "task": "db_restore"}))
        .await;
    assert_eq!(run.summary.exit_code(), 2, "{:#?}", run.summary);
    let message = run.summary.error.unwrap().message;
    assert!(message.contains("does not rename"), "{message}");
    assert_eq!(simulation.world().await, before);
}
