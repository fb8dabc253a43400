//! The names that an execution gives: derived from the target's identifier alone where they are
//! the lock between executions, and from the time where they only have to be free.
//!
//! RDS takes 63 characters. A derived name that would be longer keeps its ending, which says
//! what it is, and gets a hash of the whole identifier in place of what is cut, so that two long
//! identifiers never meet in one name.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use trapheus_rds::{DB_IDENTIFIER_LENGTH_MAX, DbIdentifier, Kind, SnapshotId};

/// Eight hexadecimal digits tell two shortened names of one account apart.
const HASH_DIGITS: usize = 8;

/// The names of the databases of one execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// The name that the job is about.
    pub target: DbIdentifier,
    /// Where the restored database is made.
    pub restored: DbIdentifier,
    /// Where the original answers after it has left the target's name.
    pub aside: DbIdentifier,
    /// Where a restored database goes that has answered at the target's name and is rolled back.
    pub kept: DbIdentifier,
    /// Where an original that an earlier execution keeps goes when it is released.
    pub released: DbIdentifier,
}

impl Names {
    /// Derives the names for a target; `now` goes into those that only have to be free.
    pub fn of(target: &DbIdentifier, now: Timestamp) -> Self {
        let time = compact(now);
        Self {
            target: target.clone(),
            restored: derived(target, "-trapheus-new"),
            aside: derived(target, "-temp"),
            kept: derived(target, &format!("-rolled-back-{time}")),
            released: derived(target, &format!("-released-{time}")),
        }
    }
}

/// The snapshot name that the Python tool used too.
pub(crate) fn fixed_snapshot(kind: Kind, source: &DbIdentifier) -> SnapshotId {
    snapshot(kind, source, "-snapshot")
}

/// The name of a snapshot for when the fixed name is taken.
pub(crate) fn timed_snapshot(kind: Kind, source: &DbIdentifier, now: Timestamp) -> SnapshotId {
    snapshot(kind, source, &format!("-snapshot-{}", compact(now)))
}

/// The name of the last snapshot of an original that is deleted.
pub(crate) fn final_snapshot(kind: Kind, target: &DbIdentifier, now: Timestamp) -> SnapshotId {
    snapshot(kind, target, &format!("-final-{}", compact(now)))
}

/// The name of the copy of a snapshot that is shared in its place.
pub(crate) fn shared_copy(kind: Kind, of: &DbIdentifier, now: Timestamp) -> SnapshotId {
    snapshot(kind, of, &format!("-shared-{}", compact(now)))
}

/// The name of the copy of a snapshot in another account or Region.
pub(crate) fn copy_there(kind: Kind, of: &DbIdentifier, now: Timestamp) -> SnapshotId {
    snapshot(kind, of, &format!("-copy-{}", compact(now)))
}

/// A snapshot's name has four times the room of a database's; a cluster snapshot's has the same.
fn snapshot(kind: Kind, of: &DbIdentifier, ending: &str) -> SnapshotId {
    let name = match kind {
        Kind::Instance => format!("{of}{ending}"),
        Kind::Cluster => derived(of, ending).to_string(),
    };
    name.parse()
        .expect("63 characters and a short ending are a snapshot's name")
}

fn derived(of: &DbIdentifier, ending: &str) -> DbIdentifier {
    let whole = format!("{of}{ending}");
    let name = if whole.len() <= DB_IDENTIFIER_LENGTH_MAX {
        whole
    } else {
        let digest = Sha256::digest(of.as_str());
        let hash: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let room = DB_IDENTIFIER_LENGTH_MAX - ending.len() - HASH_DIGITS - 1;
        let head = of.as_str()[..room].trim_end_matches('-');
        format!("{head}-{}{ending}", &hash[..HASH_DIGITS])
    };
    name.parse()
        .expect("a name cut before a hyphen and ended by a word is a name")
}

/// `20261122t190438z`: lower case, as RDS stores names.
fn compact(time: Timestamp) -> String {
    let time = time.to_zoned(TimeZone::UTC);
    time.strftime("%Y%m%dt%H%M%Sz").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(target: &str) -> Names {
        Names::of(
            &target.parse().unwrap(),
            "2026-11-22T19:04:38Z".parse().unwrap(),
        )
    }

    #[test]
    fn names_tell_what_they_are() {
        let names = names("orders");
        assert_eq!(names.restored.as_str(), "orders-trapheus-new");
        assert_eq!(names.aside.as_str(), "orders-temp");
        assert_eq!(names.kept.as_str(), "orders-rolled-back-20261122t190438z");
    }

    #[test]
    fn the_words_of_the_tool_are_ordinary_in_a_target() {
        assert_eq!(names("my-temp-db").aside.as_str(), "my-temp-db-temp");
        assert_eq!(names("a-snapshot").aside.as_str(), "a-snapshot-temp");
        let snapshot = fixed_snapshot(Kind::Instance, &"a-snapshot".parse().unwrap());
        assert_eq!(snapshot.as_str(), "a-snapshot-snapshot");
    }

    #[test]
    fn long_names_keep_their_ending_and_stay_apart() {
        let one = names(&format!("{}1", "a".repeat(62)));
        let two = names(&format!("{}2", "a".repeat(62)));
        assert!(one.restored.as_str().ends_with("-trapheus-new"));
        assert_eq!(one.restored.as_str().len(), 63);
        assert_ne!(one.restored, two.restored);
        assert_ne!(one.aside, two.aside);
    }

    #[test]
    fn a_cluster_snapshots_name_is_no_longer_than_a_clusters() {
        let long: DbIdentifier = "a".repeat(63).parse().unwrap();
        assert_eq!(fixed_snapshot(Kind::Instance, &long).as_str().len(), 72);
        assert_eq!(fixed_snapshot(Kind::Cluster, &long).as_str().len(), 63);
    }

    #[test]
    fn a_name_is_never_cut_behind_a_hyphen() {
        for length in 20..62 {
            let target = format!("{}-{}", "a".repeat(length), "b".repeat(62 - length));
            assert!(names(&target).kept.as_str().len() <= 63);
        }
    }
}
