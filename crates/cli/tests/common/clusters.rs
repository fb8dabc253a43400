//! Clusters, made and looked at through the API as anybody would.

use std::time::Duration;

use aws_sdk_rds::types::{DbCluster, DbClusterEndpoint, Tag};

use super::database::Database;
use super::instances::{DATABASE, PASSWORD, USER};
use super::world::World;

/// How often a story looks at what it waits for.
const LOOK: Duration = Duration::from_millis(50);

/// Where clients of a cluster connect.
#[derive(Debug)]
pub(crate) struct Endpoints {
    /// The cluster endpoint.
    pub(crate) writer: Database,
    /// The reader endpoint.
    pub(crate) readers: Database,
    /// Each member's own, and the custom endpoints, by name.
    pub(crate) others: Vec<(String, Database)>,
}

impl World {
    /// Creates an Aurora cluster: a writer, two readers and a custom endpoint of one of them.
    pub(crate) async fn create_cluster(&self, name: &str, engine: &str) {
        self.rds
            .create_db_cluster()
            .db_cluster_identifier(name)
            .engine(engine)
            .database_name(DATABASE)
            .master_username(USER)
            .master_user_password(PASSWORD)
            .backup_retention_period(14)
            .copy_tags_to_snapshot(true)
            .deletion_protection(true)
            .tags(Tag::builder().key("team").value("shop").build())
            .send()
            .await
            .expect("a cluster can be created");
        self.settled_cluster(name).await;
        // The writer is not the first by name.
        for (member, tier) in [("b", 1), ("a", 4), ("c", 7)] {
            let member = format!("{name}-{member}");
            self.rds
                .create_db_instance()
                .db_cluster_identifier(name)
                .db_instance_identifier(&member)
                .db_instance_class("db.r6g.large")
                .engine(engine)
                .promotion_tier(tier)
                .send()
                .await
                .expect("a member can be created");
            self.settled(&member, "available").await;
        }
        self.rds
            .create_db_cluster_endpoint()
            .db_cluster_identifier(name)
            .db_cluster_endpoint_identifier(format!("{name}-analytics"))
            .endpoint_type("READER")
            .static_members(format!("{name}-c"))
            .send()
            .await
            .expect("a custom endpoint can be created");
        while self.custom_endpoint(name).await.status() != Some("available") {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The cluster that answers at a name, once it is available.
    pub(crate) async fn settled_cluster(&self, name: &str) -> DbCluster {
        loop {
            let found = self.clusters(name).await;
            let found = found.into_iter().find(|cluster| {
                cluster.db_cluster_identifier() == Some(name)
                    && cluster.status() == Some("available")
            });
            match found {
                Some(cluster) => return cluster,
                None => tokio::time::sleep(LOOK).await,
            }
        }
    }

    /// All clusters whose names begin so.
    pub(crate) async fn clusters(&self, beginning: &str) -> Vec<DbCluster> {
        let all = self.rds.describe_db_clusters().send().await;
        let mut all = all
            .expect("clusters can be described")
            .db_clusters
            .unwrap_or_default();
        let begins = |cluster: &DbCluster| {
            let name = cluster.db_cluster_identifier();
            name.is_some_and(|name| name.starts_with(beginning))
        };
        all.retain(begins);
        all
    }

    /// The custom endpoint of a cluster.
    pub(crate) async fn custom_endpoint(&self, cluster: &str) -> DbClusterEndpoint {
        let all = self.rds.describe_db_cluster_endpoints().send().await;
        let all = all
            .expect("endpoints can be described")
            .db_cluster_endpoints;
        let name = format!("{cluster}-analytics");
        let is_meant =
            |endpoint: &DbClusterEndpoint| endpoint.db_cluster_endpoint_identifier() == Some(&name);
        let found = all.unwrap_or_default().into_iter().find(is_meant);
        found.unwrap_or_else(|| panic!("there is no {name}"))
    }

    /// Where the clients of a cluster connect.
    pub(crate) async fn endpoints(&self, name: &str) -> Endpoints {
        let cluster = self.settled_cluster(name).await;
        let port = cluster.port().expect("a cluster has a port");
        let at = |address: Option<&str>| Database::at(address.expect("it is shown"), port);
        let mut others = Vec::new();
        for member in cluster.db_cluster_members() {
            let member = member.db_instance_identifier().expect("members have names");
            let instance = self.settled(member, "available").await;
            others.push((member.to_owned(), Database::of(&instance)));
        }
        let custom = self.custom_endpoint(name).await;
        others.push((format!("{name}-analytics"), at(custom.endpoint())));
        Endpoints {
            writer: at(cluster.endpoint()),
            readers: at(cluster.reader_endpoint()),
            others,
        }
    }
}
