//! The writer of a cluster: the member that was it before.

use trapheus_rds::{Database, DbIdentifier};

use super::context::{Context, found_again};
use crate::error::TaskError;
use crate::names::Names;
use crate::plan::PartRole;

/// Makes it so that the member that has the planned writer's name takes the writes; `name` says
/// which of its names it has now. All members must serve.
pub(super) async fn make(
    context: &Context,
    cluster: &Database,
    name: impl Fn(&Names) -> &DbIdentifier,
) -> Result<(), TaskError> {
    let mut parts = context.plan().parts.iter();
    let Some(asked) = parts.find(|part| part.role == PartRole::Writer) else {
        return Ok(());
    };
    let asked = name(&asked.names);
    if cluster
        .writer()
        .is_some_and(|writer| writer.identifier == *asked)
    {
        return Ok(());
    }
    let what = format!("making {asked} the writer of {}", cluster.identifier);
    if context.begins(&what) {
        let asked = context.rds.failover(&cluster.identified(), asked).await;
        found_again(cluster, asked)?;
    }
    Err(TaskError::in_progress(what))
}
