//! What a plan says to people: the steps with their names, the outage, and what follows from it.

use trapheus_rds::{AccountId, DbIdentifier};

use crate::checks::Check;
use crate::input::{AutomatedBackups, Request, Strategy, Task};
use crate::names::Names;
use crate::plan::{Outage, PartRole, Plan, ScriptsPlan, Step};
use crate::targets::SharingPlan;

/// What one rename takes on AWS, in seconds: about a minute and a half when nothing is in the
/// way; the documentation gives ten minutes until an endpoint has followed.
const RENAME_SECONDS: (u64, u64) = (60, 600);
/// What a restore takes on AWS, in seconds, before its size counts.
const RESTORE_SECONDS: (u64, u64) = (300, 1800);

/// How long the name is expected to be without a database.
pub(super) fn outage(request: &Request, gib: u64) -> Outage {
    let renames = renames();
    match (request.task, request.strategy) {
        (Task::CreateSnapshotOnly, _) => no_outage(),
        (_, Strategy::Swap) => renames,
        (_, Strategy::InPlace) => Outage {
            from_seconds: renames.from_seconds + RESTORE_SECONDS.0,
            to_seconds: renames.to_seconds + RESTORE_SECONDS.1 + gib,
            why: "two renames and the whole restore; on local RDS as long as the restore"
                .to_owned(),
        },
    }
}

/// How long an execution is expected to take at most until the name is served.
pub(super) fn expected_seconds(plan: &Plan) -> u64 {
    let gib = [
        plan.original
            .as_ref()
            .and_then(|original| original.allocated_storage_gib),
        plan.snapshot
            .as_ref()
            .and_then(|snapshot| snapshot.allocated_storage_gib),
        plan.point_in_time
            .as_ref()
            .and_then(|moment| moment.allocated_storage_gib),
    ];
    let gib = gib.into_iter().flatten().max().unwrap_or_default();
    // A snapshot is read or written about as fast as a restore.
    let copies = match plan.task {
        Task::Rollback => 0,
        Task::DbRestore | Task::CreateSnapshotOnly => 1,
        Task::CreateSnapshot => 2,
        // A copy to be shared, and one in each place.
        Task::RestoreInTargets => 3,
    };
    copies * (RESTORE_SECONDS.1 + gib) + renames().to_seconds
}

/// Where nothing answered before.
pub(super) fn no_outage() -> Outage {
    Outage {
        from_seconds: 0,
        to_seconds: 0,
        why: "none".to_owned(),
    }
}

/// The outage of a swap.
pub(super) fn renames() -> Outage {
    Outage {
        from_seconds: 2 * RENAME_SECONDS.0,
        to_seconds: 2 * RENAME_SECONDS.1,
        why: "two renames, whatever the size; on local RDS under a second".to_owned(),
    }
}

/// Every step, with the exact names.
pub(super) fn steps(plan: &Plan) -> Vec<Step> {
    let names = &plan.names;
    let step = |state: &str, what: String| Step {
        state: state.to_owned(),
        what,
    };
    if plan.rollback.is_some() {
        return vec![
            step(
                "SwapBack",
                format!(
                    "give the original the name {} again, from {}; a restored database that has \
                     served becomes {}, and one that never has is deleted",
                    names.target, names.aside, names.kept
                ),
            ),
            step("Report", "say what has changed".to_owned()),
        ];
    }
    if let Some(sharing) = &plan.sharing {
        return steps_elsewhere(plan, sharing);
    }
    let mut steps = Vec::new();
    let aside = renaming(plan, |names| (&names.target, &names.aside));
    if let Some(snapshot) = &plan.snapshot {
        if snapshot.create {
            let what = format!(
                "make the snapshot {} of {}, then delete older ones beyond {}",
                snapshot.id, snapshot.source, snapshot.keep
            );
            steps.push(step("Snapshot", what));
        }
        if plan.task == Task::CreateSnapshotOnly {
            return steps;
        }
    }
    let is_new = plan.original.is_none();
    if plan.strategy == Strategy::InPlace && !is_new {
        steps.push(step("MoveAsideFirst", aside.clone()));
    }
    let data = match (&plan.point_in_time, &plan.snapshot) {
        (Some(moment), _) => format!("{} of {}", moment.moment(), moment.source),
        (None, Some(snapshot)) => snapshot.id.to_string(),
        (None, None) => "nothing".to_owned(),
    };
    steps.push(step(
        "Restore",
        format!("restore {data} as {}{}", names.restored, members(plan)),
    ));
    steps.push(step(
        "Configure",
        format!(
            "give {} the configuration of {}{}, and compare",
            names.restored,
            names.target,
            replicas(plan)
        ),
    ));
    steps.extend(prepare(plan).map(|what| step("Prepare", what)));
    steps.push(step("Verify", verify(plan)));
    if plan.strategy == Strategy::Swap && !is_new {
        steps.push(step("MoveAside", aside));
    }
    steps.push(step(
        "Promote",
        renaming(plan, |names| (&names.restored, &names.target)) + &custom_endpoints(plan),
    ));
    steps.push(step("Report", "say what has changed".to_owned()));
    if is_new {
        return steps;
    }
    if plan.keep_original_seconds > 0 {
        steps.push(step(
            "KeepOriginal",
            format!("keep {} for {} s", names.aside, plan.keep_original_seconds),
        ));
    }
    steps.push(step("Retire", retire(plan)));
    steps
}

