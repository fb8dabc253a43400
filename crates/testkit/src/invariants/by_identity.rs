//! By identity, not by name: what an execution changes is its original, what it made, what belongs
//! to these, or what its input names. A stranger's is never touched.
//!
//! RDS's requests take names, so the one gap that nobody can close is tolerated: a name that meant
//! the right database at the execution's last look, and changed hands since.

use trapheus_local::observe::{Answer, Asked, Subject};

use super::memory::{Execution, Memory, Relation};

/// The parameters that name what a request is about, and whether that is a cluster.
const NAMES: [(&str, bool); 2] = [
    ("DBInstanceIdentifier", false),
    ("DBClusterIdentifier", true),
];

pub(super) fn check(
    memory: &Memory,
    execution: &Execution,
    request: &Asked<'_>,
    answer: Answer<'_>,
) -> Option<String> {
    // Who asks for a name that is taken is refused, and touches nobody.
    if request.action.starts_with("Create") && answer != Answer::Carried {
        return None;
    }
    let mut databases = request.subjects.iter().filter_map(|subject| match subject {
        Subject::Database(id) => Some(id.as_str()),
        Subject::Snapshot(_) => None,
    });
    let stranger = databases.find(|id| !may_change(memory, execution, request, id))?;
    let known = memory.databases.get(stranger)?;
    (!was_shown_another(memory, execution, request)).then(|| {
        format!(
            "{} sends {} to {} ({stranger}), which is not its own",
            execution.id, request.action, known.name
        )
    })
}

fn may_change(memory: &Memory, execution: &Execution, request: &Asked<'_>, id: &str) -> bool {
    let source = || {
        let snapshot = execution.plan.as_ref()?.snapshot.as_ref()?;
        Some(snapshot.source_resource_id.as_ref()?.as_str())
    };
    let makes_a_snapshot = matches!(
        request.action,
        "CreateDBSnapshot" | "CreateDBClusterSnapshot"
    );
    memory.relation(execution, id) != Relation::Stranger
        || (makes_a_snapshot && source() == Some(id))
}

/// Whether the name stood for a database of the execution's own when it last looked.
fn was_shown_another(memory: &Memory, execution: &Execution, request: &Asked<'_>) -> bool {
    let by_arn = request.get("ResourceName").and_then(|arn| {
        let (rest, name) = arn.rsplit_once(':')?;
        Some((rest.ends_with(":cluster"), name))
    });
    let by_name = NAMES
        .iter()
        .filter_map(|(parameter, is_cluster)| Some((*is_cluster, request.get(parameter)?)));
    by_name.chain(by_arn).any(|(is_cluster, name)| {
        let mut held = memory.held_since(is_cluster, name, execution.looked_at);
        held.any(|held| {
            let holder = held.by.as_deref();
            holder.is_some_and(|id| may_change(memory, execution, request, id))
        })
    })
}
