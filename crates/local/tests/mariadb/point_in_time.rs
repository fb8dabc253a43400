//! Restores to an instant: a base backup brought forward by the archived binary log.

use std::time::Duration;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use trapheus_local::engines::{Engine, EngineError, Replication, ServerSpec, StopMode};

use crate::support::{Place, Writer, ask, engine, execute, kill_server, number};

const ITEMS: &str = "SELECT GROUP_CONCAT(id ORDER BY id SEPARATOR ' ') FROM items";

/// A server whose log is archived, and a snapshot of it from before everything that follows.
async fn archived(place: &mut Place) -> (ServerSpec, Utf8PathBuf) {
    let spec = place.server("source").await;
    execute(&spec, "CREATE TABLE items (id int PRIMARY KEY)").await;
    (spec.clone(), base(place, &spec, "1").await)
}

/// Begins an archive and takes a snapshot.
async fn base(place: &Place, spec: &ServerSpec, number: &str) -> Utf8PathBuf {
    let base = place.path(&format!("base-{number}"));
    let archive = archive(place, number);
    engine().archive(spec, Some(&archive)).await.unwrap();
    engine().snapshot(spec, &base, &|_| ()).await.unwrap();
    base
}

/// A name that a shell would take apart.
fn archive(place: &Place, number: &str) -> Utf8PathBuf {
    place.path(&format!("o'clock 100% $HOME {number}"))
}

/// The server's own time between two commits. The log knows whole seconds, so this one begins with nothing in it.
async fn instant(spec: &ServerSpec) -> Timestamp {
    tokio::time::sleep(Duration::from_secs(1)).await;
    let now = ask(spec, "SELECT FLOOR(UNIX_TIMESTAMP(SYSDATE(6)))").await;
    let now = Timestamp::from_second(now.parse().unwrap()).unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    now
}