/// The steps of a restore in other accounts and Regions.
fn steps_elsewhere(plan: &Plan, sharing: &SharingPlan) -> Vec<Step> {
    let step = |state: &str, what: String| Step {
        state: state.to_owned(),
        what,
    };
    let snapshot = plan.snapshot.as_ref().map(|snapshot| snapshot.id.as_str());
    let snapshot = snapshot.unwrap_or("nothing");
    let shared = match &sharing.copy {
        Some(copy) => format!("copy {snapshot} as {}, and share the copy", copy.id),
        None => format!("share {snapshot}"),
    };
    let with: Vec<&str> = sharing.with.iter().map(AccountId::as_str).collect();
    let mut steps = vec![step(
        "Share",
        match with.is_empty() {
            true => format!("see that {snapshot} is there"),
            false => format!("{shared} with {}", with.join(", ")),
        },
    )];
    steps.extend(plan.targets.iter().map(|target| {
        let from = match &target.copy {
            Some(copy) => format!("copy it there as {}, and restore that", copy.id),
            None => "restore it there".to_owned(),
        };
        let what = format!("{}: {from} as {}", target.account, plan.identifier);
        step("RestoreThere", what)
    }));
    let what = "take the sharing back, and delete every copy".to_owned();
    steps.extend([
        step("Unshare", what),
        step("Report", "say how it went everywhere".to_owned()),
    ]);
    steps
}

/// What is done to the restored database before it gets the name.
fn prepare(plan: &Plan) -> Option<String> {
    let asked = plan.sql.as_ref()?.prepare.as_ref()?;
    let mut does = Vec::new();
    if asked.quarantine {
        does.push(format!(
            "switch off in {} what acts on the outside world",
            plan.names.restored
        ));
    }
    if asked.scripts.statements > 0 {
        does.push(format!("run {}", scripts(plan, &asked.scripts)));
    }
    if !asked.require_masked.is_empty() {
        let patterns = asked.require_masked.join(", ");
        does.push(format!(
            "see that every column like {patterns} is changed by it"
        ));
    }
    Some(does.join(", then "))
}

fn verify(plan: &Plan) -> String {
    let answers = format!(
        "see that {} answers on {}",
        plan.engine, plan.names.restored
    );
    match plan.sql.as_ref().and_then(|sql| sql.verify.as_ref()) {
        Some(asked) => format!(
            "{answers}, then that {} returns only what is true",
            scripts(plan, asked)
        ),
        None => answers,
    }
}

fn scripts(plan: &Plan, asked: &ScriptsPlan) -> String {
    let count = match asked.statements {
        1 => "1 statement of SQL".to_owned(),
        count => format!("{count} statements of SQL"),
    };
    match &asked.database {
        Some(database) => format!(
            "{count} in the database {database} of {}",
            plan.names.restored
        ),
        None => format!("{count} in {}", plan.names.restored),
    }
}

