//! Checks of what the target is part of. A database that is tied to others by its name can't be
//! renamed, and that is said before anything changes, with what to do.

use trapheus_rds::{Class, Database, Error, Family, Kind, Rds};

use super::Check;
use crate::input::CrossRegionReplicas;

/// Everything that ties the target to others.
pub(crate) async fn check(
    rds: &Rds,
    target: &Database,
    replicas: Option<CrossRegionReplicas>,
) -> Vec<Check> {
    let mut checks = Vec::new();
    checks.extend(custom(target));
    checks.extend(elsewhere(target, rds.region(), replicas));
    checks.push(integrations(rds, target).await);
    if target.kind == Kind::Cluster {
        checks.push(global(rds, target).await);
        checks.push(shards(rds, target).await);
        checks.push(shared(target));
    }
    checks
}

/// RDS Custom doesn't rename.
fn custom(target: &Database) -> Option<Check> {
    let is_custom = Family::of(&target.engine) == Family::Custom;
    let detail = format!(
        "{} is {}, and RDS does not rename an RDS Custom instance: restore its snapshot under another \
         name and lead the clients there",
        target.identifier, target.engine
    );
    is_custom.then(|| Check::fail("RDS Custom", detail))
}

/// Replicas in other Regions follow the original, and can't be told to follow another.
fn elsewhere(
    target: &Database,
    region: Option<&str>,
    asked: Option<CrossRegionReplicas>,
) -> Option<Check> {
    const NAME: &str = "replicas in other Regions";
    let is_elsewhere = |replica: &&String| {
        let at = replica.split(':').nth(3);
        at.is_some() && at != region
    };
    let found: Vec<&str> = target
        .replicas
        .iter()
        .filter(is_elsewhere)
        .map(String::as_str)
        .collect();
    if found.is_empty() {
        return None;
    }
    let found = found.join(", ");
    Some(match asked {
        Some(CrossRegionReplicas::Leave) => Check::warn(
            NAME,
            format!(
                "{found}: left with the original, as the input says; they don't follow the restored database"
            ),
        ),
        None => Check::fail(
            NAME,
            format!(
                "{found}: they would stay with the original, and stand alone when it is deleted; to leave them, say so: \
                 \"crossRegionReplicas\": \"leave\", and make them anew after the restore"
            ),
        ),
    })
}

async fn integrations(rds: &Rds, target: &Database) -> Check {
    const NAME: &str = "zero-ETL integrations";
    match rds.integrations_of(&target.arn).await {
        Ok(names) if names.is_empty() => Check::pass(NAME, "none"),
        Ok(names) => Check::fail(
            NAME,
            format!(
                "{}: RDS neither renames nor deletes the source of one: delete it, and make it anew after the restore",
                names.join(", ")
            ),
        ),
        Err(error) => open(NAME, &error),
    }
}

async fn global(rds: &Rds, target: &Database) -> Check {
    const NAME: &str = "global database";
    match rds.global_cluster_of(&target.arn).await {
        Ok(None) => Check::pass(NAME, "none"),
        Ok(Some(global)) => Check::fail(
            NAME,
            format!(
                "{} is part of {global}, and RDS does not rename such a cluster; take it out first, and make \
                 the others anew after the restore: aws rds remove-from-global-cluster \
                 --global-cluster-identifier {global} --db-cluster-identifier {}",
                target.identifier, target.arn
            ),
        ),
        Err(error) => open(NAME, &error),
    }
}

async fn shards(rds: &Rds, target: &Database) -> Check {
    const NAME: &str = "shard groups";
    match rds.shard_groups_of(&target.identifier).await {
        Ok(groups) if groups.is_empty() => Check::pass(NAME, "none"),
        Ok(groups) => Check::fail(
            NAME,
            format!(
                "{}: a cluster of Aurora PostgreSQL Limitless has no members that could be made again: restore \
                 its snapshot under another name, with a shard group of its own",
                groups.join(", ")
            ),
        ),
        Err(error) => open(NAME, &error),
    }
}

/// RDS shows its owner nothing of it, and refuses the rename.
fn shared(target: &Database) -> Check {
    let detail = format!(
        "whether {} is shared can't be seen in RDS; it does not rename a shared cluster, and the restore is \
         rolled back then: stop sharing first",
        target.identifier
    );
    Check::pass("sharing by AWS RAM", detail)
}

/// A check that nobody could make. What a server does not know, it does not have either.
fn open(name: &str, error: &Error) -> Check {
    match error.class {
        Class::NotImplemented => Check::pass(name, "none; this server knows none"),
        _ => Check::warn(name, format!("could not be checked: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::Verdict;

    #[test]
    fn what_a_server_does_not_know_it_does_not_have() {
        let error = |class| Error {
            class,
            operation: "DescribeIntegrations",
            code: None,
            message: String::new(),
        };
        assert_eq!(
            open("a", &error(Class::NotImplemented)).verdict,
            Verdict::Pass
        );
        assert_eq!(open("a", &error(Class::Denied)).verdict, Verdict::Warn);
    }
}
