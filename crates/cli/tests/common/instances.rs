//! Databases and snapshots, made and looked at through the API as anybody would.

use std::time::Duration;

use aws_sdk_rds::operation::create_db_instance::builders::CreateDBInstanceFluentBuilder;
use aws_sdk_rds::types::{DbInstance, DbSnapshot, Filter, Tag};

use super::world::World;

/// The master user of every story's databases.
pub(crate) const USER: &str = "shop";
/// Its password.
pub(crate) const PASSWORD: &str = "not-a-secret-at-all";
/// The database that is created with the instance.
pub(crate) const DATABASE: &str = "shop";

/// How often a story looks at what it waits for. How long it waits is the test runner's business.
const LOOK: Duration = Duration::from_millis(50);

impl World {
    /// Creates a PostgreSQL database whose settings are not the defaults, with some of the story's
    /// own, and waits for it.
    pub(crate) async fn create(
        &self,
        name: &str,
        settings: impl FnOnce(CreateDBInstanceFluentBuilder) -> CreateDBInstanceFluentBuilder,
    ) -> DbInstance {
        let request = self
            .rds
            .create_db_instance()
            .db_instance_identifier(name)
            .db_instance_class("db.r6g.large")
            .engine("postgres")
            .allocated_storage(100)
            .max_allocated_storage(500)
            .backup_retention_period(14)
            .preferred_backup_window("02:00-02:30")
            .preferred_maintenance_window("sun:03:00-sun:03:30")
            .copy_tags_to_snapshot(true)
            .deletion_protection(true)
            .db_name(DATABASE)
            .master_username(USER)
            .master_user_password(PASSWORD)
            .tags(Tag::builder().key("team").value("shop").build());
        settings(request)
            .send()
            .await
            .expect("a database can be created");
        self.settled(name, "available").await
    }

    /// Waits until the database at a name has this status and its endpoint.
    pub(crate) async fn settled(&self, name: &str, status: &str) -> DbInstance {
        loop {
            let found = self.instance(name).await;
            if let Some(found) = found
                && found.db_instance_status() == Some(status)
                && found.endpoint().is_some()
            {
                return found;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The database that answers at a name.
    pub(crate) async fn instance(&self, name: &str) -> Option<DbInstance> {
        let all = self.instances(name).await;
        all.into_iter()
            .find(|instance| name_of(instance).eq_ignore_ascii_case(name))
    }

    /// All databases whose names begin so, by name.
    pub(crate) async fn instances(&self, beginning: &str) -> Vec<DbInstance> {
        let all = self.rds.describe_db_instances().into_paginator().items();
        let all = all.send().try_collect().await;
        let mut all = all.expect("databases can be described");
        all.retain(|instance| name_of(instance).starts_with(&beginning.to_lowercase()));
        all.sort_by(|one, other| name_of(one).cmp(name_of(other)));
        all
    }

    /// All snapshots of one database, automated ones left out, oldest first.
    pub(crate) async fn snapshots(&self, source: &str) -> Vec<DbSnapshot> {
        let manual = Filter::builder().name("snapshot-type").values("manual");
        let source = Filter::builder().name("db-instance-id").values(source);
        let all = self
            .rds
            .describe_db_snapshots()
            .filters(manual.build())
            .filters(source.build())
            .into_paginator()
            .items()
            .send()
            .try_collect()
            .await;
        let mut all = all.expect("snapshots can be described");
        all.sort_by_key(|snapshot| snapshot.snapshot_create_time().copied());
        all
    }

    /// Takes a snapshot as anybody would, and waits for it.
    pub(crate) async fn take_snapshot(&self, source: &str, name: &str) {
        self.rds
            .create_db_snapshot()
            .db_instance_identifier(source)
            .db_snapshot_identifier(name)
            .send()
            .await
            .expect("a snapshot can be made");
        loop {
            let made = self.snapshots(source).await.into_iter().any(|snapshot| {
                snapshot.db_snapshot_identifier() == Some(name)
                    && snapshot.status() == Some("available")
            });
            if made {
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// The name of a database.
pub(crate) fn name_of(instance: &DbInstance) -> &str {
    instance
        .db_instance_identifier()
        .expect("every database has a name")
}
