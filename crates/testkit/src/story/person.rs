//! A person with the console, who knows nothing of executions.

use serde_json::{Value, json};

use super::random::Random;
use super::setting::TARGET;
use crate::simulation::Simulation;
use crate::wire::Element;

/// What a person does to something that there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// Renames a database or a cluster.
    Rename,
    /// Deletes a database, after taking its protection off.
    Delete,
    /// Makes a database with a name that an execution may want.
    Create,
    /// Changes a setting.
    Modify,
    /// Reboots a database.
    Reboot,
    /// Stops a database or a cluster.
    Stop,
    /// Takes the marks of an execution away.
    Untag,
    /// Deletes a snapshot.
    DeleteSnapshot,
    /// Makes a snapshot.
    CreateSnapshot,
    /// Makes another member the writer.
    FailOver,
}

impl Act {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Rename,
        Self::Delete,
        Self::Create,
        Self::Modify,
        Self::Reboot,
        Self::Stop,
        Self::Untag,
        Self::DeleteSnapshot,
        Self::CreateSnapshot,
        Self::FailOver,
    ];
}

/// The names that executions give, and one of the person's own.
const NAMES: [&str; 4] = ["orders", "orders-temp", "orders-trapheus-new", "mine"];
const MARKS: [&str; 3] = ["trapheus:execution", "trapheus:target", "trapheus:role"];

/// Something with a name, in the words of the requests that are about it.
struct Thing {
    name: String,
    arn: String,
    is_cluster: bool,
}

impl Thing {
    fn noun(&self) -> &'static str {
        if self.is_cluster {
            "DBCluster"
        } else {
            "DBInstance"
        }
    }

    fn identifier(&self) -> String {
        format!("{}Identifier", self.noun())
    }
}

/// Does something to whatever there is; tells what, and whether RDS took it.
pub(super) async fn perform(simulation: &Simulation, act: Act, mut random: Random) -> String {
    let Some((action, members)) = request(simulation, act, &mut random).await else {
        return format!("{act:?}: there is nothing to do it to");
    };
    if action.starts_with("DeleteDB") && !action.ends_with("Snapshot") {
        unprotect(simulation, action, &members).await;
    }
    let told = format!("{action} {}", words(&members));
    match simulation.ask(action, members).await {
        Ok(_) => told,
        Err(refusal) => format!("{told}: {}", refusal.code),
    }
}

fn words(members: &Value) -> String {
    let members = members.as_object().into_iter().flatten();
    let words = members.filter(|(name, _)| name.contains("Identifier") || *name == "ResourceName");
    let words: Vec<&str> = words.filter_map(|(_, value)| value.as_str()).collect();
    words.join(" → ")
}

async fn request(
    simulation: &Simulation,
    act: Act,
    random: &mut Random,
) -> Option<(&'static str, Value)> {
    if matches!(act, Act::DeleteSnapshot) {
        return delete_snapshot(simulation, random).await;
    }
    if matches!(act, Act::Create) {
        let name = random.pick(&NAMES);
        let create = json!({
            "DBInstanceIdentifier": name, "Engine": "postgres", "DBInstanceClass": "db.m5.large",
            "AllocatedStorage": 20, "MasterUsername": "me", "MasterUserPassword": "secret-1234",
        });
        return Some(("CreateDBInstance", create));
    }
    let things = things(simulation).await;
    let fitting: Vec<&Thing> = match act {
        Act::FailOver => things.iter().filter(|thing| thing.is_cluster).collect(),
        _ => things.iter().collect(),
    };
    if fitting.is_empty() {
        return None;
    }
    let thing = random.pick(&fitting);
    let both = |of_instance, of_cluster| {
        if thing.is_cluster {
            of_cluster
        } else {
            of_instance
        }
    };
    let mut members = json!({thing.identifier(): thing.name});
    let action = match act {
        Act::Rename => {
            let new = format!("New{}", thing.identifier());
            members[new] = json!(random.pick(&NAMES));
            members["ApplyImmediately"] = json!(true);
            both("ModifyDBInstance", "ModifyDBCluster")
        }
        Act::Delete => {
            members["SkipFinalSnapshot"] = json!(true);
            both("DeleteDBInstance", "DeleteDBCluster")
        }
        Act::Modify => {
            members["BackupRetentionPeriod"] = json!(1 + random.below(30));
            members["ApplyImmediately"] = json!(true);
            both("ModifyDBInstance", "ModifyDBCluster")
        }
        Act::Reboot => both("RebootDBInstance", "RebootDBCluster"),
        Act::Stop => both("StopDBInstance", "StopDBCluster"),
        Act::Untag => {
            members = json!({"ResourceName": thing.arn, "TagKeys": MARKS});
            "RemoveTagsFromResource"
        }
        Act::CreateSnapshot => {
            let id = both("DBSnapshotIdentifier", "DBClusterSnapshotIdentifier");
            let name = random.pick(&["orders-snapshot", "production-snapshot", "my-snapshot"]);
            members[id] = json!(name);
            both("CreateDBSnapshot", "CreateDBClusterSnapshot")
        }
        Act::FailOver => "FailoverDBCluster",
        Act::Create | Act::DeleteSnapshot => return None,
    };
    Some((action, members))
}

async fn delete_snapshot(
    simulation: &Simulation,
    random: &mut Random,
) -> Option<(&'static str, Value)> {
    let mut found = Vec::new();
    for (look, delete, noun) in [
        ("DescribeDBSnapshots", "DeleteDBSnapshot", "DBSnapshot"),
        (
            "DescribeDBClusterSnapshots",
            "DeleteDBClusterSnapshot",
            "DBClusterSnapshot",
        ),
    ] {
        let id = format!("{noun}Identifier");
        for element in list(simulation, look, &format!("{noun}s")).await {
            found.push((delete, json!({id.as_str(): element.text_of(&id)})));
        }
    }
    (!found.is_empty()).then(|| found.swap_remove(random.below(found.len() as u64) as usize))
}

async fn unprotect(simulation: &Simulation, action: &str, members: &Value) {
    let action = if action == "DeleteDBCluster" {
        "ModifyDBCluster"
    } else {
        "ModifyDBInstance"
    };
    let mut members = members.clone();
    if let Some(members) = members.as_object_mut() {
        members.remove("SkipFinalSnapshot");
    }
    members["DeletionProtection"] = json!(false);
    members["ApplyImmediately"] = json!(true);
    // Whether it was protected, or could be changed now, is seen when it is deleted.
    _ = simulation.ask(action, members).await;
}

/// Everything that has a name, the target's own things first: they are what people come for.
async fn things(simulation: &Simulation) -> Vec<Thing> {
    let mut things = Vec::new();
    for (look, noun, arn) in [
        ("DescribeDBClusters", "DBCluster", "DBClusterArn"),
        ("DescribeDBInstances", "DBInstance", "DBInstanceArn"),
    ] {
        for element in list(simulation, look, &format!("{noun}s")).await {
            things.push(Thing {
                name: element.text_of(&format!("{noun}Identifier")).to_owned(),
                arn: element.text_of(arn).to_owned(),
                is_cluster: noun == "DBCluster",
            });
        }
    }
    things.retain(|thing| thing.name.starts_with(TARGET) || thing.name == "mine");
    things
}

async fn list(simulation: &Simulation, action: &str, of: &str) -> Vec<Element> {
    let answer = simulation.ask(action, json!({})).await;
    let found = answer.ok().and_then(|answer| answer.find(of).cloned());
    found.map(|list| list.children).unwrap_or_default()
}
