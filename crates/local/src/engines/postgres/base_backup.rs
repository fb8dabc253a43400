//! Which files of a data directory belong to a copy.
//!
//! A copy of a running server leaves out what PostgreSQL's own base backup leaves out: what the next start makes anew,
//! what belongs to this process alone, and the data of unlogged and temporary relations, which recovery would empty
//! anyway.

use std::collections::HashSet;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use super::layout::{RECOVERY_SIGNAL, STANDBY_SIGNAL};
use crate::engines::files::{Entry, Listing};

/// Directories whose contents a copy doesn't need; they exist in the copy, but empty.
const EMPTIED: [&str; 8] = [
    "pg_dynshmem",
    "pg_notify",
    "pg_replslot",
    "pg_serial",
    "pg_snapshots",
    "pg_stat_tmp",
    "pg_subtrans",
    "pg_wal",
];

/// Part of the log's directory that must exist.
const ARCHIVE_STATUS: &str = "pg_wal/archive_status";

/// Files that belong to the running process, that are copied apart, or that say that it is a replica.
const LEFT_OUT: [&str; 9] = [
    RECOVERY_SIGNAL,
    STANDBY_SIGNAL,
    "backup_label",
    "backup_manifest",
    "current_logfiles",
    "postgresql.auto.conf.tmp",
    "postmaster.opts",
    "postmaster.pid",
    "tablespace_map",
];

/// It says where a copy's recovery begins.
pub(super) const CONTROL_FILE: &str = "global/pg_control";

/// Reads of the control file until two of them agree.
const CONTROL_FILE_READS_MAX: usize = 100;

/// Length of a segment's name: timeline, and number in two parts, eight hexadecimal digits each.
const SEGMENT_NAME_LENGTH: usize = 24;
const TIMELINE_LENGTH: usize = 8;

/// What is copied of a running server, without the log and the control file.
pub(super) fn listing(data: &Utf8Path) -> io::Result<Listing> {
    let mut listing = Listing::of(data)?;
    listing
        .directories
        .retain(|path| path == ARCHIVE_STATUS || !is_emptied(path));
    let unlogged = unlogged_relations(&listing.files);
    listing.files.retain(|file| {
        let is_unlogged = || {
            relation_of(&file.path).is_some_and(|(relation, fork)| {
                fork != Some("init") && unlogged.contains(&relation)
            })
        };
        !is_emptied(&file.path) && !is_left_out(&file.path) && !is_unlogged()
    });
    Ok(listing)
}

/// What is copied of a directory that no server runs on: everything but a killed server's process file, and that it was
/// a replica: a copy stands alone.
pub(super) fn whole_listing(data: &Utf8Path) -> io::Result<Listing> {
    let mut listing = Listing::of(data)?;
    let left_out = ["postmaster.pid", "postmaster.opts", STANDBY_SIGNAL];
    listing
        .files
        .retain(|file| !left_out.contains(&file.path.as_str()));
    Ok(listing)
}

/// Where a segment stands in the log, whatever timeline it is of: the last 16 digits of its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Segment(String);

impl Segment {
    /// The segment of a file's name, if it is one.
    fn of_file(name: &str) -> Option<Self> {
        let is_segment = name.len() == SEGMENT_NAME_LENGTH
            && name.bytes().all(|letter| letter.is_ascii_hexdigit());
        is_segment.then(|| Self(name[TIMELINE_LENGTH..].to_owned()))
    }

    /// The first segment that a copy needs, as its label says: `START WAL LOCATION: 0/2000028 (file …)`.
    pub(super) fn first_of(label: &str) -> Option<Self> {
        let (_, rest) = label.split_once("(file ")?;
        Self::of_file(rest.split(')').next()?)
    }

    /// The segment with the last byte before a position.
    pub(super) fn before(position: u64, segment_bytes: u64) -> Self {
        let number = position.saturating_sub(1) / segment_bytes;
        let in_a_part = (1 << 32) / segment_bytes;
        Self(format!(
            "{:08X}{:08X}",
            number / in_a_part,
            number % in_a_part
        ))
    }
}

/// The segments of the log from the first to the last, and how the timelines hang together: who follows the copy asks
/// it for that.
pub(super) fn log_listing(data: &Utf8Path, first: &Segment, last: &Segment) -> io::Result<Listing> {
    let mut listing = Listing::default();
    for entry in data.join("pg_wal").read_dir_utf8()? {
        let entry = entry?;
        let name = entry.file_name();
        let is_between = |segment: Segment| (first..=last).contains(&&segment);
        if Segment::of_file(name).is_some_and(is_between) || name.ends_with(".history") {
            listing.files.push(Entry {
                path: Utf8Path::new("pg_wal").join(name),
                size_bytes: entry.metadata()?.len(),
            });
        }
    }
    Ok(listing)
}

