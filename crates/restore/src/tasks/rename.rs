//! Giving a database another name.

use trapheus_rds::{Class, Database, DbIdentifier};

use super::context::Context;
use crate::error::TaskError;

/// What RDS says while it renames.
const RENAMING: &str = "renaming";

/// How a rename stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Renamed {
    /// It has the name; whether it serves under it is another matter.
    There,
    /// RDS is at it, or has just been asked.
    UnderWay,
    /// Another database has the name.
    Taken,
}

/// Makes it so that a database has a name.
///
/// # Errors
/// In progress also while the database can't be renamed yet.
pub(super) async fn rename(
    context: &Context,
    database: &Database,
    to: &DbIdentifier,
) -> Result<Renamed, TaskError> {
    if database.identifier == *to {
        return Ok(Renamed::There);
    }
    let what = renaming(&database.identifier, to);
    if is_being_renamed(database) || context.has_begun(&what) {
        return Ok(Renamed::UnderWay);
    }
    if !database.status.is_serving() {
        let (name, status) = (&database.identifier, &database.status);
        let waiting = format!("waiting until {name} can be renamed: it is {status}");
        return Err(TaskError::in_progress(waiting));
    }
    match context.rds.rename(&database.identified(), to).await {
        Ok(_) => {}
        // Renamed by an earlier attempt whose answer was lost: the next look tells.
        Err(error) if error.class == Class::NotFound => {}
        Err(error) if error.class == Class::AlreadyExists => return Ok(Renamed::Taken),
        Err(error) => return Err(error.into()),
    }
    context.begins(&what);
    Ok(Renamed::UnderWay)
}

/// Whether a rename has been accepted, even if the status doesn't show it yet.
pub(super) fn is_being_renamed(database: &Database) -> bool {
    let names = ["DBInstanceIdentifier", "DBClusterIdentifier"];
    let mut pending = database.pending_changes.iter();
    database.status.as_str() == RENAMING || pending.any(|change| names.contains(change))
}

/// What is waited for during a rename.
pub(super) fn renaming(from: &DbIdentifier, to: &DbIdentifier) -> String {
    format!("renaming {from} to {to}")
}
