//! What RDS holds at one moment: what a test asserts on.

use std::collections::BTreeMap;

use aws_sdk_rds::Client;
use aws_sdk_rds::types::{DbCluster, DbClusterEndpoint, DbInstance, Tag};

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
    /// Where it answers; empty while it is being made or renamed.
    pub address: String,
    /// The cluster that it is a member of; empty for none.
    pub cluster: String,
    /// The database that it is a read replica of; empty for none.
    pub replica_of: String,
}

/// A cluster, seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Its identity.
    pub resource_id: String,
    /// Its status.
    pub status: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Whether it is protected from deletion.
    pub deletion_protection: bool,
    /// The group of its parameters.
    pub parameter_group: String,
    /// Where its writer answers.
    pub address: String,
    /// Where its readers answer.
    pub reader_address: String,
    /// Its members; `true` is the writer.
    pub members: BTreeMap<String, bool>,
}

/// A custom endpoint, seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomEndpoint {
    /// The cluster whose it is.
    pub cluster: String,
    /// Its status.
    pub status: String,
    /// Where it answers.
    pub address: String,
    /// `READER` or `ANY`.
    pub kind: String,
    /// The members that it has, by name.
    pub static_members: Vec<String>,
    /// The members that it doesn't have, by name.
    pub excluded_members: Vec<String>,
}

/// Everything that RDS holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct World {
    /// The databases by name, members of clusters among them.
    pub databases: BTreeMap<String, Database>,
    /// The clusters by name.
    pub clusters: BTreeMap<String, Cluster>,
    /// The custom endpoints by name.
    pub custom_endpoints: BTreeMap<String, CustomEndpoint>,
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
        let clusters = client
            .describe_db_clusters()
            .send()
            .await
            .expect("local RDS answers");
        let endpoints = client
            .describe_db_cluster_endpoints()
            .send()
            .await
            .expect("local RDS answers");
        let endpoints = endpoints.db_cluster_endpoints().iter();
        Self {
            databases: databases.db_instances().iter().map(database).collect(),
            clusters: clusters.db_clusters().iter().map(cluster).collect(),
            custom_endpoints: endpoints
                .filter(|endpoint| endpoint.endpoint_type() == Some("CUSTOM"))
                .map(custom_endpoint)
                .collect(),
            snapshots: snapshots(client).await,
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

/// The snapshots of both kinds; their names are of different spaces, which no test needs.
async fn snapshots(client: &Client) -> BTreeMap<String, String> {
    let of_instances = client
        .describe_db_snapshots()
        .send()
        .await
        .expect("local RDS answers");
    let of_clusters = client
        .describe_db_cluster_snapshots()
        .send()
        .await
        .expect("local RDS answers");
    let of_instances = of_instances.db_snapshots().iter().map(|snapshot| {
        (
            text(snapshot.db_snapshot_identifier()),
            text(snapshot.status()),
        )
    });
    let of_clusters = of_clusters.db_cluster_snapshots().iter().map(|snapshot| {
        (
            text(snapshot.db_cluster_snapshot_identifier()),
            text(snapshot.status()),
        )
    });
    of_instances.chain(of_clusters).collect()
}

fn database(instance: &DbInstance) -> (String, Database) {
    let groups = instance.db_parameter_groups().iter();
    let endpoint = instance.endpoint();
    let database = Database {
        resource_id: text(instance.dbi_resource_id()),
        status: text(instance.db_instance_status()),
        tags: tags(instance.tag_list()),
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
        address: text(endpoint.and_then(|endpoint| endpoint.address())),
        cluster: text(instance.db_cluster_identifier()),
        replica_of: text(instance.read_replica_source_db_instance_identifier()),
    };
    (text(instance.db_instance_identifier()), database)
}

fn cluster(shown: &DbCluster) -> (String, Cluster) {
    let members = shown.db_cluster_members().iter();
    let cluster = Cluster {
        resource_id: text(shown.db_cluster_resource_id()),
        status: text(shown.status()),
        tags: tags(shown.tag_list()),
        deletion_protection: shown.deletion_protection().unwrap_or_default(),
        parameter_group: text(shown.db_cluster_parameter_group()),
        address: text(shown.endpoint()),
        reader_address: text(shown.reader_endpoint()),
        members: members
            .map(|member| {
                (
                    text(member.db_instance_identifier()),
                    member.is_cluster_writer().unwrap_or_default(),
                )
            })
            .collect(),
    };
    (text(shown.db_cluster_identifier()), cluster)
}

fn custom_endpoint(shown: &DbClusterEndpoint) -> (String, CustomEndpoint) {
    let sorted = |members: &[String]| {
        let mut members = members.to_vec();
        members.sort();
        members
    };
    let endpoint = CustomEndpoint {
        cluster: text(shown.db_cluster_identifier()),
        status: text(shown.status()),
        address: text(shown.endpoint()),
        kind: text(shown.custom_endpoint_type()),
        static_members: sorted(shown.static_members()),
        excluded_members: sorted(shown.excluded_members()),
    };
    (text(shown.db_cluster_endpoint_identifier()), endpoint)
}

fn tags(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter()
        .map(|tag| (text(tag.key()), text(tag.value())))
        .collect()
}

fn text(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}