/// Reads the control file, which a base backup copies last. The server may be writing it at this very moment, so it is
/// read until two reads agree.
pub(super) fn control_file(data: &Utf8Path) -> io::Result<Vec<u8>> {
    let path = data.join(CONTROL_FILE);
    let mut before = std::fs::read(&path)?;
    for _ in 0..CONTROL_FILE_READS_MAX {
        let now = std::fs::read(&path)?;
        if now == before {
            return Ok(now);
        }
        before = now;
    }
    Err(io::Error::other("the control file never stopped changing"))
}

fn is_emptied(path: &Utf8Path) -> bool {
    EMPTIED
        .iter()
        .any(|folder| path.starts_with(folder) && path != *folder)
}

fn is_left_out(path: &Utf8Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    LEFT_OUT.contains(&path.as_str())
        || path == CONTROL_FILE
        || name.starts_with("pg_internal.init")
        || path
            .components()
            .any(|part| part.as_str().starts_with("pgsql_tmp"))
        || is_temporary_relation(name)
}

/// `t3_16384`: session number and relation number.
fn is_temporary_relation(name: &str) -> bool {
    name.strip_prefix('t')
        .and_then(|rest| rest.split_once('_'))
        .is_some_and(|(session, relation)| {
            is_number(session) && relation.starts_with(|letter: char| letter.is_ascii_digit())
        })
}

/// An unlogged relation is one that has an `init` fork.
fn unlogged_relations(files: &[Entry]) -> HashSet<Utf8PathBuf> {
    files
        .iter()
        .filter_map(|file| relation_of(&file.path))
        .filter(|(_, fork)| *fork == Some("init"))
        .map(|(relation, _)| relation)
        .collect()
}

/// Takes `base/5/16384_fsm.2` apart into `base/5/16384` and `fsm`.
fn relation_of(path: &Utf8Path) -> Option<(Utf8PathBuf, Option<&str>)> {
    let name = path.file_name()?;
    let without_segment = name.split('.').next()?;
    let (number, fork) = match without_segment.split_once('_') {
        Some((number, fork)) => (number, Some(fork)),
        None => (without_segment, None),
    };
    is_number(number).then(|| (path.with_file_name(number), fork))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|letter| letter.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory_with(files: &[&str]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for file in files {
            let path = directory.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, file).unwrap();
        }
        directory
    }

    fn names(listing: &Listing) -> Vec<&str> {
        let mut names: Vec<&str> = listing
            .files
            .iter()
            .map(|file| file.path.as_str())
            .collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn a_copy_leaves_out_what_the_next_start_makes_anew() {
        let directory = directory_with(&[
            "PG_VERSION",
            "postmaster.pid",
            "postmaster.opts",
            "global/pg_control",
            "global/1262",
            "global/pg_internal.init.4711",
            "base/5/16384",
            "base/5/16384_fsm",
            "base/5/16384.1",
            "base/5/t3_16390",
            "base/5/pg_filenode.map",
            "base/pgsql_tmp/pgsql_tmp12.0",
            "pg_wal/000000010000000000000001",
            "pg_wal/archive_status/x",
            "pg_subtrans/0000",
            "pg_xact/0000",
        ]);
        let listing = listing(Utf8Path::from_path(directory.path()).unwrap()).unwrap();
        assert_eq!(
            names(&listing),
            [
                "PG_VERSION",
                "base/5/16384",
                "base/5/16384.1",
                "base/5/16384_fsm",
                "base/5/pg_filenode.map",
                "global/1262",
                "pg_xact/0000",
            ]
        );
        for needed in ["pg_wal", "pg_wal/archive_status", "pg_subtrans"] {
            assert!(
                listing.directories.iter().any(|path| path == needed),
                "{needed}"
            );
        }
    }

    #[test]
    fn an_unlogged_relation_keeps_its_init_fork_only() {
        let directory = directory_with(&[
            "base/5/16400",
            "base/5/16400.1",
            "base/5/16400_vm",
            "base/5/16400_init",
            "base/6/16400",
        ]);
        let listing = listing(Utf8Path::from_path(directory.path()).unwrap()).unwrap();
        assert_eq!(names(&listing), ["base/5/16400_init", "base/6/16400"]);
    }

    #[test]
    fn the_log_is_copied_from_the_first_to_the_last_segment_needed() {
        let directory = directory_with(&[
            "pg_wal/00000001000000000000000E",
            "pg_wal/00000001000000000000000F",
            "pg_wal/000000010000000000000010",
            "pg_wal/000000010000000000000011",
            "pg_wal/00000001000000000000000F.00000028.backup",
            "pg_wal/00000002.history",
        ]);
        let listing = log_listing(
            Utf8Path::from_path(directory.path()).unwrap(),
            &Segment::first_of("START WAL LOCATION: 0/F000028 (file 00000001000000000000000F)")
                .unwrap(),
            &Segment::before(0x1100_0000, 0x0100_0000),
        )
        .unwrap();
        assert_eq!(
            names(&listing),
            [
                "pg_wal/00000001000000000000000F",
                "pg_wal/000000010000000000000010",
                "pg_wal/00000002.history"
            ]
        );
    }
}