async fn restore(
    place: &mut Place,
    name: &str,
    base: &Utf8PathBuf,
    archives: &[Utf8PathBuf],
    until: Timestamp,
) -> Result<ServerSpec, EngineError> {
    let spec = place.spec(name).await;
    engine()
        .restore_to(base, archives, until, &spec, &|_| ())
        .await?;
    engine().start(&spec).await?;
    Ok(spec)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instant_between_two_commits_has_exactly_the_first() {
    let mut place = Place::new();
    let (source, base) = archived(&mut place).await;
    execute(&source, "INSERT INTO items VALUES (1)").await;
    let between = instant(&source).await;
    execute(&source, "INSERT INTO items VALUES (2)").await;
    let after = instant(&source).await;
    engine().flush_archive(&source).await.unwrap();
    execute(&source, "INSERT INTO items VALUES (3)").await;

    let archives = [archive(&place, "1")];
    let first = restore(&mut place, "first", &base, &archives, between).await;
    let first = first.unwrap();
    assert_eq!(ask(&first, ITEMS).await, "1");
    let state = engine().replication(&first).await.unwrap();
    assert_eq!(state, Replication::None);
    let second = restore(&mut place, "second", &base, &archives, after).await;
    assert_eq!(ask(&second.unwrap(), ITEMS).await, "1 2");

    // The restored server is one like any other: it restarts, takes writes, and can itself be restored.
    execute(&first, "INSERT INTO items VALUES (10)").await;
    engine().stop(&first, StopMode::Fast).await.unwrap();
    engine().start(&first).await.unwrap();
    let its_base = self::base(&place, &first, "of first").await;
    execute(&first, "INSERT INTO items VALUES (11)").await;
    let then = instant(&first).await;
    execute(&first, "INSERT INTO items VALUES (12)").await;
    // A stop in order archives what is left.
    engine().stop(&first, StopMode::Fast).await.unwrap();
    let archives = [archive(&place, "of first")];
    let third = restore(&mut place, "third", &its_base, &archives, then).await;
    assert_eq!(ask(&third.unwrap(), ITEMS).await, "1 10 11");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_snapshot_begins_another_archive() {
    let mut place = Place::new();
    let (source, first_base) = archived(&mut place).await;
    execute(&source, "INSERT INTO items VALUES (1)").await;
    let second_base = base(&place, &source, "2").await;
    execute(&source, "INSERT INTO items VALUES (2)").await;
    let late = instant(&source).await;
    engine().flush_archive(&source).await.unwrap();
    let (one, two) = (archive(&place, "1"), archive(&place, "2"));

    let of_both = [one.clone(), two.clone()];
    let restored = restore(&mut place, "a", &first_base, &of_both, late).await;
    assert_eq!(ask(&restored.unwrap(), ITEMS).await, "1 2");
    let restored = restore(&mut place, "b", &second_base, &[two], late).await;
    assert_eq!(ask(&restored.unwrap(), ITEMS).await, "1 2");
    let refused = restore(&mut place, "c", &first_base, &[one], late).await;
    let message = refused.unwrap_err().to_string();
    assert!(message.contains("do not reach"), "{message}");

    engine().archive(&source, None).await.unwrap();
    engine().flush_archive(&source).await.unwrap();
}

/// What is missing in the middle is noticed, not skipped.
#[tokio::test(flavor = "multi_thread")]
async fn a_gap_in_the_archives_is_an_error() {
    let mut place = Place::new();
    let (source, base) = archived(&mut place).await;
    execute(&source, "INSERT INTO items VALUES (1)").await;
    let two = archive(&place, "2");
    engine().archive(&source, Some(&two)).await.unwrap();
    execute(&source, "INSERT INTO items VALUES (2); FLUSH BINARY LOGS").await;
    execute(&source, "INSERT INTO items VALUES (3)").await;
    let until = instant(&source).await;
    engine().flush_archive(&source).await.unwrap();
    let series = two.read_dir_utf8().unwrap().next().unwrap().unwrap();
    let files = series.path().read_dir_utf8().unwrap();
    let files = files.map(|file| file.unwrap().into_path());
    let logs = files.filter(|file| file.as_str().contains("changelog"));
    let mut logs: Vec<Utf8PathBuf> = logs.collect();
    logs.sort();
    let last = logs.pop().unwrap();
    for lost in logs {
        std::fs::remove_file(lost).unwrap();
    }
    assert!(last.exists());
    let archives = [archive(&place, "1"), two];
    let refused = restore(&mut place, "a", &base, &archives, until).await;
    let message = refused.unwrap_err().to_string();
    assert!(message.contains("gap"), "{message}");
}

/// Everything that was committed before an instant is there, although the server is killed in the middle of it.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_missing_after_a_crash() {
    let mut place = Place::new();
    let source = place.server("source").await;
    let writer = Writer::start(&source).await;
    let base = base(&place, &source, "1").await;
    writer.reaches(300).await;
    let before = writer.committed();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let until = ask(&source, "SELECT UNIX_TIMESTAMP()").await;
    let until = Timestamp::from_second(until.parse().unwrap()).unwrap();
    let after = writer.committed();
    tokio::time::sleep(Duration::from_secs(1)).await;
    writer.stop().await;
    kill_server(&source);
    engine().start(&source).await.unwrap();
    engine().flush_archive(&source).await.unwrap();

    let archives = [archive(&place, "1")];
    let restored = restore(&mut place, "restored", &base, &archives, until).await;
    let restored = restored.unwrap();
    let last = number(&restored, "SELECT MAX(id) FROM numbers").await;
    let gaps = "SELECT MAX(id) - COUNT(*) FROM numbers";
    assert!((before..=after).contains(&last), "{before} {last} {after}");
    assert_eq!(number(&restored, gaps).await, 0);
}

/// A restore that was interrupted is begun again on what it left.
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_was_interrupted_is_repeated() {
    let mut place = Place::new();
    let (source, base) = archived(&mut place).await;
    execute(&source, "INSERT INTO items SELECT seq FROM seq_1_to_50000").await;
    let until = instant(&source).await;
    engine().flush_archive(&source).await.unwrap();
    let archives = [archive(&place, "1")];
    let spec = place.spec("restored").await;
    let servers = engine();
    for milliseconds in [5, 100, 300, 500, 700, 900] {
        let restore = servers.restore_to(&base, &archives, until, &spec, &|_| ());
        let limit = Duration::from_millis(milliseconds);
        let _ = tokio::time::timeout(limit, restore).await;
    }
    servers
        .restore_to(&base, &archives, until, &spec, &|_| ())
        .await
        .unwrap();
    engine().start(&spec).await.unwrap();
    assert_eq!(number(&spec, "SELECT COUNT(*) FROM items").await, 50_000);
}

/// The readers of a cluster archive what they receive, so the archive goes on where the writer left it.
#[tokio::test(flavor = "multi_thread")]
async fn a_fail_over_leaves_no_gap_in_the_archive() {
    let mut place = Place::new();
    let (writer, base) = archived(&mut place).await;
    let reader = place.spec("reader").await;
    engine().follow(&reader, &writer, &|_| ()).await.unwrap();
    let archives = [archive(&place, "1")];
    engine().archive(&reader, Some(&archives[0])).await.unwrap();
    execute(&writer, "INSERT INTO items VALUES (1)").await;
    while ask(&reader, "SELECT COUNT(*) FROM items").await != "1" {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    kill_server(&writer);
    engine().promote(&reader).await.unwrap();
    execute(&reader, "INSERT INTO items VALUES (2)").await;
    let until = instant(&reader).await;
    execute(&reader, "INSERT INTO items VALUES (3)").await;
    engine().flush_archive(&reader).await.unwrap();
    let restored = restore(&mut place, "restored", &base, &archives, until).await;
    assert_eq!(ask(&restored.unwrap(), ITEMS).await, "1 2");
}
