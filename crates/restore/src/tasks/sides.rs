//! The two sides of the swap, each seen in as few looks as it takes: the database with its parts.
//!
//! What is original is known by its identity, from the plan. The restored database is known by
//! its identity too, from the result of Restore; its parts by their names *and* this execution's
//! mark, which they carry from their first moment. A part in the middle of a rename may be seen
//! under neither name for a moment; then it is missing, and whoever needs it waits.

use trapheus_rds::{Database, DbIdentifier, Kind, ResourceId};

use super::context::Context;
use crate::blueprint::Blueprint;
use crate::error::TaskError;
use crate::marks::{Marks, Role};
use crate::names::Names;
use crate::plan::{Original, Part, PartRole, Plan};

/// One side of the swap: what there is of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Side {
    /// The database itself.
    pub(super) head: Option<Database>,
    /// Its parts, one for each of the plan's.
    pub(super) parts: Vec<Option<Database>>,
}

/// A database of a side, with what the plan says of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece<'a> {
    /// What it is to the target; none for the target itself.
    pub(crate) role: Option<PartRole>,
    pub(crate) names: &'a Names,
    pub(crate) original: Option<&'a Original>,
    pub(crate) blueprint: &'a Blueprint,
    pub(crate) database: &'a Database,
}

impl Piece<'_> {
    /// Whether RDS refuses to rename it while its cluster is being renamed.
    pub(super) fn is_member(&self) -> bool {
        matches!(self.role, Some(PartRole::Writer | PartRole::Reader))
    }
}

impl Side {
    /// Everything that there is, in the order in which it may leave or be deleted: nothing
    /// depends on what comes first, and the database itself comes last.
    pub(super) fn pieces<'a>(&'a self, plan: &'a Plan) -> impl Iterator<Item = Piece<'a>> {
        let parts = plan.parts.iter().zip(&self.parts).rev();
        let parts = parts.filter_map(|(part, database)| {
            Some(Piece {
                role: Some(part.role),
                names: &part.names,
                original: part.original.as_ref(),
                blueprint: &part.blueprint,
                database: database.as_ref()?,
            })
        });
        let head = self.head.as_ref().map(|database| Piece {
            role: None,
            names: &plan.names,
            original: plan.original.as_ref(),
            blueprint: &plan.blueprint,
            database,
        });
        parts.chain(head)
    }

    /// The planned parts that are not seen.
    pub(super) fn missing_parts<'a>(&self, plan: &'a Plan) -> impl Iterator<Item = &'a Part> {
        let parts = plan.parts.iter().zip(&self.parts);
        parts
            .filter(|(_, found)| found.is_none())
            .map(|(part, _)| part)
    }
}

/// Sees the original and its parts, wherever they are.
pub(super) async fn original(context: &Context) -> Result<Side, TaskError> {
    let plan = context.plan();
    let parts = plan.parts.iter().map(|part| part.original.as_ref());
    let parts: Vec<Option<&ResourceId>> = parts
        .map(|original| original.map(|original| &original.resource_id))
        .collect();
    let mut instances: Vec<ResourceId> = parts.iter().flatten().copied().cloned().collect();
    if plan.kind == Kind::Instance {
        instances.extend(plan.original_id().cloned());
    }
    let mut found = Vec::new();
    if !instances.is_empty() {
        let looked = context
            .rds
            .databases_by_resource(Kind::Instance, &instances);
        found = looked.await?;
    }
    if let (Kind::Cluster, Some(id)) = (plan.kind, plan.original_id()) {
        found.extend(context.rds.database_by_resource(Kind::Cluster, id).await?);
    }
    let of = |id: Option<&ResourceId>| found.iter().find(|seen| Some(&seen.resource_id) == id);
    Ok(Side {
        head: of(plan.original_id()).cloned(),
        parts: parts.into_iter().map(|id| of(id).cloned()).collect(),
    })
}

/// Sees the restored database's parts, under any name that this execution gives them.
pub(super) async fn restored_parts(context: &Context) -> Result<Vec<Option<Database>>, TaskError> {
    Ok(restored_among(context.plan(), &holders(context).await?))
}

/// Finds the restored database's parts, one for each of the plan's.
pub(super) fn restored_among(plan: &Plan, holders: &[Database]) -> Vec<Option<Database>> {
    let is_ours = |seen: &&Database| Marks(&seen.tags).are_of(plan.owner(), Role::Restored);
    let of = |part: &Part| {
        let mut ours = holders.iter().filter(is_ours);
        ours.find(|seen| names_of_restored(&part.names).contains(&&seen.identifier))
    };
    plan.parts.iter().map(|part| of(part).cloned()).collect()
}

/// Sees whatever has a name that this execution gives to a part of the restored database.
pub(super) async fn holders(context: &Context) -> Result<Vec<Database>, TaskError> {
    let parts = context.plan().parts.iter();
    let names: Vec<DbIdentifier> = parts
        .flat_map(|part| names_of_restored(&part.names))
        .cloned()
        .collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    Ok(context.rds.instances_named(&names).await?)
}

fn names_of_restored(names: &Names) -> [&DbIdentifier; 3] {
    [&names.restored, &names.target, &names.kept]
}
