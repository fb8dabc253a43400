//! Checks of the names that the restore needs: each must be free, or ours already. They are how
//! two executions for one target see each other.

use trapheus_rds::{Database, Rds};

use super::Check;
use crate::error::TaskError;
use crate::input::KeptOriginal;
use crate::marks::{Marks, Role};
use crate::names::Names;
use crate::plan::KeptOriginalPlan;

/// What the names say.
pub(crate) struct NamesFound {
    pub(crate) checks: Vec<Check>,
    /// An original that an earlier execution keeps, when the input says what becomes of it.
    pub(crate) kept_original: Option<KeptOriginalPlan>,
}

/// Looks who has the names.
pub(crate) async fn check(
    rds: &Rds,
    names: &Names,
    execution: &str,
    target: &Database,
    becomes: Option<KeptOriginal>,
) -> Result<NamesFound, TaskError> {
    let restored = rds.instance(&names.restored).await?;
    let aside = rds.instance(&names.aside).await?;
    let kept = aside
        .as_ref()
        .and_then(|aside| kept_original(aside, names, becomes));
    let aside = match (&kept, &aside) {
        (Some(kept), _) => kept_becomes(kept, names),
        (None, holder) => free_or_ours(holder.as_ref(), names.aside.as_str(), execution),
    };
    Ok(NamesFound {
        checks: vec![
            marks_of(target, execution),
            free_or_ours(restored.as_ref(), names.restored.as_str(), execution),
            aside,
        ],
        kept_original: kept,
    })
}

/// An original carries its execution's mark as soon as it is about to be moved.
fn marks_of(target: &Database, execution: &str) -> Check {
    const NAME: &str = "one at a time";
    let marks = Marks(&target.tags);
    match marks.owner() {
        Some(owner) if owner != execution && marks.is(Role::Original) => {
            let detail = format!(
                "{} is marked by another execution, {owner}: it is being restored; if that execution is gone for good, \
                 take its mark off: aws rds remove-tags-from-resource --resource-name {} --tag-keys trapheus:execution trapheus:role",
                target.identifier, target.arn
            );
            Check::fail(NAME, detail)
        }
        Some(_) | None => Check::pass(NAME, "no other execution is at work on it"),
    }
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
            format!("another execution, {owner}, is at work on the target"),
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
