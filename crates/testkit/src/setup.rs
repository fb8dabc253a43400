//! What a simulation begins with: databases, clusters and snapshots, made as people make them.

use std::time::Duration;

use aws_sdk_rds::types::Tag;
use tokio::time::Instant;

use crate::simulation::Simulation;
use crate::world::World;

/// The engine of the clusters that are made here.
const AURORA: &str = "aurora-postgresql";
/// Nothing that a test sets up takes longer.
const SETUP_LIMIT: Duration = Duration::from_secs(24 * 3600);

impl Simulation {
    /// Makes a PostgreSQL database with settings that are none of RDS's defaults, and a row in it.
    pub async fn create_database(&self, name: &str) {
        self.create_databases_of(20, &[name]).await;
    }

    /// The same, several at once, each with so much storage, in GiB.
    pub async fn create_databases_of(&self, storage_gib: i32, names: &[&str]) {
        for name in names {
            self.request_database(storage_gib, name).await;
        }
        for name in names {
            self.wait_until_available(name).await;
            self.put(name, "state", "created");
        }
    }

    async fn request_database(&self, storage_gib: i32, name: &str) {
        let tag = Tag::builder().key("team").value("shop").build();
        self.client
            .create_db_instance()
            .db_instance_identifier(name)
            .engine("postgres")
            .db_instance_class("db.t3.medium")
            .allocated_storage(storage_gib)
            .max_allocated_storage(storage_gib * 5)
            .master_username("app")
            .master_user_password("secret-1234")
            .backup_retention_period(7)
            .preferred_maintenance_window("sun:03:00-sun:04:00")
            .deletion_protection(true)
            .tags(tag)
            .send()
            .await
            .expect("the database can be created");
    }

    /// Makes a manual snapshot and waits for it.
    pub async fn create_snapshot(&self, of: &str, id: &str) {
        self.create_snapshots(&[(of, id)]).await;
    }

    /// The same, several at once: of which database, and its id.
    pub async fn create_snapshots(&self, asked: &[(&str, &str)]) {
        for (of, id) in asked {
            let create = self.client.create_db_snapshot().db_instance_identifier(*of);
            create
                .db_snapshot_identifier(*id)
                .send()
                .await
                .expect("the snapshot can be created");
        }
        for (of, id) in asked {
            let is_available = |world: &World| {
                world
                    .snapshots
                    .get(*id)
                    .is_some_and(|status| status == "available")
            };
            self.wait_until(id, is_available).await;
            self.wait_until_available(of).await;
        }
    }

    /// Deletes a database as a person does: its protection first.
    pub async fn delete(&self, name: &str) {
        let modify = self.client.modify_db_instance();
        modify
            .db_instance_identifier(name)
            .deletion_protection(false)
            .apply_immediately(true)
            .send()
            .await
            .expect("the protection can be taken off");
        self.wait_until_available(name).await;
        let delete = self.client.delete_db_instance();
        delete
            .db_instance_identifier(name)
            .skip_final_snapshot(true)
            .send()
            .await
            .expect("the database can be deleted");
    }

    /// Waits until a database is available.
    pub async fn wait_until_available(&self, name: &str) {
        let is_available = |world: &World| {
            let database = world.databases.get(name);
            database.is_some_and(|database| database.status == "available")
        };
        self.wait_until(name, is_available).await;
    }

    /// Waits longer and longer between two looks: nobody measures how long setting up takes.
    async fn wait_until(&self, what: &str, is_so: impl Fn(&World) -> bool) {
        let deadline = Instant::now() + SETUP_LIMIT;
        let mut pause = Duration::from_secs(1);
        while !is_so(&self.world().await) {
            assert!(Instant::now() < deadline, "{what} never becomes available");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(60));
        }
    }

    /// Makes an Aurora cluster with settings that are none of RDS's defaults: a writer that is not
    /// its first member by name, two readers, two custom endpoints, and a row in it.
    pub async fn create_cluster(&self, name: &str) {
        let tag = Tag::builder().key("team").value("shop").build();
        self.client
            .create_db_cluster()
            .db_cluster_identifier(name)
            .engine(AURORA)
            .master_username("app")
            .master_user_password("secret-1234")
            .backup_retention_period(7)
            .preferred_maintenance_window("sun:03:00-sun:04:00")
            .copy_tags_to_snapshot(true)
            .deletion_protection(true)
            .tags(tag)
            .send()
            .await
            .expect("the cluster can be created");
        self.wait_until_cluster_available(name).await;
        for (number, tier) in [(2, 1), (1, 5), (3, 9)] {
            let member = format!("{name}-{number}");
            let create = self.client.create_db_instance();
            create
                .db_cluster_identifier(name)
                .db_instance_identifier(&member)
                .engine(AURORA)
                .db_instance_class("db.r6g.large")
                .promotion_tier(tier)
                .preferred_maintenance_window("mon:03:00-mon:04:00")
                .send()
                .await
                .expect("the member can be created");
            self.wait_until_available(&member).await;
        }
        let endpoints = [
            ("analytics", "READER", Some(vec![format!("{name}-3")]), None),
            ("rest", "ANY", None, Some(vec![format!("{name}-1")])),
        ];
        for (suffix, kind, static_members, excluded_members) in endpoints {
            let create = self.client.create_db_cluster_endpoint();
            create
                .db_cluster_identifier(name)
                .db_cluster_endpoint_identifier(format!("{name}-{suffix}"))
                .endpoint_type(kind)
                .set_static_members(static_members)
                .set_excluded_members(excluded_members)
                .send()
                .await
                .expect("the custom endpoint can be created");
        }
        let are_available = |world: &World| {
            let mut endpoints = world.custom_endpoints.values();
            endpoints.all(|endpoint| endpoint.status == "available")
        };
        self.wait_until("the custom endpoints", are_available).await;
        let address = self.world().await.clusters[name].address.clone();
        self.put_at(&address, "state", "created");
    }

    /// Makes a manual snapshot of a cluster and waits for it.
    pub async fn create_cluster_snapshot(&self, of: &str, id: &str) {
        let create = self.client.create_db_cluster_snapshot();
        create
            .db_cluster_identifier(of)
            .db_cluster_snapshot_identifier(id)
            .send()
            .await
            .expect("the snapshot can be created");
        let is_available = |world: &World| {
            let status = world.snapshots.get(id);
            status.is_some_and(|status| status == "available")
        };
        self.wait_until(id, is_available).await;
        self.wait_until_cluster_available(of).await;
    }

    /// Waits until a cluster is available.
    pub async fn wait_until_cluster_available(&self, name: &str) {
        let is_available = |world: &World| {
            let cluster = world.clusters.get(name);
            cluster.is_some_and(|cluster| cluster.status == "available")
        };
        self.wait_until(name, is_available).await;
    }
}
