//! Goal: both journals keep their promises, and the one on disk keeps them across processes.
//! Method: the same checks on each; for SQLite, a second journal on the same file stands for
//! another process, since nothing is shared but the file.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;
use trapheus_asl::{Event, Status};
use trapheus_engine::{
    Ended, ExecutionId, Fencing, Journal, JournalError, Lease, MemoryJournal, NewExecution,
    OwnerId, Request, SqliteJournal,
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn id(distinction: u32) -> ExecutionId {
    ExecutionId::new(at(0), distinction)
}

fn lease(owner: &str) -> Lease {
    Lease {
        owner: OwnerId::named(owner),
        expires_at: at(30),
    }
}

fn new_execution(id: &ExecutionId) -> NewExecution {
    NewExecution {
        id: id.clone(),
        machine_name: "machine".into(),
        definition: "{}".into(),
    }
}

fn started(input: Value) -> Event {
    Event::ExecutionStarted { at: at(0), input }
}

fn answer(task: u64) -> Event {
    let event =
        json!({"type": "TaskSucceeded", "at": at(1), "task": task, "output": {"task": task}});
    serde_json::from_value(event).unwrap()
}

fn succeeded() -> Ended {
    Ended {
        at: at(2),
        status: Status::Succeeded {
            output: json!([1, "two", null]),
        },
    }
}

fn create(journal: &dyn Journal, id: &ExecutionId) {
    journal
        .create(
            &new_execution(id),
            &lease("first"),
            &started(json!({"a": 1})),
            None,
        )
        .unwrap();
}

/// A journal file in a directory of its own.
struct File {
    _directory: TempDir,
    path: Utf8PathBuf,
}

impl File {
    fn new() -> File {
        let directory = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(directory.path().join("executions.db")).unwrap();
        File {
            _directory: directory,
            path,
        }
    }

    fn open(&self) -> SqliteJournal {
        SqliteJournal::open(&self.path).unwrap()
    }

    fn raw(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(&self.path).unwrap()
    }
}

/// Runs a check on each kind of journal. On disk, the reader is another journal on the same file.
fn on_each(check: impl Fn(&dyn Journal, &dyn Journal)) {
    let memory = MemoryJournal::new();
    check(&memory, &memory);
    let file = File::new();
    check(&file.open(), &file.open());
}

#[test]
fn what_is_stored_is_read_back() {
    on_each(|writer, reader| {
        create(writer, &id(1));
        let stored = reader.execution(&id(1)).unwrap().unwrap();
        assert_eq!(stored.machine_name, "machine");
        assert_eq!(stored.definition, "{}");
        assert_eq!((stored.started_at, stored.input), (at(0), json!({"a": 1})));
        assert_eq!(
            (stored.fencing, stored.lease),
            (Fencing::FIRST, Some(lease("first")))
        );
        assert_eq!((stored.request, stored.ended), (None, None));

        writer
            .append(&id(1), Fencing::FIRST, 1, &answer(1), None)
            .unwrap();
        writer
            .append(&id(1), Fencing::FIRST, 2, &answer(2), Some(&succeeded()))
            .unwrap();
        let events = reader.events(&id(1), 0).unwrap();
        assert_eq!(events, [started(json!({"a": 1})), answer(1), answer(2)]);
        assert_eq!(reader.events(&id(1), 2).unwrap(), [answer(2)]);
        assert_eq!(reader.events(&id(1), 3).unwrap(), []);
        let stored = reader.execution(&id(1)).unwrap().unwrap();
        assert_eq!((stored.ended, stored.lease), (Some(succeeded()), None));
    });
}

#[test]
fn executions_are_listed_in_the_order_of_their_starts() {
    on_each(|writer, reader| {
        for distinction in [3, 1, 2] {
            create(writer, &id(distinction));
        }
        let ids: Vec<_> = reader
            .executions()
            .unwrap()
            .into_iter()
            .map(|stored| stored.id)
            .collect();
        assert_eq!(ids, [id(1), id(2), id(3)]);
        assert_eq!(reader.execution(&id(4)).unwrap(), None);
    });
}

#[test]
fn an_id_is_used_once() {
    on_each(|writer, reader| {
        create(writer, &id(1));
        let again = reader.create(
            &new_execution(&id(1)),
            &lease("second"),
            &started(json!(2)),
            None,
        );
        assert!(
            matches!(again, Err(JournalError::AlreadyExists { .. })),
            "{again:?}"
        );
        assert_eq!(
            writer.events(&id(1), 0).unwrap(),
            [started(json!({"a": 1}))]
        );
    });
}

#[test]
fn an_event_has_one_place() {
    on_each(|writer, reader| {
        create(writer, &id(1));
        for wrong in [0, 2, 7] {
            let result = writer.append(&id(1), Fencing::FIRST, wrong, &answer(1), None);
            assert!(
                matches!(result, Err(JournalError::OutOfSequence { .. })),
                "{result:?}"
            );
        }
        assert_eq!(reader.events(&id(1), 0).unwrap().len(), 1);
    });
}

#[test]
fn a_second_owner_makes_the_first_one_harmless() {
    on_each(|first, second| {
        create(first, &id(1));
        let fencing = second
            .claim(&id(1), Fencing::FIRST, &lease("second"))
            .unwrap();
        assert!(fencing > Fencing::FIRST);

        let stale = Fencing::FIRST;
        let refusals = [
            first.append(&id(1), stale, 1, &answer(1), None),
            first.append(&id(1), stale, 1, &answer(1), Some(&succeeded())),
            first.release(&id(1), stale),
            first.claim(&id(1), stale, &lease("first")).map(|_| ()),
        ];
        for refusal in refusals {
            assert!(
                matches!(refusal, Err(JournalError::Fenced { .. })),
                "{refusal:?}"
            );
        }
        let leases = [(id(1), stale), (id(2), stale)];
        assert_eq!(first.renew(&leases, at(99)).unwrap(), [id(1), id(2)]);

        let stored = first.execution(&id(1)).unwrap().unwrap();
        assert_eq!((stored.lease, stored.ended), (Some(lease("second")), None));
        assert_eq!(first.events(&id(1), 0).unwrap().len(), 1);
        second.append(&id(1), fencing, 1, &answer(1), None).unwrap();
    });
}

#[test]
fn a_lease_is_renewed_and_given_up() {
    on_each(|writer, reader| {
        create(writer, &id(1));
        assert_eq!(
            writer.renew(&[(id(1), Fencing::FIRST)], at(60)).unwrap(),
            []
        );
        let renewed = Lease {
            expires_at: at(60),
            ..lease("first")
        };
        assert_eq!(
            reader.execution(&id(1)).unwrap().unwrap().lease,
            Some(renewed)
        );
        writer.release(&id(1), Fencing::FIRST).unwrap();
        assert_eq!(reader.execution(&id(1)).unwrap().unwrap().lease, None);
        // What was given up isn't got back by renewing.
        assert_eq!(
            writer.renew(&[(id(1), Fencing::FIRST)], at(90)).unwrap(),
            [id(1)]
        );
        assert_eq!(reader.execution(&id(1)).unwrap().unwrap().lease, None);
    });
}

#[test]
fn an_abort_outlives_stops_and_owners_and_a_stop_does_not() {
    on_each(|owner, other| {
        let abort = Request::Abort {
            error: "Enough".into(),
            cause: "said so".into(),
        };
        create(owner, &id(1));
        other.request(&id(1), &Request::Stop).unwrap();
        assert_eq!(owner.requests().unwrap(), [(id(1), Request::Stop)]);
        let fencing = owner
            .claim(&id(1), Fencing::FIRST, &lease("first"))
            .unwrap();
        assert_eq!(owner.requests().unwrap(), []);

        other.request(&id(1), &Request::Stop).unwrap();
        other.request(&id(1), &abort).unwrap();
        other.request(&id(1), &Request::Stop).unwrap();
        let fencing = owner.claim(&id(1), fencing, &lease("first")).unwrap();
        assert_eq!(owner.requests().unwrap(), [(id(1), abort)]);
        owner
            .append(&id(1), fencing, 1, &answer(1), Some(&succeeded()))
            .unwrap();
        assert_eq!(owner.requests().unwrap(), []);

        let nobody = other.request(&id(2), &Request::Stop);
        assert!(
            matches!(nobody, Err(JournalError::NotFound { .. })),
            "{nobody:?}"
        );
    });
}

#[test]
fn an_execution_may_end_with_its_first_event() {
    on_each(|writer, reader| {
        let ended = succeeded();
        writer
            .create(
                &new_execution(&id(1)),
                &lease("first"),
                &started(json!(1)),
                Some(&ended),
            )
            .unwrap();
        let stored = reader.execution(&id(1)).unwrap().unwrap();
        assert_eq!((stored.ended, stored.lease), (Some(ended), None));
    });
}

/// What two owners may try, in any order.
#[derive(Debug, Clone, Copy)]
enum Attempt {
    Append { owner: usize },
    Claim { owner: usize },
    Release { owner: usize },
}

fn attempts() -> impl Strategy<Value = Vec<Attempt>> {
    let attempt = (0..3_usize, 0..4_u8).prop_map(|(owner, what)| match what {
        0 => Attempt::Claim { owner },
        1 => Attempt::Release { owner },
        _ => Attempt::Append { owner },
    });
    prop::collection::vec(attempt, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Of any number of owners, only the last one to claim ever writes, whatever the order.
    #[test]
    fn only_the_latest_owner_writes(attempts in attempts()) {
        on_each(|journal, other| {
            create(journal, &id(1));
            let mut numbers = [Fencing::FIRST; 3];
            let mut latest = 0;
            let mut has_claimed = false;
            let mut length = 1_u32;
            for attempt in &attempts {
                let held = |owner: usize, numbers: &[Fencing; 3]| {
                    !has_claimed || owner == latest && numbers[owner] > Fencing::FIRST
                };
                match *attempt {
                    Attempt::Append { owner } => {
                        let result = journal
                            .append(&id(1), numbers[owner], length, &answer(length.into()), None);
                        assert_eq!(result.is_ok(), held(owner, &numbers), "{attempt:?}: {result:?}");
                        length += u32::from(result.is_ok());
                    }
                    Attempt::Release { owner } => {
                        let result = other.release(&id(1), numbers[owner]);
                        assert_eq!(result.is_ok(), held(owner, &numbers), "{attempt:?}: {result:?}");
                    }
                    Attempt::Claim { owner } => {
                        let seen = other.execution(&id(1)).unwrap().unwrap().fencing;
                        numbers[owner] = other.claim(&id(1), seen, &lease("any")).unwrap();
                        (latest, has_claimed) = (owner, true);
                    }
                }
            }
            assert_eq!(other.events(&id(1), 0).unwrap().len(), length as usize);
        });
    }
}

#[test]
fn of_threads_that_claim_at_once_one_succeeds() {
    let file = File::new();
    create(&file.open(), &id(1));
    let barrier = Arc::new(std::sync::Barrier::new(4));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (journal, barrier) = (file.open(), Arc::clone(&barrier));
            std::thread::spawn(move || {
                barrier.wait();
                journal.claim(&id(1), Fencing::FIRST, &lease("any")).is_ok()
            })
        })
        .collect();
    let claims = threads.into_iter().map(|thread| thread.join().unwrap());
    assert_eq!(claims.filter(|claimed| *claimed).count(), 1);
}

