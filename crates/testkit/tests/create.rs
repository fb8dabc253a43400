//! A target that does not exist is made: like the blueprint that the snapshot carries, like one
//! that was saved, or like the living source.

use serde_json::{Value, json};
use trapheus_restore::{Request, SummaryStatus};
use trapheus_testkit::{Run, Simulation};

fn assert_succeeded(run: &Run) {
    assert_eq!(
        run.summary.status,
        SummaryStatus::Succeeded,
        "{:#?}",
        run.summary
    );
    if let Some(fidelity) = &run.summary.fidelity {
        assert_eq!(fidelity.lost, [], "{fidelity:#?}");
    }
}

fn create() -> Value {
    json!({"identifier": "orders", "task": "db_restore", "createIfMissing": true})
}

/// A world with a snapshot of a database that is gone, and what its configuration was.
async fn gone() -> (Simulation, String) {
    let simulation = Simulation::new(1).await;
    simulation.create_database("orders").await;
    simulation.put("orders", "state", "good");
    let configured = configuration(&simulation, "orders").await;
    let only = json!({"identifier": "orders", "task": "create_snapshot_only"});
    assert_succeeded(&simulation.run(only).await);
    delete(&simulation, "orders").await;
    (simulation, configured)
}

async fn delete(simulation: &Simulation, name: &str) {
    simulation.delete(name).await;
    while simulation.world().await.names().contains(&name) {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

/// What a client of RDS sees of a database's configuration.
async fn configuration(simulation: &Simulation, name: &str) -> String {
    let look = simulation.client().describe_db_instances();
    let found = look.db_instance_identifier(name).send().await.unwrap();
    let instance = &found.db_instances()[0];
    let tags = instance.tag_list().iter();
    let team = tags
        .filter(|tag| tag.key() == Some("team"))
        .map(|tag| tag.value());
    format!(
        "{:?} {:?} {:?} {:?} {:?}",
        instance.preferred_maintenance_window(),
        instance.max_allocated_storage(),
        instance.deletion_protection(),
        instance.backup_retention_period(),
        team.collect::<Vec<_>>(),
    )
}

#[tokio::test(start_paused = true)]
async fn a_database_that_is_gone_altogether_is_restored_as_it_was() {
    let (simulation, configured) = gone().await;
    let run = simulation.run(create()).await;
    assert_succeeded(&run);
    assert_eq!(run.summary.exit_code(), 0, "{:#?}", run.summary);
    assert_eq!(run.summary.outage_seconds, Some(0.0));
    assert_eq!(simulation.world().await.names(), ["orders"]);
    assert_eq!(simulation.get("orders", "state").as_deref(), Some("good"));
    assert_eq!(configuration(&simulation, "orders").await, configured);

    // Once it exists, the same input is a restore like any other.
    assert_succeeded(&simulation.run(create()).await);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_made_unless_the_input_says_so() {
    let (simulation, _) = gone().await;
    let run = simulation
        .run(json!({"identifier": "orders", "task": "db_restore"}))
        .await;
    assert_eq!(run.summary.exit_code(), 2, "{:#?}", run.summary);
    let message = run.summary.error.unwrap().message;
    assert!(message.contains("createIfMissing"), "{message}");
    assert!(simulation.world().await.names().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_without_a_blueprint_needs_a_saved_one() {
    let simulation = Simulation::new(1).await;
    simulation.create_database("orders").await;
    simulation
        .create_snapshot("orders", "orders-snapshot")
        .await;
    let configured = configuration(&simulation, "orders").await;
    let name = "orders".parse().unwrap();
    let saved = simulation.tasks().capture(&name).await.unwrap();
    delete(&simulation, "orders").await;
    let run = simulation.run(create()).await;
    assert_eq!(run.summary.exit_code(), 2, "{:#?}", run.summary);
    let message = run.summary.error.unwrap().message;
    assert!(message.contains("blueprint"), "{message}");

    let input = json!({
        "identifier": "orders", "task": "db_restore", "createIfMissing": {"blueprint": saved},
    });
    assert_succeeded(&simulation.run(input).await);
    assert_eq!(configuration(&simulation, "orders").await, configured);
}

#[tokio::test(start_paused = true)]
async fn a_living_source_lends_its_configuration() {
    let simulation = Simulation::new(1).await;
    simulation.create_database("orders").await;
    simulation.put("orders", "state", "good");
    for task in ["create_snapshot", "db_restore"] {
        let input = json!({
            "identifier": "staging", "sourceIdentifier": "orders", "task": task,
            "createIfMissing": true,
        });
        assert_succeeded(&simulation.run(input).await);
        assert_eq!(simulation.world().await.names(), ["orders", "staging"]);
        assert_eq!(simulation.get("staging", "state").as_deref(), Some("good"));
        let of = async |name| configuration(&simulation, name).await;
        assert_eq!(of("staging").await, of("orders").await);
        delete(&simulation, "staging").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_removes_what_was_made_and_nothing_else() {
    for fault in [
        json!({"action": "RestoreDBInstanceFromDBSnapshot", "times": 1, "effect": {"ends_in": "incompatible-parameters"}}),
        json!({"action": "ModifyDBInstance", "times": 1, "effect": {"error": {"code": "InvalidParameterValue", "status": 400}}}),
    ] {
        let (simulation, _) = gone().await;
        simulation.create_database("others").await;
        let before = simulation.world().await;
        simulation.arm(fault);
        let run = simulation.run(create()).await;
        assert_eq!(run.summary.exit_code(), 1, "{:#?}", run.summary);
        assert_eq!(simulation.world().await, before);
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_made_however_a_process_dies() {
    let mut call = 1;
    loop {
        let (simulation, _) = gone().await;
        let Some(run) = simulation.kill_in_call(create(), call).await else {
            break;
        };
        assert_succeeded(&run);
        assert_eq!(simulation.world().await.names(), ["orders"]);
        call += 2;
    }
    assert!(call > 15, "{call}");
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_is_gone_comes_back_with_its_members_and_endpoints() {
    let simulation = Simulation::new(1).await;
    let client = simulation.client();
    let cluster = client.create_db_cluster().db_cluster_identifier("orders");
    cluster
        .engine("aurora-postgresql")
        .master_username("app")
        .master_user_password("secret-1234")
        .backup_retention_period(7)
        .send()
        .await
        .unwrap();
    let available = async || {
        let look = client
            .describe_db_clusters()
            .db_cluster_identifier("orders");
        let found = look.send().await.unwrap();
        found.db_clusters()[0].status() == Some("available")
    };
    while !available().await {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    let member = async |name: &str, tier| {
        let create = client.create_db_instance().db_instance_identifier(name);
        create
            .db_cluster_identifier("orders")
            .engine("aurora-postgresql")
            .db_instance_class("db.r6g.large")
            .promotion_tier(tier)
            .send()
            .await
            .unwrap();
        simulation.wait_until_available(name).await;
    };
    member("orders-1", 1).await;
    member("orders-2", 5).await;
    let endpoint = client.create_db_cluster_endpoint();
    endpoint
        .db_cluster_identifier("orders")
        .db_cluster_endpoint_identifier("orders-reports")
        .endpoint_type("READER")
        .static_members("orders-2")
        .send()
        .await
        .unwrap();
    let only = json!({"identifier": "orders", "task": "create_snapshot_only"});
    assert_succeeded(&simulation.run(only).await);
    for name in ["orders-2", "orders-1"] {
        let delete = client.delete_db_instance().db_instance_identifier(name);
        delete.skip_final_snapshot(true).send().await.unwrap();
        while simulation.world().await.names().contains(&name) {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
    }
    let gone = client.delete_db_cluster().db_cluster_identifier("orders");
    gone.skip_final_snapshot(true).send().await.unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;

    assert_succeeded(&simulation.run(create()).await);
    assert_eq!(simulation.world().await.names(), ["orders-1", "orders-2"]);
    let look = client
        .describe_db_clusters()
        .db_cluster_identifier("orders");
    let found = look.send().await.unwrap();
    let members = found.db_clusters()[0].db_cluster_members();
    let writer = members
        .iter()
        .find(|member| member.is_cluster_writer() == Some(true));
    let writer = writer.and_then(|writer| writer.db_instance_identifier());
    assert_eq!(writer, Some("orders-1"));
    let endpoints = client.describe_db_cluster_endpoints();
    let endpoints = endpoints
        .db_cluster_endpoint_identifier("orders-reports")
        .send()
        .await
        .unwrap();
    assert_eq!(
        endpoints.db_cluster_endpoints()[0].static_members(),
        ["orders-2"]
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_is_made_for_a_target_that_has_come_back() {
    for name in ["orders", "orders-temp"] {
        let (simulation, _) = gone().await;
        let request = Request::parse(&create()).expect("it can be read");
        let plan = simulation.tasks().plan("run_1", request).await;
        let plan = plan.expect("nothing answers at the name");
        simulation.create_database(name).await;
        let call = json!({
            "execution": "run_1", "entered": simulation.now(), "plan": plan,
        });
        let refused = simulation.tasks().run("${Restore}", call).await;
        let error = refused.expect_err("it is there again");
        assert_eq!(error.name.as_str(), "Trapheus.IdentityMismatch", "{error}");
        assert_eq!(simulation.world().await.names(), [name]);
    }
}
