//! RDS Proxies lead to the database that has the target's name, whoever that is.

use aws_sdk_rds::types::EngineFamily;
use serde_json::{Value, json};
use trapheus_restore::SummaryStatus;
use trapheus_testkit::Simulation;

fn input() -> Value {
    json!({"identifier": "orders", "task": "db_restore"})
}

/// A database with a snapshot, and a proxy that leads to it.
async fn with_proxy() -> Simulation {
    let simulation = Simulation::new(1).await;
    simulation.create_database("orders").await;
    simulation
        .create_snapshot("orders", "orders-snapshot")
        .await;
    let client = simulation.client();
    let create = client.create_db_proxy().db_proxy_name("front");
    create
        .engine_family(EngineFamily::Postgresql)
        .role_arn("arn:aws:iam::000000000000:role/proxy")
        .vpc_subnet_ids("subnet-1")
        .send()
        .await
        .unwrap();
    let register = client.register_db_proxy_targets().db_proxy_name("front");
    register
        .db_instance_identifiers("orders")
        .send()
        .await
        .unwrap();
    simulation
}

/// What the proxy leads to, and whether it reaches it.
async fn leads_to(simulation: &Simulation) -> Vec<(String, String)> {
    let look = simulation.client().describe_db_proxy_targets();
    let found = look.db_proxy_name("front").send().await.unwrap();
    let targets = found.targets().iter().map(|target| {
        let state = target.target_health().unwrap().state().unwrap();
        (
            target.rds_resource_id().unwrap().to_owned(),
            state.as_str().to_owned(),
        )
    });
    targets.collect()
}

fn reached() -> Vec<(String, String)> {
    vec![("orders".to_owned(), "AVAILABLE".to_owned())]
}

#[tokio::test(start_paused = true)]
async fn a_proxy_is_led_to_the_restored_database() {
    let simulation = with_proxy().await;
    let run = simulation.run(input()).await;
    assert_eq!(
        run.summary.status,
        SummaryStatus::Succeeded,
        "{:#?}",
        run.summary
    );
    assert_eq!(run.summary.exit_code(), 0, "{:#?}", run.summary);
    assert_eq!(leads_to(&simulation).await, reached());
}

#[tokio::test(start_paused = true)]
async fn a_proxy_is_led_there_however_a_process_dies() {
    let mut call = 40;
    loop {
        let simulation = with_proxy().await;
        let Some(run) = simulation.kill_in_call(input(), call).await else {
            break;
        };
        assert_eq!(run.summary.exit_code(), 0, "{:#?}", run.summary);
        assert_eq!(leads_to(&simulation).await, reached(), "call {call}");
        call += 2;
    }
    assert!(call > 60, "{call}");
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_was_never_led_away_is_left_alone() {
    let simulation = with_proxy().await;
    simulation.refuse_verification_after(1);
    let run = simulation.run(input()).await;
    assert_eq!(run.summary.exit_code(), 1, "{:#?}", run.summary);
    assert_eq!(leads_to(&simulation).await, reached());
    let taken_off = simulation.parameters_of("DeregisterDBProxyTargets");
    assert!(taken_off.is_empty(), "{taken_off:?}");
}

#[tokio::test(start_paused = true)]
async fn a_proxy_comes_back_with_the_original() {
    let simulation = with_proxy().await;
    let original = simulation.world().await.resource_id("orders").to_owned();
    let kept = json!({"identifier": "orders", "task": "db_restore", "keepOriginal": "24h"});
    let run = simulation.run_until_kept(kept).await;
    assert_eq!(leads_to(&simulation).await, reached());
    simulation.abort(&run.id);
    let back = simulation
        .run(simulation.rollback_input(&run, "orders"))
        .await;
    assert_eq!(
        back.summary.status,
        SummaryStatus::Succeeded,
        "{:#?}",
        back.summary
    );
    assert_eq!(simulation.world().await.resource_id("orders"), original);
    assert_eq!(leads_to(&simulation).await, reached());
}