#[test]
fn a_new_file_may_be_opened_by_many_at_once() {
    for _ in 0..5 {
        let file = File::new();
        let barrier = std::sync::Barrier::new(6);
        std::thread::scope(|scope| {
            for distinction in 0..6 {
                let (file, barrier) = (&file, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    create(&file.open(), &id(distinction));
                });
            }
        });
        assert_eq!(file.open().executions().unwrap().len(), 6);
        let mut left: Vec<_> = std::fs::read_dir(file.path.parent().unwrap())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .filter(|name| name != "executions.db-wal" && name != "executions.db-shm")
            .collect();
        assert_eq!(left.pop().unwrap(), "executions.db");
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn the_files_are_for_their_owner_alone() {
    let file = File::new();
    let paths = ["", "-wal", "-shm"].map(|suffix| format!("{}{suffix}", file.path));
    for path in &paths {
        std::fs::write(path, "").unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
    }
    let journal = file.open();
    create(&journal, &id(1));
    for path in &paths {
        let mode = std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{path}");
    }
}

#[test]
fn the_file_is_written_ahead_and_events_are_never_changed() {
    let file = File::new();
    create(&file.open(), &id(1));
    let raw = file.raw();
    let mode: String = raw
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
    assert!(raw.execute("UPDATE events SET event = '{}'", []).is_err());
    assert!(raw.execute("DELETE FROM events", []).is_err());
}

#[test]
fn a_file_of_a_later_version_is_refused() {
    let file = File::new();
    drop(file.open());
    file.raw()
        .execute("INSERT INTO schema_migrations (version) VALUES (999)", [])
        .unwrap();
    let Err(error) = SqliteJournal::open(&file.path) else {
        panic!("it was opened")
    };
    assert!(
        matches!(
            error,
            JournalError::TooNew {
                found: 999,
                known: 1
            }
        ),
        "{error:?}"
    );
}

#[test]
fn what_is_not_a_journal_is_refused_and_left_alone() {
    let file = File::new();
    let text = "certainly not a database ".repeat(100);
    std::fs::write(&file.path, &text).unwrap();
    assert!(SqliteJournal::open(&file.path).is_err());
    assert_eq!(std::fs::read_to_string(&file.path).unwrap(), text);
    assert!(SqliteJournal::open(file.path.join("no/such/directory")).is_err());
}

#[test]
fn what_cannot_be_read_back_is_an_error() {
    let file = File::new();
    create(&file.open(), &id(1));
    file.raw()
        .execute("UPDATE executions SET owner = '{'", [])
        .unwrap();
    let error = file.open().execution(&id(1)).unwrap_err();
    assert!(
        matches!(error, JournalError::Unreadable { what: "owner", .. }),
        "{error:?}"
    );
}

#[test]
fn a_cut_is_what_a_crash_would_have_left() {
    let journal = MemoryJournal::new();
    create(&journal, &id(1));
    journal
        .append(&id(1), Fencing::FIRST, 1, &answer(1), None)
        .unwrap();
    journal
        .append(&id(1), Fencing::FIRST, 2, &answer(2), Some(&succeeded()))
        .unwrap();
    let cut = journal.cut(&id(1), 2).unwrap();
    assert_eq!(
        cut.events(&id(1), 0).unwrap(),
        [started(json!({"a": 1})), answer(1)]
    );
    assert_eq!(cut.execution(&id(1)).unwrap().unwrap().ended, None);
    assert_eq!(journal.events(&id(1), 0).unwrap().len(), 3);
    assert!(journal.cut(&id(1), 0).is_err());
}
