//! Physical copies: what is in them, while clients write.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx::Connection;
use trapheus_local::engines::{Engine, EngineError, Secret, ServerSpec, StopMode};

use crate::support::{Place, Writer, ask, connect, engine, execute, kill_server, number, options};

/// Makes a server from a snapshot and starts it.
async fn restored(place: &mut Place, name: &str, snapshot: &camino::Utf8Path) -> ServerSpec {
    let spec = place.spec(name).await;
    engine().restore(snapshot, &spec, &|_| ()).await.unwrap();
    engine().start(&spec).await.unwrap();
    spec
}

/// Goal: the copy is a prefix of what was committed: all of what was committed before it was asked for, nothing of what
/// was committed after it was reported, no gap. Method: one client commits 1, 2, 3…, so a prefix is `max = count`.
#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_is_a_prefix_of_what_was_committed() {
    let mut place = Place::new();
    let spec = place.server("one").await;
    let writer = Writer::start(&spec).await;
    for round in 1..=3 {
        writer.reaches(round * 300).await;
        let snapshot = place.path(&format!("snapshot-{round}"));
        let before = writer.committed();
        let info = engine().snapshot(&spec, &snapshot, &|_| ()).await.unwrap();
        let after = writer.committed();
        assert!(info.size_bytes > 0);

        let restored = restored(&mut place, &format!("restored-{round}"), &snapshot).await;
        let highest = number(&restored, "SELECT MAX(id) FROM numbers").await;
        let count = number(&restored, "SELECT COUNT(*) FROM numbers").await;
        assert_eq!(count, highest, "there is a gap");
        // The one that was being committed when the snapshot was reported may be in it.
        assert!(
            (before..=after + 1).contains(&highest),
            "{before} {highest} {after}"
        );
        engine().stop(&restored, StopMode::Fast).await.unwrap();
    }
    writer.stop().await;
}

/// Several clients write transactions of several rows, to tables of several storage engines, and change the schema
/// meanwhile: a copy never has half a transaction.
#[tokio::test(flavor = "multi_thread")]
async fn no_transaction_is_halved_under_load() {
    const WRITERS: usize = 3;
    let mut place = Place::new();
    let spec = place.server("one").await;
    execute(
        &spec,
        "CREATE TABLE debit (id bigint AUTO_INCREMENT PRIMARY KEY, amount int, filler text);
         CREATE TABLE credit LIKE debit; CREATE TABLE notes (id int) ENGINE=Aria",
    )
    .await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut writers = Vec::new();
    for writer in 0..=WRITERS {
        let mut connection = connect(&spec).await;
        let stopped = Arc::clone(&stop);
        let statements = if writer == WRITERS {
            "CREATE OR REPLACE TABLE passing (id int); INSERT INTO notes VALUES (1);
             ALTER TABLE passing ADD COLUMN more text"
        } else {
            "START TRANSACTION;
             INSERT INTO debit (amount, filler) SELECT seq, REPEAT('x', 400) FROM seq_1_to_200;
             INSERT INTO credit (amount, filler) SELECT seq, REPEAT('y', 400) FROM seq_1_to_200;
             COMMIT"
        };
        writers.push(tokio::spawn(async move {
            while !stopped.load(Ordering::SeqCst) {
                sqlx::raw_sql(statements)
                    .execute(&mut connection)
                    .await
                    .unwrap();
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }));
    }
    for round in 1..=3 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let snapshot = place.path(&format!("snapshot-{round}"));
        engine().snapshot(&spec, &snapshot, &|_| ()).await.unwrap();
        let restored = restored(&mut place, &format!("restored-{round}"), &snapshot).await;
        let difference =
            "SELECT (SELECT SUM(amount) FROM debit) - (SELECT SUM(amount) FROM credit)";
        assert_eq!(number(&restored, difference).await, 0);
        assert_eq!(
            number(&restored, "SELECT COUNT(*) % 200 FROM debit").await,
            0
        );
        assert!(number(&restored, "SELECT COUNT(*) FROM notes").await > 0);
        engine().remove(&restored.directory).await.unwrap();
    }
    stop.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.unwrap();
    }
}

#[tokio::test]
async fn a_restored_server_has_the_users_the_password_and_its_own_parameters() {
    let mut place = Place::new();
    let spec = place.server("one").await;
    execute(
        &spec,
        "CREATE USER clerk; CREATE TABLE t SELECT 42 AS answer; GRANT SELECT ON orders.t TO clerk",
    )
    .await;
    let snapshot = place.path("snapshot");
    engine().snapshot(&spec, &snapshot, &|_| ()).await.unwrap();
    let mut restored = place.spec("restored").await;
    let (name, value) = ("max_connections".to_owned(), "33".to_owned());
    restored.parameters.insert(name, value);
    engine()
        .restore(&snapshot, &restored, &|_| ())
        .await
        .unwrap();
    engine().start(&restored).await.unwrap();
    assert_eq!(ask(&restored, "SELECT answer FROM t").await, "42");
    assert_eq!(ask(&restored, "SELECT @@max_connections").await, "33");
    let grants = ask(
        &restored,
        "SELECT Table_priv FROM mysql.tables_priv WHERE User = 'clerk'",
    );
    assert_eq!(grants.await, "Select");
    execute(&restored, "UPDATE t SET answer = 43").await;
    assert_eq!(ask(&spec, "SELECT answer FROM t").await, "42");
}

