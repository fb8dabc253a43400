//! Trapheus's own tags: how an execution recognises what is its own, and how two executions see
//! each other. They live in RDS itself, so they survive the loss of any journal.

use jiff::Timestamp;
use trapheus_rds::{DbIdentifier, Tags};

/// What all of Trapheus's tags begin with.
const PREFIX: &str = "trapheus:";
/// The execution that made or marked the resource.
const EXECUTION: &str = "trapheus:execution";
/// The target of that execution.
const TARGET: &str = "trapheus:target";
/// What the resource is to that execution.
const ROLE: &str = "trapheus:role";
/// Since when the database has been without the target's name, or on its way there.
const SINCE: &str = "trapheus:since";
/// When the restored database was sent to the target's name.
const PROMOTED: &str = "trapheus:promoted";

/// When the restored database was seen serving in place of the original.
const REPLACED: &str = "trapheus:replaced";

/// When the restored database was given the master password that the input names.
const PASSWORD: &str = "trapheus:password";

/// When the restored database was prepared as the input asks.
const PREPARED: &str = "trapheus:prepared";

/// When the proxies of the target were taken off what they led to.
const PROXIES: &str = "trapheus:proxies";

/// When people were told that the execution takes longer than expected.
const LONG_RUNNING: &str = "trapheus:long-running";

/// The stack that a resource belongs to; AWS's own.
pub(crate) const STACK_NAME: &str = "aws:cloudformation:stack-name";

/// What a resource is to the execution that marked it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The new database.
    Restored,
    /// The database that answered at the name before.
    Original,
    /// A snapshot.
    Snapshot,
    /// A copy of a snapshot, for as long as the execution needs it.
    Copy,
}

impl Role {
    fn as_str(self) -> &'static str {
        match self {
            Role::Restored => "restored",
            Role::Original => "original",
            Role::Snapshot => "snapshot",
            Role::Copy => "copy",
        }
    }
}

/// The tags that mark a resource of an execution.
pub(crate) fn marks(owner: &str, target: &DbIdentifier, role: Role) -> Tags {
    [
        (EXECUTION, owner),
        (TARGET, target.as_str()),
        (ROLE, role.as_str()),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into()
}

/// The tag that says when a database left the name.
pub(crate) fn since(at: Timestamp) -> (String, String) {
    (SINCE.to_owned(), at.to_string())
}

/// The tag that says when a restored database was sent to the name.
pub(crate) fn promoted(at: Timestamp) -> (String, String) {
    (PROMOTED.to_owned(), at.to_string())
}

/// The tag that says when an original was replaced: on AWS, nothing else may be deleted.
pub(crate) fn replaced(at: Timestamp) -> (String, String) {
    (REPLACED.to_owned(), at.to_string())
}

/// The tag that says when a restored database was given another master password: RDS shows none.
pub(crate) fn password(at: Timestamp) -> (String, String) {
    (PASSWORD.to_owned(), at.to_string())
}

/// The tag that says when a restored database was prepared: no script may run twice.
pub(crate) fn prepared(at: Timestamp) -> (String, String) {
    (PREPARED.to_owned(), at.to_string())
}

/// The tag that says when the target's proxies were taken off what they led to.
pub(crate) fn proxies(at: Timestamp) -> (String, String) {
    (PROXIES.to_owned(), at.to_string())
}

/// The tag that says when people were told that the execution takes longer than expected.
pub(crate) fn long_running(at: Timestamp) -> (String, String) {
    (LONG_RUNNING.to_owned(), at.to_string())
}

/// Reads the marks of a resource.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Marks<'a>(pub(crate) &'a Tags);

impl<'a> Marks<'a> {
    /// The execution that marked it.
    pub(crate) fn owner(self) -> Option<&'a str> {
        self.0.get(EXECUTION).map(String::as_str)
    }

    /// Whether this execution marked it as this.
    pub(crate) fn are_of(self, owner: &str, role: Role) -> bool {
        self.owner() == Some(owner) && self.is(role)
    }

    /// Whether any execution marked it as this.
    pub(crate) fn is(self, role: Role) -> bool {
        self.0.get(ROLE).is_some_and(|found| found == role.as_str())
    }

    /// The target of the execution that marked it.
    pub(crate) fn target(self) -> Option<&'a str> {
        self.0.get(TARGET).map(String::as_str)
    }

    /// Since when it has been without the name.
    pub(crate) fn since(self) -> Option<Timestamp> {
        self.0.get(SINCE)?.parse().ok()
    }

    /// Whether it was given the master password that the input names.
    pub(crate) fn has_its_password(self) -> bool {
        self.0.contains_key(PASSWORD)
    }

    /// Whether people were told that its execution takes longer than expected.
    pub(crate) fn is_known_to_run_long(self) -> bool {
        self.0.contains_key(LONG_RUNNING)
    }

    /// Whether it was prepared as the input asks.
    pub(crate) fn is_prepared(self) -> bool {
        self.0.contains_key(PREPARED)
    }

    /// Since when the target's proxies lead to it or to nothing.
    pub(crate) fn proxies_since(self) -> Option<Timestamp> {
        self.0.get(PROXIES)?.parse().ok()
    }

    /// Whether a restored database was seen serving in its place.
    pub(crate) fn is_replaced(self) -> bool {
        self.0.contains_key(REPLACED)
    }

    /// Whether it was sent to the target's name.
    pub(crate) fn was_promoted(self) -> bool {
        self.0.contains_key(PROMOTED)
    }
}

/// The tags that are Trapheus's.
pub(crate) fn own(tags: &Tags) -> Tags {
    let own = |(key, _): &(&String, &String)| key.starts_with(PREFIX);
    tags.iter()
        .filter(own)
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// The tags that are the user's and can be set: neither Trapheus's nor AWS's own.
pub(crate) fn users(tags: &Tags) -> Tags {
    let users = |(key, _): &(&String, &String)| !key.starts_with(PREFIX) && !is_reserved(key);
    tags.iter()
        .filter(users)
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// Whether nobody but AWS may set the tag.
pub(crate) fn is_reserved(key: &str) -> bool {
    key.starts_with("aws:") || key.starts_with("rds:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_told_apart_by_whose_they_are() {
        let mut tags = marks("run_1", &"orders".parse().unwrap(), Role::Original);
        tags.insert("team".into(), "shop".into());
        tags.insert("aws:cloudformation:stack-name".into(), "shop".into());
        assert_eq!(users(&tags).len(), 1);
        assert_eq!(own(&tags).len(), 3);
        assert!(Marks(&tags).are_of("run_1", Role::Original));
        assert!(!Marks(&tags).are_of("run_2", Role::Original));
        assert!(!Marks(&tags).are_of("run_1", Role::Restored));
    }

    #[test]
    fn times_survive_a_tag() {
        let at: Timestamp = "2026-11-22T19:04:38.25Z".parse().unwrap();
        let tags: Tags = [since(at), promoted(at)].into();
        assert_eq!(Marks(&tags).since(), Some(at));
        assert!(Marks(&tags).was_promoted());
    }
}
