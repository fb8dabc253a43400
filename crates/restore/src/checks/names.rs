//! Checks of the names that the restore needs: each must be free, or ours already. They are how
//! two executions for one target see each other.

use trapheus_rds::{Database, DbIdentifier, Kind, Rds};

use super::Check;
use crate::error::TaskError;
use crate::input::KeptOriginal;
use crate::marks::{Marks, Role};
use crate::names::Names;
use crate::plan::{KeptOriginalPlan, Plan};

/// What the names say.
pub(crate) struct NamesFound {
    pub(crate) checks: Vec<Check>,
    /// An original that an earlier execution keeps, when the input says what becomes of it.
    pub(crate) kept_original: Option<KeptOriginalPlan>,
}

/// Looks who has the names.
pub(crate) async fn check(
    rds: &Rds,
    plan: &Plan,
    target: Option<&Database>,
    becomes: Option<KeptOriginal>,
) -> Result<NamesFound, TaskError> {
    let names = &plan.names;
    let execution = plan.execution.as_str();
    let restored = rds.database(plan.kind, &names.restored).await?;
    let aside = rds.database(plan.kind, &names.aside).await?;
    let kept = aside
        .as_ref()
        .and_then(|aside| kept_original(aside, names, becomes));
    let of_parts = parts(rds, plan, kept.is_some()).await?;
    let aside = match (&kept, &aside) {
        (Some(kept), _) => kept_becomes(kept, names),
        (None, holder) => free_or_ours(holder.as_ref(), names.aside.as_str(), execution),
    };
    let mut checks: Vec<Check> = target
        .map(|target| marks_of(target, execution))
        .into_iter()
        .collect();
    checks.extend([
        free_or_ours(restored.as_ref(), names.restored.as_str(), execution),
        aside,
    ]);
    checks.extend(of_parts);
    Ok(NamesFound {
        checks,
        kept_original: kept,
    })
}

/// The names that the parts get. Instances and clusters share one space of names, so a cluster's
/// own must be free of instances, too.
async fn parts(rds: &Rds, plan: &Plan, makes_room: bool) -> Result<Vec<Check>, TaskError> {
    let mut asked: Vec<DbIdentifier> = Vec::new();
    for part in &plan.parts {
        asked.extend([part.names.restored.clone(), part.names.aside.clone()]);
    }
    if plan.kind == Kind::Cluster {
        asked.extend([plan.names.restored.clone(), plan.names.aside.clone()]);
    }
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    // What belongs to a kept original gives way with it.
    let gives_way = |holder: &Database| {
        let aside = plan.names.aside.as_str();
        let cluster = holder.cluster.as_ref().map(DbIdentifier::as_str);
        makes_room && (cluster == Some(aside) || holder.replica_source.as_deref() == Some(aside))
    };
    let holders = rds.instances_named(&asked).await?;
    let holders = holders.iter().filter(|holder| !gives_way(holder));
    let mut checks: Vec<Check> = holders
        .map(|holder| free_or_ours(Some(holder), holder.identifier.as_str(), &plan.execution))
        .collect();
    if checks.is_empty() {
        checks.push(Check::pass("names of the parts", "free"));
    }
    Ok(checks)
}

/// An original carries its execution's mark as soon as it is about to be moved.
fn marks_of(target: &Database, execution: &str) -> Check {
    const NAME: &str = "one at a time";
    let marks = Marks(&target.tags);
    match marks.owner() {
        Some(owner) if owner != execution && marks.is(Role::Original) => {
            let detail = format!(
                "{} is being restored by execution {owner}; {}; if its home is lost, take its mark off: \
                 aws rds remove-tags-from-resource --resource-name {} --tag-keys trapheus:execution trapheus:role",
                target.identifier,
                ways_on(owner),
                target.arn
            );
            Check::fail(NAME, detail)
        }
        Some(_) | None => Check::pass(NAME, "no other execution is at work on it"),
    }
}

/// What a person does about another execution that has the target, dead or alive.
fn ways_on(owner: &str) -> String {
    format!(
        "wait for it or, in the home that it was started in, go on with it (trapheus executions resume {owner}) \
         or undo it (trapheus rollback {owner})"
    )
}

fn free_or_ours(holder: Option<&Database>, name: &str, execution: &str) -> Check {
    let check = format!("name {name}");
    let Some(holder) = holder else {
        return Check::pass(&check, "free");
    };
    let marks = Marks(&holder.tags);
    match marks.owner() {
        Some(owner) if owner == execution => Check::pass(&check, "taken by this execution"),
        Some(owner) if marks.is(Role::Original) => {
            let detail = format!(
                "it is the original that execution {owner} keeps, or is moving; say what becomes of it: \
                 \"keptOriginal\": \"delete\" or \"release\"; or swap it back: trapheus rollback {owner}"
            );
            Check::fail(&check, detail)
        }
        Some(owner) => Check::fail(
            &check,
            format!(
                "execution {owner} is at work on the target; {}; if its home is lost, delete {} yourself",
                ways_on(owner),
                holder.identifier
            ),
        ),
        None => {
            let detail = format!(
                "a database of this name exists ({}), and Trapheus did not make it",
                holder.resource_id
            );
            Check::fail(&check, detail)
        }
    }
}

fn kept_original(
    holder: &Database,
    names: &Names,
    becomes: Option<KeptOriginal>,
) -> Option<KeptOriginalPlan> {
    let marks = Marks(&holder.tags);
    let is_kept = marks.is(Role::Original) && marks.target() == Some(names.target.as_str());
    let (true, Some(owner), Some(becomes)) = (is_kept, marks.owner(), becomes) else {
        return None;
    };
    Some(KeptOriginalPlan {
        resource_id: holder.resource_id.clone(),
        execution: owner.to_owned(),
        becomes,
    })
}

fn kept_becomes(kept: &KeptOriginalPlan, names: &Names) -> Check {
    let what = match kept.becomes {
        KeptOriginal::Delete => "will be deleted".to_owned(),
        KeptOriginal::Release => format!(
            "will be renamed to {} and is yours from then on",
            names.released
        ),
    };
    let detail = format!(
        "the original that execution {} keeps {what}",
        kept.execution
    );
    Check::warn(&format!("name {}", names.aside), detail)
}