#[tokio::test]
async fn stopped_and_killed_servers_can_be_copied_too() {
    let mut place = Place::new();
    let spec = place.server("one").await;
    execute(&spec, "CREATE TABLE t SELECT seq AS id FROM seq_1_to_5000").await;
    kill_server(&spec);
    engine().stop(&spec, StopMode::Fast).await.unwrap();
    let snapshot = place.path("snapshot");
    engine().snapshot(&spec, &snapshot, &|_| ()).await.unwrap();
    let copy = place.path("copy");
    engine()
        .copy_snapshot(&snapshot, &copy, &|_| ())
        .await
        .unwrap();
    engine().remove(&snapshot).await.unwrap();
    let restored = restored(&mut place, "restored", &copy).await;
    assert_eq!(ask(&restored, "SELECT COUNT(*) FROM t").await, "5000");
}

#[tokio::test]
async fn one_snapshot_serves_many_restores_at_once() {
    let mut place = Place::new();
    let spec = place.server("one").await;
    execute(&spec, "CREATE TABLE t SELECT 7 AS id").await;
    let snapshot = place.path("snapshot");
    engine().snapshot(&spec, &snapshot, &|_| ()).await.unwrap();
    let (left, right) = (place.spec("left").await, place.spec("right").await);
    let servers = engine();
    let (first, second) = tokio::join!(
        servers.restore(&snapshot, &left, &|_| ()),
        servers.restore(&snapshot, &right, &|_| ())
    );
    first.and(second).unwrap();
    for restored in [&left, &right] {
        engine().start(restored).await.unwrap();
        assert_eq!(ask(restored, "SELECT id FROM t").await, "7");
    }
}

#[tokio::test]
async fn progress_rises_and_stays_within_a_hundred() {
    let mut place = Place::new();
    let spec = place.server("one").await;
    execute(
        &spec,
        "CREATE TABLE t SELECT seq AS id, REPEAT('z', 900) AS filler FROM seq_1_to_50000",
    )
    .await;
    let told = Mutex::new(Vec::new());
    engine()
        .snapshot(&spec, &place.path("snapshot"), &|percent| {
            told.lock().unwrap().push(percent)
        })
        .await
        .unwrap();
    let told = told.into_inner().unwrap();
    assert!(told.is_sorted(), "{told:?}");
    assert!(told.iter().all(|percent| *percent <= 100), "{told:?}");
}

/// What a process that was killed in the middle left behind is no snapshot, and does no harm to the next try.
#[tokio::test]
async fn half_a_copy_is_made_anew() {
    let mut place = Place::new();
    let spec = place.server("one").await;
    execute(&spec, "CREATE TABLE t SELECT 7 AS id").await;
    let snapshot = place.path("snapshot");
    std::fs::create_dir_all(snapshot.join("data.partial/orders")).unwrap();
    std::fs::write(snapshot.join("data.partial/orders/rubbish"), "x").unwrap();
    let spec_of_none = place.spec("none").await;
    let error = engine()
        .restore(&snapshot, &spec_of_none, &|_| ())
        .await
        .unwrap_err();
    assert!(matches!(error, EngineError::Directory { .. }), "{error}");
    engine().snapshot(&spec, &snapshot, &|_| ()).await.unwrap();
    assert!(!snapshot.join("data/orders/rubbish").exists());
    let restored = restored(&mut place, "restored", &snapshot).await;
    assert_eq!(ask(&restored, "SELECT id FROM t").await, "7");
}

/// Somebody who doesn't wait for a snapshot must not leave the server holding commits back.
#[tokio::test(flavor = "multi_thread")]
async fn an_abandoned_snapshot_holds_nothing() {
    let mut place = Place::new();
    let spec = place.server("one").await;
    execute(&spec, "CREATE TABLE t (id int)").await;
    for milliseconds in [50, 200, 400, 800] {
        let into = place.path(&format!("abandoned-{milliseconds}"));
        let limit = Duration::from_millis(milliseconds);
        let servers = engine();
        let _ = tokio::time::timeout(limit, servers.snapshot(&spec, &into, &|_| ())).await;
        execute(&spec, "INSERT INTO t VALUES (1)").await;
    }
    let into = place.path("snapshot");
    engine().snapshot(&spec, &into, &|_| ()).await.unwrap();
}

/// The control plane's own password comes with the snapshot: the restored server can be governed.
#[tokio::test]
async fn a_restored_server_can_be_governed() {
    let mut place = Place::new();
    let spec = place.server("one").await;
    let snapshot = place.path("snapshot");
    engine().snapshot(&spec, &snapshot, &|_| ()).await.unwrap();
    let mut restored = restored(&mut place, "restored", &snapshot).await;
    restored.master_password = Secret::new("changed");
    engine().set_master_password(&restored).await.unwrap();
    connect(&restored).await.close().await.unwrap();
    assert!(
        sqlx::MySqlConnection::connect_with(&options(&spec))
            .await
            .is_ok()
    );
}
