//! What RDS holds at one moment: what a test asserts on.

use std::collections::BTreeMap;

use aws_sdk_rds::Client;

/// A database, seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// Its identity.
    pub resource_id: String,
    /// Its status.
    pub status: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Whether it is protected from deletion.
    pub deletion_protection: bool,
    /// The most storage that it may grow to, in GiB: an attribute that a restore request can't set.
    pub max_allocated_storage_gib: Option<i32>,
    /// Its parameter groups with their statuses.
    pub parameter_groups: BTreeMap<String, String>,
}

/// Everything that RDS holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct World {
    /// The databases by name.
    pub databases: BTreeMap<String, Database>,
    /// The snapshots with their statuses.
    pub snapshots: BTreeMap<String, String>,
}

impl World {
    pub(crate) async fn look(client: &Client) -> Self {
        let databases = client
            .describe_db_instances()
            .send()
            .await
            .expect("local RDS answers");
        let snapshots = client
            .describe_db_snapshots()
            .send()
            .await
            .expect("local RDS answers");
        Self {
            databases: databases.db_instances().iter().map(database).collect(),
            snapshots: snapshots
                .db_snapshots()
                .iter()
                .map(|snapshot| {
                    (
                        text(snapshot.db_snapshot_identifier()),
                        text(snapshot.status()),
                    )
                })
                .collect(),
        }
    }

    /// The names of the databases, in order.
    pub fn names(&self) -> Vec<&str> {
        self.databases.keys().map(String::as_str).collect()
    }

    /// The identity of a database.
    ///
    /// # Panics
    /// There is no such database.
    pub fn resource_id(&self, name: &str) -> &str {
        &self.databases[name].resource_id
    }
}

fn database(instance: &aws_sdk_rds::types::DbInstance) -> (String, Database) {
    let tags = instance.tag_list().iter();
    let groups = instance.db_parameter_groups().iter();
    let database = Database {
        resource_id: text(instance.dbi_resource_id()),
        status: text(instance.db_instance_status()),
        tags: tags
            .map(|tag| (text(tag.key()), text(tag.value())))
            .collect(),
        deletion_protection: instance.deletion_protection().unwrap_or_default(),
        max_allocated_storage_gib: instance.max_allocated_storage(),
        parameter_groups: groups
            .map(|group| {
                (
                    text(group.db_parameter_group_name()),
                    text(group.parameter_apply_status()),
                )
            })
            .collect(),
    };
    (text(instance.db_instance_identifier()), database)
}

fn text(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}
