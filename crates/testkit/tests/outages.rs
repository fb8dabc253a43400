//! How long clients go without an answer, measured by the clients themselves, in virtual time and
//! with AWS's durations.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use trapheus_testkit::{Silence, Simulation, Use, Watch};

/// Sizes whose restores differ by hours, in GiB.
const SIZES_GIB: [i32; 2] = [10, 10 * 1024];

/// Where the outages of a cluster's endpoints are told.
const DOCUMENT: &str = include_str!("../../../docs/performance.md");

/// What a client that asks every second can't tell.
const UNSEEN: Duration = Duration::from_secs(2);

async fn outage(strategy: &str, storage_gib: i32) -> Silence {
    let simulation = Simulation::with_aws_durations(1).await;
    simulation
        .create_databases_of(storage_gib, &["orders"])
        .await;
    simulation
        .create_snapshot("orders", "orders-snapshot")
        .await;
    let client = simulation.client_of("orders");
    let watch = Watch::begin(vec![("orders".to_owned(), client, Use::Writes)]);
    let input = json!({"identifier": "orders", "task": "db_restore", "strategy": strategy});
    let run = simulation.run(input).await;
    assert_eq!(run.summary.exit_code(), 0, "{:#?}", run.summary);
    tokio::time::sleep(UNSEEN).await;
    let silence = watch.end()["orders"];
    assert_eq!(silence.times, 1, "{strategy}: {silence:?}");
    let told = run
        .summary
        .outage_seconds
        .expect("it tells how long the name was down");
    let is_true = (told - silence.longest.as_secs_f64()).abs() <= 10.0;
    assert!(is_true, "{strategy}: {told} s told, {silence:?} seen");
    silence
}

#[tokio::test(start_paused = true)]
async fn the_outage_of_a_swap_does_not_grow_with_the_database() {
    let [small, large] = SIZES_GIB;
    let (small, large) = (outage("swap", small).await, outage("swap", large).await);
    assert!(
        small.longest.abs_diff(large.longest) <= UNSEEN,
        "{small:?} {large:?}"
    );
    assert!(large.longest < Duration::from_secs(150), "{large:?}");
}

#[tokio::test(start_paused = true)]
async fn the_outage_in_place_is_the_whole_restore() {
    let [small, large] = SIZES_GIB;
    let (small, large) = (
        outage("in_place", small).await,
        outage("in_place", large).await,
    );
    // A second per GiB, by the table of local RDS.
    let longer = Duration::from_secs(10 * 1024 - 10);
    assert!(
        large.longest - small.longest >= longer.mul_f64(0.99),
        "{small:?} {large:?}"
    );
}

/// Every endpoint of a cluster, with its address.
async fn endpoints(simulation: &Simulation) -> Vec<(String, String, Use)> {
    let world = simulation.world().await;
    let cluster = &world.clusters["orders"];
    let mut endpoints = vec![
        ("cluster".to_owned(), cluster.address.clone(), Use::Writes),
        (
            "reader".to_owned(),
            cluster.reader_address.clone(),
            Use::Reads,
        ),
    ];
    for (name, is_writer) in &cluster.members {
        let role = if *is_writer { "writer" } else { "reader" };
        let address = world.databases[name].address.clone();
        endpoints.push((format!("`{name}`, a {role}"), address, Use::Reads));
    }
    for (name, endpoint) in &world.custom_endpoints {
        let address = endpoint.address.clone();
        endpoints.push((format!("`{name}`, custom"), address, Use::Reads));
    }
    endpoints
}

/// How long each endpoint of a cluster is silent while it is restored.
async fn cluster_outages(simulation: &Simulation, strategy: &str) -> BTreeMap<String, Silence> {
    let watched = endpoints(simulation).await.into_iter();
    let watched = watched.map(|(name, address, what)| {
        let client = simulation.client_at(&address);
        (name, client, what)
    });
    let watch = Watch::begin(watched.collect());
    let input = json!({"identifier": "orders", "task": "db_restore", "strategy": strategy});
    let run = simulation.run(input).await;
    assert_eq!(run.summary.exit_code(), 0, "{:#?}", run.summary);
    tokio::time::sleep(UNSEEN).await;
    watch.end()
}

async fn aurora(strategy: &str) -> BTreeMap<String, Silence> {
    let simulation = Simulation::with_aws_durations(1).await;
    simulation.create_cluster("orders").await;
    simulation
        .create_cluster_snapshot("orders", "orders-snapshot")
        .await;
    cluster_outages(&simulation, strategy).await
}

/// A Multi-AZ cluster has storage of a size, as Aurora's volumes have not.
async fn multi_az(strategy: &str, storage_gib: i32) -> BTreeMap<String, Silence> {
    let simulation = Simulation::with_aws_durations(1).await;
    let create = simulation.client().create_db_cluster();
    create
        .db_cluster_identifier("orders")
        .engine("postgres")
        .db_cluster_instance_class("db.r6gd.large")
        .allocated_storage(storage_gib)
        .storage_type("io1")
        .iops(1000)
        .master_username("app")
        .master_user_password("secret-1234")
        .send()
        .await
        .expect("it can be created");
    simulation.wait_until_cluster_available("orders").await;
    simulation
        .create_cluster_snapshot("orders", "orders-snapshot")
        .await;
    cluster_outages(&simulation, strategy).await
}

#[tokio::test(start_paused = true)]
async fn the_outages_of_a_cluster_are_those_of_the_document() {
    let (swap, in_place) = (aurora("swap").await, aurora("in_place").await);
    let mut table = String::from("| endpoint | `swap` | `in_place` |\n|---|---|---|\n");
    for (name, silence) in &swap {
        let seconds = [silence, &in_place[name]].map(|silence| silence.total.as_secs());
        table += &format!("| {name} | {} s | {} s |\n", seconds[0], seconds[1]);
    }
    assert!(
        DOCUMENT.contains(&table),
        "docs/performance.md lacks\n{table}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_outage_of_a_clusters_swap_does_not_grow_with_it() {
    let [small, large] = SIZES_GIB;
    let (small, large) = (multi_az("swap", small).await, multi_az("swap", large).await);
    for (endpoint, silence) in &small {
        let larger = large[endpoint].total;
        assert!(
            silence.total.abs_diff(larger) <= UNSEEN,
            "{endpoint}: {silence:?} {larger:?}"
        );
    }
}
