//! Physical copies: what is in them, while clients write.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::Connection;
use trapheus_local::engines::postgres::Postgres;
use trapheus_local::engines::{Engine, EngineError, StopMode};

use crate::support::{Place, Writer, ask, connect, execute, number, options, pid};

/// Goal: the copy is a prefix of what was committed: all of what was committed before it was asked for, nothing of what
/// was committed after it was reported, no gap. Method: one client commits 1, 2, 3…, so a prefix is `max = count`.
#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_is_a_prefix_of_what_was_committed() {
    let mut place = Place::new();
    let spec = place.server("one").await;
    let engine = Postgres::new();
    let writer = Writer::start(&spec).await;
    for round in 1..=3 {
        writer.reaches(round * 300).await;
        let snapshot = place.path(&format!("snapshot-{round}"));
        let before = writer.committed();
        let info = engine.snapshot(&spec, &snapshot, &|_| ()).await.unwrap();
        let after = writer.committed();
        assert!(info.size_bytes > 0);

        let restored = place.spec(&format!("restored-{round}")).await;
        engine.restore(&snapshot, &restored, &|_| ()).await.unwrap();
        engine.start(&restored).await.unwrap();
        let highest = number(&restored, "SELECT max(id)::text FROM numbers").await;
        let count = number(&restored, "SELECT count(*)::text FROM numbers").await;
        assert_eq!(count, highest, "there is a gap");
        // The one that was being committed when the snapshot was reported may be in it.
        assert!(
            (before..=after + 1).contains(&highest),
            "{before} {highest} {after}"
        );
        engine.stop(&restored, StopMode::Fast).await.unwrap();
    }
    writer.stop().await;
}

/// The log that a snapshot needs must not be recycled under it.
#[tokio::test(flavor = "multi_thread")]
async fn checkpoints_during_a_snapshot_do_no_harm() {
    let mut place = Place::new();
    let mut spec = place.server("one").await;
    let engine = Postgres::new();
    for (name, value) in [("max_wal_size", "32MB"), ("min_wal_size", "32MB")] {
        spec.parameters.insert(name.to_owned(), value.to_owned());
    }
    engine.reconfigure(&spec).await.unwrap();
    execute(&spec, "CREATE TABLE bulk (id bigint, filler text)").await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut connection = connect(&spec).await;
    let stopped = Arc::clone(&stop);
    let bulk = tokio::spawn(async move {
        while !stopped.load(Ordering::SeqCst) {
            sqlx::raw_sql(
                "INSERT INTO bulk SELECT i, repeat('y', 900) FROM generate_series(1, 10000) AS i;
                 CHECKPOINT;",
            )
            .execute(&mut connection)
            .await
            .unwrap();
        }
    });
    let snapshot = place.path("snapshot");
    engine.snapshot(&spec, &snapshot, &|_| ()).await.unwrap();
    stop.store(true, Ordering::SeqCst);
    bulk.await.unwrap();
    let restored = place.spec("restored").await;
    engine.restore(&snapshot, &restored, &|_| ()).await.unwrap();
    engine.start(&restored).await.unwrap();
    let rows = number(&restored, "SELECT count(*)::text FROM bulk").await;
    assert_eq!(rows % 10_000, 0);
}

#[tokio::test]
async fn a_restored_server_has_the_roles_the_password_and_its_own_parameters() {
    let mut place = Place::new();
    let spec = place.server("one").await;
    let engine = Postgres::new();
    execute(
        &spec,
        "CREATE ROLE clerk LOGIN; CREATE TABLE t AS SELECT 42 AS answer; GRANT SELECT ON t TO clerk;
         CREATE UNLOGGED TABLE scratch AS SELECT 1 AS id",
    )
    .await;
    let snapshot = place.path("snapshot");
    engine.snapshot(&spec, &snapshot, &|_| ()).await.unwrap();
    let mut restored = place.spec("restored").await;
    restored
        .parameters
        .insert("work_mem".to_owned(), "12MB".to_owned());
    engine.restore(&snapshot, &restored, &|_| ()).await.unwrap();
    engine.start(&restored).await.unwrap();
    assert_eq!(ask(&restored, "SELECT answer::text FROM t").await, "42");
    assert_eq!(
        ask(
            &restored,
            "SELECT has_table_privilege('clerk', 't', 'SELECT')::text"
        )
        .await,
        "true"
    );
    assert_eq!(
        ask(&restored, "SELECT current_setting('work_mem')").await,
        "12MB"
    );
    assert_eq!(
        ask(&restored, "SELECT count(*)::text FROM scratch").await,
        "0"
    );
    assert_eq!(ask(&spec, "SELECT count(*)::text FROM scratch").await, "1");
    execute(&restored, "UPDATE t SET answer = 43").await;
    assert_eq!(ask(&spec, "SELECT answer::text FROM t").await, "42");
}

