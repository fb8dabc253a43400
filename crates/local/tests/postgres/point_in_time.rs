//! Restores to an instant: a base backup brought forward by the archived log.

use camino::Utf8PathBuf;
use jiff::Timestamp;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use trapheus_local::engines::postgres::Postgres;
use trapheus_local::engines::{Engine, EngineError, Replication, ServerSpec, StopMode};

use crate::support::{Place, Writer, ask, execute, number, pid};

const ITEMS: &str = "SELECT string_agg(id::text, ' ' ORDER BY id) FROM items";

/// A server whose log is archived, and a snapshot of it from before everything that follows.
async fn archived(place: &mut Place) -> (ServerSpec, Utf8PathBuf) {
    let spec = place.server("source").await;
    execute(&spec, "CREATE TABLE items (id int PRIMARY KEY)").await;
    (spec.clone(), base(place, &spec, "1").await)
}

/// Begins an archive and takes a snapshot.
async fn base(place: &Place, spec: &ServerSpec, number: &str) -> Utf8PathBuf {
    let base = place.path(&format!("base-{number}"));
    let engine = Postgres::new();
    let archive = archive(place, number);
    engine.archive(spec, Some(&archive)).await.unwrap();
    engine.snapshot(spec, &base, &|_| ()).await.unwrap();
    base
}

/// A name that a shell would take apart.
fn archive(place: &Place, number: &str) -> Utf8PathBuf {
    place.path(&format!("o'clock 100% $HOME {number}"))
}

/// The server's own time between two commits.
async fn instant(spec: &ServerSpec) -> Timestamp {
    let now =
        "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')";
    ask(spec, now).await.parse().unwrap()
}

