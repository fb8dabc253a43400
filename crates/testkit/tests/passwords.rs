//! Which master password the restored database has, and who learns of it.

use serde_json::json;
use trapheus_restore::SummaryStatus;
use trapheus_testkit::{Run, Simulation};

const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop";
const PASSWORD: &str = "a-new-password";

async fn with_snapshot() -> Simulation {
    let simulation = Simulation::new(1).await;
    simulation.create_database("orders").await;
    simulation
        .create_snapshot("orders", "orders-snapshot")
        .await;
    simulation
}

fn assert_succeeded(run: &Run) {
    assert_eq!(
        run.summary.status,
        SummaryStatus::Succeeded,
        "{:#?}",
        run.summary
    );
}

/// How often a modify named a master password.
fn times_set(simulation: &Simulation) -> usize {
    let modifies = simulation.parameters_of("ModifyDBInstance");
    let sets = modifies
        .iter()
        .filter(|parameters| parameters.contains_key("MasterUserPassword"));
    sets.count()
}

async fn manage(simulation: &Simulation, name: &str) {
    let modify = simulation.client().modify_db_instance();
    modify
        .db_instance_identifier(name)
        .manage_master_user_password(true)
        .apply_immediately(true)
        .send()
        .await
        .unwrap();
    simulation.wait_until_available(name).await;
}

async fn secret_of(simulation: &Simulation, name: &str) -> Option<String> {
    let look = simulation.client().describe_db_instances();
    let found = look.db_instance_identifier(name).send().await.unwrap();
    let secret = found.db_instances()[0].master_user_secret()?;
    secret.secret_arn().map(str::to_owned)
}

#[tokio::test(start_paused = true)]
async fn the_snapshots_password_stays_unless_something_else_is_asked_for() {
    let simulation = with_snapshot().await;
    let run = simulation
        .run(json!({"identifier": "orders", "task": "db_restore"}))
        .await;
    assert_succeeded(&run);
    assert_eq!(times_set(&simulation), 0);
    assert_eq!(run.summary.master_user_secret_arn, None);
}

#[tokio::test(start_paused = true)]
async fn a_managed_password_is_managed_again_and_its_new_secret_is_named() {
    let simulation = with_snapshot().await;
    manage(&simulation, "orders").await;
    let before = secret_of(&simulation, "orders").await;
    let run = simulation
        .run(json!({"identifier": "orders", "task": "db_restore"}))
        .await;
    assert_succeeded(&run);
    let after = secret_of(&simulation, "orders").await;
    assert!(after.is_some() && after != before, "{before:?} {after:?}");
    assert_eq!(run.summary.master_user_secret_arn, after);
    let warning = format!("{:?}", run.summary.warnings);
    assert!(warning.contains(before.as_deref().unwrap()), "{warning}");
}

#[tokio::test(start_paused = true)]
async fn what_the_input_asks_for_overrules_the_original() {
    let simulation = with_snapshot().await;
    let input = |which: &str| json!({"identifier": "orders", "task": "db_restore", "masterPassword": which});
    assert_succeeded(&simulation.run(input("managed")).await);
    assert!(secret_of(&simulation, "orders").await.is_some());
    assert_succeeded(&simulation.run(input("keep-snapshot")).await);
    assert_eq!(secret_of(&simulation, "orders").await, None);
}

#[tokio::test(start_paused = true)]
async fn a_secrets_password_is_set_once_and_told_to_nobody() {
    for simulation in [with_snapshot().await, aws_like().await] {
        simulation.keep_secret(SECRET, PASSWORD);
        let input = json!({
            "identifier": "orders", "task": "db_restore", "masterPassword": {"secretArn": SECRET},
        });
        let run = simulation.run(input).await;
        assert_succeeded(&run);
        assert_eq!(times_set(&simulation), 1);
        let history = format!("{:?}", run.history);
        assert!(!history.contains(PASSWORD), "the history holds it");
    }
}

/// The same world, in which a modify takes its time.
async fn aws_like() -> Simulation {
    let simulation = Simulation::with_aws_durations(2).await;
    simulation.create_database("orders").await;
    simulation
        .create_snapshot("orders", "orders-snapshot")
        .await;
    simulation
}

#[tokio::test(start_paused = true)]
async fn it_is_set_however_a_process_dies() {
    let mut call = 1;
    loop {
        let simulation = with_snapshot().await;
        simulation.keep_secret(SECRET, PASSWORD);
        let input = json!({
            "identifier": "orders", "task": "db_restore", "masterPassword": {"secretArn": SECRET},
        });
        let Some(run) = simulation.kill_in_call(input, call).await else {
            break;
        };
        assert_succeeded(&run);
        assert!(times_set(&simulation) >= 1, "killed in call {call}");
        call += 3;
    }
    assert!(call > 20, "{call}");
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_cannot_be_read_refuses_before_anything_changes() {
    let simulation = with_snapshot().await;
    let before = simulation.world().await;
    let input = json!({
        "identifier": "orders", "task": "db_restore", "masterPassword": {"secretArn": SECRET},
    });
    let run = simulation.run(input).await;
    assert_eq!(run.summary.exit_code(), 2, "{:#?}", run.summary);
    assert_eq!(simulation.world().await, before);
}
