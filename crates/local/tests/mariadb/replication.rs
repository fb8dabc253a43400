//! Servers that follow each other.

use std::time::Duration;

use trapheus_local::engines::{Engine, Replication, ServerSpec, StopMode};

use crate::support::{Place, Writer, connect, engine, execute, kill_server, number};

const COUNT: &str = "SELECT COUNT(*) FROM items";

/// A server with an empty table.
async fn primary(place: &mut Place) -> ServerSpec {
    let spec = place.server("primary").await;
    execute(&spec, "CREATE TABLE items (id int PRIMARY KEY)").await;
    spec
}

async fn replica(place: &mut Place, name: &str, upstream: &ServerSpec) -> ServerSpec {
    let spec = place.spec(name).await;
    follow(&spec, upstream).await;
    spec
}

async fn follow(spec: &ServerSpec, upstream: &ServerSpec) {
    engine().follow(spec, upstream, &|_| ()).await.unwrap();
    let state = engine().replication(spec).await.unwrap();
    assert_eq!(state, Replication::Streaming);
}

/// Waits until a replica has applied what was committed before.
async fn has(spec: &ServerSpec, count: i64) {
    let waited = async {
        while number(spec, COUNT).await != count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let arrived = tokio::time::timeout(Duration::from_secs(60), waited).await;
    assert!(arrived.is_ok(), "{:?}", engine().replication(spec).await);
}

async fn refuses_writes(spec: &ServerSpec) -> bool {
    let mut connection = connect(spec).await;
    let refused = sqlx::query("INSERT INTO items VALUES (-1)")
        .execute(&mut connection)
        .await;
    refused.is_err_and(|error| error.to_string().contains("--read-only"))
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_have_what_the_primary_commits_and_refuse_writes() {
    let mut place = Place::new();
    let primary = primary(&mut place).await;
    execute(&primary, "INSERT INTO items VALUES (1)").await;
    let near = replica(&mut place, "near", &primary).await;
    let far = replica(&mut place, "far", &near).await;
    execute(&primary, "INSERT INTO items VALUES (2)").await;
    for spec in [&near, &far] {
        has(spec, 2).await;
        assert!(refuses_writes(spec).await);
    }
    // Asking again changes nothing, and neither do restarts and new parameters.
    follow(&near, &primary).await;
    engine().reconfigure(&near).await.unwrap();
    for spec in [&near, &primary] {
        engine().stop(spec, StopMode::Fast).await.unwrap();
        engine().start(spec).await.unwrap();
    }
    execute(&primary, "INSERT INTO items VALUES (3)").await;
    has(&far, 3).await;
    assert!(refuses_writes(&near).await);
    let state = engine().replication(&primary).await.unwrap();
    assert_eq!(state, Replication::None);
}

/// Goal: after a fail-over everybody follows the new primary. Method: the primary is killed while one of the replicas
/// is away and after it has written something that no replica received, so that it and the replicas have parted.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_fail_over_everybody_follows_the_new_primary() {
    let mut place = Place::new();
    let first = primary(&mut place).await;
    let second = replica(&mut place, "second", &first).await;
    let third = replica(&mut place, "third", &first).await;
    execute(&first, "INSERT INTO items VALUES (1), (2)").await;
    has(&second, 2).await;
    has(&third, 2).await;
    engine().stop(&third, StopMode::Fast).await.unwrap();
    engine().stop(&second, StopMode::Fast).await.unwrap();
    execute(&first, "INSERT INTO items VALUES (100), (101), (102)").await;
    kill_server(&first);

    engine().start(&second).await.unwrap();
    let state = engine().replication(&second).await.unwrap();
    assert!(matches!(state, Replication::Broken { .. }), "{state:?}");
    engine().promote(&second).await.unwrap();
    engine().promote(&second).await.unwrap();
    execute(&second, "INSERT INTO items VALUES (3)").await;
    follow(&third, &second).await;
    has(&third, 3).await;
    follow(&first, &second).await;
    has(&first, 3).await;
    assert!(refuses_writes(&first).await);
    execute(&second, "INSERT INTO items VALUES (4)").await;
    for spec in [&first, &third] {
        has(spec, 4).await;
    }
}

/// A replica that is ahead of its new upstream can't follow it as it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_ahead_is_made_anew() {
    let mut place = Place::new();
    let first = primary(&mut place).await;
    let behind = replica(&mut place, "behind", &first).await;
    let ahead = replica(&mut place, "ahead", &first).await;
    engine().stop(&behind, StopMode::Fast).await.unwrap();
    execute(&first, "INSERT INTO items VALUES (1), (2)").await;
    has(&ahead, 2).await;
    engine().stop(&first, StopMode::Immediate).await.unwrap();
    engine().start(&behind).await.unwrap();
    engine().promote(&behind).await.unwrap();
    execute(&behind, "INSERT INTO items VALUES (3)").await;
    follow(&ahead, &behind).await;
    has(&ahead, 1).await;
}

