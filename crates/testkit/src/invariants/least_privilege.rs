//! Least privilege: on AWS, the role of the task that asks would let it. For a request that deletes
//! that says more: the database carries what two other tasks have marked it with.
//!
//! A name that changed hands in the one gap that nobody can close is no matter of the product: the
//! role would refuse it there.

use std::collections::BTreeMap;

use trapheus_local::observe::{Asked, Database, Subject, View};

use super::memory::{Execution, Memory, Relation};
use crate::policies::{Wish, allows};
use crate::wire::{ACCOUNT, REGION};

/// The tags that conditions look at.
pub(super) const MARKS: [&str; 2] = ["trapheus:role", "trapheus:replaced"];

/// The parameters that name resources, with the kind of each.
const NAMES: [(&str, &str); 16] = [
    ("DBClusterEndpointIdentifier", "cluster-endpoint"),
    ("DBClusterIdentifier", "cluster"),
    ("DBClusterParameterGroupName", "cluster-pg"),
    ("DBClusterSnapshotIdentifier", "cluster-snapshot"),
    ("DBInstanceIdentifier", "db"),
    ("DBParameterGroupName", "pg"),
    ("DBProxyName", "db-proxy"),
    ("DBSnapshotIdentifier", "snapshot"),
    ("DBSubnetGroupName", "subgrp"),
    ("OptionGroupName", "og"),
    ("ResourceName", "db"),
    ("SnapshotIdentifier", "cluster-snapshot"),
    ("SourceDBClusterIdentifier", "cluster"),
    ("SourceDBInstanceArn", "db"),
    ("SourceDBInstanceIdentifier", "db"),
    ("TargetDBInstanceIdentifier", "db"),
];

/// What a database was marked with before a request.
pub(super) type Marks = BTreeMap<String, String>;

pub(super) fn marks(database: &Database<'_>) -> Marks {
    let mark = |key: &str| Some((key.to_owned(), database.tag(key)?.to_owned()));
    MARKS.into_iter().filter_map(mark).collect()
}

pub(super) fn check(
    memory: &Memory,
    execution: &Execution,
    request: &Asked<'_>,
    view: &View<'_>,
) -> Option<String> {
    let is_strange = |subject: &Subject| match subject {
        Subject::Database(id) => memory.relation(execution, id) == Relation::Stranger,
        Subject::Snapshot(_) => false,
    };
    let makes_a_snapshot = request.action.ends_with("Snapshot");
    if execution.task.is_empty() || (request.subjects.iter().any(is_strange) && !makes_a_snapshot) {
        return None;
    }
    // What somebody has taken the marks off is not deleted on AWS: it is told as left over there.
    if request.action.starts_with("Delete") && memory.person_came > execution.began {
        return None;
    }
    // A process that hangs in a look may be in an earlier task than the one that began last.
    let lets = |wish: &Wish| {
        allows(&execution.task, wish)
            || (request.is_look() && execution.running.iter().any(|task| allows(task, wish)))
    };
    let mut wishes = wishes(memory, request, view).into_iter();
    let denied = wishes.find(|wish| !lets(wish))?;
    Some(format!(
        "{}: the role of {} denies {} on {} {:?} {:?}",
        execution.id,
        execution.task,
        denied.action,
        denied.resource,
        denied.resource_tags,
        denied.request_tags,
    ))
}

/// A request as IAM sees it: once for everything that it names.
fn wishes(memory: &Memory, request: &Asked<'_>, view: &View<'_>) -> Vec<Wish> {
    let wish = Wish {
        action: format!("rds:{}", request.action),
        request_tags: tags(request),
        ..Wish::default()
    };
    if request.is_look() {
        let resource = match request.action {
            "DescribeGlobalClusters" => format!("arn:aws:rds::{ACCOUNT}:global-cluster:any"),
            _ => arn("any", "any"),
        };
        return vec![Wish { resource, ..wish }];
    }
    let named = NAMES.iter().filter_map(|(parameter, kind)| {
        let value = request.get(parameter)?;
        Some(match value.starts_with("arn:") {
            true => value.to_owned(),
            false => arn(kind, value),
        })
    });
    let mut wishes: Vec<Wish> = named
        .map(|resource| Wish {
            resource_tags: tags_of(memory, request, view, &resource),
            resource,
            ..wish.clone()
        })
        .collect();
    // What is made with tags is tagged, and that is an action of its own.
    let makes = ["Create", "Restore"]
        .iter()
        .any(|verb| request.action.starts_with(verb));
    if makes && !wish.request_tags.is_empty() {
        let made = |wish: &&Wish| wish.resource.ends_with(made_by(request));
        let tagged: Vec<Wish> = wishes.iter().filter(made).cloned().collect();
        wishes.extend(tagged.into_iter().map(|wish| Wish {
            action: "rds:AddTagsToResource".to_owned(),
            ..wish
        }));
    }
    wishes
}

/// The name of what a request makes, as its ARN ends.
fn made_by<'a>(request: &'a Asked<'_>) -> &'a str {
    let of = |parameters: &[&str]| parameters.iter().find_map(|name| request.get(name));
    let name = match request.action {
        "CreateDBSnapshot" => of(&["DBSnapshotIdentifier"]),
        "CreateDBClusterSnapshot" => of(&["DBClusterSnapshotIdentifier"]),
        "CreateDBClusterEndpoint" => of(&["DBClusterEndpointIdentifier"]),
        _ => of(&[
            "TargetDBInstanceIdentifier",
            "DBInstanceIdentifier",
            "DBClusterIdentifier",
        ]),
    };
    name.unwrap_or_default()
}

/// The tags of a database before the request changed them.
fn tags_of(memory: &Memory, request: &Asked<'_>, view: &View<'_>, arn: &str) -> Marks {
    let is_it = |is_cluster: bool| {
        (is_cluster && arn.contains(":cluster:")) || (!is_cluster && arn.contains(":db:"))
    };
    let subjects = request.subjects.iter().filter_map(|subject| match subject {
        Subject::Database(id) => Some(id),
        Subject::Snapshot(_) => None,
    });
    let mut found = subjects.filter_map(|id| match memory.before.get(id) {
        Some((is_cluster, marks)) => is_it(*is_cluster).then(|| marks.clone()),
        None => {
            let database = view.database(id)?;
            is_it(database.is_cluster()).then(|| marks(&database))
        }
    });
    found.next().unwrap_or_default()
}

/// The tags that a request gives, or the keys that it takes off.
fn tags(request: &Asked<'_>) -> Marks {
    let given = request.parameters.iter().filter_map(|(name, key)| {
        let tag = name
            .strip_suffix(".Key")
            .filter(|name| name.starts_with("Tags."))?;
        let value = request.get(&format!("{tag}.Value")).unwrap_or_default();
        Some((key.clone(), value.to_owned()))
    });
    let taken = request.parameters.iter();
    let taken = taken.filter(|(name, _)| name.starts_with("TagKeys."));
    given
        .chain(taken.map(|(_, key)| (key.clone(), String::new())))
        .collect()
}

fn arn(kind: &str, name: &str) -> String {
    format!("arn:aws:rds:{REGION}:{ACCOUNT}:{kind}:{name}")
}
