//! Checks of what the restored database will need beside the snapshot: groups, the version,
//! room in the account. A server that can't answer one leaves it open, which is a warning.

use trapheus_rds::{Database, Error, Quota, Rds};

use super::Check;

/// Groups that RDS provides always exist.
const DEFAULT_PREFIX: &str = "default";

/// Whether everything that the original refers to still exists.
pub(crate) async fn groups(rds: &Rds, target: &Database) -> Vec<Check> {
    let mut checks = Vec::new();
    for group in own(&target.parameter_groups) {
        checks.push(exists(
            "parameter group",
            group,
            rds.parameter_group_exists(group).await,
        ));
    }
    for group in own(&target.option_groups) {
        checks.push(exists(
            "option group",
            group,
            rds.option_group_exists(group).await,
        ));
    }
    if let Some(group) = target
        .settings
        .get("DBSubnetGroupName")
        .and_then(|name| name.as_str())
    {
        checks.push(exists(
            "subnet group",
            group,
            rds.subnet_group_exists(group).await,
        ));
    }
    checks
}

fn own(groups: &[trapheus_rds::Membership]) -> impl Iterator<Item = &str> {
    let names = groups.iter().map(|group| group.name.as_str());
    names.filter(|name| !name.starts_with(DEFAULT_PREFIX))
}

fn exists(what: &str, name: &str, answer: Result<bool, Error>) -> Check {
    match answer {
        Ok(true) => Check::pass(what, name),
        Ok(false) => Check::fail(what, format!("{name} does not exist any more")),
        Err(error) => open(what, &error),
    }
}

/// Whether RDS still offers the version that the snapshot has.
pub(crate) async fn version(rds: &Rds, engine: &str, version: &str) -> Check {
    const NAME: &str = "engine version offered";
    match rds.engine_version_is_offered(engine, version).await {
        Ok(true) => Check::pass(NAME, format!("{engine} {version}")),
        Ok(false) => {
            let detail = format!(
                "RDS does not list {engine} {version} any more; it may upgrade the restored database"
            );
            Check::warn(NAME, detail)
        }
        Err(error) => open(NAME, &error),
    }
}

/// Whether a blue/green deployment would rename the target itself.
pub(crate) async fn blue_green(rds: &Rds, target: &Database) -> Check {
    const NAME: &str = "blue/green deployment";
    match rds.blue_green_deployments_of(&target.arn).await {
        Ok(names) if names.is_empty() => Check::pass(NAME, "none"),
        Ok(names) => {
            let detail = format!(
                "{} renames the target itself: finish or delete it first",
                names.join(", ")
            );
            Check::fail(NAME, detail)
        }
        Err(error) => open(NAME, &error),
    }
}

/// Which names of Route 53 point at the target. They stay as they are, and so does what they
/// point at; who can't be asked is none the worse.
pub(crate) async fn names(rds: &Rds, target: &Database) -> Option<Check> {
    const NAME: &str = "names that point at it";
    let writer = target.endpoint.as_ref().map(|endpoint| &endpoint.address);
    let addresses: Vec<String> = writer
        .into_iter()
        .chain(&target.reader_endpoint)
        .cloned()
        .collect();
    let found = rds.names_pointing_at(&addresses).await.ok()?;
    let names: Vec<String> = found.iter().map(ToString::to_string).collect();
    Some(if names.is_empty() {
        Check::pass(NAME, "none in Route 53")
    } else {
        let detail = format!(
            "{}: they go on, because the endpoint's own name stays",
            names.join(", ")
        );
        Check::pass(NAME, detail)
    })
}

/// What the restore uses of the account's quotas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Needs {
    pub(crate) instances: i64,
    pub(crate) snapshots: i64,
    pub(crate) storage_gib: i64,
}

/// Whether the account has room for it.
pub(crate) async fn quotas(rds: &Rds, needs: Needs) -> Vec<Check> {
    let quotas = match rds.quotas().await {
        Ok(quotas) => quotas,
        Err(error) => return vec![open("quotas", &error)],
    };
    let needs = [
        ("DBInstances", needs.instances),
        ("ManualSnapshots", needs.snapshots),
        ("AllocatedStorage", needs.storage_gib),
    ];
    let needed = needs.into_iter().filter(|(_, needed)| *needed > 0);
    needed
        .filter_map(|(name, needed)| room(&quotas, name, needed))
        .collect()
}

fn room(quotas: &[Quota], name: &str, needed: i64) -> Option<Check> {
    let quota = quotas.iter().find(|quota| quota.name == name)?;
    let check = format!("quota {name}");
    let detail = format!("{needed} needed, {} of {} left", quota.left(), quota.max);
    Some(if quota.left() >= needed {
        Check::pass(&check, detail)
    } else {
        Check::fail(&check, detail)
    })
}

/// A check that nobody could make.
fn open(name: &str, error: &Error) -> Check {
    Check::warn(name, format!("could not be checked: {error}"))
}