/// What was the primary, and has nothing that the new one doesn't have, goes on as it is: nothing is copied.
#[tokio::test(flavor = "multi_thread")]
async fn a_former_primary_that_has_nothing_of_its_own_keeps_its_data() {
    let mut place = Place::new();
    let first = primary(&mut place).await;
    let second = replica(&mut place, "second", &first).await;
    execute(&first, "INSERT INTO items VALUES (1)").await;
    has(&second, 1).await;
    engine().promote(&second).await.unwrap();
    execute(&second, "INSERT INTO items VALUES (2)").await;
    let mark = first.directory.join("data/mark");
    std::fs::write(&mark, "").unwrap();
    follow(&first, &second).await;
    has(&first, 2).await;
    assert!(mark.exists());
    assert!(refuses_writes(&first).await);
}

/// The replica is killed again and again while a client writes; in the end it has every row.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_replica_catches_up() {
    let mut place = Place::new();
    let primary = place.server("primary").await;
    let writer = Writer::start(&primary).await;
    let replica = replica(&mut place, "replica", &primary).await;
    for round in 1..=3 {
        writer.reaches(writer.committed() + 100 * round).await;
        kill_server(&replica);
        writer.reaches(writer.committed() + 100).await;
        engine().start(&replica).await.unwrap();
    }
    let committed = writer.committed();
    writer.stop().await;
    while number(&replica, "SELECT MAX(id) FROM numbers").await < committed {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let gaps = "SELECT MAX(id) - COUNT(*) FROM numbers";
    assert_eq!(number(&replica, gaps).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_of_a_replica_stands_alone() {
    let mut place = Place::new();
    let primary = primary(&mut place).await;
    let replica = replica(&mut place, "replica", &primary).await;
    execute(&primary, "INSERT INTO items VALUES (1)").await;
    has(&replica, 1).await;
    let running = place.path("snapshot-running");
    engine()
        .snapshot(&replica, &running, &|_| ())
        .await
        .unwrap();
    engine().stop(&replica, StopMode::Fast).await.unwrap();
    let stopped = place.path("snapshot-stopped");
    engine()
        .snapshot(&replica, &stopped, &|_| ())
        .await
        .unwrap();
    for (name, snapshot) in [("one", running), ("two", stopped)] {
        let spec = place.spec(name).await;
        engine().restore(&snapshot, &spec, &|_| ()).await.unwrap();
        engine().start(&spec).await.unwrap();
        let state = engine().replication(&spec).await.unwrap();
        assert_eq!(state, Replication::None);
        assert_eq!(number(&spec, COUNT).await, 1);
        execute(&spec, "INSERT INTO items VALUES (2)").await;
        // It can have replicas of its own.
        let own = place.spec(&format!("replica-of-{name}")).await;
        follow(&own, &spec).await;
        execute(&spec, "INSERT INTO items VALUES (3)").await;
        has(&own, 3).await;
    }
    assert_eq!(number(&primary, COUNT).await, 1);
}
