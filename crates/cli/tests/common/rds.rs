//! Local RDS's API as a test uses it: to make databases, and to see what there is.

use aws_sdk_rds::Client;
use aws_sdk_rds::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_rds::types::{DbInstance, DbSnapshot, Tag};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use super::patience::{done, until};
use super::rows::{PASSWORD, Rows, USER};

/// A client of one local RDS.
pub(crate) struct Rds {
    /// The SDK's own client.
    pub(crate) client: Client,
}

impl Rds {
    /// A client of the one that answers there.
    pub(crate) fn at(endpoint_url: &str) -> Self {
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let config = aws_sdk_rds::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(endpoint_url)
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .http_client(http)
            .build();
        Self {
            client: Client::from_conf(config),
        }
    }

    /// Creates a small PostgreSQL database with settings of its own, and waits until it serves.
    pub(crate) fn create(&self, identifier: &str) -> Rows {
        let request = self
            .client
            .create_db_instance()
            .db_instance_identifier(identifier)
            .engine("postgres")
            .db_instance_class("db.t4g.micro")
            .allocated_storage(20)
            .db_name("shop")
            .master_username(USER)
            .master_user_password(PASSWORD)
            .backup_retention_period(14)
            .preferred_maintenance_window("sun:03:00-sun:03:30")
            .deletion_protection(true)
            .tags(Tag::builder().key("team").value("shop").build());
        done(request.send()).expect("a database can be created");
        self.rows(identifier)
    }

    /// What is in the database behind a name, once it serves.
    pub(crate) fn rows(&self, identifier: &str) -> Rows {
        let endpoint = self.available(identifier).endpoint.expect("it serves");
        let port = endpoint.port.expect("an endpoint has a port");
        Rows::at(
            endpoint.address().expect("an endpoint has an address"),
            port.try_into().expect("ports are positive"),
        )
    }

    /// Waits until the database is available, and returns it.
    pub(crate) fn available(&self, identifier: &str) -> DbInstance {
        let what = format!("{identifier} is available");
        until(&what, || self.instance(identifier).filter(is_available))
    }

    /// The database that answers at a name.
    pub(crate) fn instance(&self, identifier: &str) -> Option<DbInstance> {
        self.instances()
            .into_iter()
            .find(|instance| instance.db_instance_identifier() == Some(identifier))
    }

    /// All databases.
    pub(crate) fn instances(&self) -> Vec<DbInstance> {
        done(self.client.describe_db_instances().send())
            .expect("local RDS answers")
            .db_instances
            .expect("the answer is a list")
    }

    /// The names of the databases that begin with that of a target: everything that a restore of
    /// it can have made or renamed.
    pub(crate) fn names(&self, target: &str) -> Vec<String> {
        let mut names: Vec<String> = self
            .instances()
            .iter()
            .filter_map(|instance| instance.db_instance_identifier().map(str::to_owned))
            .filter(|name| name.starts_with(target))
            .collect();
        names.sort();
        names
    }

    /// Takes a snapshot, and waits until it is available.
    pub(crate) fn snapshot(&self, of: &str, identifier: &str) {
        let request = self
            .client
            .create_db_snapshot()
            .db_instance_identifier(of)
            .db_snapshot_identifier(identifier);
        done(request.send()).expect("a snapshot can be taken");
        until(&format!("the snapshot {identifier} is available"), || {
            let snapshots = self.snapshots();
            let is_done = snapshots.iter().any(|snapshot| {
                snapshot.db_snapshot_identifier() == Some(identifier)
                    && snapshot.status() == Some("available")
            });
            is_done.then_some(())
        });
    }

    /// All snapshots.
    pub(crate) fn snapshots(&self) -> Vec<DbSnapshot> {
        done(self.client.describe_db_snapshots().send())
            .expect("local RDS answers")
            .db_snapshots
            .expect("the answer is a list")
    }

    /// The identity of the database behind a name.
    pub(crate) fn resource_id(&self, identifier: &str) -> String {
        let instance = self.instance(identifier);
        let resource_id = instance.and_then(|instance| instance.dbi_resource_id);
        resource_id.unwrap_or_else(|| panic!("nothing answers at {identifier}"))
    }
}

fn is_available(instance: &DbInstance) -> bool {
    instance.db_instance_status() == Some("available") && instance.endpoint().is_some()
}