async fn restore(
    place: &mut Place,
    name: &str,
    base: &Utf8PathBuf,
    archives: &[Utf8PathBuf],
    until: Timestamp,
) -> Result<ServerSpec, EngineError> {
    let spec = place.spec(name).await;
    let engine = Postgres::new();
    engine
        .restore_to(base, archives, until, &spec, &|_| ())
        .await?;
    engine.start(&spec).await?;
    Ok(spec)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instant_between_two_commits_has_exactly_the_first() {
    let mut place = Place::new();
    let engine = Postgres::new();
    let (source, base) = archived(&mut place).await;
    execute(&source, "INSERT INTO items VALUES (1)").await;
    let between = instant(&source).await;
    execute(&source, "INSERT INTO items VALUES (2)").await;
    let after = instant(&source).await;
    engine.flush_archive(&source).await.unwrap();
    execute(&source, "INSERT INTO items VALUES (3)").await;

    let archives = [archive(&place, "1")];
    let first = restore(&mut place, "first", &base, &archives, between).await;
    let first = first.unwrap();
    assert_eq!(ask(&first, ITEMS).await, "1");
    assert_eq!(engine.replication(&first).await.unwrap(), Replication::None);
    let second = restore(&mut place, "second", &base, &archives, after).await;
    assert_eq!(ask(&second.unwrap(), ITEMS).await, "1 2");

    // The restored server is one like any other: it restarts, takes writes, and can itself be restored.
    execute(&first, "INSERT INTO items VALUES (10)").await;
    engine.stop(&first, StopMode::Fast).await.unwrap();
    engine.start(&first).await.unwrap();
    let its_base = self::base(&place, &first, "of first").await;
    execute(&first, "INSERT INTO items VALUES (11)").await;
    let then = instant(&first).await;
    execute(&first, "INSERT INTO items VALUES (12)").await;
    // A stop in order archives what is left.
    engine.stop(&first, StopMode::Fast).await.unwrap();
    let archives = [archive(&place, "of first")];
    let third = restore(&mut place, "third", &its_base, &archives, then).await;
    assert_eq!(ask(&third.unwrap(), ITEMS).await, "1 10 11");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_snapshot_begins_another_archive() {
    let mut place = Place::new();
    let engine = Postgres::new();
    let (source, first_base) = archived(&mut place).await;
    execute(&source, "INSERT INTO items VALUES (1)").await;
    engine.flush_archive(&source).await.unwrap();
    let second_base = base(&place, &source, "2").await;
    execute(&source, "INSERT INTO items VALUES (2)").await;
    let late = instant(&source).await;
    engine.flush_archive(&source).await.unwrap();
    let (one, two) = (archive(&place, "1"), archive(&place, "2"));

    let of_both = [one.clone(), two.clone()];
    let restored = restore(&mut place, "a", &first_base, &of_both, late).await;
    assert_eq!(ask(&restored.unwrap(), ITEMS).await, "1 2");
    let restored = restore(&mut place, "b", &second_base, &[two], late).await;
    assert_eq!(ask(&restored.unwrap(), ITEMS).await, "1 2");
    let restored = restore(&mut place, "c", &first_base, &[one], late).await;
    assert_eq!(ask(&restored.unwrap(), ITEMS).await, "1");

    engine.archive(&source, None).await.unwrap();
    engine.flush_archive(&source).await.unwrap();
}

/// Everything that was committed before an instant is there, although the server is killed in the middle of it.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_missing_after_a_crash() {
    let mut place = Place::new();
    let engine = Postgres::new();
    let source = place.server("source").await;
    let writer = Writer::start(&source).await;
    let base = base(&place, &source, "1").await;
    writer.reaches(300).await;
    let before = writer.committed();
    let until = instant(&source).await;
    let after = writer.committed();
    writer.reaches(after + 200).await;
    writer.stop().await;
    kill(Pid::from_raw(pid(&source)), Signal::SIGKILL).unwrap();
    engine.start(&source).await.unwrap();
    engine.flush_archive(&source).await.unwrap();

    let archives = [archive(&place, "1")];
    let restored = restore(&mut place, "restored", &base, &archives, until).await;
    let restored = restored.unwrap();
    let last = number(&restored, "SELECT max(id)::text FROM numbers").await;
    let gaps = "SELECT (max(id) - count(*))::text FROM numbers";
    assert!(
        (before..=after + 1).contains(&last),
        "{before} {last} {after}"
    );
    assert_eq!(number(&restored, gaps).await, 0);
}

/// A restore that was interrupted is begun again on what it left.
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_was_interrupted_is_repeated() {
    let mut place = Place::new();
    let engine = Postgres::new();
    let (source, base) = archived(&mut place).await;
    execute(
        &source,
        "INSERT INTO items SELECT generate_series(1, 50000)",
    )
    .await;
    let until = instant(&source).await;
    engine.flush_archive(&source).await.unwrap();
    let archives = [archive(&place, "1")];
    let spec = place.spec("restored").await;
    for milliseconds in [5, 50, 100, 150, 200] {
        let restore = engine.restore_to(&base, &archives, until, &spec, &|_| ());
        let limit = std::time::Duration::from_millis(milliseconds);
        if tokio::time::timeout(limit, restore).await.is_err()
            && spec.directory.join("data/postmaster.pid").exists()
        {
            engine.stop(&spec, StopMode::Immediate).await.unwrap();
        }
    }
    engine
        .restore_to(&base, &archives, until, &spec, &|_| ())
        .await
        .unwrap();
    assert_eq!(
        number(&spec, "SELECT count(*)::text FROM items").await,
        50_000
    );
}

/// The readers of a cluster archive what they receive, so the archive goes on where the writer left it.
#[tokio::test(flavor = "multi_thread")]
async fn a_fail_over_leaves_no_gap_in_the_archive() {
    let mut place = Place::new();
    let engine = Postgres::new();
    let (writer, base) = archived(&mut place).await;
    let reader = place.spec("reader").await;
    engine.follow(&reader, &writer, &|_| ()).await.unwrap();
    let archives = [archive(&place, "1")];
    engine.archive(&reader, Some(&archives[0])).await.unwrap();
    execute(&writer, "INSERT INTO items VALUES (1)").await;
    while ask(&reader, "SELECT count(*)::text FROM items").await != "1" {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    kill(Pid::from_raw(pid(&writer)), Signal::SIGKILL).unwrap();
    engine.promote(&reader).await.unwrap();
    execute(&reader, "INSERT INTO items VALUES (2)").await;
    let until = instant(&reader).await;
    execute(&reader, "INSERT INTO items VALUES (3)").await;
    engine.flush_archive(&reader).await.unwrap();
    let restored = restore(&mut place, "restored", &base, &archives, until).await;
    assert_eq!(ask(&restored.unwrap(), ITEMS).await, "1 2");
}
