//! A target that is tied to others by its name is refused, with what to do, before anything
//! changes.

use serde_json::json;
use trapheus_testkit::Simulation;

/// A restore is refused with these words, and nothing has changed.
async fn assert_refused(simulation: &Simulation, words: &str) {
    let before = simulation.world().await;
    let run = simulation
        .run(json!({"identifier": "orders", "task": "db_restore"}))
        .await;
    assert_eq!(run.summary.exit_code(), 2, "{:#?}", run.summary);
    let message = run.summary.error.unwrap().message;
    assert!(message.contains(words), "{message}");
    assert_eq!(simulation.world().await, before);
}

/// A database with a snapshot, and its ARN.
async fn with_snapshot() -> (Simulation, String) {
    let simulation = Simulation::new(1).await;
    simulation.create_database("orders").await;
    simulation
        .create_snapshot("orders", "orders-snapshot")
        .await;
    let look = simulation.client().describe_db_instances();
    let found = look.db_instance_identifier("orders").send().await.unwrap();
    let arn = found.db_instances()[0]
        .db_instance_arn()
        .unwrap()
        .to_owned();
    (simulation, arn)
}

#[tokio::test(start_paused = true)]
async fn the_source_of_an_integration_is_refused() {
    let (simulation, arn) = with_snapshot().await;
    let create = simulation.client().create_integration();
    create
        .integration_name("to-the-warehouse")
        .source_arn(arn)
        .target_arn("arn:aws:redshift:eu-west-1:000000000000:namespace:shop")
        .send()
        .await
        .unwrap();
    assert_refused(&simulation, "to-the-warehouse").await;
}

#[tokio::test(start_paused = true)]
async fn a_running_blue_green_deployment_is_refused() {
    let (simulation, arn) = with_snapshot().await;
    let create = simulation.client().create_blue_green_deployment();
    create
        .blue_green_deployment_name("next-version")
        .source(arn)
        .send()
        .await
        .unwrap();
    assert_refused(&simulation, "next-version").await;
}

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
    assert_refused(&simulation, "does not rename").await;
}
