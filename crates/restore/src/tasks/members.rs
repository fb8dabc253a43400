//! The members of a restored Aurora cluster and the read replicas of a restored instance: made
//! under names of their own, with this execution's marks from their first moment.
//!
//! The first member of a cluster becomes its writer, so the original's writer is made first and
//! the readers, all at once, when it serves. A Multi-AZ cluster makes its members itself.

use trapheus_rds::{Class, CreateMember, CreateReplica, Database, Kind};

use super::context::{Context, Waits};
use super::restore::{TAGS_FOLLOW_WITHIN, foreign, when_available};
use super::sides;
use crate::error::TaskError;
use crate::marks::{Marks, Role, marks};
use crate::plan::{Part, PartRole};

/// Makes it so that the restored cluster has its members, and they serve.
pub(super) async fn make_members(context: &Context, cluster: &Database) -> Result<(), TaskError> {
    let has_members = |part: &Part| part.role != PartRole::Replica;
    if !context.plan().parts.iter().any(has_members) {
        return Ok(());
    }
    let found = sides::restored_parts(context).await?;
    make(context, cluster, &found, PartRole::Writer).await?;
    make(context, cluster, &found, PartRole::Reader).await
}

/// Makes it so that the restored instance has its replicas, and they serve; `found` is what there
/// is of the plan's parts.
pub(super) async fn make_replicas(
    context: &Context,
    source: &Database,
    found: &[Option<Database>],
) -> Result<(), TaskError> {
    make(context, source, found, PartRole::Replica).await
}

async fn make(
    context: &Context,
    head: &Database,
    found: &[Option<Database>],
    role: PartRole,
) -> Result<(), TaskError> {
    let mut waits = Waits::default();
    for (part, found) in context.plan().parts.iter().zip(found) {
        if part.role == role {
            let made = match found {
                Some(found) => when_available(context, found.clone()).await.map(|_| ()),
                None => begin(context, head, part).await,
            };
            waits.note(made)?;
        }
    }
    waits.end()
}

/// Asks for a part, which is then waited for.
async fn begin(context: &Context, head: &Database, part: &Part) -> Result<(), TaskError> {
    let plan = context.plan();
    let identifier = part.names.restored.clone();
    let waiting = format!("creating {identifier}");
    if context.has_begun(&waiting) {
        return Err(TaskError::in_progress(waiting));
    }
    let mut tags = part.blueprint.tags.clone();
    tags.extend(marks(plan.owner(), &plan.identifier, Role::Restored));
    let settings = part.blueprint.for_create();
    let made = match part.role {
        PartRole::Writer | PartRole::Reader => {
            let cluster = head.identified();
            let request = CreateMember {
                identifier,
                cluster,
                settings,
                tags,
            };
            context.rds.create_member(&request).await
        }
        PartRole::Replica => {
            let source = head.identified();
            let request = CreateReplica {
                identifier,
                source,
                settings,
                tags,
            };
            context.rds.create_replica(&request).await
        }
    };
    match made {
        Ok(_) => {}
        // Our own first attempt whose answer was lost, or somebody else's database.
        Err(error) if error.class == Class::AlreadyExists => see_whose(context, part).await?,
        Err(error) => return Err(error.into()),
    }
    context.begins(&waiting);
    Err(TaskError::in_progress(waiting))
}

/// A database that is not this execution's has the name of a part for good. One that shows no
/// marks yet may be an earlier attempt's.
async fn see_whose(context: &Context, part: &Part) -> Result<(), TaskError> {
    let name = &part.names.restored;
    let holder = context.rds.database(Kind::Instance, name).await?;
    let is_strange = |holder: &Database| {
        let marks = Marks(&holder.tags);
        let age = holder.created_at.map(|at| context.now().duration_since(at));
        let may_follow = age.is_none_or(|age| age < TAGS_FOLLOW_WITHIN);
        let is_nobodys = marks.owner().is_none() && may_follow;
        !marks.are_of(context.plan().owner(), Role::Restored) && !is_nobodys
    };
    match holder.filter(is_strange) {
        Some(stranger) => Err(foreign(&stranger)),
        None => Ok(()),
    }
}
