//! RDS Proxies: which database one leads to, and how it is led to another. A proxy has one target
//! group, and in it one instance, or one cluster with its members.

use aws_sdk_rds::types::TargetType;

use crate::convert;
use crate::database::{Identified, Kind};
use crate::error::Error;
use crate::id::DbIdentifier;
use crate::look::PAGE_RECORDS;
use crate::rds::Rds;

const DEREGISTER: &str = "DeregisterDBProxyTargets";
const DESCRIBE_PROXIES: &str = "DescribeDBProxies";
const DESCRIBE_TARGETS: &str = "DescribeDBProxyTargets";
const REGISTER: &str = "RegisterDBProxyTargets";

/// Something that a proxy leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyTarget {
    /// The proxy.
    pub proxy: String,
    /// What it is.
    pub kind: Kind,
    /// The name that the proxy knows it by.
    pub identifier: DbIdentifier,
    /// The cluster that brought it here; such a member comes and goes with the cluster.
    pub cluster: Option<DbIdentifier>,
    /// Whether the proxy reaches it, in RDS's words, for instance `AVAILABLE`; a cluster's own
    /// entry may have none.
    pub state: Option<String>,
    /// Why it does not.
    pub description: Option<String>,
}

impl Rds {
    /// Lists the names of the proxies that lead to a database of this name.
    ///
    /// # Errors
    /// Every class.
    pub async fn proxies_to(&self, kind: Kind, id: &DbIdentifier) -> Result<Vec<String>, Error> {
        let request = self.client.describe_db_proxies();
        let request = request.max_records(PAGE_RECORDS);
        let proxies = self.read_pages(
            DESCRIBE_PROXIES,
            |marker| request.clone().set_marker(marker).send(),
            |page| (page.db_proxies.unwrap_or_default(), page.marker),
        );
        let mut leading = Vec::new();
        for proxy in proxies.await? {
            let Some(name) = proxy.db_proxy_name else {
                continue;
            };
            let targets = self.proxy_targets(&name).await?;
            if targets
                .iter()
                .any(|target| target.kind == kind && target.identifier == *id)
            {
                leading.push(name);
            }
        }
        Ok(leading)
    }

    /// Lists what a proxy leads to.
    ///
    /// # Errors
    /// Every class.
    pub async fn proxy_targets(&self, proxy: &str) -> Result<Vec<ProxyTarget>, Error> {
        let request = self.client.describe_db_proxy_targets().db_proxy_name(proxy);
        let request = request.max_records(PAGE_RECORDS);
        let targets = self.read_pages(
            DESCRIBE_TARGETS,
            |marker| request.clone().set_marker(marker).send(),
            |page| (page.targets.unwrap_or_default(), page.marker),
        );
        let targets = targets.await?;
        let read = |target: &aws_sdk_rds::types::DbProxyTarget| {
            let health = target.target_health();
            Some(ProxyTarget {
                proxy: proxy.to_owned(),
                kind: match target.r#type()? {
                    TargetType::TrackedCluster => Kind::Cluster,
                    _ => Kind::Instance,
                },
                identifier: convert::parse(target.rds_resource_id())?,
                cluster: convert::parse(target.tracked_cluster_id()),
                state: health.and_then(|health| Some(health.state()?.as_str().to_owned())),
                description: health.and_then(|health| health.description.clone()),
            })
        };
        Ok(targets.iter().filter_map(read).collect())
    }

    /// Lets a proxy lead to a database.
    ///
    /// # Errors
    /// Every class.
    pub async fn register_proxy_target(&self, proxy: &str, to: &Identified) -> Result<(), Error> {
        self.identify(REGISTER, to).await?;
        let request = self.client.register_db_proxy_targets().db_proxy_name(proxy);
        let name = to.name.as_str();
        let request = match to.kind {
            Kind::Instance => request.db_instance_identifiers(name),
            Kind::Cluster => request.db_cluster_identifiers(name),
        };
        self.act(REGISTER, || request.clone().send()).await?;
        Ok(())
    }

    /// Lets a proxy no longer lead to a database. The database itself does not notice, so what
    /// the proxy calls it is enough.
    ///
    /// # Errors
    /// Every class.
    pub async fn deregister_proxy_target(&self, target: &ProxyTarget) -> Result<(), Error> {
        let request = self.client.deregister_db_proxy_targets();
        let request = request.db_proxy_name(&target.proxy);
        let name = target.identifier.as_str();
        let request = match target.kind {
            Kind::Instance => request.db_instance_identifiers(name),
            Kind::Cluster => request.db_cluster_identifiers(name),
        };
        self.act(DEREGISTER, || request.clone().send()).await?;
        Ok(())
    }
}