/// Every rename, in the order in which they are asked for.
fn renaming<'a>(
    plan: &'a Plan,
    way: impl Fn(&'a Names) -> (&'a DbIdentifier, &'a DbIdentifier),
) -> String {
    let parts = plan.parts.iter().rev().map(|part| &part.names);
    let renames = parts.chain([&plan.names]).map(|names| {
        let (from, to) = way(names);
        format!("{from} to {to}")
    });
    format!("rename {}", renames.collect::<Vec<String>>().join(", "))
}

/// The members that are made for a cluster, the writer first.
fn members(plan: &Plan) -> String {
    let members = restored_names(plan, |role| role != PartRole::Replica);
    match members.as_str() {
        "" => String::new(),
        members => format!(" with the members {members}"),
    }
}

fn replicas(plan: &Plan) -> String {
    let replicas = restored_names(plan, |role| role == PartRole::Replica);
    match replicas.as_str() {
        "" => String::new(),
        replicas => format!(", make its replicas {replicas}"),
    }
}

fn restored_names(plan: &Plan, is_meant: impl Fn(PartRole) -> bool) -> String {
    let parts = plan.parts.iter().filter(|part| is_meant(part.role));
    let names: Vec<&str> = parts.map(|part| part.names.restored.as_str()).collect();
    names.join(", ")
}

fn custom_endpoints(plan: &Plan) -> String {
    let ids = plan.custom_endpoints.iter();
    let ids: Vec<&str> = ids.map(|endpoint| endpoint.identifier.as_str()).collect();
    match ids.is_empty() {
        true => String::new(),
        false => format!("; make the custom endpoints {} again", ids.join(", ")),
    }
}

fn retire(plan: &Plan) -> String {
    let mut all: Vec<&str> = plan
        .parts
        .iter()
        .rev()
        .map(|part| part.names.aside.as_str())
        .collect();
    all.push(plan.names.aside.as_str());
    let all = all.join(", ");
    let what = match &plan.retirement.final_snapshot {
        Some(id) => format!("delete {all} after a final snapshot {id}"),
        None => format!("delete {all} without a final snapshot"),
    };
    match plan.retirement.automated_backups {
        AutomatedBackups::Keep => format!("{what}; its automated backups stay"),
        AutomatedBackups::Delete => format!("{what}, and its automated backups"),
    }
}

/// What follows from the plan and may not be meant.
pub(super) fn consequences(plan: &Plan) -> Vec<Check> {
    let mut checks = Vec::new();
    let since = match (&plan.point_in_time, &plan.snapshot) {
        (Some(moment), _) => format!("after {}", moment.moment()),
        (None, Some(snapshot)) => match snapshot.created_at {
            Some(at) => format!("after {at}"),
            None => "after the snapshot".to_owned(),
        },
        (None, None) => return checks,
    };
    let fate = match (plan.keep_original_seconds, &plan.retirement.final_snapshot) {
        (0, None) => format!(
            "which is deleted at the end{}: `keepOriginal` and `finalSnapshot` keep it",
            match plan.retirement.automated_backups {
                AutomatedBackups::Keep => ", but not its automated backups",
                AutomatedBackups::Delete => ", its automated backups too",
            }
        ),
        (0, Some(id)) => format!("which goes into the final snapshot {id}"),
        (seconds, _) => format!("which is kept for {seconds} s"),
    };
    let detail = format!(
        "what is written to {} {since} stays in the original, {fate}",
        plan.identifier
    );
    checks.push(
        match (
            plan.strategy,
            plan.keep_original_seconds,
            &plan.retirement.final_snapshot,
        ) {
            (_, 0, None) => Check::warn("writes since the snapshot", detail),
            _ => Check::pass("writes since the snapshot", detail),
        },
    );
    checks
}

/// What a rollback does to what was written since the swap.
pub(super) fn writes_after_rollback(plan: &Plan) -> Check {
    let detail = format!(
        "what was written to {} since the swap stays in {}",
        plan.identifier, plan.names.kept
    );
    Check::warn("writes since the swap", detail)
}
