//! Looks at what a restore depends on beside the database: groups, versions, clusters, quotas.
//!
//! A server that lacks one of these operations answers [`Class::NotImplemented`]: then the check
//! cannot be made, which is not the same as that it fails.

use aws_sdk_rds::types::Filter;

use crate::error::{Class, Error};
use crate::id::Arn;
use crate::look::PAGE_RECORDS;
use crate::rds::Rds;

/// How much of something the account may have, and has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    /// RDS's name, for instance `DBInstances` or `ManualSnapshots`.
    pub name: String,
    /// How much is used.
    pub used: i64,
    /// How much may be used.
    pub max: i64,
}

impl Quota {
    /// Returns how much is left.
    pub fn left(&self) -> i64 {
        self.max - self.used
    }
}

/// A DB subnet group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubnetGroup {
    /// Its name.
    pub name: String,
    /// The VPC that its subnets are in.
    pub vpc: String,
}

/// Reads "is it there?" from an answer: RDS says that it is not by an error, other servers also
/// by a page without it.
fn existence<T>(answer: Result<T, Error>, shows_it: fn(&T) -> bool) -> Result<bool, Error> {
    match answer {
        Ok(page) => Ok(shows_it(&page)),
        Err(error) if matches!(error.class, Class::NotFound | Class::ReferenceNotFound) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

impl Rds {
    /// Tells whether a DB parameter group exists.
    ///
    /// # Errors
    /// Every class but [`Class::ReferenceNotFound`].
    pub async fn parameter_group_exists(&self, name: &str) -> Result<bool, Error> {
        let send = || {
            self.client
                .describe_db_parameter_groups()
                .db_parameter_group_name(name)
                .send()
        };
        existence(self.read("DescribeDBParameterGroups", send).await, |page| {
            !page.db_parameter_groups().is_empty()
        })
    }

    /// Tells whether a DB cluster parameter group exists.
    ///
    /// # Errors
    /// Every class but [`Class::ReferenceNotFound`].
    pub async fn cluster_parameter_group_exists(&self, name: &str) -> Result<bool, Error> {
        let send = || {
            self.client
                .describe_db_cluster_parameter_groups()
                .db_cluster_parameter_group_name(name)
                .send()
        };
        let answer = self.read("DescribeDBClusterParameterGroups", send).await;
        existence(answer, |page| {
            !page.db_cluster_parameter_groups().is_empty()
        })
    }

    /// Tells whether an option group exists.
    ///
    /// # Errors
    /// Every class but [`Class::ReferenceNotFound`].
    pub async fn option_group_exists(&self, name: &str) -> Result<bool, Error> {
        let send = || {
            self.client
                .describe_option_groups()
                .option_group_name(name)
                .send()
        };
        existence(self.read("DescribeOptionGroups", send).await, |page| {
            !page.option_groups_list().is_empty()
        })
    }

    /// Tells whether a DB subnet group exists.
    ///
    /// # Errors
    /// Every class but [`Class::ReferenceNotFound`].
    pub async fn subnet_group_exists(&self, name: &str) -> Result<bool, Error> {
        let send = || {
            self.client
                .describe_db_subnet_groups()
                .db_subnet_group_name(name)
                .send()
        };
        existence(self.read("DescribeDBSubnetGroups", send).await, |page| {
            !page.db_subnet_groups().is_empty()
        })
    }

    /// Lists the DB subnet groups with the VPCs that they are in.
    ///
    /// # Errors
    /// Every class.
    pub async fn subnet_groups(&self) -> Result<Vec<SubnetGroup>, Error> {
        let request = self.client.describe_db_subnet_groups();
        let request = request.max_records(PAGE_RECORDS);
        let found = self.read_pages(
            "DescribeDBSubnetGroups",
            |marker| request.clone().set_marker(marker).send(),
            |page| (page.db_subnet_groups.unwrap_or_default(), page.marker),
        );
        let groups = found.await?.into_iter().filter_map(|group| {
            Some(SubnetGroup {
                name: group.db_subnet_group_name?,
                vpc: group.vpc_id?,
            })
        });
        Ok(groups.collect())
    }

    /// Tells whether RDS still offers a version of an engine.
    ///
    /// # Errors
    /// Every class.
    pub async fn engine_version_is_offered(
        &self,
        engine: &str,
        version: &str,
    ) -> Result<bool, Error> {
        let send = || {
            self.client
                .describe_db_engine_versions()
                .engine(engine)
                .engine_version(version)
                .send()
        };
        Ok(!self
            .read("DescribeDBEngineVersions", send)
            .await?
            .db_engine_versions()
            .is_empty())
    }

    /// Lists the account's quotas in the Region.
    ///
    /// # Errors
    /// Every class.
    pub async fn quotas(&self) -> Result<Vec<Quota>, Error> {
        let send = || self.client.describe_account_attributes().send();
        let answer = self.read("DescribeAccountAttributes", send).await?;
        let quotas = answer.account_quotas().iter().filter_map(|quota| {
            Some(Quota {
                name: quota.account_quota_name()?.to_owned(),
                used: quota.used()?,
                max: quota.max()?,
            })
        });
        Ok(quotas.collect())
    }

    /// Lists the blue/green deployments of a database. While there is one, the database must not
    /// be renamed: the deployment renames it itself.
    ///
    /// # Errors
    /// Every class.
    pub async fn blue_green_deployments_of(&self, source: &Arn) -> Result<Vec<String>, Error> {
        let filter = Filter::builder()
            .name("source")
            .values(source.as_str())
            .build();
        let send = || {
            self.client
                .describe_blue_green_deployments()
                .filters(filter.clone())
                .send()
        };
        let answer = self.read("DescribeBlueGreenDeployments", send).await?;
        let deployments = answer.blue_green_deployments().iter();
        Ok(deployments
            .filter_map(|deployment| deployment.blue_green_deployment_name.clone())
            .collect())
    }
}