#[tokio::test]
async fn stopped_and_killed_servers_can_be_copied_too() {
    let mut place = Place::new();
    let spec = place.server("one").await;
    let engine = Postgres::new();
    execute(
        &spec,
        "CREATE TABLE t AS SELECT generate_series(1, 5000) AS id",
    )
    .await;
    kill(Pid::from_raw(pid(&spec)), Signal::SIGKILL).unwrap();
    engine.stop(&spec, StopMode::Fast).await.unwrap();
    let snapshot = place.path("snapshot");
    engine.snapshot(&spec, &snapshot, &|_| ()).await.unwrap();
    let copy = place.path("copy");
    engine
        .copy_snapshot(&snapshot, &copy, &|_| ())
        .await
        .unwrap();
    engine.remove(&snapshot).await.unwrap();
    let restored = place.spec("restored").await;
    engine.restore(&copy, &restored, &|_| ()).await.unwrap();
    engine.start(&restored).await.unwrap();
    assert_eq!(ask(&restored, "SELECT count(*)::text FROM t").await, "5000");
}

#[tokio::test]
async fn one_snapshot_serves_many_restores_at_once() {
    let mut place = Place::new();
    let spec = place.server("one").await;
    let engine = Postgres::new();
    execute(&spec, "CREATE TABLE t AS SELECT 7 AS id").await;
    let snapshot = place.path("snapshot");
    engine.snapshot(&spec, &snapshot, &|_| ()).await.unwrap();
    let (left, right) = (place.spec("left").await, place.spec("right").await);
    let (first, second) = tokio::join!(
        engine.restore(&snapshot, &left, &|_| ()),
        engine.restore(&snapshot, &right, &|_| ())
    );
    first.and(second).unwrap();
    for restored in [&left, &right] {
        engine.start(restored).await.unwrap();
        assert_eq!(ask(restored, "SELECT id::text FROM t").await, "7");
    }
}

#[tokio::test]
async fn progress_rises_and_stays_within_a_hundred() {
    let mut place = Place::new();
    let spec = place.server("one").await;
    execute(
        &spec,
        "CREATE TABLE t AS SELECT i, repeat('z', 900) FROM generate_series(1, 50000) AS i",
    )
    .await;
    let told = Mutex::new(Vec::new());
    Postgres::new()
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
    execute(&spec, "CREATE TABLE t AS SELECT 7 AS id").await;
    let engine = Postgres::new();
    let snapshot = place.path("snapshot");
    std::fs::create_dir_all(snapshot.join("data.partial/base")).unwrap();
    std::fs::write(snapshot.join("data.partial/base/rubbish"), "x").unwrap();
    let restored = place.spec("restored").await;
    let error = engine
        .restore(&snapshot, &restored, &|_| ())
        .await
        .unwrap_err();
    assert!(matches!(error, EngineError::Directory { .. }), "{error}");
    engine.snapshot(&spec, &snapshot, &|_| ()).await.unwrap();
    assert!(!snapshot.join("data/base/rubbish").exists());
    engine.restore(&snapshot, &restored, &|_| ()).await.unwrap();
    engine.start(&restored).await.unwrap();
    assert_eq!(ask(&restored, "SELECT id::text FROM t").await, "7");
}

/// A dropped snapshot must not leave the server in backup mode or holding its log.
#[tokio::test(flavor = "multi_thread")]
async fn an_abandoned_snapshot_holds_nothing() {
    let mut place = Place::new();
    let spec = place.server("one").await;
    let engine = Postgres::new();
    execute(
        &spec,
        "CREATE TABLE t AS SELECT i, repeat('z', 900) FROM generate_series(1, 50000) AS i",
    )
    .await;
    let into = place.path("abandoned");
    let abandoned = engine.snapshot(&spec, &into, &|_| ());
    let begun = async {
        while !into.join("data.partial/base").exists() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        () = begun => {}
        _ = abandoned => panic!("the snapshot was over before it could be abandoned"),
    }
    let slots = "SELECT count(*)::text FROM pg_replication_slots";
    while ask(&spec, slots).await != "0" {
        tokio::task::yield_now().await;
    }
    engine.snapshot(&spec, &into, &|_| ()).await.unwrap();
}

#[tokio::test]
async fn tablespaces_elsewhere_are_refused() {
    let mut place = Place::new();
    let spec = place.server("one").await;
    std::os::unix::fs::symlink("/nowhere", spec.directory.join("data/pg_tblspc/16999")).unwrap();
    let error = Postgres::new()
        .snapshot(&spec, &place.path("snapshot"), &|_| ())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("tablespaces"), "{error}");
    std::fs::remove_file(spec.directory.join("data/pg_tblspc/16999")).unwrap();
}

/// The control plane's own password comes with the snapshot: the restored server can be governed.
#[tokio::test]
async fn a_restored_server_can_be_governed() {
    let mut place = Place::new();
    let spec = place.server("one").await;
    let engine = Postgres::new();
    let snapshot = place.path("snapshot");
    engine.snapshot(&spec, &snapshot, &|_| ()).await.unwrap();
    let mut restored = place.spec("restored").await;
    engine.restore(&snapshot, &restored, &|_| ()).await.unwrap();
    engine.start(&restored).await.unwrap();
    restored.master_password = trapheus_local::engines::Secret::new("changed");
    engine.set_master_password(&restored).await.unwrap();
    connect(&restored).await.close().await.unwrap();
    assert!(
        sqlx::PgConnection::connect_with(&options(&spec, "orders"))
            .await
            .is_ok()
    );
}
