//! The custom endpoints of clusters.

use aws_sdk_rds::operation::describe_db_cluster_endpoints::builders::DescribeDBClusterEndpointsFluentBuilder;
use aws_sdk_rds::types as sdk;

use crate::convert::{parse, tags_from_sdk, tags_to_sdk};
use crate::database::{Identified, Tags};
use crate::error::Error;
use crate::id::{Arn, DbIdentifier, ResourceId};
use crate::look::{PAGE_RECORDS, none_if_missing};
use crate::rds::Rds;

const CREATE: &str = "CreateDBClusterEndpoint";
const DELETE: &str = "DeleteDBClusterEndpoint";
const DESCRIBE: &str = "DescribeDBClusterEndpoints";
const LIST_TAGS: &str = "ListTagsForResource";

/// What RDS calls an endpoint that it has not made itself.
const CUSTOM: &str = "CUSTOM";

/// A custom endpoint, seen once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomEndpoint {
    /// Its id, which is unique in the Region.
    pub identifier: DbIdentifier,
    /// Its identity.
    pub resource_id: ResourceId,
    /// Its ARN.
    pub arn: Arn,
    /// The cluster that it leads to.
    pub cluster: DbIdentifier,
    /// Where clients connect: a name that holds the id, and not the cluster's name.
    pub address: Option<String>,
    /// `creating`, `available`, `deleting`, `inactive` or `modifying`.
    pub status: String,
    /// Which members it may lead to: `READER` or `ANY`.
    pub kind: String,
    /// The members that it leads to; none for all but the excluded ones.
    pub static_members: Vec<DbIdentifier>,
    /// The members that it never leads to.
    pub excluded_members: Vec<DbIdentifier>,
}

/// A custom endpoint to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomEndpointSpec {
    /// Its id, which must be free in the Region.
    pub identifier: DbIdentifier,
    /// Which members it may lead to: `READER` or `ANY`.
    pub kind: String,
    /// The members that it leads to; none for all but the excluded ones.
    pub static_members: Vec<DbIdentifier>,
    /// The members that it never leads to.
    pub excluded_members: Vec<DbIdentifier>,
    /// All its tags.
    pub tags: Tags,
}

impl Rds {
    /// Lists the custom endpoints of a cluster of this name.
    ///
    /// # Errors
    /// Every class; no cluster of this name is an empty list.
    pub async fn custom_endpoints(
        &self,
        cluster: &DbIdentifier,
    ) -> Result<Vec<CustomEndpoint>, Error> {
        let request = self.client.describe_db_cluster_endpoints();
        let request = request.db_cluster_identifier(cluster.as_str());
        self.endpoints(request).await
    }

    async fn endpoints(
        &self,
        request: DescribeDBClusterEndpointsFluentBuilder,
    ) -> Result<Vec<CustomEndpoint>, Error> {
        let request = request.max_records(PAGE_RECORDS);
        let found = self.read_pages(
            DESCRIBE,
            |marker| request.clone().set_marker(marker).send(),
            |page| (page.db_cluster_endpoints.unwrap_or_default(), page.marker),
        );
        let found = none_if_missing(found.await)?.unwrap_or_default();
        let custom = found.iter().filter(|endpoint| {
            let kind = endpoint.endpoint_type();
            kind.is_some_and(|kind| kind.eq_ignore_ascii_case(CUSTOM))
        });
        custom.map(CustomEndpoint::from_sdk).collect()
    }

    /// Lists the tags of a custom endpoint, which no other look shows.
    ///
    /// # Errors
    /// Every class.
    pub async fn tags_of_endpoint(&self, seen: &CustomEndpoint) -> Result<Tags, Error> {
        let request = self.client.list_tags_for_resource();
        let request = request.resource_name(seen.arn.as_str());
        let answer = self.read(LIST_TAGS, || request.clone().send()).await?;
        Ok(tags_from_sdk(answer.tag_list()))
    }

    /// Starts making a custom endpoint of a cluster.
    ///
    /// # Errors
    /// Every class.
    pub async fn create_custom_endpoint(
        &self,
        of: &Identified,
        spec: &CustomEndpointSpec,
    ) -> Result<(), Error> {
        self.identify(CREATE, of).await?;
        let names = |members: &[DbIdentifier]| {
            let names = members.iter().map(ToString::to_string);
            (!members.is_empty()).then(|| names.collect::<Vec<String>>())
        };
        let request = self.client.create_db_cluster_endpoint();
        let request = request
            .db_cluster_identifier(of.name.as_str())
            .db_cluster_endpoint_identifier(spec.identifier.as_str())
            .endpoint_type(&spec.kind)
            .set_static_members(names(&spec.static_members))
            .set_excluded_members(names(&spec.excluded_members))
            .set_tags(tags_to_sdk(&spec.tags));
        self.act(CREATE, || request.clone().send()).await?;
        Ok(())
    }

    /// Starts deleting a custom endpoint, provided that it is still the one that was seen.
    ///
    /// # Errors
    /// Every class.
    pub async fn delete_custom_endpoint(&self, seen: &CustomEndpoint) -> Result<(), Error> {
        let id = seen.identifier.as_str();
        // By its own id: while the cluster is being renamed, its name leads nowhere.
        let request = self.client.describe_db_cluster_endpoints();
        let request = request.db_cluster_endpoint_identifier(id);
        let found = self.endpoints(request).await?;
        let found = found
            .iter()
            .find(|found| found.identifier == seen.identifier);
        let found =
            found.ok_or_else(|| Error::not_found(DELETE, "DBClusterEndpointNotFoundFault", id))?;
        if found.resource_id != seen.resource_id {
            let (expected, found) = (&seen.resource_id, &found.resource_id);
            return Err(Error::mismatch(DELETE, id, expected, found));
        }
        let request = self.client.delete_db_cluster_endpoint();
        let request = request.db_cluster_endpoint_identifier(id);
        self.act(DELETE, || request.clone().send()).await?;
        Ok(())
    }
}

impl CustomEndpoint {
    fn from_sdk(endpoint: &sdk::DbClusterEndpoint) -> Result<Self, Error> {
        let lacking = |member| move || Error::incomplete(DESCRIBE, member);
        let members = |names: &[String]| {
            let names = names.iter();
            names.filter_map(|name| name.parse().ok()).collect()
        };
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let kind = endpoint.custom_endpoint_type();
        Ok(Self {
            identifier: parse(endpoint.db_cluster_endpoint_identifier())
                .ok_or_else(lacking("DBClusterEndpointIdentifier"))?,
            resource_id: parse(endpoint.db_cluster_endpoint_resource_identifier())
                .ok_or_else(lacking("DBClusterEndpointResourceIdentifier"))?,
            arn: parse(endpoint.db_cluster_endpoint_arn())
                .ok_or_else(lacking("DBClusterEndpointArn"))?,
            cluster: parse(endpoint.db_cluster_identifier())
                .ok_or_else(lacking("DBClusterIdentifier"))?,
            address: endpoint.endpoint.clone(),
            status: text(endpoint.status()).to_ascii_lowercase(),
            kind: text(kind).to_ascii_uppercase(),
            static_members: members(endpoint.static_members()),
            excluded_members: members(endpoint.excluded_members()),
        })
    }
}
